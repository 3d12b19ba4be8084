/*
 * exit() with a callback that never returns: the process ends after the gate's 2 seconds, however many handlers the
 * library has registered. The callback waits for ever on purpose.
 */
#include "harness.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int entered;
static struct timespec start;

static void never_returns(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json, (void)user_data;
    note_add(&entered);
    for (;;) pause();
}

static void last_of_all(void) { /* registered first, runs last */
    struct timespec now;
    long ms;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (ms < 1500 || ms > 20000) test_fail(__FILE__, __LINE__, "exit() took %ld ms, want about 2000", ms);
    test_ok("stuck", "exit() with a callback that never returns took %ld ms", ms);
}

int main(void) {
    int i;
    atexit(last_of_all);
    init();
    for (i = 0; i < 40; i++) TIMSetNetworkStatusListenerCallback(NULL, NULL);
    CHECK_INT(TIMSetConfig("{}", never_returns, NULL), TIM_SUCC);
    WAIT_FOR(entered == 1);
    clock_gettime(CLOCK_MONOTONIC, &start);
    exit(0);
}
