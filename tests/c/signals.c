/*
 * The host's own signal handlers, set after the library was loaded: they run for signals to the process and to the
 * callback thread, with and without an alternate stack, while callbacks come.
 */
#include "harness.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNALS 500

static volatile sig_atomic_t caught[65];
static int came, stop;
static pthread_t callback_thread;

static void on_signal(int number) { caught[number]++; }

static void again(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json;
    callback_thread = pthread_self();
    note_add(&came);
    if (!note_read(&stop)) TIMSetConfig("{}", again, user_data);
}

static void round_of(int flags) {
    int i;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_INT(sigaction(SIGINT, &action, NULL), 0);
    for (i = 0; i < SIGNALS; i++) {
        int number = i % 2 ? SIGUSR1 : SIGINT, before = caught[number];
        if (i % 5 == 0 && (flags & SA_ONSTACK))
            CHECK_INT(pthread_kill(callback_thread, number), 0);
        else
            CHECK_INT(kill(getpid(), number), 0);
        while (caught[number] == before) sched_yield();
    }
}

int main(void) {
    int i;
    sigset_t set;
    init();
    for (i = 0; i < 4; i++) CHECK_INT(TIMSetConfig("{}", again, NULL), TIM_SUCC);
    WAIT_FOR(came > 100);
    round_of(SA_ONSTACK | SA_RESTART);
    round_of(SA_ONSTACK);
    round_of(0); /* a plain handler; the main thread takes the process's signals */
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGINT);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    round_of(SA_ONSTACK); /* now one of the library's threads takes them */
    note_lock();
    stop = 1;
    note_unlock();
    drain();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("signals", "the host's handlers for SIGUSR1 and SIGINT ran for all of %d and %d signals while %d callbacks came",
            (int)caught[SIGUSR1], (int)caught[SIGINT], note_read(&came));
    return 0;
}
