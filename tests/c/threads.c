/*
 * Calls from 64 threads at once, before TIMInit, after it and logged in: every accepted call calls back exactly once, all
 * callbacks between TIMInit and TIMUninit come on one and the same thread, and one at a time.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 64
#define CALLS 60

struct slot {
    int accepted, calls;
};
static struct slot slots[THREADS][CALLS];
static int inside, most_inside, strangers, thread_known, total;
static pthread_t callback_thread;

static void came(int32_t code, const char *desc, const char *json, const void *user_data) {
    (void)code;
    note_lock();
    if (desc == NULL || json == NULL) strangers++;
    if (++inside > most_inside) most_inside = inside;
    if (!thread_known) callback_thread = pthread_self(), thread_known = 1;
    if (!pthread_equal(callback_thread, pthread_self())) strangers++;
    ((struct slot *)user_data)->calls++;
    total++;
    inside--;
    note_tell();
    note_unlock();
}

static int one_call(int i, struct slot *slot, const char *message) {
    char user[128];
    switch (i % 10) {
    case 0: return TIMSetConfig("{\"set_config_user_define_data\":\"x\"}", came, slot);
    case 1: return TIMConvGetConvList(came, slot);
    case 2: return TIMConvGetTotalUnreadMessageCount(came, slot);
    case 3: return TIMMsgSendMessage("threads_bob", kTIMConv_C2C, message, user, came, slot);
    case 4: return TIMMsgGetMsgList("threads_bob", kTIMConv_C2C, "{\"msg_getmsglist_param_count\":5}", came, slot);
    case 5: return TIMMsgSaveMsg("threads_bob", kTIMConv_C2C, message, came, slot);
    case 6: return TIMMsgFindMessages("[\"nothing\"]", came, slot);
    case 7: return TIMProfileGetUserProfileList("{\"friendship_getprofilelist_param_identifier_array\":[\"threads_alice\"]}", came, slot);
    case 8: return TIMConvCreate("threads_bob", kTIMConv_C2C, came, slot);
    default: return TIMGroupGetJoinedGroupList(came, slot); /* not built yet, or without a group */
    }
}

static void *caller(void *argument) {
    int mine = (int)(intptr_t)argument, i;
    char *message = text_message("from a thread");
    for (i = 0; i < CALLS; i++) {
        struct slot *slot = &slots[mine][i];
        char user[128];
        slot->accepted = one_call(i, slot, message) == TIM_SUCC;
        TIMGetLoginStatus();
        TIMGetServerTime();
        TIMGetLoginUserID(user);
        if (i % 16 == 0) TIMSetNetworkStatusListenerCallback(NULL, NULL);
    }
    free(message);
    return NULL;
}

static int everybody(void) {
    pthread_t threads[THREADS];
    int i, k, accepted = 0;
    memset(slots, 0, sizeof slots);
    total = 0;
    for (i = 0; i < THREADS; i++) CHECK_INT(pthread_create(&threads[i], NULL, caller, (void *)(intptr_t)i), 0);
    for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (i = 0; i < THREADS; i++)
        for (k = 0; k < CALLS; k++) accepted += slots[i][k].accepted;
    WAIT_FOR(total >= accepted);
    drain();
    for (i = 0; i < THREADS; i++)
        for (k = 0; k < CALLS; k++) CHECK_INT(slots[i][k].calls, slots[i][k].accepted);
    return accepted;
}

int main(void) {
    int before, after, in = 0;
    before = everybody();
    init();
    thread_known = strangers = 0; /* before TIMInit the thread may change */
    after = everybody();
    if (getenv("TIMBRED")) {
        login("threads_alice");
        in = everybody();
        logout();
    }
    CHECK_INT(strangers, 0);
    CHECK_INT(most_inside, 1);
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("threads", "%d threads at once: %d calls before TIMInit, %d after it, %d logged in, each called back exactly "
            "once, one at a time and on one thread", THREADS, before, after, in);
    return 0;
}
