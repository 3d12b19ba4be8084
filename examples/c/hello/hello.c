/*
 * Hello: one side of a conversation. Two of these processes talk with each other:
 *
 *     hello alice bob USERSIG first      logs in as alice, writes to bob first
 *     hello bob alice USERSIG            logs in as bob, answers
 *
 * Each sends a text in English and Chinese with an emoji, a custom, a face and a location element, prints what arrives,
 * and at the end shows its history, its unread count before and after reading, and the peer's read receipt. The app id is
 * taken from TIMBRE_APP, the server from TIM_SERVER_URL.
 *
 * How a program works with the library: every call returns at once; its result comes through a callback on the library's
 * callback thread. Here each callback only notes what happened and wakes main(), which waits on a condition variable.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "TIMCloud.h"

#define MESSAGES 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static int answers, failures;     /* results of calls */
static int received, receipts;    /* messages of the peer, read receipts of the peer */
static int synced;                /* the conversation list is up to date */
static long unread;               /* total of unread messages */
static char *page;                /* the last result that a call brought */
static const char *me;

/* Waits until *counter has reached want; gives up after 20 seconds. */
static void wait_for(const char *what, const int *counter, int want) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&lock);
    while (*counter < want) {
        if (pthread_cond_timedwait(&change, &lock, &until) != 0) {
            fprintf(stderr, "%s: waited in vain for %s\n", me, what);
            exit(1);
        }
    }
    pthread_mutex_unlock(&lock);
}

