/*
 * The life of a group, with three users in one program: alice makes it with bob, carol asks to come in, bob becomes an admin,
 * carol is muted and may speak again, they use attributes and counters, carol is removed, bob gets the group and dismisses it.
 *
 *     TIM_SERVER_URL=ws://127.0.0.1:7800 groups APP_ID ALICE ALICE_SIG BOB BOB_SIG CAROL CAROL_SIG
 *
 * Each user lives in an instance of the library. What they are told is printed by their callbacks (member.c), and each step
 * waits until everybody whom it concerns has been told. UserIDs are taken to need no quoting in JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "member.h"

static struct member alice, bob, carol;
static char group[64];
static char param[4000];

static void step(const char *what) {
    member_step(&alice);
    member_step(&bob);
    member_step(&carol);
    printf("\n%s\n", what);
    fflush(stdout);
}

static void make(void) {
    step("alice makes a group with bob");
    as(&alice);
    snprintf(param, sizeof param,
             "{\"create_group_param_group_name\":\"friends of tea\",\"create_group_param_group_type\":%d,"
             "\"create_group_param_group_member_array\":[{\"group_member_info_identifier\":\"%s\"}]}",
             kTIMGroup_Public, bob.name);
    json_copy(json_member(OK(TIMGroupCreate, param), kTIMCreateGroupResultGroupId), group, sizeof group);
    expect(&alice, "report 6"); /* kTIMGroupReport_Create */
    expect(&bob, "report 7");   /* kTIMGroupReport_Invite */
    expect(&bob, "tip 1");      /* kTIMGroupTip_Invite */
}

/* A Public group asks its owner who may come in. */
static void let_in(void) {
    static char request[2000];
    step("carol asks to come in, and alice lets her");
    as(&carol);
    OK(TIMGroupJoin, group, "I like tea, too");
    expect(&alice, "report 1"); /* kTIMGroupReport_AddRequest */
    as(&alice);
    json_copy(json_first(json_member(OK(TIMGroupGetPendencyList, "{\"group_pendency_option_start_time\":0}"),
                                     kTIMGroupPendencyResultPendencyArray)), request, sizeof request);
    snprintf(param, sizeof param,
             "{\"group_handle_pendency_param_is_accept\":true,\"group_handle_pendency_param_handle_msg\":\"welcome\","
             "\"group_handle_pendency_param_pendency\":%s}",
             request);
    OK(TIMGroupHandlePendency, param);
    expect(&carol, "report 2"); /* kTIMGroupReport_AddAccept */
    expect(&carol, "tip 1");
}

static void set_member(const struct member *who, int flag, const char *key, int value) {
    snprintf(param, sizeof param,
             "{\"group_modify_member_info_group_id\":\"%s\",\"group_modify_member_info_identifier\":\"%s\","
             "\"group_modify_member_info_modify_flag\":%d,\"%s\":%d}",
             group, who->name, flag, key, value);
    OK(TIMGroupModifyMemberInfo, param);
}

static const char text[] = "{\"message_elem_array\":[{\"elem_type\":0,\"text_elem_content\":\"good evening\"}]}";

static void mute(void) {
    step("bob becomes an admin and mutes carol");
    as(&alice);
    set_member(&bob, kTIMGroupMemberModifyFlag_MemberRole, kTIMGroupModifyMemberInfoParamMemberRole, kTIMMemberRole_Admin);
    expect(&bob, "report 9"); /* kTIMGroupReport_GrantAdmin */
    as(&bob);
    set_member(&carol, kTIMGroupMemberModifyFlag_ShutupTime, kTIMGroupModifyMemberInfoParamShutupTime, 60);
    expect(&carol, "report 17"); /* kTIMGroupReport_ShutUpMember */
    as(&carol);
    FAILS(ERR_SVR_GROUP_SHUTUP_DENY, TIMMsgSendMessage, group, kTIMConv_Group, text, NULL);
    step("she may speak again");
    as(&bob);
    set_member(&carol, kTIMGroupMemberModifyFlag_ShutupTime, kTIMGroupModifyMemberInfoParamShutupTime, 0);
    as(&carol);
    OK(TIMMsgSendMessage, group, kTIMConv_Group, text, NULL);
    expect(&alice, "says good evening");
}

static void share(void) {
    step("attributes: what all of them know of the group");
    as(&alice);
    OK(TIMGroupSetGroupAttributes, group, "[{\"group_attribute_key\":\"tea\",\"group_attribute_value\":\"Longjing\"}]");
    expect(&bob, "Longjing");
    as(&bob);
    OK(TIMGroupSetGroupAttributes, group, "[{\"group_attribute_key\":\"tea\",\"group_attribute_value\":\"Pu'er\"}]");
    expect(&alice, "Pu'er");
    step("counters: everybody drinks a cup at the same time");
    as(&carol);
    OK(TIMGroupIncreaseGroupCounter, group, "cups", 1);
    as(&bob);
    OK(TIMGroupIncreaseGroupCounter, group, "cups", 1);
    expect(&alice, "counter cups: 2");
}

static void kick(void) {
    step("carol is removed");
    as(&alice);
    snprintf(param, sizeof param,
             "{\"group_delete_member_param_group_id\":\"%s\",\"group_delete_member_param_identifier_array\":[\"%s\"],"
             "\"group_delete_member_param_user_data\":\"she drinks coffee\"}",
             group, carol.name);
    OK(TIMGroupDeleteMember, param);
    expect(&carol, "report 4"); /* kTIMGroupReport_BeKicked */
    expect(&bob, "tip 3");      /* kTIMGroupTip_Kick */
}

static void hand_over(void) {
    step("bob gets the group and dismisses it");
    as(&alice);
    snprintf(param, sizeof param,
             "{\"group_modify_info_param_group_id\":\"%s\",\"group_modify_info_param_modify_flag\":%d,"
             "\"group_modify_info_param_owner\":\"%s\"}",
             group, (int)kTIMGroupModifyInfoFlag_Owner, bob.name);
    OK(TIMGroupModifyGroupInfo, param);
    expect(&bob, "tip 6"); /* kTIMGroupTip_GroupInfoChange */
    as(&bob);
    OK(TIMGroupDelete, group);
    expect(&alice, "report 5"); /* kTIMGroupReport_Delete */
    expect(&bob, "report 5");
}

int main(int argc, char **argv) {
    uint64_t app;
    if (argc != 8) {
        fprintf(stderr, "usage: [TIM_SERVER_URL=ws://HOST:PORT] %s APP_ID ALICE ALICE_SIG BOB BOB_SIG CAROL CAROL_SIG\n", argv[0]);
        return 2;
    }
    app = strtoull(argv[1], NULL, 10);
    member_begin(&alice, app, argv[2], argv[3]);
    member_begin(&bob, app, argv[4], argv[5]);
    member_begin(&carol, app, argv[6], argv[7]);
    make();
    let_in();
    mute();
    share();
    kick();
    hand_over();
    member_end(&carol);
    member_end(&bob);
    member_end(&alice);
    step("the group is history");
    return 0;
}
