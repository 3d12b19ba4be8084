/*
 * The other side of a conversation, a process of its own: peer USER TARGET COUNT sends COUNT texts to TARGET and ends with
 * 0 when all were accepted by the server. COUNT 0 sends until the process is killed, never with more than 50 under way.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define WINDOW 50

static int sent, succeeded, failed;

static void sent_came(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)desc, (void)json, (void)user_data;
    note_add(code == 0 ? &succeeded : &failed);
}

int main(int argc, char **argv) {
    int count;
    if (argc != 4) return 2;
    count = atoi(argv[3]);
    init();
    login(argv[1]);
    while (count == 0 || sent < count) {
        char text[64], *message;
        WAIT_FOR(sent - succeeded - failed < WINDOW);
        snprintf(text, sizeof text, "%d", sent++);
        message = text_message(text);
        CHECK_INT(TIMMsgSendMessage(argv[2], kTIMConv_C2C, message, NULL, sent_came, NULL), TIM_SUCC);
        free(message);
    }
    WAIT_FOR(succeeded + failed == count);
    CHECK_INT(failed, 0);
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    return 0;
}
