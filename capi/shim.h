/* What the generated shim needs of the hand-written runtime in shim.c. Not a public header. */
#ifndef TIMBRE_SHIM_H
#define TIMBRE_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "TIMCloud.h"
#include "ops_gen.h"

static inline uint64_t timbre_ptr(const void *p) { return (uint64_t)(uintptr_t)p; }
static inline uint64_t timbre_fn(void (*f)(void)) { return (uint64_t)(uintptr_t)f; }

/* Enters the library: guards, then the one Go entry point. args holds n words, one a parameter. */
int64_t timbre_enter(int op, const uint64_t *args, int n);

/* The version text; valid for ever. */
const char *timbre_version(void);

/* Calls fn, a callback of the given type, with w as its parameters (generated). */
void timbre_invoke(int callback, void (*fn)(void), const uint64_t *w, const void *user_data);

/* Runs a callback of an instance unless the process is exiting; called on the instance's callback thread. */
void timbre_run(int64_t instance, int callback, uint64_t fn, const uint64_t *w, uint64_t user_data);

#endif
