#include "json.h"

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
    while (*at) {
        if (*at == '"') {
            at = after_string(at);
            continue;
        }
        if (depth == 0 && strchr(",]}", *at)) return at; /* a number, true, false or null was before */
        if (*at == '{' || *at == '[') depth++;
        if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
        at++;
    }
    return at;
}

const char *json_member(const char *object, const char *key) {
    size_t length = strlen(key);
    const char *at, *value;
    if (object == NULL || *object != '{') return NULL;
    for (at = object + 1; *at == '"'; at += *at == ',') {
        value = after_string(at) + 1;
        if (strncmp(at + 1, key, length) == 0 && at[length + 1] == '"') return value;
        at = after_value(value);
    }
    return NULL;
}

const char *json_first(const char *array) {
    return array == NULL || *array != '[' || array[1] == ']' ? NULL : array + 1;
}

const char *json_copy(const char *value, char *out, size_t size) {
    const char *end;
    out[0] = 0;
    if (value == NULL) return out;
    end = after_value(value);
    if (*value == '"') {
        value++;
        end--;
    }
    if ((size_t)(end - value) < size) {
        memcpy(out, value, (size_t)(end - value));
        out[end - value] = 0;
    }
    return out;
}

long json_number(const char *value) { return value == NULL ? 0 : strtol(value, NULL, 10); }
