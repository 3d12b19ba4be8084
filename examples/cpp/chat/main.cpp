// A chat in the terminal with one user.
//
//   TIM_SERVER_URL=ws://127.0.0.1:7800 chat APP_ID USER USER_SIG PEER
//
// A line is a text for the peer; /help lists the commands. Lines are taken one after the other and each waits for its
// answer, so a script on standard input works as well as somebody at the keyboard. What arrives from the peer counts as
// read when it is shown; a tick stands before own messages that are sent, two before those that the peer has read.
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>
#include <vector>

#include "client.h"
#include "terminal.h"

namespace {

const char* const help =
    "/history [N]     the newest N messages (10), then the ones before them\n"
    "/search WORDS    messages with this text\n"
    "/file PATH       sends a file\n"
    "/get N [PATH]    downloads the file with this number\n"
    "/quit            ends; so does the end of the input";

std::string clock_of(const Json& message) {
    const time_t at = static_cast<time_t>(message[kTIMMsgServerTime].number());
    char text[16] = "";
    struct tm parts;
    if (localtime_r(&at, &parts) != NULL) {
        std::strftime(text, sizeof text, "%H:%M", &parts);
    }
    return text;
}

std::string base_name(const std::string& path) { return path.substr(path.find_last_of("/\\") + 1); }

// Chat is what the user sees. Its events come on the library's thread, everything else on the one that reads lines.
class Chat : public Events {
public:
    explicit Chat(const std::string& peer) : peer_(peer) {}

    void message(const Json& m) override {
        terminal_.line(described(m));
        if (m[kTIMMsgConvType].number() == kTIMConv_C2C && m[kTIMMsgConvId].text() == peer_) {
            Client::mark_read(peer_, m);
        }
    }
    void revoked(const Json& locator) override {
        terminal_.line("* " + locator[kTIMMsgRevokerUserId].text() + " took a message back");
    }
    void receipt(const Json& r) override {
        terminal_.line("* " + r[kTIMMsgReceiptConvId].text() + " has read your messages");
    }
    void uploading(unsigned long long done, unsigned long long total) override { terminal_.bar("up", done, total); }
    void connection(const std::string& state) override { terminal_.line("* " + state); }
    void ended(const std::string& why) override { terminal_.line("* the session has ended: " + why); }

    // Performs one line; false ends the chat.
    bool perform(Client& client, const std::string& line) {
        if (line.empty()) {
            return true;
        }
        if (line[0] != '/') {
            send(client, Json::object().set(kTIMElemType, static_cast<int>(kTIMElem_Text)).set(kTIMTextElemContent, line));
            return true;
        }
        std::istringstream words(line);
        std::string command, rest;
        words >> command >> std::ws;
        std::getline(words, rest);
        if (command == "/quit") {
            return false;
        }
        if (command == "/history") {
            history(client, rest);
        } else if (command == "/search" && !rest.empty()) {
            search(client, rest);
        } else if (command == "/file" && !rest.empty()) {
            send(client, Json::object()
                             .set(kTIMElemType, static_cast<int>(kTIMElem_File))
                             .set(kTIMFileElemFilePath, rest)
                             .set(kTIMFileElemFileName, base_name(rest)));
        } else if (command == "/get") {
            get(client, rest);
        } else {
            terminal_.line(help);
        }
        return true;
    }

    void say(const std::string& text) { terminal_.line(text); }

private:
    void send(Client& client, const Json& element) { terminal_.line(described(client.send(peer_, element))); }

    void history(Client& client, const std::string& count) {
        const Json page = client.history(peer_, oldest_, count.empty() ? 10 : std::atoi(count.c_str()));
        if (page.size() == 0) {
            terminal_.line("* there is nothing before");
            return;
        }
        for (std::size_t i = page.size(); i > 0; i--) {
            terminal_.line(described(page[i - 1]));
        }
        oldest_ = page[page.size() - 1];
    }

