/*
 * The runtime between the exported functions and Go.
 *
 * Every call passes three guards before it enters Go:
 *  - a child of fork() gets an error: Go's runtime does not survive fork, a call would hang;
 *  - once exit() has begun every call is answered here: the host's destructors may call what they like;
 *  - a text over 16 MiB is refused.
 *
 * Which instance the calls of a thread mean is a thread-local word here; it goes to Go with every call. A callback runs with
 * its own instance as the current one.
 *
 * The exit gate keeps callbacks out of a dying host: its handler runs when exit() begins, lets no further callback start
 * and waits for those in flight, one an instance, at most 2 seconds, but not for one that called exit(). exit() runs the
 * destructors of the calling thread's thread-local variables first of all, so on Linux the gate hangs there for the main
 * thread and precedes every static of the host, whenever that was made. For exit() on another thread it is also registered
 * with atexit(), in TIMInit, TIMLogin and when a callback is set: handlers run last in, first out.
 *
 * Go keeps out of the host's signals. One that the host's threads block would come to a thread of Go's and end the process,
 * and a handler without SA_ONSTACK would run on a goroutine's small stack. So Go's threads begin with these signals blocked
 * (its runtime hands the mask of its first thread on), a call blocks them while it is in Go, and a callback runs with the
 * mask that TIMInit's caller had. What Go needs itself stays open: faults, SIGPIPE, SIGURG, and SIGPROF for profilers.
 */
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#define TIMBRE_MAX_TEXT ((size_t)16 << 20)
#define TIMBRE_MAX_ARGS 12
#define TIMBRE_EXIT_WAIT_SECONDS 2
#define TIMBRE_MAX_SETTER_HANDLERS 512
#define TIMBRE_NOWHERE (-1)

/* The Go entry point. lens holds the length of every text; current and within are the calling thread's, see below. */
extern int64_t timbreCall(int64_t current, int64_t within, int op, uint64_t *args, uint64_t *lens, int n);

#if defined(_WIN32)
#include <windows.h>
static SRWLOCK gate_lock = SRWLOCK_INIT;
static CONDITION_VARIABLE gate_change = CONDITION_VARIABLE_INIT;
static void gate_enter(void) { AcquireSRWLockExclusive(&gate_lock); }
static void gate_leave(void) { ReleaseSRWLockExclusive(&gate_lock); }
static void gate_tell(void) { WakeAllConditionVariable(&gate_change); }
typedef ULONGLONG moment;
static moment gate_limit(void) { return GetTickCount64() + TIMBRE_EXIT_WAIT_SECONDS * 1000; }
static int gate_wait(moment until) {
    moment now = GetTickCount64();
    return now < until && SleepConditionVariableSRW(&gate_change, &gate_lock, (DWORD)(until - now), 0) != 0;
}
static int forked(void) { return 0; }
typedef int signals;
static void signals_block(signals *before) { *before = 0; }
static void signals_set(const signals *mask, signals *before) { (void)mask, (void)before; }
static size_t text_length(const char *s) { return strnlen(s, TIMBRE_MAX_TEXT + 1); }
#define TIMBRE_THREAD_LOCAL __thread
#else
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_change = PTHREAD_COND_INITIALIZER;
static pid_t home; /* the process that loaded the library */
static void gate_enter(void) { pthread_mutex_lock(&gate_lock); }
static void gate_leave(void) { pthread_mutex_unlock(&gate_lock); }
static void gate_tell(void) { pthread_cond_broadcast(&gate_change); }
typedef struct timespec moment;
static moment gate_limit(void) {
    moment until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TIMBRE_EXIT_WAIT_SECONDS;
    return until;
}
static int gate_wait(moment until) { return pthread_cond_timedwait(&gate_change, &gate_lock, &until) == 0; }
typedef sigset_t signals;
static void signals_set(const signals *mask, signals *before) { pthread_sigmask(SIG_SETMASK, mask, before); }
static void signals_block(signals *before) {
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPIPE, SIGURG, SIGPROF};
    signals all;
    size_t i;
    sigfillset(&all);
    for (i = 0; i < sizeof open / sizeof *open; i++) sigdelset(&all, open[i]);
    pthread_sigmask(SIG_BLOCK, &all, before);
}
static int forked(void) { return getpid() != home; }
static size_t text_length(const char *s) { return strnlen(s, TIMBRE_MAX_TEXT + 1); }
/* as the library's other one: the general model would need the dynamic linker's __tls_get_addr */
#define TIMBRE_THREAD_LOCAL __thread __attribute__((tls_model("initial-exec")))
#endif

static int exiting;   /* under gate_lock */
static int in_flight; /* under gate_lock: callbacks that run now, of all instances */
static TIMBRE_THREAD_LOCAL int depth; /* callbacks that this thread is inside of */
static TIMBRE_THREAD_LOCAL int64_t current; /* the instance that the calls of this thread mean */
static TIMBRE_THREAD_LOCAL int64_t within = TIMBRE_NOWHERE; /* the instance whose callback this thread is inside of */
static signals host_signals; /* under gate_lock: the mask of callbacks */

