// TIMMsgFindByMsgLocatorList, TIMMsgImportMsgList, TIMMsgSaveMsg, TIMMsgGetMsgList and TIMMsgDelete as an application of
// 2021 uses them.
#include "seed.h"

namespace {

const Json::Int64 long_ago = 1551446728;

void imports(const std::string& login_id) {
    Json::Value json_value_elem;
    json_value_elem[kTIMElemType] = TIMElemType::kTIMElem_Text;
    json_value_elem[kTIMTextElemContent] = "this is import msg";
    Json::Value json_value_msg;
    json_value_msg[kTIMMsgSender] = login_id;
    json_value_msg[kTIMMsgClientTime] = long_ago;
    json_value_msg[kTIMMsgServerTime] = long_ago;
    json_value_msg[kTIMMsgElemArray].append(json_value_elem);
    Json::Value json_value_msgs;
    json_value_msgs.append(json_value_msg);
    json_value_msg[kTIMMsgSender] = "bob";
    json_value_msg[kTIMMsgServerTime] = long_ago + 1;
    json_value_msgs.append(json_value_msg);
    Outcome o;
    DONE(TIMMsgImportMsgList("bob", kTIMConv_C2C, json_value_msgs.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Outcome::came(code, desc, json_param, user_data);
        }, &o));

    Json::Value page = local_page("bob");
    CHECK_INT(page.size(), 2);
    CHECK_TEXT(page[0u][kTIMMsgSender].asCString(), "bob");
    CHECK_TEXT(page[1][kTIMMsgSender].asCString(), login_id.c_str());
    CHECK_TEXT(text_of(page[1]).c_str(), "this is import msg");
    CHECK_INT(page[1][kTIMMsgServerTime].asInt64(), long_ago);
    CHECK_INT(page[1][kTIMMsgClientTime].asInt64(), long_ago);
    CHECK_INT(page[1][kTIMMsgStatus].asInt(), kTIMMsg_LocalImported);

    // What was listed can be imported again elsewhere, without building messages anew.
    Outcome again;
    CHECK_INT(TIMMsgImportMsgList("carol", kTIMConv_C2C, page.toStyledString().c_str(), Outcome::came, &again), TIM_SUCC);
    CHECK_INT(again.code(), 0);
    Json::Value copy = local_page("carol");
    CHECK_INT(copy.size(), 2);
    CHECK_TEXT(text_of(copy[0u]).c_str(), "this is import msg");
    CHECK_INT(copy[0u][kTIMMsgServerTime].asInt64(), long_ago + 1);
}

void saves() {
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Custom;
    elem[kTIMCustomElemData] = "a note of this device";
    Outcome o;
    DONE(TIMMsgSaveMsg("dave", kTIMConv_C2C, message_of(elem, "dave").toStyledString().c_str(), Outcome::came, &o));
    Json::Value page = local_page("dave");
    CHECK_INT(page.size(), 1);
    CHECK_TEXT(page[0u][kTIMMsgElemArray][0u][kTIMCustomElemData].asCString(), "a note of this device");
    CHECK_TEXT(page[0u][kTIMMsgSender].asCString(), "dave");
    CHECK_INT(page[0u][kTIMMsgStatus].asInt(), kTIMMsg_LocalImported);
}

Json::Value found_by(const Json::Value& json_msg_locator) {
    Json::Value json_msg_locators;
    json_msg_locators.append(json_msg_locator);
    Outcome o;
    DONE(TIMMsgFindByMsgLocatorList("bob", kTIMConv_C2C, json_msg_locators.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Outcome::came(code, desc, json_param, user_data);
        }, &o));
    return o.json();
}

Json::Value locator_of(const Json::Value& msg) {
    Json::Value json_msg_locator;
    json_msg_locator[kTIMMsgLocatorIsRevoked] = false;
    json_msg_locator[kTIMMsgLocatorTime] = msg[kTIMMsgServerTime];
    json_msg_locator[kTIMMsgLocatorSeq] = msg[kTIMMsgSeq];
    json_msg_locator[kTIMMsgLocatorIsSelf] = msg[kTIMMsgIsFormSelf];
    json_msg_locator[kTIMMsgLocatorRand] = msg[kTIMMsgRand];
    return json_msg_locator;
}

// A locator finds one message exactly, imported ones too, and an invented one none.
void finds(Partner& bob, Inbox& inbox) {
    bob.send("alice", kTIMConv_C2C, message_of(text_elem("find me"), "bob"));
    while (inbox.next()[kTIMMsgSender] != "bob") {} // frank's are older
    for (const Json::Value& msg : local_page("bob")) {
        Json::Value found = found_by(locator_of(msg));
        CHECK_INT(found.size(), 1);
        CHECK_TEXT(found[0u][kTIMMsgMsgId].asCString(), msg[kTIMMsgMsgId].asCString());
        Json::Value other = locator_of(msg);
        other[kTIMMsgLocatorIsSelf] = !msg[kTIMMsgIsFormSelf].asBool();
        CHECK_INT(found_by(other).size(), 0);
    }
    Json::Value invented;
    invented[kTIMMsgLocatorIsRevoked] = false;
    invented[kTIMMsgLocatorTime] = 123;
    invented[kTIMMsgLocatorSeq] = 1;
    invented[kTIMMsgLocatorIsSelf] = false;
    invented[kTIMMsgLocatorRand] = 12345678;
    Json::Value none = found_by(invented);
    CHECK(none.isArray() && none.empty());
}

