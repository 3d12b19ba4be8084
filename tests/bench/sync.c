/* A device comes back: the first page of its conversations, and messages that it missed. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define PAGE 100

/* Asks for the newest conversations; returns how many came. */
static long page(void) {
    const char *key = "\"conv_active_time\":", *at;
    long n = 0;
    call("TIMConvGetConversationListByFilter", p_TIMConvGetConversationListByFilter("{\"conversation_list_filter_conv_type\":1}", 0, PAGE, on_result, NULL), now_us());
    for (at = strstr(result, key); at != NULL; at = strstr(at + 1, key)) n++;
    return n;
}

void first_page(double start) {
    long n, seen = 0;
    while ((n = page()) == 0) wait_until(&added, ++seen); /* a new device: they are on their way */
    printf("%-44s %8.2f ms (%ld conversations)\n", "TIMInit to the first page", (now_us() - start) / 1e3, n);
    wait_until(&synced, 1);
    printf("%-44s %8.2f ms\n", "TIMInit to kTIMConvEvent_Finish", (now_us() - start) / 1e3);
    printf("%-44s %8.1f MB\n", "resident memory then", resident_mb());
    call("TIMConvGetConvList", p_TIMConvGetConvList(on_result, NULL), now_us());
    printf("%-44s %8.1f MB (this program's copy of it: %.1f MB)\n", "resident memory with the whole list", resident_mb(), (double)result_size / 1e6);
}

void caught_up(double start, long messages) {
    double took;
    wait_until(&arrived, messages);
    took = now_us() - start;
    printf("%-44s %8.2f s (%.0f messages/s)\n", "TIMLogin to the last missed message", took / 1e6, (double)messages / (took / 1e6));
    wait_until(&synced, 1);
    printf("%-44s %8.2f s\n", "TIMLogin to kTIMConvEvent_Finish", (now_us() - start) / 1e6);
    printf("%-44s %8.1f MB\n", "resident memory after that", resident_mb());
}
