/*
 * The host's own signal handlers, set after the library was loaded: they run for signals to the process and to the
 * callback thread, with and without SA_ONSTACK, while callbacks come and calls are made. What all threads of the host block
 * and one fetches with sigwait() does not come to a thread of the library, where it would end the process.
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

/* A thread of the host: calls, and leaves the process's signals to nobody else. */
static int leave;
static void *caller(void *unused) {
    while (!note_read(&leave)) TIMGetLoginStatus();
    return unused;
}

static void fetched(void) {
    int i, number;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM); /* nobody handles it: it would kill */
    sigaddset(&set, SIGUSR2);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_INT(TIMInit(app(), NULL), TIM_SUCC); /* changes nothing; callbacks get this thread's mask */
    drain(); /* the one in flight has the former mask */
    for (i = 0; i < SIGNALS; i++) {
        CHECK_INT(kill(getpid(), i % 2 ? SIGTERM : SIGUSR2), 0);
        CHECK_INT(sigwait(&set, &number), 0);
    }
}

int main(void) {
    int i;
    sigset_t set;
    pthread_t thread;
    init();
    for (i = 0; i < 4; i++) CHECK_INT(TIMSetConfig("{}", again, NULL), TIM_SUCC);
    WAIT_FOR(came > 100);
    round_of(SA_ONSTACK | SA_RESTART);
    round_of(SA_ONSTACK);
    round_of(0); /* a plain handler; the main thread takes the process's signals */
    CHECK_INT(pthread_create(&thread, NULL, caller, NULL), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGINT);
    CHECK_INT(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    for (i = 0; i < 5; i++) round_of(0); /* the other one does, in the middle of calls too */
    CHECK_INT(pthread_sigmask(SIG_UNBLOCK, &set, NULL), 0);
    note_add(&leave);
    pthread_join(thread, NULL);
    fetched();
    note_lock();
    stop = 1;
    note_unlock();
    drain();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("signals", "the host's handlers for SIGUSR1 and SIGINT ran for all of %d and %d signals while %d callbacks came; "
            "%d signals that the host blocks were left to its sigwait()", (int)caught[SIGUSR1], (int)caught[SIGINT],
            note_read(&came), SIGNALS);
    return 0;
}
