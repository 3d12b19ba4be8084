// TIMMsgSendNewMsg, TIMMsgRevoke and TIMMsgBatchSend as an application of 2021 uses them.
#include "seed.h"

namespace {

void sends(Partner& bob, const std::string& login_id) {
    Json::Value json_value_text;
    json_value_text[kTIMElemType] = kTIMElem_Text;
    json_value_text[kTIMTextElemContent] = "send text \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80"; // UTF-8, also beyond the BMP
    Json::Value json_value_msg;
    json_value_msg[kTIMMsgElemArray].append(json_value_text);
    json_value_msg[kTIMMsgSender] = login_id;
    json_value_msg[kTIMMsgClientTime] = static_cast<Json::Int64>(time(NULL));
    json_value_msg[kTIMMsgServerTime] = static_cast<Json::Int64>(time(NULL));

    Outcome o;
    int ret = TIMMsgSendNewMsg("bob", kTIMConv_C2C, json_value_msg.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Outcome::came(code, desc, json_param, user_data);
        }, &o);
    DONE(ret);
    Json::Value sent = o.json(), got = bob.next("message");
    CHECK_INT(sent[kTIMMsgStatus].asInt(), kTIMMsg_SendSucc);
    CHECK(sent[kTIMMsgIsFormSelf].asBool());
    CHECK_TEXT(text_of(got).c_str(), json_value_text[kTIMTextElemContent].asCString());
    CHECK_TEXT(got[kTIMMsgSender].asCString(), login_id.c_str());
    CHECK_TEXT(got[kTIMMsgConvId].asCString(), login_id.c_str());
    CHECK(!got[kTIMMsgIsFormSelf].asBool());
    CHECK_INT(got[kTIMMsgSeq].asInt64(), sent[kTIMMsgSeq].asInt64());
    CHECK_INT(got[kTIMMsgRand].asInt64(), sent[kTIMMsgRand].asInt64());
    CHECK_INT(got[kTIMMsgServerTime].asInt64(), sent[kTIMMsgServerTime].asInt64());
}

// The same function sends to groups, and the tips of a group cannot be sent.
void sends_to_a_group(Partner& bob, const std::string& login_id) {
    Json::Value group, join;
    group[kTIMCreateGroupParamGroupName] = "friends";
    group[kTIMCreateGroupParamGroupId] = "friends";
    group[kTIMCreateGroupParamGroupType] = kTIMGroup_ChatRoom;
    Outcome created;
    CHECK_INT(TIMGroupCreate(group.toStyledString().c_str(), Outcome::came, &created), TIM_SUCC);
    CHECK_INT(created.code(), 0);
    join["do"] = "join", join["group"] = "friends";
    bob.ask(join);

    Outcome o;
    DONE(TIMMsgSendNewMsg("friends", kTIMConv_Group, message_of(text_elem("to all"), login_id).toStyledString().c_str(),
                          Outcome::came, &o));
    Json::Value got = bob.next("message");
    while (got[kTIMMsgElemArray][0u][kTIMElemType].asInt() == kTIMElem_GroupTips) got = bob.next("message");
    CHECK_TEXT(text_of(got).c_str(), "to all");
    CHECK_TEXT(got[kTIMMsgConvId].asCString(), "friends");
    CHECK_INT(got[kTIMMsgConvType].asInt(), kTIMConv_Group);
    CHECK_TEXT(got[kTIMMsgSender].asCString(), login_id.c_str());

    for (int type : {kTIMElem_GroupTips, kTIMElem_GroupReport}) {
        Json::Value elem;
        elem[kTIMElemType] = type;
        Outcome refused;
        int ret = TIMMsgSendNewMsg("friends", kTIMConv_Group, message_of(elem, login_id).toStyledString().c_str(), Outcome::came, &refused);
        CHECK(ret != TIM_SUCC || refused.code() != 0);
    }
}

// A call that is not accepted never calls back.
void refuses() {
    Outcome o;
    CHECK(TIMMsgSendNewMsg("bob", kTIMConv_C2C, "no JSON", Outcome::came, &o) != TIM_SUCC);
    CHECK(TIMMsgSendNewMsg(NULL, kTIMConv_C2C, "{}", Outcome::came, &o) != TIM_SUCC);
    drain();
    CHECK_INT(o.calls(), 0);
}

