/* Pages of 20 messages: from a database of a million, and over holes, from the server. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define ROUNDS 200

static char last[256]; /* message_msg_id of the oldest message of the last page */

/* page asks for 20 messages older than last, or where the keys say. */
static double page(const char *peer, const char *keys) {
    char ask[600];
    const char *id = "\"message_msg_id\":\"", *at;
    double start = now_us(), took;
    snprintf(ask, sizeof ask, "{\"msg_getmsglist_param_count\":20,\"msg_getmsglist_param_is_ramble\":true%s}", keys);
    took = call("TIMMsgGetMsgList", p_TIMMsgGetMsgList(peer, kTIMConv_C2C, ask, on_result, NULL), start);
    for (at = strstr(result, id); at != NULL; at = strstr(at, id)) {
        at += strlen(id);
        snprintf(last, sizeof last, "%.*s", (int)strcspn(at, "\""), at);
    }
    return took;
}

static double older(const char *peer) {
    char keys[400];
    snprintf(keys, sizeof keys, ",\"msg_getmsglist_param_last_msg\":{\"message_msg_id\":\"%s\"}", last);
    return page(peer, keys);
}

static void print_pages(const char *name, double first, struct phase *p) {
    printf("%-44s %8.2f ms the first call; then p50 %.2f ms  p99 %.2f ms\n", name, first / 1e3, quantile(p, 0.5), quantile(p, 0.99));
    fflush(stdout);
}

static void walk(const char *name, const char *peer, const char *keys) {
    struct phase pages = {0};
    double first = page(peer, keys);
    for (int i = 0; i < ROUNDS; i++) add(&pages, older(peer), now_us());
    print_pages(name, first, &pages);
    free(pages.us);
}

void history_figures(const char *peer) {
    struct phase newest = {0};
    double first = page(peer, "");
    for (int i = 0; i < ROUNDS; i++) add(&newest, page(peer, ""), now_us());
    print_pages("newest page", first, &newest);
    walk("from a moment in the middle on", peer, ",\"msg_getmsglist_param_time_begin\":1600500000");
}

void server_history(const char *peer) {
    walk("older pages that the server has", peer, "");
    walk("the same pages again, from the database", peer, "");
}
