#include "guest.h"

#include <cstdlib>
#include <future>
#include <iostream>
#include <stdexcept>

namespace {

void require(int code, const std::string& call) {
    if (code != TIM_SUCC) {
        throw std::runtime_error(call + " gave " + std::to_string(code));
    }
}

// In makes an instance the current one of this thread while it lives.
class In {
public:
    explicit In(int64_t instance) : before_(TIMExtInstanceGetCurrent()) {
        require(TIMExtInstanceSetCurrent(instance), "TIMExtInstanceSetCurrent");
    }
    ~In() { TIMExtInstanceSetCurrent(before_); }

private:
    int64_t before_;
};

// Answer waits for the result of one call. A call that returned 0 answers exactly once, so it must be waited for.
class Answer {
public:
    const void* word() const { return this; }
    std::string of(int returned, const std::string& call) {
        require(returned, call);
        require(code_.get_future().get(), call);
        return json_;
    }
    static void done(int32_t code, const char*, const char* json, const void* word) {
        Answer* a = static_cast<Answer*>(const_cast<void*>(word));
        a->json_ = json; // a copy: the text ends with this function
        a->code_.set_value(code);
    }

private:
    std::promise<int> code_;
    std::string json_;
};

// The value of the first key with this name, a text or a number; a real program uses its JSON library.
std::string find(const std::string& json, const std::string& key, std::size_t from = 0) {
    std::size_t at = json.find("\"" + key + "\":", from);
    if (at == std::string::npos) {
        return "";
    }
    at += key.size() + 3;
    const bool text = json[at] == '"';
    const std::size_t end = text ? json.find('"', at + 1) : json.find_first_of(",}]", at);
    return text ? json.substr(at + 1, end - at - 1) : json.substr(at, end - at);
}

} // namespace

Guest::Guest(uint64_t app, const std::string& user, const std::string& user_sig, const Listener& listener)
    : user_(user), listener_(listener), instance_(TIMExtInstanceCreate()) {
    if (instance_ < 0) {
        throw std::runtime_error("too many instances");
    }
    try {
        In in(instance_);
        TIMAddRecvNewMsgCallback(&Guest::arrived, this);
        require(TIMInit(app, NULL), "TIMInit");
        Answer login;
        login.of(TIMLogin(user.c_str(), user_sig.c_str(), &Answer::done, login.word()), "the login of " + user);
    } catch (...) {
        TIMExtInstanceDestroy(instance_);
        throw;
    }
}

Guest::~Guest() { TIMExtInstanceDestroy(instance_); }

std::string Guest::open(const std::string& name) {
    In in(instance_);
    const std::string param = std::string("{\"") + kTIMCreateGroupParamGroupName + "\":\"" + name + "\",\"" +
                              kTIMCreateGroupParamGroupType + "\":" + std::to_string(kTIMGroup_AVChatRoom) + "}";
    Answer a;
    return find(a.of(TIMGroupCreate(param.c_str(), &Answer::done, a.word()), "TIMGroupCreate"), kTIMCreateGroupResultGroupId);
}

void Guest::join(const std::string& room) {
    In in(instance_);
    Answer a;
    a.of(TIMGroupJoin(room.c_str(), "", &Answer::done, a.word()), "TIMGroupJoin");
}

void Guest::close(const std::string& room) {
    In in(instance_);
    Answer a;
    a.of(TIMGroupDelete(room.c_str(), &Answer::done, a.word()), "TIMGroupDelete");
}

int Guest::online(const std::string& room) {
    In in(instance_);
    Answer a;
    const std::string json = a.of(TIMGroupGetOnlineMemberCount(room.c_str(), &Answer::done, a.word()), "TIMGroupGetOnlineMemberCount");
    return std::atoi(find(json, TIMGroupGetOnlineMemberCountResult).c_str());
}

void Guest::say(const std::string& room, const std::string& what, TIMMsgPriority priority) {
    In in(instance_);
    const std::string message = std::string("{\"") + kTIMMsgPriority + "\":" + std::to_string(priority) + ",\"" + kTIMMsgElemArray +
                                "\":[{\"" + kTIMElemType + "\":" + std::to_string(kTIMElem_Custom) + ",\"" + kTIMCustomElemData +
                                "\":\"" + what + "\"}]}";
    Answer a;
    a.of(TIMMsgSendMessage(room.c_str(), kTIMConv_Group, message.c_str(), NULL, &Answer::done, a.word()), "TIMMsgSendMessage");
}

// Several messages of a busy room come at once. One's own do not come at all.
void Guest::arrived(const char* json, const void* word) {
    Guest& me = *static_cast<Guest*>(const_cast<void*>(word));
    const std::string all = json, data = std::string("\"") + kTIMCustomElemData + "\":";
    try {
        for (std::size_t at = all.find(data); at != std::string::npos; at = all.find(data, at + 1)) {
            me.listener_(find(all, kTIMMsgSender, at), find(all, kTIMCustomElemData, at));
        }
    } catch (const std::exception& e) { // must not leave through the library
        std::cerr << me.user_ << ": " << e.what() << std::endl;
    }
}
