// Spellings that later versions changed: they are still understood, and what the library tells carries both.
#include "seed.h"

namespace {

// The keys as they were spelled.
const char* const kRamble = "msg_getmsglist_param_is_remble";
const char* const kDeleteRamble = "msg_delete_param_is_remble";
const char* const kPushConfig = "message_offlie_push_config";
const char* const kSearchSenders = "msg_search_param_send_indentifier_array";
const char* const kReadCount = "message_receipt_read_count";
const char* const kUnreadCount = "message_receipt_unread_count";
const char* const kMemberRemark = "group_member_info_remark";

std::deque<Json::Value> arrived, receipts;

void keep(std::deque<Json::Value>& list, const char* json) {
    Json::Value all = parse(json);
    note_lock();
    for (const Json::Value& each : all) list.push_back(each);
    note_tell();
    note_unlock();
}
void on_messages(const char* json, const void*) { keep(arrived, json); }
void on_receipts(const char* json, const void*) { keep(receipts, json); }

Json::Value take(std::deque<Json::Value>& list) {
    WAIT_FOR(!list.empty());
    note_lock();
    Json::Value first = list.front();
    list.pop_front();
    note_unlock();
    return first;
}

// The next text message; what the server tells about groups is passed over.
Json::Value next_text() {
    for (;;) {
        Json::Value msg = take(arrived);
        if (msg[kTIMMsgElemArray][0u][kTIMElemType].asInt() == kTIMElem_Text) return msg;
    }
}

void both(const Json::Value& object, const char* older, const char* current) {
    if (!object.isMember(older) || !object.isMember(current) || object[older] != object[current]) {
        test_fail(__FILE__, __LINE__, "%s and %s should both be in %s", older, current, one_line(object).c_str());
    }
}

// The texts of the group that are here, and with cloud at the server.
unsigned texts(const char* key, bool cloud) {
    Json::Value param;
    param[key] = cloud;
    param[kTIMMsgGetMsgListParamCount] = 100;
    Outcome o;
    DONE(TIMMsgGetMsgList("hall", kTIMConv_Group, param.toStyledString().c_str(), Outcome::came, &o));
    unsigned count = 0;
    for (const Json::Value& msg : o.json()) count += msg[kTIMMsgElemArray][0u][kTIMElemType].asInt() == kTIMElem_Text;
    return count;
}

// What was said before a user joined is at the server only; the older key asks for it.
void history(Partner& bob) {
    Json::Value create;
    create["do"] = "create";
    create["group"][kTIMCreateGroupParamGroupName] = create["group"][kTIMCreateGroupParamGroupId] = "hall";
    create["group"][kTIMCreateGroupParamGroupType] = kTIMGroup_ChatRoom;
    bob.ask(create);
    for (int i = 0; i < 5; i++) bob.send("hall", kTIMConv_Group, message_of(text_elem(std::to_string(i)), "bob"));
    Outcome o;
    DONE(TIMGroupJoin("hall", "", Outcome::came, &o));
    CHECK_INT(texts(kRamble, false), 0);
    CHECK_INT(texts(kRamble, true), 5);
    CHECK_INT(texts(kTIMMsgGetMsgListParamIsRamble, false), 5);
}

int count(const Json::Value& page, const std::string& text) {
    int n = 0;
    for (const Json::Value& msg : page) n += text_of(msg) == text;
    return n;
}

// Deleted with the older key, a message is gone at the server too, and a device that comes later does not see it; deleted
// on this device only, that device sees it.
void deletion(Partner& bob) {
    for (const char* text : {"kept", "gone"}) {
        bob.send("alice", kTIMConv_C2C, message_of(text_elem(text), "bob"));
        Json::Value param;
        param[kDeleteRamble] = std::string(text) == "gone";
        param[kTIMMsgDeleteParamMsg] = next_text();
        Outcome o;
        DONE(TIMMsgDelete("bob", kTIMConv_C2C, param.toStyledString().c_str(), Outcome::came, &o));
    }
    CHECK_INT(count(local_page("bob"), "kept") + count(local_page("bob"), "gone"), 0);
    Json::Value history;
    history["do"] = "history", history["who"] = "bob";
    Partner later("alice");
    Json::Value page = later.ask(history);
    CHECK_INT(count(page, "kept"), 1);
    CHECK_INT(count(page, "gone"), 0);
}

// The partner's next message of a conversation; what the server tells him about groups is passed over.
Json::Value next_message(Partner& partner) {
    for (;;) {
        Json::Value msg = partner.next("message");
        if (msg[kTIMMsgConvType].asInt() != kTIMConv_System) return msg;
    }
}

void push_config(Partner& bob) {
    for (const char* key : {kPushConfig, kTIMMsgOfflinePushConfig}) {
        Json::Value msg = message_of(text_elem("pushed"), "alice");
        msg[key][kTIMOfflinePushConfigDesc] = "a short text";
        Outcome o;
        DONE(TIMMsgSendNewMsg("bob", kTIMConv_C2C, msg.toStyledString().c_str(), Outcome::came, &o));
        both(o.json(), kPushConfig, kTIMMsgOfflinePushConfig);
        CHECK_TEXT(o.json()[kPushConfig][kTIMOfflinePushConfigDesc].asCString(), "a short text");
        both(next_message(bob), kPushConfig, kTIMMsgOfflinePushConfig);
    }
}

void search(Partner& bob) {
    bob.send("alice", kTIMConv_C2C, message_of(text_elem("a needle"), "bob"));
    next_text();
    for (const char* sender : {"bob", "carol"}) {
        Json::Value param;
        param[kTIMMsgSearchParamKeywordArray].append("needle");
        param[kSearchSenders].append(sender);
        Outcome o;
        DONE(TIMMsgSearchLocalMessages(param.toStyledString().c_str(), Outcome::came, &o));
        CHECK_INT(o.json()[kTIMMsgSearchResultTotalCount].asInt(), std::string(sender) == "bob" ? 1 : 0);
    }
}

// The names of functions that later versions replaced: bob reads a message of the group, the receipt tells both counts.
void group(Partner& bob) {
    Json::Value create, join;
    create[kTIMCreateGroupParamGroupName] = create[kTIMCreateGroupParamGroupId] = "office";
    create[kTIMCreateGroupParamGroupType] = kTIMGroup_Public;
    create[kTIMCreateGroupParamAddOption] = kTIMGroupAddOpt_Any;
    Outcome created, o, asked, told;
    CHECK_INT(TIMGroupCreate(create.toStyledString().c_str(), Outcome::came, &created), TIM_SUCC);
    CHECK_INT(created.code(), 0);
    join["do"] = "join", join["group"] = "office";
    bob.ask(join);

    Json::Value msg = message_of(text_elem("who has read this?"), "alice");
    msg[kTIMMsgNeedReadReceipt] = true;
    DONE(TIMMsgSendNewMsg("office", kTIMConv_Group, msg.toStyledString().c_str(), Outcome::came, &o));
    both(o.json()[kTIMMsgSenderGroupMemberInfo], kMemberRemark, kTIMGroupMemberInfoFriendRemark);
    Json::Value got = bob.next("message");
    while (got[kTIMMsgElemArray][0u][kTIMElemType].asInt() != kTIMElem_Text) got = bob.next("message");
    both(got[kTIMMsgSenderGroupMemberInfo], kMemberRemark, kTIMGroupMemberInfoFriendRemark);

    Json::Value confirm, list;
    confirm["do"] = "confirm";
    confirm["messages"].append(got);
    bob.ask(confirm);
    Json::Value receipt = take(receipts);
    both(receipt, kReadCount, kTIMMsgReceiptReadCount);
    both(receipt, kUnreadCount, kTIMMsgReceiptUnreadCount);
    CHECK_INT(receipt[kReadCount].asInt(), 1);

    list.append(o.json());
    CHECK_INT(TIMMsgGetGroupMessageReceipts(list.toStyledString().c_str(), Outcome::came, &asked), TIM_SUCC);
    CHECK_INT(asked.code(), 0);
    both(asked.json()[0u], kReadCount, kTIMMsgReceiptReadCount);
    both(asked.json()[0u], kUnreadCount, kTIMMsgReceiptUnreadCount);
    CHECK_INT(asked.json()[0u][kReadCount].asInt(), 1);
}

// Everybody is mentioned with the constant of three s.
void mention(Partner& bob) {
    Json::Value msg = message_of(text_elem("all of you"), "bob"), id, list;
    msg[kTIMMsgGroupAtUserArray].append(kImSDK_MesssageAtALL);
    bob.send("office", kTIMConv_Group, msg);
    while (text_of(next_text()) != "all of you") {}
    id[kTIMGetConversationListParamConvId] = "office";
    id[kTIMGetConversationListParamConvType] = kTIMConv_Group;
    list.append(id);
    Outcome o;
    DONE(TIMConvGetConvInfo(list.toStyledString().c_str(), Outcome::came, &o));
    Json::Value at = o.json()[0u][kTIMConvGroupAtInfoArray];
    CHECK_INT(at.size(), 1);
    CHECK_INT(at[0u][kTIMGroupAtInfoAtType].asInt(), kTIMGroup_At_All);
}

// A constant whose name changed but not its key.
void location(Partner& bob) {
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Location;
    elem[kTIMLocationElemDesc] = "here";
    elem[kTIMLocationElemLongitude] = 121.47;
    elem[kTIMLocationElemlatitude] = 31.23;
    Outcome o;
    DONE(TIMMsgSendNewMsg("bob", kTIMConv_C2C, message_of(elem, "alice").toStyledString().c_str(), Outcome::came, &o));
    Json::Value got = bob.next("message")[kTIMMsgElemArray][0u];
    CHECK(got[kTIMLocationElemLatitude].asDouble() == 31.23);
}

} // namespace

int main() {
    TIMSetRecvNewMsgCallback(on_messages, NULL);
    TIMSetMsgGroupMessageReceiptCallback(on_receipts, NULL);
    init();
    Partner bob("bob"), carol("carol");
    login("alice");
    history(bob);
    push_config(bob);
    search(bob);
    group(bob);
    mention(bob);
    location(bob);
    deletion(bob); // at the end: that the user logs in elsewhere ends this session
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("spellings", "older keys, constants and functions are understood; what is told carries both spellings");
    return 0;
}
