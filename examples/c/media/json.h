/*
 * Just enough JSON for the example: reading what the library delivers, which is always valid, and quoting what goes in. A
 * real program would use its JSON library.
 */
#ifndef MEDIA_JSON_H
#define MEDIA_JSON_H

#include <stddef.h>

/* The value of a member of an object, or NULL. */
const char *json_member(const char *object, const char *key);

/* An item of an array, counted from 0, or NULL. */
const char *json_item(const char *array, int index);

/* A string without its quotes and escapes, cut off if it does not fit; "" for NULL and for what is no string. */
const char *json_text(const char *value, char *out, size_t size);

/* An integer, 0 for NULL. */
long long json_number(const char *value);

/* The text as a JSON string with its quotes; NULL if it does not fit. */
const char *json_quote(const char *text, char *out, size_t size);

#endif
