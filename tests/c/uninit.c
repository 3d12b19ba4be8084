/*
 * The end of a client's life. TIMUninit answers what is pending with 7009 and lets callbacks finish; nothing asked before
 * calls back after it returned, no event either; calls made then get 6013. Inside a callback it does the same. A host that
 * blocks for longer than 2 seconds loses what is undelivered, and only that. With a server (TIMBRE_SERVER_PID, which is
 * stopped so that it does not answer): pending calls get 6014 at TIMLogout, before its own callback, and 7009 at TIMUninit;
 * a login under way gets 6023 and 7009.
 */
#include "harness.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANY 200
#define PENDING 20

static int ended, late, came, codes[MANY + 1];

static void note_late(void) {
    if (ended) late++;
}

static void log_came(enum TIMLogLevel level, const char *line, const void *word) {
    (void)level, (void)line, (void)word;
    note_lock();
    note_late();
    note_unlock();
}

static void network_came(enum TIMNetworkStatus status, int32_t code, const char *desc, const void *word) {
    (void)status, (void)code, (void)desc, (void)word;
    note_lock();
    note_late();
    note_unlock();
}

/* Asks again until it is told that the library is not initialised. */
static void chain(int32_t code, const char *desc, const char *json, const void *word) {
    (void)desc, (void)json;
    note_lock();
    note_late();
    came++;
    note_tell();
    note_unlock();
    if (code != ERR_SDK_NOT_INITIALIZED) TIMConvGetConvList(chain, word);
}

static void coded(int32_t code, const char *desc, const char *json, const void *word) {
    (void)desc, (void)json;
    note_lock();
    note_late();
    came++;
    codes[(intptr_t)word] = code;
    note_tell();
    note_unlock();
}

static void begin(void) {
    note_lock();
    ended = late = came = 0;
    memset(codes, 0, sizeof codes);
    note_unlock();
    TIMSetLogCallback(log_came, NULL);
    TIMSetNetworkStatusListenerCallback(network_came, NULL);
    init();
}

/* To be called after TIMUninit has returned. */
static void check_silence(void) {
    struct result r = {0};
    char user[128] = "x";
    CHECK_INT(TIMConvGetConvList(result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), ERR_SDK_NOT_INITIALIZED); /* whatever was queued before it has come by now */
    CHECK_TEXT(r.json, "[]");
    CHECK_INT(r.calls, 1);
    result_clear(&r);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_UnLogined);
    CHECK_INT(TIMGetLoginUserID(user), TIM_SUCC);
    CHECK_TEXT(user, "");
    CHECK_INT(TIMUninit(), TIM_SUCC); /* once more does nothing */
    note_lock();
    CHECK_INT(late, 0);
    note_unlock();
}

static void finish(void) {
    CHECK_INT(TIMUninit(), TIM_SUCC);
    note_lock();
    ended = 1;
    note_unlock();
}

static void from_outside(void) {
    int i;
    begin();
    for (i = 0; i < 8; i++) CHECK_INT(TIMConvGetConvList(chain, NULL), TIM_SUCC);
    WAIT_FOR(came > 500);
    finish();
    check_silence();
}

static int inside_returned;
static void uninit_inside(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code, (void)desc, (void)json, (void)word;
    WAIT_FOR(codes[MANY] == -1); /* until the others are queued */
    CHECK_INT(TIMUninit(), TIM_SUCC);
    note_lock();
    ended = 1;
    inside_returned = came;
    note_tell();
    note_unlock();
}

static void from_inside(void) {
    int i;
    begin();
    inside_returned = -1;
    CHECK_INT(TIMSetConfig("{}", uninit_inside, NULL), TIM_SUCC);
    for (i = 0; i < MANY; i++) CHECK_INT(TIMSetConfig("{}", coded, (void *)(intptr_t)i), TIM_SUCC);
    note_lock();
    codes[MANY] = -1;
    note_tell();
    note_unlock();
    WAIT_FOR(inside_returned >= 0);
    CHECK_INT(inside_returned, MANY); /* it drained the queue itself */
    check_silence();
}

static int blocked, released;
static void blocks(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code, (void)desc, (void)json, (void)word;
    note_add(&blocked);
    WAIT_FOR(released == 1);
    note_add(&blocked);
}