    void search(Client& client, const std::string& words) {
        const Json found = client.search(peer_, words);
        terminal_.line("* " + std::to_string(found.size()) + " found");
        for (std::size_t i = 0; i < found.size(); i++) {
            terminal_.line(described(found[i]));
        }
    }

    void get(Client& client, const std::string& words) {
        std::istringstream in(words);
        std::size_t number = 0;
        std::string path;
        in >> number >> std::ws;
        std::getline(in, path);
        const Json file = file_of(number);
        if (path.empty()) { // the sender's name for it is no path
            path = "received-" + std::to_string(number) + "-" + base_name(Terminal::harmless(file[kTIMFileElemFileName].text()));
        }
        if (std::ifstream(path.c_str()).good()) {
            throw std::runtime_error(path + " is there already");
        }
        client.download(file, path, [this](unsigned long long done, unsigned long long total) { terminal_.bar("down", done, total); });
        terminal_.line("* stored as " + path);
    }

    // One line for a message: time, ticks, sender, text.
    std::string described(const Json& m) {
        std::string ticks;
        if (m[kTIMMsgIsFormSelf].flag()) {
            ticks = m[kTIMMsgStatus].number() != kTIMMsg_SendSucc ? "\xe2\x9c\x97 "
                    : m[kTIMMsgIsPeerRead].flag()                 ? "\xe2\x9c\x93\xe2\x9c\x93 "
                                                                  : "\xe2\x9c\x93 ";
        }
        const bool taken_back = m[kTIMMsgStatus].number() == kTIMMsg_Revoked;
        std::string text = taken_back ? " (taken back)" : "";
        const Json& elements = m[kTIMMsgElemArray];
        for (std::size_t i = 0; i < elements.size() && !taken_back; i++) {
            text += " " + described_element(elements[i]);
        }
        return clock_of(m) + " " + ticks + m[kTIMMsgSender].text() + ":" + text;
    }

    std::string described_element(const Json& e) {
        switch (e[kTIMElemType].number()) {
        case kTIMElem_Text: return Terminal::harmless(e[kTIMTextElemContent].text());
        case kTIMElem_File:
            return "[file " + std::to_string(number_of(e)) + "] " + Terminal::harmless(e[kTIMFileElemFileName].text()) + ", " +
                   e[kTIMFileElemFileSize].text() + " bytes";
        case kTIMElem_Image: return "[image]";
        case kTIMElem_Sound: return "[sound]";
        case kTIMElem_Video: return "[video]";
        default: return "[something else]";
        }
    }

    // Files get numbers as they are shown, the same file the same one.
    std::size_t number_of(const Json& file) {
        std::lock_guard<std::mutex> hold(mutex_);
        for (std::size_t i = 0; i < files_.size(); i++) {
            if (files_[i][kTIMFileElemFileId].text() == file[kTIMFileElemFileId].text()) {
                return i + 1;
            }
        }
        files_.push_back(file);
        return files_.size();
    }
    Json file_of(std::size_t number) {
        std::lock_guard<std::mutex> hold(mutex_);
        if (number == 0 || number > files_.size()) {
            throw std::runtime_error("no file has this number");
        }
        return files_[number - 1];
    }

    const std::string peer_;
    Terminal terminal_;
    Json oldest_; // message that /history showed last; null: none yet
    std::mutex mutex_;
    std::vector<Json> files_;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: [TIM_SERVER_URL=ws://HOST:PORT] " << argv[0] << " APP_ID USER USER_SIG PEER\n";
        return 2;
    }
    Chat chat(argv[4]);
    try {
        Client client(std::strtoull(argv[1], NULL, 10), argv[2], argv[3], chat);
        chat.say(std::string("* you are ") + argv[2] + ", talking to " + argv[4] + "; /help lists the commands");
        bool more = true;
        for (std::string line; more && std::getline(std::cin, line);) {
            try {
                more = chat.perform(client, line);
            } catch (const std::exception& e) { // the next line may do better
                chat.say(std::string("* ") + e.what());
            }
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return 0;
}
