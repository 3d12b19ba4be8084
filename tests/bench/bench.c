/*
 * Measures the library through its C interface. One process plays one part:
 *
 *   bench start LIB USER TICKET FOLDER                 dlopen, TIMInit, login, resident memory, with an empty folder
 *   bench fill LIB USER TICKET FOLDER CONVS MESSAGES   makes conversations and imports messages into the first one, user0
 *   bench local LIB USER TICKET FOLDER                 login, first conversation list and history pages of a full folder
 *   bench page LIB USER TICKET FOLDER                  TIMInit to the first page of conversations, then to the last of them
 *   bench catchup LIB USER TICKET FOLDER COUNT         TIMLogin to the callback of the last of so many missed messages
 *   bench history LIB USER TICKET FOLDER PEER          pages of a conversation that the server has and the folder has not
 *   bench memory LIB USER TICKET FOLDER PEER           resident memory of a process that works with a full folder
 *   bench receive LIB USER TICKET FOLDER COUNT COUNT   receives the messages of the two phases of send
 *   bench send LIB USER TICKET FOLDER PEER COUNT COUNT window 1, then pipelined with a window of 256
 *   bench lanes LIB USER TICKET FOLDER PREFIX COUNT    to 1, 8 and 64 users PREFIX0 ..., COUNT messages each time
 *   bench files LIB USER TICKET FOLDER PEER            a file of 100 MB up and down, against cp
 *
 * Times are taken with CLOCK_MONOTONIC, which all processes of a machine share: a message carries the moment of its send
 * call, so the way to the receiver's callback is measured in one clock. Nothing here passes or fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define DEFINE(f) __typeof__(&f) p_##f;
FUNCTIONS(DEFINE)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
long done;
long synced, added, arrived;
char *result;
size_t result_size;

double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

void die(const char *what, long code) {
    fprintf(stderr, "bench: %s: %ld\n", what, code);
    exit(1);
}

void wait_until(const long *counter, long want) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 900;
    pthread_mutex_lock(&lock);
    while (*counter < want)
        if (pthread_cond_timedwait(&change, &lock, &until) != 0) die("waited in vain, counter", *counter);
    pthread_mutex_unlock(&lock);
}

void count(long *counter, long n) {
    pthread_mutex_lock(&lock);
    *counter += n;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

void on_result(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)user_data;
    if (code != 0) die(desc, code);
    result_size = strlen(json);
    result = realloc(result, result_size + 1); /* nobody reads it before this call is counted */
    memcpy(result, json, result_size + 1);
    count(&done, 1);
}

static long expected; /* results of calls that were waited for one by one */
double call(const char *what, int accepted, double start) {
    if (accepted != TIM_SUCC) die(what, accepted);
    wait_until(&done, ++expected);
    return now_us() - start;
}

static void on_conversation(enum TIMConvEvent event, const char *json, const void *user_data) {
    (void)json, (void)user_data;
    if (event == kTIMConvEvent_Finish) count(&synced, 1);
    else if (event != kTIMConvEvent_Start) count(&added, 1);
}

static struct phase got[2];

