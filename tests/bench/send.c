/* Sending: one after the other, with a window, and to many conversations. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define WINDOW 256

/* shot is a message on its way. */
struct shot {
    double start;
    struct phase *phase;
};

static void on_sent(int32_t code, const char *desc, const char *json, const void *user_data) {
    struct shot *s = (struct shot *)user_data;
    double now = now_us();
    (void)json;
    if (code != 0) die(desc, code);
    add(s->phase, now - s->start, now);
    free(s);
    count(&done, 1);
}

static void send_one(const char *peer, int mark, struct phase *phase) {
    char message[400];
    struct shot *s = malloc(sizeof *s);
    s->phase = phase;
    s->start = now_us();
    snprintf(message, sizeof message, "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":"
        "\"bench:%d:%.1f 你好 this is about as long as a message that somebody writes to somebody else\"}]}", mark, s->start);
    int accepted = p_TIMMsgSendMessage(peer, kTIMConv_C2C, message, NULL, on_sent, s);
    if (accepted != TIM_SUCC) die("TIMMsgSendMessage", accepted);
}

void send_phases(const char *peer, long one, long many) {
    struct phase sent[2] = {{0}, {0}};
    long i, base = done;
    for (i = 0; i < one; i++) {
        send_one(peer, 0, &sent[0]);
        wait_until(&done, base + i + 1);
    }
    base = done;
    for (i = 0; i < many; i++) {
        if (i >= WINDOW) wait_until(&done, base + i - WINDOW + 1);
        send_one(peer, 1, &sent[1]);
    }
    wait_until(&done, base + many);
    print_phase("send to success callback, window 1", &sent[0]);
    print_phase("send to success callback, window 256", &sent[1]);
}

void send_lanes(const char *prefix, long messages) {
    static const int lanes[] = {1, 8, 64};
    char peer[100], name[100];
    for (size_t n = 0; n < sizeof lanes / sizeof *lanes; n++) {
        struct phase sent = {0};
        long i, base = done;
        for (i = 0; i < messages; i++) {
            if (i >= WINDOW) wait_until(&done, base + i - WINDOW + 1);
            snprintf(peer, sizeof peer, "%s%ld", prefix, i % lanes[n]);
            send_one(peer, 1, &sent);
        }
        wait_until(&done, base + messages);
        snprintf(name, sizeof name, "%d conversations, window 256 for all", lanes[n]);
        print_phase(name, &sent);
        free(sent.us);
    }
}