// Sends and takes the message back inside the callback of the send, with the JSON that it brings.
void revokes(Partner& bob) {
    Json::Value json_value_text;
    json_value_text[kTIMElemType] = kTIMElem_Text;
    json_value_text[kTIMTextElemContent] = "taken back";
    Json::Value json_value_msg;
    json_value_msg[kTIMMsgElemArray].append(json_value_text);

    Outcome o;
    DONE(TIMMsgSendNewMsg("bob", kTIMConv_C2C, json_value_msg.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            if (0 != code) {
                Outcome::came(code, desc, json_param, user_data);
                return;
            }
            CHECK_INT(TIMMsgRevoke("bob", kTIMConv_C2C, json_param,
                [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
                    Outcome::came(code, desc, json_param, user_data);
                }, user_data), TIM_SUCC);
        }, &o));

    // At the other side the event's locator finds the message, as an application does to show that it was taken back.
    Json::Value got = bob.next("message"), locators = bob.next("revoked"), find;
    CHECK_TEXT(text_of(got).c_str(), "taken back");
    CHECK_INT(locators.size(), 1);
    find["do"] = "find", find["who"] = "alice", find["locators"] = locators;
    Json::Value found = bob.ask(find);
    CHECK_INT(found.size(), 1);
    CHECK_TEXT(found[0u][kTIMMsgMsgId].asCString(), got[kTIMMsgMsgId].asCString());
    CHECK_INT(found[0u][kTIMMsgStatus].asInt(), kTIMMsg_Revoked);
    CHECK_INT(local_page("bob")[0u][kTIMMsgStatus].asInt(), kTIMMsg_Revoked);

    // A stored message is taken back with what its locator finds.
    Outcome sent, located, revoked;
    CHECK_INT(TIMMsgSendNewMsg("bob", kTIMConv_C2C, json_value_msg.toStyledString().c_str(), Outcome::came, &sent), TIM_SUCC);
    CHECK_INT(sent.code(), 0);
    Json::Value msg = sent.json(), locator, list;
    locator[kTIMMsgLocatorIsRevoked] = false;
    locator[kTIMMsgLocatorTime] = msg[kTIMMsgServerTime];
    locator[kTIMMsgLocatorSeq] = msg[kTIMMsgSeq];
    locator[kTIMMsgLocatorIsSelf] = true;
    locator[kTIMMsgLocatorRand] = msg[kTIMMsgRand];
    list.append(locator);
    CHECK_INT(TIMMsgFindByMsgLocatorList("bob", kTIMConv_C2C, list.toStyledString().c_str(), Outcome::came, &located), TIM_SUCC);
    CHECK_INT(located.code(), 0);
    CHECK_INT(located.json().size(), 1);
    std::string stored = located.json()[0u].toStyledString();
    CHECK_INT(TIMMsgRevoke("bob", kTIMConv_C2C, stored.c_str(), Outcome::came, &revoked), TIM_SUCC);
    CHECK_INT(revoked.code(), 0);
    bob.next("message");
    CHECK_INT(bob.next("revoked")[0u][kTIMMsgLocatorSeq].asInt64(), msg[kTIMMsgSeq].asInt64());
}

// One message to several users; each has a result of its own, and a group is none of them.
void sends_to_many(Partner& bob, Partner& carol, const std::string& login_id) {
    Json::Value json_value_ids(Json::arrayValue);
    json_value_ids.append("bob");
    json_value_ids.append("carol");
    json_value_ids.append("nobody.at.all");
    json_value_ids.append("friends"); // a group
    Json::Value json_value_batchsend;
    json_value_batchsend[kTIMMsgBatchSendParamIdentifierArray] = json_value_ids;
    json_value_batchsend[kTIMMsgBatchSendParamMsg] = message_of(text_elem("this is batch send msg"), login_id);
    Outcome o;
    DONE(TIMMsgBatchSend(json_value_batchsend.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Outcome::came(code, desc, json_param, user_data);
        }, &o));
    std::map<std::string, int> codes;
    for (const Json::Value& each : o.json()) {
        codes[each[kTIMMsgBatchSendResultIdentifier].asString()] = each[kTIMMsgBatchSendResultCode].asInt();
    }
    CHECK_INT(codes.size(), 4);
    CHECK_INT(codes["bob"], 0);
    CHECK_INT(codes["carol"], 0);
    CHECK(codes["nobody.at.all"] != 0);
    CHECK(codes["friends"] != 0);
    for (Partner* p : {&bob, &carol}) {
        Json::Value got = p->next("message");
        CHECK_TEXT(text_of(got).c_str(), "this is batch send msg");
        CHECK_TEXT(got[kTIMMsgSender].asCString(), login_id.c_str());
        CHECK_INT(got[kTIMMsgConvType].asInt(), kTIMConv_C2C);
    }
}

} // namespace

int main() {
    const std::string login_id = "alice";
    init();
    Partner bob("bob"), carol("carol");
    login(login_id.c_str());
    sends(bob, login_id);
    sends_to_a_group(bob, login_id);
    refuses();
    revokes(bob);
    sends_to_many(bob, carol, login_id);
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("send", "messages to a user, a group and many users; two taken back");
    return 0;
}