void add(struct phase *p, double us, double at) {
    if (p->n == p->room) p->us = realloc(p->us, sizeof *p->us * (size_t)(p->room = p->room ? 2 * p->room : 4096));
    if (p->n == 0) p->first = at;
    p->us[p->n++] = us;
    p->last = at;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(struct phase *p, double q) {
    qsort(p->us, (size_t)p->n, sizeof *p->us, by_value);
    long i = (long)(q * (double)p->n);
    return p->us[i < p->n ? i : p->n - 1] / 1e3;
}

void print_phase(const char *name, struct phase *p) {
    if (p->n == 0) return;
    printf("%-44s %8ld messages  p50 %8.2f ms  p99 %8.2f ms  %8.0f/s\n", name, p->n, quantile(p, 0.5), quantile(p, 0.99),
           p->n > 1 ? (double)(p->n - 1) / ((p->last - p->first) / 1e6) : 0.0);
    fflush(stdout);
}

static void on_messages(const char *json, const void *user_data) {
    const char *text = "\"text_elem_content\":\"", *at;
    double now = now_us();
    long n = 0;
    (void)user_data;
    for (at = strstr(json, text); at != NULL; at = strstr(at, text), n++) {
        int phase = 0;
        double then = 0;
        at += strlen(text);
        if (sscanf(at, "bench:%d:%lf", &phase, &then) == 2) add(&got[phase != 0], now - then, now);
    }
    count(&arrived, n);
}

double resident_mb(void) {
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void load(const char *lib) {
    void *h = dlopen(lib, RTLD_NOW);
    if (h == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
#define FIND(f) if ((*(void **)&p_##f = dlsym(h, #f)) == NULL) die(#f, 0);
    FUNCTIONS(FIND)
}

static void init(const char *folder) {
    char config[4096];
    snprintf(config, sizeof config, "{\"sdk_config_config_file_path\":\"%s/data\",\"sdk_config_log_file_path\":\"%s/log\"}", folder, folder);
    p_TIMSetConvEventCallback(on_conversation, NULL);
    p_TIMAddRecvNewMsgCallback(on_messages, NULL);
    if (p_TIMInit(strtoull(getenv("TIMBRE_APP"), NULL, 10), config) != TIM_SUCC) die("TIMInit", 0);
    expected++;
    p_TIMSetConfig("{\"set_config_log_level\":4}", on_result, NULL);
    wait_until(&done, expected);
}

static double login(const char *user, const char *ticket) {
    double start = now_us();
    return call("TIMLogin", p_TIMLogin(user, ticket, on_result, NULL), start);
}

static void fill(long conversations, long messages) {
    enum { BATCH = 500 };
    char *text = malloc(BATCH * 300 + 16), id[64];
    long i, j;
    for (i = 0; i < conversations; i++) {
        snprintf(id, sizeof id, "user%ld", i);
        if (p_TIMConvCreate(id, kTIMConv_C2C, on_result, NULL) != TIM_SUCC) die("TIMConvCreate", i);
        expected++;
    }
    wait_until(&done, expected);
    for (i = 0; i < messages; i += BATCH) {
        char *at = text;
        *at++ = '[';
        for (j = i; j < i + BATCH && j < messages; j++)
            at += sprintf(at, "%s{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"number %ld of many 你好\"}],"
                "\"message_sender\":\"user0\",\"message_client_time\":%ld,\"message_server_time\":%ld}", j > i ? "," : "", j,
                1600000000 + j, 1600000000 + j);
        strcpy(at, "]");
        call("TIMMsgImportMsgList", p_TIMMsgImportMsgList("user0", kTIMConv_C2C, text, on_result, NULL), now_us());
    }
    free(text);
}

static void local_figures(void) {
    double start = now_us(), took = call("TIMConvGetConvList", p_TIMConvGetConvList(on_result, NULL), start);
    printf("%-44s %8.2f ms (%zu bytes of JSON)\n", "whole conversation list, first call", took / 1e3, result_size);
    history_figures("user0");
}

int main(int argc, char **argv) {
    double start = now_us(), loaded, ready, began;
    const char *part = argc > 5 ? argv[1] : "";
    if (argc < 6) die("wrong arguments", argc);
    load(argv[2]);
    loaded = now_us() - start;
    start = began = now_us();
    init(argv[5]);
    ready = now_us() - start;
    start = now_us();
    double took = login(argv[3], argv[4]);
    if (!strcmp(part, "page")) first_page(began);
    if (!strcmp(part, "catchup")) caught_up(start, atol(argv[6]));
    wait_until(&synced, 1);
    if (!strcmp(part, "start")) {
        printf("%-44s %8.2f ms\n%-44s %8.2f ms\n%-44s %8.2f ms\n", "dlopen", loaded / 1e3, "TIMInit and first callback", ready / 1e3,
               "login, nothing known locally", took / 1e3);
        printf("%-44s %8.1f MB\n", "resident memory after login", resident_mb());
    } else if (!strcmp(part, "fill")) {
        fill(atol(argv[6]), atol(argv[7]));
    } else if (!strcmp(part, "local")) {
        printf("%-44s %8.2f ms\n", "login, all known locally", took / 1e3);
        local_figures();
        printf("%-44s %8.1f MB\n", "resident memory after that", resident_mb());
    } else if (!strcmp(part, "history")) {
        server_history(argv[6]);
    } else if (!strcmp(part, "memory")) {
        memory_figures(argv[6]);
    } else if (!strcmp(part, "lanes")) {
        send_lanes(argv[6], atol(argv[7]));
    } else if (!strcmp(part, "files")) {
        file_figures(argv[6], argv[5]);
    } else if (!strcmp(part, "receive")) {
        printf("ready\n");
        fflush(stdout);
        wait_until(&arrived, atol(argv[6]) + atol(argv[7]));
        print_phase("send to receiver's callback, window 1", &got[0]);
        print_phase("send to receiver's callback, window 256", &got[1]);
    } else if (!strcmp(part, "send")) {
        send_phases(argv[6], atol(argv[7]), atol(argv[8]));
    }
    p_TIMUninit();
    return 0;
}
