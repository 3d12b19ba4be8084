// Json is one JSON value, small enough to read in an example; a product would use its own JSON library. A number keeps its
// digits, so a message goes back into the library exactly as it came.
#ifndef CHAT_JSON_H
#define CHAT_JSON_H

#include <string>
#include <utility>
#include <vector>

class Json {
public:
    Json() : kind_(Null) {}
    Json(const char* text) : kind_(Text), text_(text) {}
    Json(const std::string& text) : kind_(Text), text_(text) {}
    Json(bool value) : kind_(Word), text_(value ? "true" : "false") {}
    Json(int value) : kind_(Word), text_(std::to_string(value)) {}

    static Json array() { return Json(Array); }
    static Json object() { return Json(Object); }
    static Json parse(const std::string& text); // throws std::runtime_error

    // Members and items that are not there are null, and null is "" and 0.
    const Json& operator[](const std::string& key) const;
    const Json& operator[](std::size_t index) const;
    std::size_t size() const { return kind_ == Array ? items_.size() : 0; }
    std::string text() const { return kind_ == Text || kind_ == Word ? text_ : std::string(); }
    long long number() const;
    bool flag() const { return kind_ == Word && text_ == "true"; }

    Json& set(const std::string& key, const Json& value); // makes an object of it
    Json& add(const Json& item);                          // makes an array of it
    std::string dump() const;

private:
    enum Kind { Null, Word, Text, Array, Object }; // a word is a number, true or false
    explicit Json(Kind kind) : kind_(kind) {}

    class Parser;
    Kind kind_;
    std::string text_;
    std::vector<Json> items_;
    std::vector<std::string> keys_; // of items_, for an object
};

#endif
