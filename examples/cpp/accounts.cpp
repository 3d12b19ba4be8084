// Two accounts in one program: alice writes to bob, and bob answers from inside his callback.
//
//   TIM_SERVER_URL=ws://127.0.0.1:7800 accounts APP_ID ALICE ALICE_SIG BOB BOB_SIG
//
// Each account lives in an instance of the library. Which one a call means is a property of the calling thread: In sets it
// and sets it back. A callback runs with its own account's instance, so that the answer needs nothing. Databases lie below
// timbre_data/, one folder an account, logs in timbre_log/, one file an instance.
//
// C++11, nothing but the standard library and TIMCloud.h.
#include <TIMCloud.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>

namespace {

const std::chrono::seconds kPatience(30);

void require(int returned, const std::string& call) {
    if (returned != TIM_SUCC) {
        throw std::runtime_error(call + " gave " + std::to_string(returned));
    }
}

// In makes an instance the current one of this thread while it lives.
class In {
public:
    explicit In(int64_t instance) : before_(TIMExtInstanceGetCurrent()) {
        require(TIMExtInstanceSetCurrent(instance), "TIMExtInstanceSetCurrent");
    }
    ~In() { TIMExtInstanceSetCurrent(before_); }
    In(const In&) = delete;
    In& operator=(const In&) = delete;

private:
    int64_t before_;
};

std::string message_of(const std::string& text) { // a text without quotes; see quickstart.cpp for any
    return std::string("{\"") + kTIMMsgElemArray + "\":[{\"" + kTIMElemType + "\":0,\"" + kTIMTextElemContent + "\":\"" + text + "\"}]}";
}

// The value of the first text with this key; enough for an example.
std::string find(const std::string& json, const std::string& key) {
    const std::string start = "\"" + key + "\":\"";
    const std::size_t at = json.find(start);
    return at == std::string::npos ? "" : json.substr(at + start.size(), json.find('"', at + start.size()) - at - start.size());
}

// Account is a user who is logged in, in an instance of his own. Its methods may be called from any thread.
class Account {
public:
    typedef std::function<void(Account&, const std::string& from, const std::string& text)> Listener;

    Account(uint64_t app, const std::string& user, const std::string& user_sig, const Listener& listener)
        : user_(user), listener_(listener), instance_(TIMExtInstanceCreate()) {
        if (instance_ < 0) {
            throw std::runtime_error("too many instances");
        }
        try {
            In in(instance_);
            TIMAddRecvNewMsgCallback(&Account::arrived, this); // before the login, so that nothing is missed
            require(TIMInit(app, NULL), "TIMInit");
            std::promise<int> code;
            require(TIMLogin(user.c_str(), user_sig.c_str(), &Account::done, &code), "TIMLogin");
            require(code.get_future().get(), "the login of " + user);
        } catch (...) {
            TIMExtInstanceDestroy(instance_);
            throw;
        }
    }
    // When this returns no callback runs any more, so that this object may go.
    ~Account() { TIMExtInstanceDestroy(instance_); }
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    const std::string& user() const { return user_; }

    // Sends a text and does not wait; what a callback may do.
    void send(const std::string& to, const std::string& text) {
        In in(instance_);
        require(TIMMsgSendMessage(to.c_str(), kTIMConv_C2C, message_of(text).c_str(), NULL, &Account::sent, this), "TIMMsgSendMessage");
    }

private:
    static Account& self(const void* word) { return *static_cast<Account*>(const_cast<void*>(word)); }
    static void done(int32_t code, const char*, const char*, const void* word) {
        static_cast<std::promise<int>*>(const_cast<void*>(word))->set_value(code);
    }
    static void sent(int32_t code, const char* desc, const char*, const void* word) {
        if (code != 0) {
            std::cerr << self(word).user_ << " could not send: " << code << ' ' << desc << std::endl;
        }
    }
    static void arrived(const char* json, const void* word) {
        Account& to = self(word);
        try {
            to.listener_(to, find(json, kTIMMsgSender), find(json, kTIMTextElemContent));
        } catch (const std::exception& e) { // must not leave through the library
            std::cerr << to.user_ << ": " << e.what() << std::endl;
        }
    }

    std::string user_;
    Listener listener_;
    int64_t instance_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::cerr << "usage: [TIM_SERVER_URL=ws://HOST:PORT] " << argv[0] << " APP_ID ALICE ALICE_SIG BOB BOB_SIG\n";
        return 2;
    }
    const uint64_t app = std::strtoull(argv[1], NULL, 10);
    std::promise<void> answered;
    std::once_flag first;
    std::mutex output; // each account has a callback thread of its own
    auto show = [&](const Account& to, const std::string& from, const std::string& text) {
        std::lock_guard<std::mutex> lock(output);
        std::cout << to.user() << " received from " << from << ": " << text << std::endl;
    };
    try {
        Account alice(app, argv[2], argv[3], [&](Account& me, const std::string& from, const std::string& text) {
            show(me, from, text);
            std::call_once(first, [&] { answered.set_value(); });
        });
        Account bob(app, argv[4], argv[5], [&](Account& me, const std::string& from, const std::string& text) {
            show(me, from, text);
            me.send(from, "Hello from the same process");
        });
        alice.send(bob.user(), "Hello in the same process");
        if (answered.get_future().wait_for(kPatience) != std::future_status::ready) {
            throw std::runtime_error("no answer");
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    std::cout << "both accounts are gone" << std::endl;
    return 0;
}
