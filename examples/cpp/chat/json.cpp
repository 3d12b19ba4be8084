#include "json.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace {

void append_utf8(std::string& out, unsigned long c) {
    if (c < 0x80) {
        out += static_cast<char>(c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    out += static_cast<char>(lead[more] | c >> 6 * more);
    while (more-- > 0) {
        out += static_cast<char>(0x80 | (c >> 6 * more & 0x3f));
    }
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

} // namespace

class Json::Parser {
public:
    explicit Parser(const std::string& text) : text_(text), at_(0) {}

    Json all() {
        Json value = one();
        if (peek() != 0) {
            fail();
        }
        return value;
    }

private:
    void fail() const { throw std::runtime_error("not JSON at byte " + std::to_string(at_)); }

    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
            at_++;
        }
        return at_ < text_.size() ? text_[at_] : 0;
    }
    void expect(char c) {
        if (peek() != c) {
            fail();
        }
        at_++;
    }

    Json one() {
        switch (peek()) {
        case '{':
        case '[': return list(text_[at_] == '{');
        case '"': return Json(string());
        case 0: fail();
        }
        std::size_t end = text_.find_first_of(",]} \n\r\t", at_);
        Json word(Word);
        word.text_ = text_.substr(at_, end == std::string::npos ? end : end - at_);
        if (word.text_.empty()) {
            fail();
        }
        at_ += word.text_.size();
        return word.text_ == "null" ? Json() : word;
    }

    Json list(bool object) {
        const char close = object ? '}' : ']';
        Json out(object ? Object : Array);
        at_++;
        while (peek() != close) {
            if (!out.items_.empty()) {
                expect(',');
            }
            if (object) {
                expect('"');
                at_--;
                out.keys_.push_back(string());
                expect(':');
            }
            out.items_.push_back(one());
        }
        at_++;
        return out;
    }

    std::string string() {
        std::string out;
        for (at_++; at_ < text_.size() && text_[at_] != '"'; at_++) {
            if (text_[at_] == '\\') {
                escape(out);
            } else {
                out += text_[at_];
            }
        }
        expect('"');
        return out;
    }

    // Reads an escape and stays on its last byte.
    void escape(std::string& out) {
        static const std::string names = "bfnrt", meanings = "\b\f\n\r\t";
        const char c = ++at_ < text_.size() ? text_[at_] : 0;
        if (c != 'u') {
            std::size_t found = names.find(c);
            out += found == std::string::npos ? c : meanings[found];
            return;
        }
        unsigned long code = hex();
        if (code >> 10 == 0x36 && text_.compare(at_ + 1, 2, "\\u") == 0) { // the first half of a pair
            at_ += 2;
            code = 0x10000 + ((code & 0x3ff) << 10) + (hex() & 0x3ff);
        }
        append_utf8(out, code);
    }
    unsigned long hex() {
        if (at_ + 4 >= text_.size()) {
            fail();
        }
        unsigned long code = std::strtoul(text_.substr(at_ + 1, 4).c_str(), NULL, 16);
        at_ += 4;
        return code;
    }

    const std::string& text_;
    std::size_t at_;
};

Json Json::parse(const std::string& text) { return Parser(text).all(); }

const Json& Json::operator[](const std::string& key) const {
    static const Json null;
    for (std::size_t i = 0; i < keys_.size(); i++) {
        if (keys_[i] == key) {
            return items_[i];
        }
    }
    return null;
}

const Json& Json::operator[](std::size_t index) const {
    static const Json null;
    return index < size() ? items_[index] : null;
}

long long Json::number() const { return kind_ == Word ? std::strtoll(text_.c_str(), NULL, 10) : 0; }

Json& Json::set(const std::string& key, const Json& value) {
    kind_ = Object;
    keys_.push_back(key);
    items_.push_back(value);
    return *this;
}

Json& Json::add(const Json& item) {
    kind_ = Array;
    items_.push_back(item);
    return *this;
}

std::string Json::dump() const {
    switch (kind_) {
    case Null: return "null";
    case Word: return text_;
    case Text: return quoted(text_);
    default: break;
    }
    std::string out(1, kind_ == Object ? '{' : '[');
    for (std::size_t i = 0; i < items_.size(); i++) {
        out += i > 0 ? "," : "";
        out += kind_ == Object ? quoted(keys_[i]) + ":" : "";
        out += items_[i].dump();
    }
    return out + (kind_ == Object ? '}' : ']');
}
