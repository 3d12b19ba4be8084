// What the programs in this folder share. They are written as an application of 2021 is: C++11, jsoncpp, lambdas as
// callbacks, the constants and spellings of that time. The other user of a conversation is a process of its own, partner.
#ifndef TIMBRE_TESTS_SEED_H
#define TIMBRE_TESTS_SEED_H

#include "harness.h"

#include <fcntl.h>
#include <json/json.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

inline Json::Value parse(const std::string& text) {
    Json::CharReaderBuilder builder;
    std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
    Json::Value value;
    std::string errors;
    if (!reader->parse(text.data(), text.data() + text.size(), &value, &errors)) {
        test_fail(__FILE__, __LINE__, "not JSON: %.200s: %s", text.c_str(), errors.c_str());
    }
    return value;
}

inline std::string one_line(const Json::Value& value) {
    Json::StreamWriterBuilder builder;
    builder["indentation"] = "";
    return Json::writeString(builder, value);
}

inline Json::Value text_elem(const std::string& text) {
    Json::Value elem;
    elem[kTIMElemType] = kTIMElem_Text;
    elem[kTIMTextElemContent] = text;
    return elem;
}

// A message as an application builds it: one element, its sender and the times.
inline Json::Value message_of(const Json::Value& elem, const std::string& sender) {
    Json::Value msg;
    msg[kTIMMsgElemArray].append(elem);
    msg[kTIMMsgSender] = sender;
    msg[kTIMMsgClientTime] = static_cast<Json::Int64>(time(NULL));
    msg[kTIMMsgServerTime] = static_cast<Json::Int64>(time(NULL));
    return msg;
}

inline std::string text_of(const Json::Value& msg) { return msg[kTIMMsgElemArray][0u][kTIMTextElemContent].asString(); }

// Outcome is the result of one call: give came as its callback and word() as its user_data.
class Outcome {
public:
    Outcome() { memset(&r_, 0, sizeof r_); }
    ~Outcome() { result_clear(&r_); }
    Outcome(const Outcome&) = delete;
    Outcome& operator=(const Outcome&) = delete;

    static void came(int32_t code, const char* desc, const char* json_param, const void* user_data) {
        result_came(code, desc, json_param, &const_cast<Outcome*>(static_cast<const Outcome*>(user_data))->r_);
    }
    int code() { return result_wait(&r_); }
    std::string text() {
        code();
        return r_.json;
    }
    Json::Value json() { return parse(text()); }
    int calls() { return note_read(&r_.calls); }

private:
    struct result r_;
};

// Called takes a call in terms of an Outcome named o: what it returned, then its code.
#define DONE(call)                                                                                                    \
    do {                                                                                                              \
        CHECK_INT(call, TIM_SUCC);                                                                                    \
        CHECK_INT(o.code(), 0);                                                                                       \
    } while (0)

// The messages that arrive, in their order.
class Inbox {
public:
    Inbox() { TIMAddRecvNewMsgCallback(came, this); }
    Json::Value next() {
        WAIT_FOR(!waiting_.empty());
        note_lock();
        Json::Value msg = waiting_.front();
        waiting_.pop_front();
        note_unlock();
        return msg;
    }

private:
    static void came(const char* json_msg_array, const void* user_data) {
        Inbox* self = const_cast<Inbox*>(static_cast<const Inbox*>(user_data));
        Json::Value list = parse(json_msg_array);
        note_lock();
        for (const Json::Value& msg : list) self->waiting_.push_back(msg);
        note_tell();
        note_unlock();
    }
    std::deque<Json::Value> waiting_;
};

// Partner is another user in a process of its own; see partner.cpp for what can be asked.
class Partner {
public:
    explicit Partner(const std::string& user) {
        int to[2], from[2];
        CHECK_INT(pipe2(to, O_CLOEXEC), 0);
        CHECK_INT(pipe2(from, O_CLOEXEC), 0);
        std::string program = self();
        program.replace(program.rfind('/') + 1, std::string::npos, "partner");
        child_ = fork();
        CHECK(child_ >= 0);
        if (child_ == 0) { // nothing but exec may happen here: the library is in the parent
            dup2(to[0], 0);
            dup2(from[1], 1);
            execl(program.c_str(), program.c_str(), user.c_str(), static_cast<char*>(NULL));
            _exit(127);
        }
        close(to[0]);
        close(from[1]);
        in_ = from[0], out_ = to[1];
        next("ready");
    }
    ~Partner() {
        close(out_);
        int status = 0;
        waitpid(child_, &status, 0);
        close(in_);
        CHECK_INT(status, 0);
    }
    Partner(const Partner&) = delete;
    Partner& operator=(const Partner&) = delete;

    // Asks for something and returns its result; a code other than 0 ends the test.
    Json::Value ask(const Json::Value& what) {
        std::string line = one_line(what) + "\n";
        CHECK_INT(write(out_, line.data(), line.size()), line.size());
        Json::Value answer = next("answer");
        if (answer["code"].asInt() != 0) test_fail(__FILE__, __LINE__, "partner: %s", one_line(answer).c_str());
        return answer["result"];
    }
    Json::Value send(const std::string& to, int type, const Json::Value& msg) {
        Json::Value what;
        what["do"] = "send", what["to"] = to, what["type"] = type, what["message"] = msg;
        return ask(what);
    }
    // The next event of this kind: message, revoked, receipt, read.
    Json::Value next(const std::string& kind) {
        std::deque<Json::Value>& list = events_[kind];
        while (list.empty()) {
            Json::Value event = parse(line());
            events_[event["event"].asString()].push_back(event);
        }
        Json::Value event = list.front();
        list.pop_front();
        return kind == "answer" ? event : event["data"];
    }

private:
    static std::string self() {
        char path[500];
        ssize_t n = readlink("/proc/self/exe", path, sizeof path);
        CHECK(n > 0);
        return std::string(path, n);
    }
    std::string line() {
        std::string::size_type end;
        while ((end = read_.find('\n')) == std::string::npos) {
            struct pollfd p = {in_, POLLIN, 0};
            char buffer[4096];
            CHECK_INT(poll(&p, 1, TEST_TIMEOUT * 1000), 1);
            ssize_t n = read(in_, buffer, sizeof buffer);
            if (n <= 0) test_fail(__FILE__, __LINE__, "the partner ended");
            read_.append(buffer, n);
        }
        std::string first = read_.substr(0, end);
        read_.erase(0, end + 1);
        return first;
    }

    pid_t child_;
    int in_, out_;
    std::string read_;
    std::map<std::string, std::deque<Json::Value> > events_;
};

inline std::string contents(const std::string& path) {
    std::ifstream file(path.c_str(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path.c_str(), std::ios::binary);
    file << text;
    file.close();
    CHECK(file.good());
}

// One history page of what is on this device, newest first.
inline Json::Value local_page(const std::string& peer) {
    Json::Value param;
    param[kTIMMsgGetMsgListParamIsRamble] = false;
    param[kTIMMsgGetMsgListParamIsForward] = false;
    param[kTIMMsgGetMsgListParamCount] = 100;
    Outcome o;
    DONE(TIMMsgGetMsgList(peer.c_str(), kTIMConv_C2C, param.toStyledString().c_str(), Outcome::came, &o));
    return o.json();
}

#endif
