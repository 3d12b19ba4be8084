// A live room: anna opens it, ben gives a rose, cara likes what she sees, and anna sees it all.
//
//   TIM_SERVER_URL=ws://127.0.0.1:7800 live APP_ID ANNA ANNA_SIG BEN BEN_SIG CARA CARA_SIG
//
// Three accounts in one process, each in an instance of the library; see examples/cpp/accounts.cpp. Nothing of a live room is
// stored: who is there sees what happens, and who comes later does not.
//
// C++11, nothing but the standard library and TIMCloud.h.
#include "guest.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <stdexcept>

namespace {

// Show is what happened in the room so far, as one of its guests saw it.
class Show {
public:
    void happened(const std::string& from, const std::string& what) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (what == "like") {
            likes_++;
        } else {
            gifts_++;
            std::cout << from << " gave a " << what.substr(what.find(' ') + 1) << std::endl;
        }
        changed_.notify_all();
    }

    void wait_for(int gifts, int likes) {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return gifts_ >= gifts && likes_ >= likes; })) {
            throw std::runtime_error("something did not arrive");
        }
        std::cout << likes_ << " likes" << std::endl;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int gifts_ = 0, likes_ = 0;
};

void ignore(const std::string&, const std::string&) {}

} // namespace

int main(int argc, char** argv) {
    if (argc != 8) {
        std::cerr << "usage: [TIM_SERVER_URL=ws://HOST:PORT] " << argv[0] << " APP_ID ANNA ANNA_SIG BEN BEN_SIG CARA CARA_SIG\n";
        return 2;
    }
    const uint64_t app = std::strtoull(argv[1], NULL, 10);
    const int likes = 5;
    try {
        Show show;
        Guest anna(app, argv[2], argv[3], [&](const std::string& from, const std::string& what) { show.happened(from, what); });
        Guest ben(app, argv[4], argv[5], ignore);
        Guest cara(app, argv[6], argv[7], ignore);

        const std::string room = anna.open("anna's kitchen");
        ben.join(room);
        cara.join(room);
        std::cout << anna.online(room) << " in the room" << std::endl;

        ben.gift(room, "rose");
        for (int i = 0; i < likes; i++) {
            cara.like(room);
        }
        show.wait_for(1, likes);
        anna.close(room);
    } catch (const std::exception& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    std::cout << "the room is closed" << std::endl;
    return 0;
}
