// TIMMsgReportReaded as an application of 2021 uses it: without a message, with NULL, and up to one message.
#include "seed.h"

namespace {

unsigned unread_of(const std::string& user) {
    Json::Value id, list;
    id[kTIMGetConversationListParamConvId] = user;
    id[kTIMGetConversationListParamConvType] = kTIMConv_C2C;
    list.append(id);
    Outcome o;
    DONE(TIMConvGetConvInfo(list.toStyledString().c_str(), Outcome::came, &o));
    CHECK_INT(o.json().size(), 1);
    return o.json()[0u][kTIMConvUnReadNum].asUInt();
}

std::vector<Json::Value> arrive(Partner& bob, Inbox& inbox, int count) {
    std::vector<Json::Value> got;
    for (int i = 0; i < count; i++) {
        bob.send("alice", kTIMConv_C2C, message_of(text_elem("number " + std::to_string(i)), "bob"));
        got.push_back(inbox.next());
    }
    return got;
}

// The whole conversation, with either way of naming no message.
void reads_all(Partner& bob, Inbox& inbox, const char* nothing) {
    std::vector<Json::Value> got = arrive(bob, inbox, 3);
    CHECK_INT(unread_of("bob"), 3);
    Outcome o;
    DONE(TIMMsgReportReaded("bob", kTIMConv_C2C, nothing, Outcome::came, &o));
    CHECK_INT(unread_of("bob"), 0);
    Json::Value receipt = bob.next("receipt")[0u];
    CHECK_TEXT(receipt[kTIMMsgReceiptConvId].asCString(), "alice");
    CHECK(receipt[kTIMMsgReceiptTimeStamp].asInt64() >= got.back()[kTIMMsgServerTime].asInt64());
}

// Up to a message, with the JSON that brought it and with the JSON that its locator finds.
void reads_up_to(Partner& bob, Inbox& inbox) {
    std::vector<Json::Value> got = arrive(bob, inbox, 3);
    Outcome first, o, second;
    CHECK_INT(TIMMsgReportReaded("bob", kTIMConv_C2C, got[0].toStyledString().c_str(), Outcome::came, &first), TIM_SUCC);
    CHECK_INT(first.code(), 0);
    CHECK_INT(unread_of("bob"), 2);
    bob.next("receipt");

    Json::Value locator, locators;
    locator[kTIMMsgLocatorIsRevoked] = false;
    locator[kTIMMsgLocatorTime] = got[1][kTIMMsgServerTime];
    locator[kTIMMsgLocatorSeq] = got[1][kTIMMsgSeq];
    locator[kTIMMsgLocatorIsSelf] = false;
    locator[kTIMMsgLocatorRand] = got[1][kTIMMsgRand];
    locators.append(locator);
    DONE(TIMMsgFindByMsgLocatorList("bob", kTIMConv_C2C, locators.toStyledString().c_str(), Outcome::came, &o));
    std::string found = o.json()[0u].toStyledString();
    CHECK_INT(TIMMsgReportReaded("bob", kTIMConv_C2C, found.c_str(), Outcome::came, &second), TIM_SUCC);
    CHECK_INT(second.code(), 0);
    CHECK_INT(unread_of("bob"), 1);
}

// Nothing to read is a success too: the present time counts then.
void reads_nothing() {
    Outcome o;
    DONE(TIMMsgReportReaded("carol", kTIMConv_C2C, NULL, Outcome::came, &o));
}

} // namespace

int main() {
    Inbox inbox;
    init();
    Partner bob("bob"), carol("carol");
    login("alice");
    reads_all(bob, inbox, NULL);
    reads_all(bob, inbox, "");
    reads_up_to(bob, inbox);
    reads_nothing();
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    test_ok("read", "a conversation, with NULL and \"\", and up to a message; the sender is told");
    return 0;
}
