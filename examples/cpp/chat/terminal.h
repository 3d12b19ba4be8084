// Terminal is where the chat writes: from the reading thread and from the library's, a line at a time.
#ifndef CHAT_TERMINAL_H
#define CHAT_TERMINAL_H

#include <mutex>
#include <string>

class Terminal {
public:
    Terminal();
    void line(const std::string& text);

    // Draws how far a transfer is: a bar that grows on a terminal, some lines elsewhere. It ends when done is total.
    void bar(const std::string& what, unsigned long long done, unsigned long long total);

    // What others wrote, without the characters that would steer the terminal.
    static std::string harmless(const std::string& text);

private:
    std::mutex mutex_;
    const bool screen_;
    bool open_;     // a bar stands in the last line
    int shown_;     // quarters of it that were written elsewhere
};

#endif