Json::Value page_of(const std::string& user, const Json::Value& last, bool cloud, bool forward, int count) {
    Json::Value json_get_msg_param;
    json_get_msg_param[kTIMMsgGetMsgListParamLastMsg] = last;
    json_get_msg_param[kTIMMsgGetMsgListParamIsRamble] = cloud;
    json_get_msg_param[kTIMMsgGetMsgListParamIsForward] = forward;
    json_get_msg_param[kTIMMsgGetMsgListParamCount] = count;
    Outcome o;
    DONE(TIMMsgGetMsgList(user.c_str(), kTIMConv_C2C, json_get_msg_param.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_params, const void* user_data) {
            Outcome::came(code, desc, json_params, user_data);
        }, &o));
    return o.json();
}

// Pages back and forth from a message; an empty one is none. frank wrote before this user's first login on this device,
// so his messages are at the server.
void lists() {
    const Json::Value json_msg(Json::objectValue);
    Json::Value all = page_of("frank", json_msg, true, false, 100);
    CHECK_INT(all.size(), 5);
    CHECK_TEXT(text_of(all[0u]).c_str(), "4");
    Json::Value page = page_of("frank", json_msg, false, false, 2);
    CHECK_INT(page.size(), 2);
    CHECK_TEXT(text_of(page[1]).c_str(), "3");
    page = page_of("frank", page[1], false, false, 2);
    CHECK_INT(page.size(), 2);
    CHECK_TEXT(text_of(page[0u]).c_str(), "2");
    CHECK_TEXT(text_of(page[1]).c_str(), "1");
    page = page_of("frank", page[1], false, true, 100); // newer than 1, oldest first
    CHECK_INT(page.size(), 3);
    CHECK_TEXT(text_of(page[0u]).c_str(), "2");
    CHECK_TEXT(text_of(page[2]).c_str(), "4");
    CHECK_INT(page_of("frank", all[0u], false, true, 100).size(), 0);
    CHECK_INT(page_of("frank", json_msg, false, true, 100).size(), 5); // forward from nowhere: from the beginning
    CHECK_INT(page_of("nobody.at.all", json_msg, false, true, 100).size(), 0);
}

int removed(const std::string& user, const Json::Value& param, Outcome& o) {
    return TIMMsgDelete(user.c_str(), kTIMConv_C2C, param.toStyledString().c_str(),
        [](int32_t code, const char* desc, const char* json_param, const void* user_data) {
            Outcome::came(code, desc, json_param, user_data);
        }, &o);
}

void deletes() {
    // An empty message names none: it is refused and must not be taken for all of them.
    Json::Value json_value_msgdelete;
    json_value_msgdelete[kTIMMsgDeleteParamIsRamble] = false;
    json_value_msgdelete[kTIMMsgDeleteParamMsg] = Json::Value(Json::objectValue);
    Outcome refused;
    CHECK_INT(removed("frank", json_value_msgdelete, refused), TIM_ERR_JSON);
    CHECK_INT(local_page("frank").size(), 5);

    Outcome o, all;
    json_value_msgdelete[kTIMMsgDeleteParamMsg] = local_page("frank")[1];
    DONE(removed("frank", json_value_msgdelete, o));
    Json::Value left = local_page("frank");
    CHECK_INT(left.size(), 4);
    CHECK_TEXT(text_of(left[1]).c_str(), "2");

    // Without a message everything goes that is on this device; other conversations stay.
    json_value_msgdelete.removeMember(kTIMMsgDeleteParamMsg);
    CHECK_INT(removed("frank", json_value_msgdelete, all), TIM_SUCC);
    CHECK_INT(all.code(), 0);
    CHECK_INT(local_page("frank").size(), 0);
    CHECK_INT(local_page("bob").size(), 3);
    CHECK_INT(refused.calls(), 0);
}

// earlier has frank write before alice's device is there.
void earlier() {
    { Partner alice("alice"); } // a user exists from the first login on
    Partner frank("frank");
    for (int i = 0; i < 5; i++) {
        frank.send("alice", kTIMConv_C2C, message_of(text_elem(std::to_string(i)), "frank"));
    }
}

} // namespace

int main() {
    Inbox inbox;
    init();
    earlier();
    Partner bob("bob");
    login("alice");
    imports("alice");
    saves();
    finds(bob, inbox);
    lists();
    deletes();
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("history", "messages imported, saved, found, listed and deleted");
    return 0;
}
