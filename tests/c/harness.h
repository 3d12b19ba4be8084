/*
 * What the test programs share: waiting for callbacks, tickets, login, assertions. C99 and C++98.
 *
 * A program prints one line, ok NAME: what was proven, and ends with 0; a failed assertion prints its file and line and
 * ends the process with status 1 at once, without exit handlers.
 */
#ifndef TIMBRE_TESTS_HARNESS_H
#define TIMBRE_TESTS_HARNESS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "TIMCloud.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition);  \
    } while (0)

#define CHECK_INT(got, want)                                                                                         \
    do {                                                                                                             \
        long long got_ = (long long)(got), want_ = (long long)(want);                                                \
        if (got_ != want_) test_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, got_, want_);                \
    } while (0)

#define CHECK_TEXT(got, want) test_same_text(__FILE__, __LINE__, #got, got, want)

/* Waits until condition holds; it is looked at again after every note_*() and with every callback of a result. */
#define WAIT_FOR(condition)                                                                                          \
    do {                                                                                                             \
        note_lock();                                                                                                 \
        while (!(condition))                                                                                         \
            if (!note_wait(TEST_TIMEOUT)) test_fail(__FILE__, __LINE__, "waited %d s for %s", TEST_TIMEOUT, #condition); \
        note_unlock();                                                                                               \
    } while (0)

#define TEST_TIMEOUT 100

void test_fail(const char *file, int line, const char *format, ...);
void test_same_text(const char *file, int line, const char *what, const char *got, const char *want);
void test_ok(const char *name, const char *format, ...);

/* One lock and one condition for all that callbacks tell the program. */
void note_lock(void);
void note_unlock(void);
void note_tell(void);          /* with the lock held */
int note_wait(int seconds);    /* with the lock held; 0 when the time is over */
void note_add(int *counter);   /* takes the lock, adds one and tells */
int note_read(const int *counter);

/* The result of one call: give result_came as its callback and the struct as user_data. */
struct result {
    int calls; /* how often the callback ran */
    int code;
    char *json; /* the program frees it through result_clear */
    pthread_t thread;
};
void result_came(int32_t code, const char *desc, const char *json, const void *user_data);
int result_wait(struct result *r); /* returns the code */
void result_clear(struct result *r);

/* Counts callbacks: user_data is an int*. */
void count_came(int32_t code, const char *desc, const char *json, const void *user_data);

/* A barrier: returns when all callbacks that are queued now have run. Not from inside a callback. */
void drain(void);

/* TIMInit with folders below a temporary one, named after the process, that goes when the process ends normally. */
void init(void);
const char *folder(void);
uint64_t app(void);
void ticket(const char *user, char *buffer, size_t size);
void login(const char *user); /* TIMInit must have been called */
void logout(void);

/* Has another process log user in and send count texts to target; returns when the server has them. */
void peer_sends(const char *user, const char *target, int count);

/* How many entries a folder has: /proc/self/task and /proc/self/fd count threads and descriptors. */
int entries(const char *path);

/* Returns when there are no more entries than so many, or after some seconds: what has ended goes a moment later. */
void entries_settle(const char *path, int most);

/* JSON of a text message; free() it. */
char *text_message(const char *text);

#ifdef __cplusplus
}
#endif
#endif
