/*
 * The functions that register callbacks: each is legal before TIMInit, may be set, replaced and cleared with NULL; what is
 * registered last is called, with its own user_data, and what was cleared is not. setters.inc lists them with their
 * types, so the compiler proves those; run.sh holds the list against the headers.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#pragma GCC diagnostic ignored "-Wcast-function-type"
#endif

static int setters, stray, first_word, second_word;

/* Stands for a callback of any type in setters whose event does not happen here. */
static void never(void) { note_add(&stray); }
static void never_either(void) { note_add(&stray); }

static void all_setters(void) {
    setters = 0;
#define SETTER(set, type)                          \
    set((type)never, &first_word);                 \
    set((type)never_either, &second_word);         \
    set((type)never, NULL);                        \
    set((type)0, &first_word);                     \
    set((type)0, NULL);                            \
    setters++;
#include "setters.inc"
#undef SETTER
    TIMAddRecvNewMsgCallback((TIMRecvNewMsgCallback)never, NULL);
    TIMRemoveRecvNewMsgCallback((TIMRecvNewMsgCallback)never);
    TIMAddRecvNewMsgCallback((TIMRecvNewMsgCallback)never_either, NULL);
    TIMRemoveRecvNewMsgCallback((TIMRecvNewMsgCallback)never_either);
    TIMRemoveRecvNewMsgCallback((TIMRecvNewMsgCallback)never_either); /* twice */
    TIMRemoveRecvNewMsgCallback(NULL);
    setters++;
}

struct heard {
    int first, second;
};
static struct heard logs, network, messages_added, messages_set;

static void log_first(enum TIMLogLevel level, const char *line, const void *word) {
    CHECK(level >= kTIMLog_Test && level <= kTIMLog_Assert && line[0] != 0 && word == &first_word);
    note_add(&logs.first);
}
static void log_second(enum TIMLogLevel level, const char *line, const void *word) {
    CHECK(level >= kTIMLog_Test && line[0] != 0 && word == &second_word);
    note_add(&logs.second);
}
static void network_first(enum TIMNetworkStatus status, int32_t code, const char *desc, const void *word) {
    CHECK(status <= kTIMConnectFailed && desc != NULL && word == &first_word);
    CHECK(status == kTIMConnectFailed || status == kTIMDisconnected || code == 0);
    note_add(&network.first);
}
static void message_first(const char *json, const void *word) {
    CHECK(json[0] == '[' && strstr(json, kTIMMsgElemArray) && word == &first_word);
    note_add(&messages_added.first);
}
static void message_second(const char *json, const void *word) {
    CHECK(json[0] == '[' && word == &second_word);
    note_add(&messages_added.second);
}
static void message_set(const char *json, const void *word) {
    CHECK(json[0] == '[' && word == &second_word);
    note_add(&messages_set.first);
}

/* Makes a line at level Error through the interface. */
static void write_line(void) {
    struct result r = {0};
    CHECK_INT(callExperimentalAPI("{\"request_internal_operation\":\"internal_operation_write_log\","
                                  "\"request_write_log_log_level_param\":6,\"request_write_log_log_content_param\":\"x\"}",
                                  result_came, &r), TIM_SUCC);
    CHECK_INT(result_wait(&r), 0);
    result_clear(&r);
    drain();
}

static void logs_and_network(void) {
    int before;
    TIMSetLogCallback(log_first, &first_word);
    TIMSetNetworkStatusListenerCallback(network_first, &first_word);
    init();
    WAIT_FOR(logs.first > 0 && network.first > 0); /* both were registered before TIMInit */
    TIMSetLogCallback(log_second, &second_word);
    drain();
    before = note_read(&logs.first);
    write_line();
    CHECK(note_read(&logs.second) > 0);
    CHECK_INT(note_read(&logs.first), before); /* replaced */
    TIMSetLogCallback(NULL, NULL);
    TIMSetNetworkStatusListenerCallback(NULL, &first_word);
    drain();
    before = note_read(&logs.second);
    write_line();
    CHECK_INT(note_read(&logs.second), before); /* cleared */
}

/* Each message callback that is registered gets each message once, in the order of registration, TIMSet's last. */
static void messages(void) {
    TIMAddRecvNewMsgCallback(message_first, &second_word);
    TIMAddRecvNewMsgCallback(message_first, &first_word); /* the same again: one entry, the newer word */
    TIMAddRecvNewMsgCallback(message_second, &second_word);
    TIMSetRecvNewMsgCallback(message_set, &second_word);
    login("setters_bob");
    peer_sends("setters_alice", "setters_bob", 1);
    WAIT_FOR(messages_set.first == 1);
    CHECK_INT(messages_added.first, 1);
    CHECK_INT(messages_added.second, 1);
    TIMRemoveRecvNewMsgCallback(message_first);
    TIMSetRecvNewMsgCallback(NULL, NULL);
    peer_sends("setters_alice", "setters_bob", 1);
    WAIT_FOR(messages_added.second == 2);
    drain();
    CHECK_INT(messages_added.first, 1);
    CHECK_INT(messages_set.first, 1);
    TIMRemoveRecvNewMsgCallback(message_second);
    logout();
}

int main(void) {
    int with_server = getenv("TIMBRED") != NULL;
    all_setters();
    all_setters();
    logs_and_network();
    all_setters(); /* after TIMInit as well */
    if (with_server) messages();
    all_setters();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    all_setters();
    CHECK_INT(stray, 0);
    test_ok("setters", "%d setters set, replaced and cleared before TIMInit, after it and after TIMUninit; log and network "
            "callbacks%s follow the last registration", setters, with_server ? " and three message callbacks" : "");
    return 0;
}
