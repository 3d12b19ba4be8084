// Client is one user's session with the library: calls that wait for their answer, and events that arrive meanwhile.
#ifndef CHAT_CLIENT_H
#define CHAT_CLIENT_H

#include <TIMCloud.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "json.h"

// Failure is an answer with a code other than 0.
struct Failure : std::runtime_error {
    Failure(int number, const std::string& what) : std::runtime_error(what), code(number) {}
    int code;
};

// What happens by itself. All of it comes on the library's own thread.
class Events {
public:
    virtual ~Events() {}
    virtual void message(const Json& message) = 0;
    virtual void revoked(const Json& locator) = 0;
    virtual void receipt(const Json& receipt) = 0;
    virtual void uploading(unsigned long long done, unsigned long long total) = 0;
    virtual void connection(const std::string& state) = 0;
    virtual void ended(const std::string& why) = 0; // kicked off, or the ticket is too old
};

class Client {
public:
    // Logs in. Events must outlive the client.
    Client(uint64_t app, const std::string& user, const std::string& user_sig, Events& events);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // All of these wait, so they must not be called inside an event; they throw Failure.
    Json send(const std::string& peer, const Json& element); // the message as it was sent
    Json history(const std::string& peer, const Json& before, int count); // newest first; null: from the end
    Json search(const std::string& peer, const std::string& words);
    typedef std::function<void(unsigned long long done, unsigned long long total)> Progress;
    void download(const Json& file_element, const std::string& path, const Progress& progress);

    // Does not wait, so it may be called inside an event.
    static void mark_read(const std::string& peer, const Json& message);
};

#endif
