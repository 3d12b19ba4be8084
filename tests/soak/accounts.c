//go:build ignore

/*
 * The process of the soak: N accounts, each in an instance of its own, which talk without end.
 *
 *     accounts N RATE FILL FOLDER
 *
 * (The first line keeps the go command away from this file: the folder is also a Go program.)
 *
 * Standard input has N lines "USER TICKET". Each account first sends FILL large messages as fast as it can, so that every cache
 * is full before memory is looked at. Then it sends RATE one-to-one messages a second to the next one and
 * now and then one to a group of all, reports as read what it got, and asks for its list and a page of history. A text is
 * "SENDER-NUMBER", numbers dense per sender and kind, so a receiver sees what is lost, doubled or out of order.
 *
 * Each second a line of figures goes to standard output:
 *     ACCEPTED SUCCEEDED FAILED CALLBACKS-MISSING RECEIVED EXPECTED WRONG CONNECTIONS-LOST
 * The end of the input ends the sending; the process waits until all has arrived, for a minute at most, and prints a last
 * line.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "TIMCloud.h"

#define MAX 21 /* a group begins with at most 20 others */
#define APP 1400000001
#define LAST_SECONDS 60
#define PADDING 2000 /* bytes that a message carries while the databases are filled */
#define WINDOW 100   /* messages of an account without their callback meanwhile */

struct account {
    int number;
    int64_t instance;
    char user[32], ticket[512];
    pthread_t thread;
    atomic_int done, code;             /* of the call that the thread waits for */
    atomic_long open;                  /* messages without their callback */
    long sent[2], got[2][MAX];         /* newest numbers: sent, and received from each sender; [1] is the group's */
};

static struct account all[MAX];
static int accounts, rate, fill_count;
static char group[128];
static atomic_long accepted, succeeded, failed, received, expected, wrong, cut;
static atomic_int stop, filling;
static char padding[PADDING + 1];