#if !defined(_WIN32)
#if defined(__linux__)
/* Runs before Go's constructor, which makes Go's first thread, as the one below runs after it. */
__attribute__((constructor(101))) static void before_go(void) { signals_block(&host_signals); }
#define AFTER_GO signals_set(&host_signals, NULL)
#else
#define AFTER_GO pthread_sigmask(SIG_BLOCK, NULL, &host_signals)
#endif
__attribute__((constructor)) static void after_go(void) {
    home = getpid();
    AFTER_GO;
}
#endif

static void exit_begins(void) {
    if (forked()) return; /* the lock may be held, and the callback in flight is not in this process */
    gate_enter();
    if (!exiting) { /* it is registered several times and waits once */
        moment until = gate_limit();
        exiting = 1;
        while (in_flight > depth)
            if (!gate_wait(until)) break;
    }
    gate_leave();
}

static int has_exited(void) {
    int e;
    gate_enter();
    e = exiting;
    gate_leave();
    return e;
}

void timbre_run(int64_t instance, int callback, uint64_t fn, const uint64_t *w, uint64_t user_data) {
    int64_t current_before = current, within_before = within;
    signals mask, own;
    gate_enter();
    if (exiting) {
        gate_leave();
        return;
    }
    in_flight++;
    mask = host_signals;
    gate_leave();
    signals_set(&mask, &own);
    depth++;
    current = within = instance;
    timbre_invoke(callback, (void (*)(void))(uintptr_t)fn, w, (const void *)(uintptr_t)user_data);
    current = current_before;
    within = within_before;
    depth--;
    signals_set(&own, NULL);
    gate_enter();
    in_flight--;
    gate_tell();
    gate_leave();
}

#if defined(__linux__)
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *) __attribute__((weak));
extern void *__dso_handle;
static void main_thread_ends(void *unused) {
    (void)unused;
    exit_begins();
}
/* Hangs the gate before every destructor of the main thread. Once is enough: it precedes all statics. */
static void gate_main_thread(void) {
    static int hung;
    if (syscall(SYS_gettid) != getpid() || __cxa_thread_atexit_impl == NULL) return;
    gate_enter();
    if (!hung) {
        hung = 1;
        __cxa_thread_atexit_impl(main_thread_ends, NULL, &__dso_handle);
    }
    gate_leave();
}
#else
static void gate_main_thread(void) {}
#endif

static void register_gate(int op, int n) {
    static int setters;
    const char *kinds = timbre_arg_kinds[op];
    int setter = n == 2 && kinds[0] == 'c' && kinds[1] == 'u';
    gate_main_thread();
    if (op != TIMBRE_OP_TIMInit && op != TIMBRE_OP_TIMLogin && !setter) return;
    if (setter) {
        int many;
        gate_enter();
        many = ++setters > TIMBRE_MAX_SETTER_HANDLERS;
        gate_leave();
        if (many) return;
    }
    atexit(exit_begins);
}

/* What a call answers that may not enter Go. */
static int64_t answer_outside(int op) {
    switch (op) {
    case TIMBRE_OP_TIMGetLoginStatus: return kTIMLoginStatus_UnLogined;
    case TIMBRE_OP_TIMGetServerTime: return 0;
    default: return TIM_ERR_SDKUNINIT;
    }
}

/* What has nothing left to do once exit() has begun. */
static int ends(int op) { return op == TIMBRE_OP_TIMUninit || op == TIMBRE_OP_TIMExtInstanceDestroy; }

int64_t timbre_enter(int op, const uint64_t *args, int n) {
    uint64_t words[TIMBRE_MAX_ARGS], lens[TIMBRE_MAX_ARGS];
    const char *kinds = timbre_arg_kinds[op];
    signals before;
    int64_t result;
    int i;
    if (op == TIMBRE_OP_TIMExtInstanceGetCurrent) return current;
    if (forked()) return answer_outside(op);
    if (has_exited()) return ends(op) ? TIM_SUCC : answer_outside(op);
    for (i = 0; i < n; i++) {
        words[i] = args[i];
        lens[i] = 0;
        if (kinds[i] != 's' || args[i] == 0) continue;
        lens[i] = text_length((const char *)(uintptr_t)args[i]);
        if (lens[i] > TIMBRE_MAX_TEXT) return TIM_ERR_PARAM;
    }
    register_gate(op, n);
#if defined(_WIN32)
    if (op == TIMBRE_OP_TIMInit) { /* FreeLibrary must not unload a running Go */
        HMODULE self;
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(uintptr_t)&timbre_enter, &self);
    }
#endif
    signals_block(&before);
    if (op == TIMBRE_OP_TIMInit) {
        gate_enter();
        host_signals = before;
        gate_leave();
    }
    result = timbreCall(current, within, op, words, lens, n);
    if (op == TIMBRE_OP_TIMExtInstanceSetCurrent && result == TIM_SUCC) current = (int64_t)words[0];
    signals_set(&before, NULL);
    return result;
}
