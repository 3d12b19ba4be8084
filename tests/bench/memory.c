/* Resident memory of a process with a full database: after the login, the list, pages of history, searches, traffic. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static double process_mb(const char *field) {
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0) kb = strtod(line + strlen(field) + 1, NULL);
    if (f != NULL) fclose(f);
    return kb / 1024;
}

static void resident(const char *when) {
    printf("resident memory after %-22s %8.1f MB, at most %.1f MB so far\n", when, process_mb("VmRSS"), process_mb("VmHWM"));
    fflush(stdout);
}

static void history(const char *peer, int pages) {
    char ask[200];
    for (int i = 0; i < pages; i++) {
        snprintf(ask, sizeof ask, "{\"msg_getmsglist_param_count\":20,\"msg_getmsglist_param_time_begin\":%d}", 1600000100 + i * 1000);
        call("TIMMsgGetMsgList", p_TIMMsgGetMsgList(peer, kTIMConv_C2C, ask, on_result, NULL), now_us());
    }
}

static void search(const char *keyword) {
    char ask[200];
    snprintf(ask, sizeof ask, "{\"msg_search_param_keyword_array\":[\"%s\"]}", keyword);
    call("TIMMsgSearchLocalMessages", p_TIMMsgSearchLocalMessages(ask, on_result, NULL), now_us());
}

static void traffic(const char *peer, int messages) {
    char text[200];
    for (int i = 0; i < messages; i++) {
        snprintf(text, sizeof text, "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"steady traffic %d\"}]}", i);
        call("TIMMsgSendMessage", p_TIMMsgSendMessage(peer, kTIMConv_C2C, text, NULL, on_result, NULL), now_us());
    }
}

void memory_figures(const char *peer) {
    resident("the login");
    call("TIMConvGetConvList", p_TIMConvGetConvList(on_result, NULL), now_us());
    resident("the whole list");
    history("user0", 500);
    resident("500 pages of history");
    double start = now_us();
    search("7777");
    printf("the first search, which indexes what is new: %.1f s\n", (now_us() - start) / 1e6);
    resident("the first search");
    for (int i = 0; i < 50; i++) search(i % 2 ? "number" : "\u4f60\u597d");
    resident("50 common searches");
    traffic(peer, 3000);
    resident("3,000 messages sent");
    for (int i = 0; i < 5; i++) call("TIMConvGetConvList", p_TIMConvGetConvList(on_result, NULL), now_us());
    resident("5 more lists");
}
