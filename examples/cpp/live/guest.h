// Somebody in a live room: an account in an instance of the library of its own.
#ifndef GUEST_H
#define GUEST_H

#include <TIMCloud.h>

#include <functional>
#include <string>

class Guest {
public:
    // What somebody in the room did. Called on this guest's callback thread.
    typedef std::function<void(const std::string& from, const std::string& what)> Listener;

    Guest(uint64_t app, const std::string& user, const std::string& user_sig, const Listener& listener);
    // When this returns no callback runs any more, so that what the listener uses may go.
    ~Guest();
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

    const std::string& user() const { return user_; }

    // Opens a room and gives its id. Who opens it is in it and owns it.
    std::string open(const std::string& name);
    void join(const std::string& room);
    // Ends the room for everybody in it; its owner may.
    void close(const std::string& room);
    // How many users are in the room.
    int online(const std::string& room);

    // A room carries 40 messages a second. When there are more, the server drops from the bottom, and the sender does not
    // notice: so what must arrive has a high priority, and what is one of many has the lowest.
    void gift(const std::string& room, const std::string& what) { say(room, "gift " + what, kTIMMsgPriority_High); }
    void like(const std::string& room) { say(room, "like", kTIMMsgPriority_Lowest); }

private:
    void say(const std::string& room, const std::string& what, TIMMsgPriority priority);
    static void arrived(const char* json, const void* word);

    std::string user_;
    Listener listener_;
    int64_t instance_;
};

#endif