static void note(int *counter, int n) {
    pthread_mutex_lock(&lock);
    *counter += n;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

/* Copies the text value of a key that stands at or after `from`, good enough for an example. Escapes stay as they are. */
static const char *text_after(const char *from, const char *key, char *out, size_t size) {
    char pattern[80];
    size_t n = 0;
    out[0] = 0;
    snprintf(pattern, sizeof pattern, "\"%s\":", key);
    from = strstr(from, pattern);
    if (from == NULL) return NULL;
    from += strlen(pattern);
    if (*from == '"') {
        for (from++; *from && *from != '"' && n + 2 < size; from++) {
            if (*from == '\\' && from[1]) out[n++] = *from++;
            out[n++] = *from;
        }
    } else {
        for (; *from && !strchr(",}]", *from) && n + 1 < size; from++) out[n++] = *from;
    }
    out[n] = 0;
    return from;
}

/* Prints every message of a JSON array of messages, and returns how many there are. */
static int show(const char *how, const char *json) {
    const char *elements = "\"message_elem_array\":[", *at;
    char sender[64], kind[16], value[400], more[64];
    int count = 0;
    for (at = strstr(json, elements); at != NULL; at = strstr(at + 1, elements)) {
        const char *sender_at = text_after(at, kTIMMsgSender, sender, sizeof sender);
        text_after(at, kTIMElemType, kind, sizeof kind);
        switch (atoi(kind)) {
        case kTIMElem_Text: text_after(at, kTIMTextElemContent, value, sizeof value); break;
        case kTIMElem_Custom:
            strcpy(value, "[custom] ");
            text_after(at, kTIMCustomElemData, value + 9, sizeof value - 9);
            break;
        case kTIMElem_Face:
            strcpy(value, "[face] number ");
            text_after(at, kTIMFaceElemIndex, value + 14, sizeof value - 14);
            break;
        case kTIMElem_Location:
            text_after(at, kTIMLocationElemLongitude, more, sizeof more);
            strcpy(value, "[location] ");
            text_after(at, kTIMLocationElemDesc, value + 11, 200);
            strcat(strcat(value, " at longitude "), more);
            break;
        default: strcpy(value, "?");
        }
        printf("%-6s %s %-6s %s\n", me, how, sender, value);
        count++;
        if (sender_at == NULL) break;
    }
    fflush(stdout);
    return count;
}

static void on_messages(const char *json_msg_array, const void *user_data) {
    (void)user_data;
    note(&received, show("<-", json_msg_array));
}

static void on_receipt(const char *json_receipts, const void *user_data) {
    char peer[64];
    (void)user_data;
    text_after(json_receipts, kTIMMsgReceiptConvId, peer, sizeof peer);
    printf("%-6s ** %s has read the conversation\n", me, peer);
    fflush(stdout);
    note(&receipts, 1);
}

static void on_conversation(enum TIMConvEvent event, const char *json, const void *user_data) {
    (void)json;
    (void)user_data;
    if (event == kTIMConvEvent_Finish) note(&synced, 1);
}

/* The result of a call: user_data names the call. */
static void on_result(int32_t code, const char *desc, const char *json, const void *user_data) {
    pthread_mutex_lock(&lock);
    if (code != 0) {
        fprintf(stderr, "%s: %s failed: %d %s\n", me, (const char *)user_data, (int)code, desc);
        failures++;
    }
    free(page);
    page = strdup(json); /* the text is only valid during the callback */
    answers++;
    pthread_cond_broadcast(&change);
    pthread_mutex_unlock(&lock);
}

/* Makes sure that a call was accepted and waits for its result. */
static void finish(const char *what, int accepted) {
    static int expected;
    if (accepted != TIM_SUCC) {
        fprintf(stderr, "%s: %s was refused: %d\n", me, what, accepted);
        exit(1);
    }
    wait_for(what, &answers, ++expected);
    if (failures) exit(1);
}

static void send_all(const char *peer) {
    static const char *const messages[MESSAGES] = {
        "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"Hello, how are you? \xe4\xbd\xa0\xe5\xa5\xbd\xef\xbc\x8c\xe5\x90\x83\xe4\xba\x86\xe5\x90\x97\xef\xbc\x9f \xf0\x9f\x98\x80\"}]}",
        "{\"message_elem_array\":[{\"elem_type\":3,\"custom_elem_data\":\"order 4711\",\"custom_elem_desc\":\"an order\"}]}",
        "{\"message_elem_array\":[{\"elem_type\":6,\"face_elem_index\":7,\"face_elem_buf\":\"smile\"}]}",
        "{\"message_elem_array\":[{\"elem_type\":7,\"location_elem_desc\":\"\xe4\xb8\x8a\xe6\xb5\xb7 Shanghai\",\"location_elem_longitude\":121.47,\"location_elem_latitude\":31.23}]}"};
    int i;
    for (i = 0; i < MESSAGES; i++) {
        char id[128];
        int accepted = TIMMsgSendMessage(peer, kTIMConv_C2C, messages[i], id, on_result, "TIMMsgSendMessage");
        finish("TIMMsgSendMessage", accepted);
    }
}

static void show_unread(const char *when) {
    char value[32];
    finish("TIMConvGetTotalUnreadMessageCount", TIMConvGetTotalUnreadMessageCount(on_result, "TIMConvGetTotalUnreadMessageCount"));
    text_after(page, kTIMConvGetTotalUnreadMessageCountResultUnreadCount, value, sizeof value);
    unread = atol(value);
    printf("%-6s ** unread messages %s: %ld\n", me, when, unread);
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *app = getenv("TIMBRE_APP");
    int first = argc > 4, before;
    if (argc < 4 || app == NULL) {
        fprintf(stderr, "usage: TIMBRE_APP=ID hello ME PEER USERSIG [first]\n");
        return 2;
    }
    me = argv[1];

    TIMAddRecvNewMsgCallback(on_messages, NULL);
    TIMSetMsgReadedReceiptCallback(on_receipt, NULL);
    TIMSetConvEventCallback(on_conversation, NULL);
    if (TIMInit(strtoull(app, NULL, 10), getenv("HELLO_CONFIG")) != TIM_SUCC) return 1;
    finish("TIMLogin", TIMLogin(me, argv[3], on_result, "TIMLogin"));
    wait_for("the conversations", &synced, 1);
    printf("%-6s ** logged in\n", me);
    fflush(stdout);

    /* The one that does not begin waits for the other's messages and answers. */
    if (!first) wait_for("the first messages", &received, MESSAGES);
    send_all(argv[2]);
    if (first) wait_for("the answers", &received, MESSAGES);

    show_unread("before reading");
    before = (int)unread;
    finish("TIMMsgReportReaded", TIMMsgReportReaded(argv[2], kTIMConv_C2C, NULL, on_result, "TIMMsgReportReaded"));
    show_unread("after reading");
    if (first) wait_for("the read receipt", &receipts, 1);

    if (!first) {
        finish("TIMMsgGetMsgList", TIMMsgGetMsgList(argv[2], kTIMConv_C2C,
            "{\"msg_getmsglist_param_count\":20,\"msg_getmsglist_param_is_ramble\":true}", on_result, "TIMMsgGetMsgList"));
        printf("%-6s ** history, newest first:\n", me);
        if (show("  ", page) != 2 * MESSAGES) return 1;
        wait_for("the read receipt", &receipts, 1);
    }
    finish("TIMLogout", TIMLogout(on_result, "TIMLogout"));
    TIMUninit();
    printf("%-6s ** good-bye\n", me);
    free(page);
    return before == MESSAGES && unread == 0 ? 0 : 1;
}
