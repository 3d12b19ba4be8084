/*
 * A host that loads the library at run time: its own handlers for SIGUSR1 and SIGINT were there first and still run; after
 * TIMUninit, dlclose and dlopen the library works as before, also when dlclose came without TIMUninit. Not linked with the
 * library.
 */
#include "harness.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 5
#define SIGNALS 200

static volatile sig_atomic_t caught[65];
static int came, stop;
static int (*set_config)(const char *, TIMCommCallback, const void *);

static void on_signal(int number) { caught[number]++; }

static void again(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json;
    note_add(&came);
    if (!note_read(&stop)) set_config("{}", again, user_data);
}

static void *symbol(void *lib, const char *name) {
    void *p = dlsym(lib, name);
    if (p == NULL) test_fail(__FILE__, __LINE__, "dlsym: %s", dlerror());
    return p;
}

static void signals(void) {
    int i;
    for (i = 0; i < SIGNALS; i++) {
        int number = i % 2 ? SIGUSR1 : SIGINT, before = caught[number];
        CHECK_INT(kill(getpid(), number), 0);
        while (caught[number] == before) sched_yield();
    }
}

int main(int argc, char **argv) {
    const char *path = getenv("TIMBRE_LIBRARY");
    struct sigaction action;
    int round;
    CHECK(argc == 2 || path);
    if (argc == 2) path = argv[1];
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_INT(sigaction(SIGINT, &action, NULL), 0);
    for (round = 0; round < ROUNDS; round++) {
        char config[512];
        struct sigaction now;
        struct result r = {0};
        int last = round == ROUNDS - 1, i;
        int (*start)(uint64_t, const char *), (*end)(void);
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (lib == NULL) test_fail(__FILE__, __LINE__, "%s", dlerror());
        start = (int (*)(uint64_t, const char *))symbol(lib, "TIMInit");
        end = (int (*)(void))symbol(lib, "TIMUninit");
        set_config = (int (*)(const char *, TIMCommCallback, const void *))symbol(lib, "TIMSetConfig");
        snprintf(config, sizeof config, "{\"%s\":\"%s/log\",\"%s\":\"%s/data\"}", kTIMSdkConfigLogFilePath, folder(),
                 kTIMSdkConfigConfigFilePath, folder());
        CHECK_INT(start(1400000001, config), TIM_SUCC);
        CHECK_INT(set_config("{}", result_came, &r), TIM_SUCC);
        CHECK_INT(result_wait(&r), 0);
        CHECK_INT(r.calls, 1);
        result_clear(&r);
        CHECK_INT(sigaction(SIGUSR1, NULL, &now), 0);
        CHECK(now.sa_handler == on_signal);
        came = stop = 0;
        for (i = 0; i < 4; i++) CHECK_INT(set_config("{}", again, NULL), TIM_SUCC);
        WAIT_FOR(came > 100);
        signals();
        if (round % 2 == 0 || last) {
            note_lock();
            stop = 1;
            note_unlock();
            CHECK_INT(end(), TIM_SUCC);
        } else { /* the next round finds it running */
            int before = note_read(&came);
            CHECK_INT(dlclose(lib), 0);
            WAIT_FOR(came > before + 100);
            continue;
        }
        CHECK_INT(dlclose(lib), 0);
    }
    test_ok("reload", "%d rounds of dlopen, TIMInit, callbacks, dlclose, two of them without TIMUninit; the host's handlers "
            "for SIGUSR1 and SIGINT, set before dlopen, ran %d times each", ROUNDS, (int)caught[SIGUSR1]);
    return 0;
}
