// What the exit programs share: a host whose objects must not be touched once their destructors have run, and a flood of
// callbacks into them that is still going on when the process ends, in instance 0 and in three others.
//
// Every callback goes into a Sink: the global one, or the function-local static that is made only after TIMLogin and hence
// destroyed first. A Sink that is entered, or left, after its destruction aborts the process. The runner counts.
#ifndef TIMBRE_TESTS_EXIT_COMMON_H
#define TIMBRE_TESTS_EXIT_COMMON_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "../c/harness.h"

class Sink {
public:
    Sink() : state(kAlive) { pthread_mutex_init(&mutex, NULL); }
    ~Sink() {
        pthread_mutex_lock(&mutex);
        lines.clear();
        state = kDead;
        pthread_mutex_unlock(&mutex);
    }
    // Takes long enough for the process to begin to end meanwhile.
    void take(const char *text) {
        check("entered");
        pthread_mutex_lock(&mutex);
        lines.push_back(text);
        if (lines.size() > 100) lines.clear();
        pthread_mutex_unlock(&mutex);
        for (volatile int i = 0; i < 20000; i = i + 1) {
        }
        check("left");
    }

private:
    enum { kAlive = 0x600d, kDead = 0xdead };
    void check(const char *when) const {
        if (state == kAlive) return;
        fprintf(stderr, "a destroyed object was %s by a callback\n", when);
        abort();
    }
    volatile int state;
    pthread_mutex_t mutex;
    std::vector<std::string> lines;
};

static Sink global_sink;

// Made at the first call.
static Sink &late_sink() {
    static Sink sink;
    return sink;
}

static volatile bool late_exists;
static int came;

static void take(const char *text) {
    if (text == NULL) abort();
    global_sink.take(text);
    if (late_exists) late_sink().take(text);
    note_add(&came);
}

static void log_came(enum TIMLogLevel, const char *line, const void *) { take(line); }
static void message_came(const char *json, const void *) { take(json); }
static void network_came(enum TIMNetworkStatus, int32_t, const char *desc, const void *) { take(desc); }

// Each result asks for the next one, so that one is always waiting.
static void list_came(int32_t, const char *, const char *json, const void *word) {
    take(json);
    TIMConvGetConvList(list_came, word);
}

// The same in another instance: callbacks come on a thread of each.
static void config_came(int32_t, const char *, const char *json, const void *word) {
    take(json);
    TIMSetConfig("{}", config_came, word);
}

static void start_instance() {
    int64_t before = TIMExtInstanceGetCurrent(), instance = TIMExtInstanceCreate();
    CHECK_INT(TIMExtInstanceSetCurrent(instance), 0);
    CHECK_INT(TIMSetConfig("{}", config_came, NULL), TIM_SUCC);
    CHECK_INT(TIMExtInstanceSetCurrent(before), 0);
}

// Logs in, makes the late object and returns when as many callbacks have come as the command line says.
static void start_flood(int argc, char **argv) {
    TIMSetLogCallback(log_came, NULL);
    TIMSetNetworkStatusListenerCallback(network_came, NULL);
    TIMAddRecvNewMsgCallback(message_came, NULL);
    init();
    login("exit_bob");
    late_sink();
    late_exists = true;
    for (int i = 0; i < 3; i++) start_instance();
    int wanted = note_read(&came) + (argc > 1 ? atoi(argv[1]) : 50);
    for (int i = 0; i < 8; i++) CHECK_INT(TIMConvGetConvList(list_came, NULL), TIM_SUCC);
    WAIT_FOR(came >= wanted);
}

#endif
