/*
 * Just enough JSON for the example: reading what the library delivers, which is always valid. A real program would use its
 * JSON library.
 */
#ifndef GROUPS_JSON_H
#define GROUPS_JSON_H

#include <stddef.h>

/* The value of a member of an object, or NULL. */
const char *json_member(const char *object, const char *key);

/* The first item of an array, or NULL. */
const char *json_first(const char *array);

/* A value as it stands, a string without its quotes (escapes stay); "" for NULL and for what does not fit. */
const char *json_copy(const char *value, char *out, size_t size);

/* A number, 0 for NULL. */
long json_number(const char *value);

#endif
