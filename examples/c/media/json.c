#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps over a string; at is its first quote. */
static const char *after_string(const char *at) {
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1]) at++;
    return *at ? at + 1 : at;
}

/* Steps over any value. */
static const char *after_value(const char *at) {
    int depth = 0;
    if (*at == '"') return after_string(at);
    for (; *at; at++) {
        if (*at == '"') {
            at = after_string(at) - 1;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) return at; /* a number was the last value */
            if (--depth == 0) return at + 1;
        } else if (*at == ',' && depth == 0) {
            return at;
        }
    }
    return at;
}

const char *json_member(const char *object, const char *key) {
    size_t length = strlen(key);
    const char *at, *value;
    if (object == NULL || *object != '{') return NULL;
    for (at = object + 1; *at == '"'; at += *at == ',') {
        value = after_string(at);
        if (*value == ':') value++;
        if (strncmp(at + 1, key, length) == 0 && at[length + 1] == '"') return value;
        at = after_value(value);
    }
    return NULL;
}

const char *json_item(const char *array, int index) {
    const char *at;
    if (array == NULL || *array != '[' || array[1] == ']') return NULL;
    for (at = array + 1; *at && *at != ']'; at += *at == ',') {
        if (index-- == 0) return at;
        at = after_value(at);
    }
    return NULL;
}

static size_t utf8(unsigned long c, char *out) {
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
    out[0] = (char)(0xf0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63));
    return out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63)), 4;
}

static unsigned long hex(const char *at) {
    char digits[5];
    memcpy(digits, at, 4);
    digits[4] = 0;
    return strtoul(digits, NULL, 16);
}

/* Writes what the escape at *at means and steps over it. */
static size_t unescape(const char **at, char *out) {
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *found, *here = *at + 1;
    unsigned long c;
    *at += 2;
    if (*here != 'u') {
        found = strchr(names, *here);
        *out = found ? meanings[found - names] : *here;
        return 1;
    }
    c = hex(here + 1);
    *at += 4;
    if (c >> 10 == 0x36 && (*at)[0] == '\\' && (*at)[1] == 'u') { /* the first half of a pair */
        c = 0x10000 + ((c & 0x3ff) << 10) + (hex(*at + 2) & 0x3ff);
        *at += 6;
    }
    return utf8(c, out);
}

const char *json_text(const char *value, char *out, size_t size) {
    size_t n = 0;
    if (value != NULL && *value == '"') {
        for (value++; *value && *value != '"' && n + 5 < size;) {
            if (*value == '\\') n += unescape(&value, out + n);
            else out[n++] = *value++;
        }
    }
    out[n] = 0;
    return out;
}

long long json_number(const char *value) { return value == NULL ? 0 : strtoll(value, NULL, 10); }

const char *json_quote(const char *text, char *out, size_t size) {
    size_t n = 0;
    out[n++] = '"';
    for (; *text; text++) {
        if (n + 8 > size) return NULL;
        if (*text == '"' || *text == '\\') {
            out[n++] = '\\';
            out[n++] = *text;
        } else if ((unsigned char)*text < 0x20) {
            n += (size_t)sprintf(out + n, "\\u%04x", (unsigned)*text);
        } else {
            out[n++] = *text;
        }
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}