static void nap(long ms) { /* the pace of the traffic */
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* ---- what the library tells ---- */

static void on_sent(int32_t code, const char *desc, const char *json, const void *word) {
    (void)json;
    ((struct account *)(size_t)word)->open--;
    if (code == 0) {
        succeeded++;
    } else {
        failed++;
        fprintf(stderr, "a send ended with %d: %s\n", (int)code, desc);
    }
}

static void on_message(const char *json, const void *word) {
    struct account *a = (struct account *)(size_t)word;
    static const char key[] = "\"text_elem_content\":\"";
    const char *at;
    for (at = strstr(json, key); at != NULL; at = strstr(at, key)) {
        char kind;
        int from;
        long n;
        at += sizeof key - 1;
        if (sscanf(at, "%c%d-%ld", &kind, &from, &n) != 3) continue;
        received++;
        if (n != a->got[kind == 'g'][from] + 1) {
            wrong++;
            fprintf(stderr, "%s got number %ld of %c%d after %ld\n", a->user, n, kind, from, a->got[kind == 'g'][from]);
        }
        if (n > a->got[kind == 'g'][from]) a->got[kind == 'g'][from] = n;
    }
}

static void on_network(enum TIMNetworkStatus status, int32_t code, const char *desc, const void *word) {
    (void)code; (void)desc; (void)word;
    if (status == kTIMDisconnected) cut++;
}

static void on_done(int32_t code, const char *desc, const char *json, const void *word) {
    struct account *a = (struct account *)(size_t)word;
    static const char key[] = "\"create_group_result_groupid\":\"";
    const char *at = json == NULL ? NULL : strstr(json, key);
    (void)desc;
    if (at != NULL) sscanf(at + sizeof key - 1, "%127[^\"]", group);
    a->code = (int)code;
    a->done = 1;
}

static int await(struct account *a, int returned) {
    if (returned != TIM_SUCC) return returned;
    while (!a->done) nap(5);
    a->done = 0;
    return a->code;
}

static void ignored(int32_t code, const char *desc, const char *json, const void *word) {
    (void)code; (void)desc; (void)json; (void)word;
}

/* ---- what an account does ---- */

static void say(struct account *a, int to_group) {
    char message[PADDING + 256];
    const char *to = to_group ? group : all[(a->number + 1) % accounts].user;
    snprintf(message, sizeof message, "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"%c%d-%ld\"}],"
             "\"message_cloud_custom_str\":\"%s\"}", to_group ? 'g' : 'c', a->number, a->sent[to_group] + 1, filling ? padding : "");
    a->open++;
    if (TIMMsgSendMessage(to, to_group ? kTIMConv_Group : kTIMConv_C2C, message, NULL, on_sent, a) != TIM_SUCC) {
        wrong++;
        a->open--;
        return;
    }
    a->sent[to_group]++;
    accepted++;
    expected += to_group ? accounts - 1 : 1;
}

static void look(struct account *a) {
    const char *from = all[(a->number + accounts - 1) % accounts].user;
    TIMMsgReportReaded(from, kTIMConv_C2C, NULL, ignored, a);
    TIMMsgReportReaded(group, kTIMConv_Group, NULL, ignored, a);
    TIMConvGetConvList(ignored, a);
    TIMMsgGetMsgList(from, kTIMConv_C2C, "{\"msg_getmsglist_param_count\":20}", ignored, a);
}

static void *live(void *word) {
    struct account *a = word;
    long tick = 0;
    TIMExtInstanceSetCurrent(a->instance);
    while (!stop) {
        nap(1000 / rate);
        say(a, 0);
        if (++tick % (rate * accounts) == a->number * rate) say(a, 1); /* the group hears one message a second */
        if (tick % (rate * 5) == a->number % (rate * 5)) look(a);
    }
    return NULL;
}

static void *fill(void *word) {
    struct account *a = word;
    TIMExtInstanceSetCurrent(a->instance);
    while (a->sent[0] < fill_count) {
        if (a->open < WINDOW) say(a, 0);
        else nap(1);
    }
    while (a->open > 0) nap(10);
    return NULL;
}

static void everybody(void *(*what)(void *)) {
    int i;
    for (i = 0; i < accounts; i++) pthread_create(&all[i].thread, NULL, what, &all[i]);
}

static void wait_for_everybody(void) {
    int i;
    for (i = 0; i < accounts; i++) pthread_join(all[i].thread, NULL);
}

static int begin(struct account *a, const char *folder) {
    char config[1024];
    a->instance = TIMExtInstanceCreate();
    if (a->instance < 0 || TIMExtInstanceSetCurrent(a->instance) != 0) return -1;
    TIMAddRecvNewMsgCallback(on_message, a);
    TIMSetNetworkStatusListenerCallback(on_network, a);
    snprintf(config, sizeof config, "{\"sdk_config_config_file_path\":\"%s\",\"sdk_config_log_file_path\":\"%s/log\"}", folder, folder);
    if (TIMInit(APP, config) != TIM_SUCC) return -1;
    return await(a, TIMLogin(a->user, a->ticket, on_done, a));
}

static int make_group(void) {
    char param[8192];
    int i, n = snprintf(param, sizeof param, "{\"create_group_param_group_name\":\"soak\",\"create_group_param_group_type\":1,"
                        "\"create_group_param_group_member_array\":[");
    for (i = 1; i < accounts; i++) {
        n += snprintf(param + n, sizeof param - (size_t)n, "%s{\"group_member_info_identifier\":\"%s\"}", i > 1 ? "," : "", all[i].user);
    }
    snprintf(param + n, sizeof param - (size_t)n, "]}");
    TIMExtInstanceSetCurrent(all[0].instance);
    return await(&all[0], TIMGroupCreate(param, on_done, &all[0]));
}

static void report(void) {
    long a = accepted, s = succeeded, f = failed;
    printf("%ld %ld %ld %ld %ld %ld %ld %ld\n", a, s, f, a - s - f, (long)received, (long)expected, (long)wrong, (long)cut);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct pollfd in = {0, POLLIN, 0};
    int i;
    if (argc != 5 || (accounts = atoi(argv[1])) < 2 || accounts > MAX || (rate = atoi(argv[2])) < 1) {
        fprintf(stderr, "usage: accounts N RATE FILL FOLDER\n");
        return 2;
    }
    fill_count = atoi(argv[3]);
    memset(padding, 'x', PADDING);
    for (i = 0; i < accounts; i++) {
        int code;
        all[i].number = i;
        if (scanf("%31s %511s", all[i].user, all[i].ticket) != 2) return 2;
        if ((code = begin(&all[i], argv[4])) != 0) {
            fprintf(stderr, "%s cannot log in: %d\n", all[i].user, code);
            return 1;
        }
    }
    if ((i = make_group()) != 0) {
        fprintf(stderr, "the group cannot be made: %d\n", i);
        return 1;
    }
    filling = 1;
    everybody(fill);
    wait_for_everybody();
    filling = 0;
    report();
    everybody(live);
    for (;;) {
        char rest[64];
        if (poll(&in, 1, 1000) > 0 && read(0, rest, sizeof rest) <= 0) break;
        report();
    }
    stop = 1;
    wait_for_everybody();
    for (i = 0; i < LAST_SECONDS * 10 && (received < expected || succeeded + failed < accepted); i++) nap(100);
    report();
    for (i = 0; i < accounts; i++) TIMExtInstanceDestroy(all[i].instance);
    return 0;
}
