/*
 * A slow host: a callback that takes 2 seconds, and as long as the calls take, delays the others and loses none, their order stays that of the calls,
 * and no call waits for it. The sleep is what is tested, not a way to synchronise.
 */
#include "harness.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CALLS 2000

static int came, wrong_order, sleeping, strangers, all_made;
static pthread_t callback_thread;

static void slow(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json, (void)user_data;
    callback_thread = pthread_self();
    note_add(&sleeping);
    sleep(2);
    WAIT_FOR(all_made); /* on a busy machine they take longer */
    note_add(&sleeping);
}

static void numbered(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json;
    note_lock();
    if ((int)(intptr_t)user_data != came) wrong_order++;
    if (!pthread_equal(pthread_self(), callback_thread)) strangers++;
    came++;
    note_tell();
    note_unlock();
}

static long ms_since(const struct timespec *t) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t->tv_sec) * 1000 + (now.tv_nsec - t->tv_nsec) / 1000000;
}

int main(void) {
    int i;
    long calling, all;
    struct timespec start;
    init();
    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK_INT(TIMSetConfig("{}", slow, NULL), TIM_SUCC);
    WAIT_FOR(sleeping == 1);
    for (i = 0; i < CALLS; i++) {
        if (i % 2)
            CHECK_INT(TIMConvGetConvList(numbered, (void *)(intptr_t)i), TIM_SUCC);
        else
            CHECK_INT(TIMSetConfig("{}", numbered, (void *)(intptr_t)i), TIM_SUCC);
    }
    calling = ms_since(&start);
    CHECK_INT(note_read(&came), 0);
    CHECK_INT(note_read(&sleeping), 1);
    note_add(&all_made);
    WAIT_FOR(came == CALLS);
    all = ms_since(&start);
    CHECK_INT(wrong_order, 0);
    CHECK_INT(strangers, 0);
    CHECK(all >= 1900);
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("order", "a callback that slept 2 s delayed %d others, made in %ld ms meanwhile: all came, in order, on one thread",
            CALLS, calling);
    return 0;
}
