// The other user: partner USER logs in and tells each event as one line of JSON, {"event":...,"data":...}. Lines on its
// input ask it for something, and {"event":"answer","code":...,"result":...} answers; the end of the input ends it.
//   {"do":"send","to":ID,"type":1,"message":{...}}   sends, the result is the message as sent
//   {"do":"read","who":ID}                           reads the conversation
//   {"do":"create","group":{...}}                    creates a group
//   {"do":"join","group":ID}                         joins a group
//   {"do":"find","who":ID,"locators":[...]}          finds messages
//   {"do":"history","who":ID}                        the history of a conversation, from the server too
//   {"do":"confirm","messages":[...]}                sends read receipts
#include "seed.h"

#include <iostream>

namespace {

void tell(const std::string& kind, const Json::Value& data) {
    Json::Value line;
    line["event"] = kind;
    line["data"] = data;
    note_lock();
    std::cout << one_line(line) << std::endl;
    note_unlock();
}

void on_messages(const char* json_msg_array, const void*) {
    for (const Json::Value& msg : parse(json_msg_array)) tell("message", msg);
}
void on_revoked(const char* json, const void*) { tell("revoked", parse(json)); }
void on_receipt(const char* json, const void*) { tell("receipt", parse(json)); }

int perform(const Json::Value& what, Outcome* o) {
    const std::string task = what["do"].asString(), who = what["who"].asString();
    if (task == "send") {
        return TIMMsgSendNewMsg(what["to"].asCString(), static_cast<TIMConvType>(what["type"].asInt()),
                                what["message"].toStyledString().c_str(), Outcome::came, o);
    }
    if (task == "read") return TIMMsgReportReaded(who.c_str(), kTIMConv_C2C, NULL, Outcome::came, o);
    if (task == "create") return TIMGroupCreate(what["group"].toStyledString().c_str(), Outcome::came, o);
    if (task == "join") return TIMGroupJoin(what["group"].asCString(), "", Outcome::came, o);
    if (task == "find") {
        return TIMMsgFindByMsgLocatorList(who.c_str(), kTIMConv_C2C, what["locators"].toStyledString().c_str(), Outcome::came, o);
    }
    if (task == "history") {
        Json::Value param;
        param[kTIMMsgGetMsgListParamIsRamble] = true;
        param[kTIMMsgGetMsgListParamCount] = 100;
        return TIMMsgGetMsgList(who.c_str(), kTIMConv_C2C, param.toStyledString().c_str(), Outcome::came, o);
    }
    if (task == "confirm") {
        return TIMMsgSendGroupMessageReceipts(what["messages"].toStyledString().c_str(), Outcome::came, o);
    }
    test_fail(__FILE__, __LINE__, "nothing is called %s", task.c_str());
    return -1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    TIMAddRecvNewMsgCallback(on_messages, NULL);
    TIMSetMsgRevokeCallback(on_revoked, NULL);
    TIMSetMsgReadedReceiptCallback(on_receipt, NULL);
    init();
    login(argv[1]);
    tell("ready", Json::Value());
    std::string line;
    while (std::getline(std::cin, line)) {
        Outcome o;
        CHECK_INT(perform(parse(line), &o), TIM_SUCC);
        Json::Value answer;
        answer["event"] = "answer";
        answer["code"] = o.code();
        if (!o.text().empty()) answer["result"] = o.json();
        note_lock();
        std::cout << one_line(answer) << std::endl;
        note_unlock();
    }
    logout();
    CHECK_INT(TIMUninit(), TIM_SUCC);
    return 0;
}
