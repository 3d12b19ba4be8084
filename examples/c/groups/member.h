/* A user of the example: he lives in an instance of the library of his own, and remembers what he was told. */
#ifndef GROUPS_MEMBER_H
#define GROUPS_MEMBER_H

#include <stdint.h>

#include "TIMCloud.h"

struct member {
    const char *name;
    int64_t instance;
    char told[8000]; /* what the callbacks said, a line each */
    size_t size;     /* of it */
    size_t begin;    /* of what he was told in this step */
};

/* Makes the instance and logs in; ends the program if that fails. */
void member_begin(struct member *m, uint64_t app, const char *name, const char *user_sig);

/* Logs out. When it returns no callback of this member runs any more. */
void member_end(struct member *m);

/* Makes him the one whose calls this thread makes. */
void as(const struct member *m);

/* Begins a step: what he was told before counts no more. */
void member_step(struct member *m);

/* Waits until he has been told something with this text in this step. Ends the program after 20 s. */
void expect(struct member *m, const char *text);

/* The callback for results: give a struct result, which is all zero, as its user_data. */
struct result {
    int done, code;
    char *json;
};
void result_came(int32_t code, const char *desc, const char *json, const void *user_data);

/*
 * Ends a call of a function that returned this: waits for its result and ends the program if its code is not the one that is
 * wanted. The result's JSON stays until the next call of finish.
 */
const char *finish(const char *what, int returned, struct result *r, int wanted);

/* finish for a call that has to succeed. RESULT is what the call takes as its last two parameters. */
#define RESULT result_came, &result
#define OK(function, ...) (result = (struct result){0, 0, NULL}, finish(#function, function(__VA_ARGS__, RESULT), &result, 0))
#define FAILS(code, function, ...) (result = (struct result){0, 0, NULL}, finish(#function, function(__VA_ARGS__, RESULT), &result, code))
extern struct result result;

#endif
