#include "terminal.h"

#include <unistd.h>

#include <iostream>

Terminal::Terminal() : screen_(isatty(1) != 0), open_(false), shown_(-1) {}

void Terminal::line(const std::string& text) {
    std::lock_guard<std::mutex> hold(mutex_);
    if (open_) {
        std::cout << '\n';
        open_ = false;
    }
    std::cout << text << std::endl;
}

void Terminal::bar(const std::string& what, unsigned long long done, unsigned long long total) {
    std::lock_guard<std::mutex> hold(mutex_);
    const int width = 40, full = total == 0 ? 0 : static_cast<int>(done * width / total), quarter = full / 10;
    const std::string text = what + " [" + std::string(full, '#') + std::string(width - full, '.') + "] " +
                             std::to_string(full * 100 / width) + " %";
    if (screen_) {
        std::cout << '\r' << text << std::flush;
        open_ = done < total;
    } else if (quarter > shown_) {
        std::cout << text << std::endl;
    }
    shown_ = quarter;
    if (done == total) {
        std::cout << (screen_ ? "\n" : "") << std::flush;
        shown_ = -1;
    }
}

std::string Terminal::harmless(const std::string& text) {
    std::string out;
    for (char c : text) {
        const unsigned char byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    return out;
}