static void from_blocked(void) {
    int i;
    struct timespec a, b;
    begin();
    blocked = released = 0;
    CHECK_INT(TIMSetConfig("{}", blocks, NULL), TIM_SUCC);
    for (i = 0; i < MANY; i++) CHECK_INT(TIMSetConfig("{}", coded, (void *)(intptr_t)i), TIM_SUCC);
    WAIT_FOR(blocked == 1);
    clock_gettime(CLOCK_MONOTONIC, &a);
    finish();
    clock_gettime(CLOCK_MONOTONIC, &b);
    CHECK(b.tv_sec - a.tv_sec >= 1 && b.tv_sec - a.tv_sec <= 20);
    note_add(&released);
    WAIT_FOR(blocked == 2);
    check_silence();
    CHECK_INT(came, 0); /* dropped */
}

/* Whether all threads of the server have the state, T for stopped. */
static int all_are(const char *pid, char state) {
    char path[400], line[512];
    struct dirent *e;
    DIR *tasks;
    int all = 1;
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    CHECK((tasks = opendir(path)) != NULL);
    while ((e = readdir(tasks)) != NULL) {
        FILE *f;
        char *after;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%s/task/%s/stat", pid, e->d_name);
        if ((f = fopen(path, "r")) == NULL) continue; /* the thread has ended */
        CHECK(fgets(line, sizeof line, f) != NULL);
        fclose(f);
        after = strrchr(line, ')');
        all &= after != NULL && after[2] == state;
    }
    closedir(tasks);
    return all;
}

static void server(int signal) {
    const char *pid = getenv("TIMBRE_SERVER_PID");
    CHECK_INT(kill(atoi(pid), signal), 0);
    while (signal == SIGSTOP && !all_are(pid, 'T')) sched_yield();
}

/* Calls that wait for the server. */
static void ask(int n) {
    char *message = text_message("pending");
    int i;
    for (i = 0; i < n; i++) {
        void *word = (void *)(intptr_t)i;
        switch (i % 3) {
        case 0: CHECK_INT(TIMMsgSendMessage("uninit_bob", kTIMConv_C2C, message, NULL, coded, word), TIM_SUCC); break;
        case 1: CHECK_INT(TIMProfileGetUserProfileList("{\"friendship_getprofilelist_param_identifier_array\":[\"x\"]}", coded, word), TIM_SUCC); break;
        default: CHECK_INT(TIMMsgSendNewMsg("uninit_bob", kTIMConv_C2C, message, coded, word), TIM_SUCC);
        }
    }
    free(message);
}

static void pending(int at_logout) {
    struct result r = {0};
    int i;
    begin();
    login("uninit_alice");
    drain();
    server(SIGSTOP);
    ask(PENDING);
    CHECK_INT(note_read(&came), 0);
    if (at_logout) {
        CHECK_INT(TIMLogout(result_came, &r), TIM_SUCC);
        CHECK_INT(result_wait(&r), 0);
        CHECK_INT(note_read(&came), PENDING); /* all before the logout's own */
        result_clear(&r);
    }
    finish();
    server(SIGCONT);
    CHECK_INT(note_read(&came), PENDING);
    for (i = 0; i < PENDING; i++)
        CHECK_INT(codes[i], at_logout ? ERR_SDK_NOT_LOGGED_IN : ERR_SDK_COMM_INTERRUPT);
    check_silence();
    CHECK_INT(note_read(&came), PENDING);
}

static void pending_login(int at_logout) {
    char sig[2048];
    struct result in = {0}, out = {0};
    ticket("uninit_alice", sig, sizeof sig);
    begin();
    server(SIGSTOP);
    CHECK_INT(TIMLogin("uninit_alice", sig, result_came, &in), TIM_SUCC);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_Logining);
    if (at_logout) {
        CHECK_INT(TIMLogout(result_came, &out), TIM_SUCC);
        CHECK_INT(result_wait(&out), 0);
        CHECK_INT(in.calls, 1);
        result_clear(&out);
    }
    finish();
    server(SIGCONT);
    CHECK_INT(result_wait(&in), at_logout ? ERR_LOGGED_OUT_BEFORE_LOGIN_FINISHED : ERR_SDK_COMM_INTERRUPT);
    CHECK_INT(in.calls, 1);
    result_clear(&in);
    check_silence();
}

int main(void) {
    int i, with_server = getenv("TIMBRED") != NULL;
    for (i = 0; i < 20; i++) from_outside();
    for (i = 0; i < 20; i++) from_inside();
    from_blocked();
    if (with_server) {
        pending(1);
        pending(0);
        pending_login(1);
        pending_login(0);
    }
    test_ok("uninit", "TIMUninit 20 times from outside and 20 inside a callback with %d callbacks waiting, once beside a "
            "blocked host: silence afterwards, then 6013%s", MANY, with_server ? "; pending calls get 6014 at logout and 7009 "
            "at TIMUninit, a pending login 6023 and 7009, once each" : "");
    return 0;
}
