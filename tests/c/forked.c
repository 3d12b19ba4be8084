/*
 * A child of fork() cannot use the library of its parent: its calls answer with an error at once, none hangs, no callback
 * runs, and it can end through exit(). The parent does not notice. Forks happen while callbacks run, so that the child
 * inherits every state that the library can be in.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 60

static int came, stop, calls_of_child;
static pid_t parent;

static void again(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json;
    if (getpid() != parent) _exit(3);
    note_lock();
    came++;
    note_tell();
    note_unlock();
    if (!note_read(&stop)) TIMSetConfig("{}", again, user_data);
}

static void child_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code, (void)desc, (void)json, (void)user_data;
    calls_of_child++;
}

static void child(int quick) {
    char buffer[128] = "untouched";
    char *message = text_message("x");
    alarm(100); /* kills the child if a call hangs */
    CHECK(TIMInit(app(), NULL) != TIM_SUCC);
    CHECK(TIMLogin("bob", "sig", child_came, NULL) != TIM_SUCC);
    CHECK(TIMLogout(child_came, NULL) != TIM_SUCC);
    CHECK(TIMSetConfig("{}", child_came, NULL) != TIM_SUCC);
    CHECK(TIMGetLoginUserID(buffer) != TIM_SUCC);
    CHECK_INT(TIMGetLoginStatus(), kTIMLoginStatus_UnLogined);
    CHECK_INT(TIMGetServerTime(), 0);
    CHECK(TIMGetSDKVersion()[0] == '8');
    CHECK(TIMMsgSendMessage("bob", kTIMConv_C2C, message, NULL, child_came, NULL) != TIM_SUCC);
    CHECK(TIMConvGetConvList(child_came, NULL) != TIM_SUCC);
    CHECK(callExperimentalAPI("{\"request_internal_operation\":\"internal_operation_write_log\"}", child_came, NULL) != TIM_SUCC);
    TIMSetLogCallback(NULL, NULL);
    TIMAddRecvNewMsgCallback(NULL, NULL);
    TIMRemoveRecvNewMsgCallback(NULL);
    CHECK(TIMUninit() != TIM_SUCC);
    CHECK_INT(calls_of_child, 0);
    free(message);
    if (quick) _exit(0);
    exit(0); /* with the exit handlers that the parent registered */
}

int main(void) {
    int i;
    parent = getpid();
    init();
    for (i = 0; i < 4; i++) CHECK_INT(TIMSetConfig("{}", again, NULL), TIM_SUCC);
    for (i = 0; i < FORKS; i++) {
        int status, now = note_read(&came);
        pid_t pid;
        WAIT_FOR(came > now + 5);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) child(i % 2);
        CHECK_INT(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            test_fail(__FILE__, __LINE__, "child %d ended with status 0x%x%s", i, status,
                      WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": it hung" : "");
    }
    note_lock();
    stop = 1;
    note_unlock();
    drain(); /* the parent's library is as it was */
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("forked", "%d children forked between callbacks: 16 calls in each fail at once, no callback, exit() ends them; "
            "the parent goes on", FORKS);
    return 0;
}
