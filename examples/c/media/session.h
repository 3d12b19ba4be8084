/* Login, logout, and waiting for callbacks, which come on the library's own thread. */
#ifndef MEDIA_SESSION_H
#define MEDIA_SESSION_H

#include <stdint.h>

#include "TIMCloud.h"

/* Initialises the library and logs in; prints what went wrong and ends the process otherwise. */
void session_begin(const char *user, const char *user_sig);
void session_end(void);

/* The result of a call that has begun: give result_came as its callback and the struct as its user_data. */
struct result {
    int done, code;
    char desc[200];
};
void result_came(int32_t code, const char *desc, const char *json, const void *user_data);

/* Ends a call: `returned` is what the function gave. Returns the code, and prints it when it is not 0. */
int result_of(const char *what, int returned, struct result *r);

/* For everything else that callbacks and main() share. wait_for_change returns 0 when nothing happened for a minute. */
void lock(void);
void unlock(void);
void tell_change(void);
int wait_for_change(void);

/* Prints how far a transfer is: each tenth of it once. *shown must be -1 at its beginning. */
void show_progress(const char *what, unsigned long long done, unsigned long long total, int *shown);

#endif
