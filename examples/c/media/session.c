#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;

void lock(void) { pthread_mutex_lock(&mutex); }
void unlock(void) { pthread_mutex_unlock(&mutex); }
void tell_change(void) { pthread_cond_broadcast(&change); }

int wait_for_change(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    return pthread_cond_timedwait(&change, &mutex, &until) == 0;
}

void result_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    struct result *r = (struct result *)user_data;
    (void)json;
    lock();
    r->code = (int)code;
    snprintf(r->desc, sizeof r->desc, "%s", desc);
    r->done = 1;
    tell_change();
    unlock();
}

int result_of(const char *what, int returned, struct result *r) {
    if (returned != TIM_SUCC) {
        fprintf(stderr, "%s was not accepted: %d\n", what, returned);
        return returned;
    }
    lock();
    while (!r->done) wait_for_change(); /* the library answers every accepted call */
    unlock();
    if (r->code != 0) fprintf(stderr, "%s: %d %s\n", what, r->code, r->desc);
    return r->code;
}

void session_begin(const char *user, const char *user_sig) {
    struct result r = {0, 0, ""};
    const char *app = getenv("TIMBRE_APP");
    if (app == NULL) {
        fprintf(stderr, "TIMBRE_APP is not set\n");
        exit(2);
    }
    if (TIMInit(strtoull(app, NULL, 10), NULL) != TIM_SUCC) exit(1);
    if (result_of("TIMLogin", TIMLogin(user, user_sig, result_came, &r), &r) != 0) exit(1);
}

void session_end(void) {
    struct result r = {0, 0, ""};
    result_of("TIMLogout", TIMLogout(result_came, &r), &r);
    TIMUninit();
}

void show_progress(const char *what, unsigned long long done, unsigned long long total, int *shown) {
    int tenth = total == 0 ? 0 : (int)(done * 10 / total);
    if (tenth <= *shown) return;
    *shown = tenth;
    printf("%s: %3d %% of %llu bytes\n", what, tenth * 10, total);
    fflush(stdout);
}
