// Logs in, sends a text to itself, reads it back and prints it.
//
//   TIM_SERVER_URL=ws://127.0.0.1:7800 quickstart APP_ID USER USER_SIG
//
// A user sig for trying out comes from `timbred usersig --app ID --user NAME`; in a product the application's own server
// makes it. The library keeps its database and its log below the current folder: timbre_data/ and timbre_log/.
//
// C++11, nothing but the standard library and TIMCloud.h. A real program would use its JSON library where this one has
// quote() and find_text().
#include <TIMCloud.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

// Failure is an answer with a code other than 0.
struct Failure : std::runtime_error {
    Failure(const std::string& what, int number, const std::string& text)
        : std::runtime_error(what + ": " + std::to_string(number) + " " + text), code(number) {}
    int code;
};

// Answer is the result of one call. Every function with a TIMCommCallback answers exactly once, on the library's own
// thread, if it returned 0, and never otherwise. So the word handed to the call may own the promise.
class Answer {
public:
    explicit Answer(const std::string& call) : call_(call), promise_(new Promise), result_(promise_->get_future()) {}

    static void done(int32_t code, const char* desc, const char* json, const void* user_data) {
        std::unique_ptr<Promise> promise(static_cast<Promise*>(const_cast<void*>(user_data)));
        promise->set_value(Result{code, desc, json}); // copies: the texts end with this function
    }
    const void* word() const { return promise_.get(); }

    // Takes what the function returned, waits for its answer and gives the result's JSON.
    std::string of(int returned) {
        if (returned != TIM_SUCC) {
            throw Failure(call_ + " was not accepted", returned, "");
        }
        promise_.release(); // done() has it now
        if (result_.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
            throw std::runtime_error(call_ + " did not answer within 30 s");
        }
        Result r = result_.get();
        if (r.code != 0) {
            throw Failure(call_, r.code, r.text);
        }
        return r.json;
    }

private:
    struct Result {
        int32_t code;
        std::string text, json;
    };
    typedef std::promise<Result> Promise;
    std::string call_;
    std::unique_ptr<Promise> promise_;
    std::future<Result> result_;
};

std::string quote(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return out + '"';
}

// Library runs from TIMInit to TIMUninit. After TIMUninit no callback runs any more, so whatever callbacks use may go then.
class Library {
public:
    explicit Library(uint64_t app) {
        int returned = TIMInit(app, NULL);
        if (returned != TIM_SUCC) {
            throw Failure("TIMInit", returned, "");
        }
    }
    ~Library() { TIMUninit(); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;
};

// Session is one user's presence, from login to logout.
class Session {
public:
    Session(uint64_t app, const std::string& user, const std::string& user_sig) : library_(app) {
        Answer login("TIMLogin");
        login.of(TIMLogin(user.c_str(), user_sig.c_str(), &Answer::done, login.word()));
    }
    ~Session() {
        try {
            Answer logout("TIMLogout");
            logout.of(TIMLogout(&Answer::done, logout.word()));
        } catch (const std::exception& e) {
            std::cerr << e.what() << '\n';
        }
    }

    // Gives the message as it was sent: with its id, its number and the server's time.
    std::string send_text(const std::string& to, const std::string& text) {
        std::string message = std::string("{") + quote(kTIMMsgElemArray) + ":[{" + quote(kTIMElemType) + ":" +
                              std::to_string(kTIMElem_Text) + "," + quote(kTIMTextElemContent) + ":" + quote(text) + "}]}";
        Answer send("TIMMsgSendMessage");
        return send.of(TIMMsgSendMessage(to.c_str(), kTIMConv_C2C, message.c_str(), NULL, &Answer::done, send.word()));
    }

    // Gives the newest messages with somebody, the newest first; the server is asked too.
    std::string newest(const std::string& with, unsigned count) {
        std::string param = std::string("{") + quote(kTIMMsgGetMsgListParamCount) + ":" + std::to_string(count) + "," +
                            quote(kTIMMsgGetMsgListParamIsRamble) + ":true}";
        Answer page("TIMMsgGetMsgList");
        return page.of(TIMMsgGetMsgList(with.c_str(), kTIMConv_C2C, param.c_str(), &Answer::done, page.word()));
    }

private:
    Library library_;
};

// Finds the first value of a key in the JSON; the escapes of control characters stay as they are.
std::string find_text(const std::string& json, const std::string& key) {
    std::size_t at = json.find(quote(key) + ":\"");
    std::string out;
    if (at == std::string::npos) {
        return out;
    }
    for (at += key.size() + 4; at < json.size() && json[at] != '"'; at++) {
        if (json[at] == '\\' && (json[at + 1] == '"' || json[at + 1] == '\\')) {
            at++;
        }
        out += json[at];
    }
    return out;
}

// Messages from others arrive here. What this device sends itself does not: it is known already.
void on_messages(const char* json, const void*) { std::cout << "arrived: " << json << std::endl; }

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: [TIM_SERVER_URL=ws://HOST:PORT] " << argv[0] << " APP_ID USER USER_SIG\n";
        return 2;
    }
    const std::string user = argv[2];
    std::cout << "Timbre " << TIMGetSDKVersion() << std::endl;
    TIMAddRecvNewMsgCallback(on_messages, NULL); // before the login, so that nothing is missed
    try {
        Session me(std::strtoull(argv[1], NULL, 10), user, argv[3]);
        std::cout << user << " is logged in" << std::endl;
        std::string sent = me.send_text(user, "Hello \"myself\", 你好 👋");
        std::string read = me.newest(user, 1);
        if (find_text(read, kTIMMsgMsgId) != find_text(sent, kTIMMsgMsgId)) {
            std::cerr << "the newest message is another one: " << read << '\n';
            return 1;
        }
        std::cout << "received: " << find_text(read, kTIMTextElemContent) << std::endl;
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return 0; // logged out and shut down by ~Session and ~Library
}
