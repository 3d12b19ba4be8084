/*
 * cycles N: N times TIMInit, login, logout, TIMUninit, with listeners and a few calls. Threads, file descriptors and memory
 * return to what they were after a warm-up: descriptors exactly, threads but for a few that Go keeps parked, resident
 * memory but for what the collector has not returned yet.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WARM_UP 20
#define MORE_THREADS 4
#define MORE_MEMORY (12L << 20)

static int events;

static void network_came(enum TIMNetworkStatus status, int32_t code, const char *desc, const void *word) {
    (void)status, (void)code, (void)desc, (void)word;
    note_add(&events);
}

static long resident(void) {
    long all, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f != NULL);
    CHECK_INT(fscanf(f, "%ld %ld", &all, &pages), 2);
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void cycle(const char *sig) {
    struct result in = {0};
    int came = 0;
    TIMSetNetworkStatusListenerCallback(network_came, NULL);
    init();
    CHECK_INT(TIMLogin("cycles_alice", sig, result_came, &in), TIM_SUCC);
    CHECK_INT(result_wait(&in), 0);
    CHECK_INT(TIMConvGetConvList(count_came, &came), TIM_SUCC);
    CHECK_INT(TIMConvGetTotalUnreadMessageCount(count_came, &came), TIM_SUCC);
    WAIT_FOR(came == 2);
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    CHECK_INT(in.calls, 1);
    result_clear(&in);
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 100, i, threads = 0, fds = 0, more_threads = 0, more_fds = 0;
    long memory = 0, most = 0;
    char sig[2048];
    ticket("cycles_alice", sig, sizeof sig);
    for (i = 0; i < WARM_UP + n; i++) {
        if (i == WARM_UP) threads = entries("/proc/self/task"), fds = entries("/proc/self/fd"), memory = resident();
        cycle(sig);
        if (getenv("TIMBRE_VERBOSE") && i % 20 == 0)
            printf("%d: %d threads, %d descriptors, %ld KiB\n", i, entries("/proc/self/task"), entries("/proc/self/fd"), resident() >> 10);
        if (resident() > most) most = resident();
    }
    entries_settle("/proc/self/task", threads + MORE_THREADS);
    entries_settle("/proc/self/fd", fds);
    more_threads = entries("/proc/self/task") - threads;
    more_fds = entries("/proc/self/fd") - fds;
    if (more_threads > MORE_THREADS || more_fds > 0 || resident() - memory > MORE_MEMORY)
        test_fail(__FILE__, __LINE__, "after %d cycles %d more threads, %d more descriptors, %ld KiB more memory", n,
                  more_threads, more_fds, (resident() - memory) >> 10);
    CHECK(events >= n);
    test_ok("cycles", "%d cycles of TIMInit, login, logout, TIMUninit: %d threads then %+d, %d descriptors then %+d, "
            "%ld KiB resident then %+ld (at most %ld)", n, threads - 2, more_threads, fds - 3, more_fds, memory >> 10,
            (resident() - memory) >> 10, most >> 10);
    return 0;
}
