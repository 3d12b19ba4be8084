/*
 * Caches a thread's stack bounds. Go asks for them whenever a caller's stack pointer lies outside of those that it knows,
 * and on the main thread glibc answers by reading /proc/self/maps: hosts that switch stacks for each foreign call would
 * pay 130 microseconds a call. The linker redirects pthread_getattr_np here (--wrap).
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>

#ifdef TIMBRE_GLIBC
extern int timbre_getattr(pthread_t, pthread_attr_t *);
__asm__(".symver timbre_getattr,pthread_getattr_np@" TIMBRE_GLIBC);
#else
extern int __real_pthread_getattr_np(pthread_t, pthread_attr_t *) __attribute__((weak)); /* there with --wrap only */
#define timbre_getattr __real_pthread_getattr_np
#endif

static __thread __attribute__((tls_model("initial-exec"))) struct {
    void *address;
    size_t size;
} bounds;

int __wrap_pthread_getattr_np(pthread_t thread, pthread_attr_t *attr) {
    int failed;
    if (!pthread_equal(thread, pthread_self())) return timbre_getattr(thread, attr);
    if (bounds.size != 0) {
        pthread_attr_init(attr);
        return pthread_attr_setstack(attr, bounds.address, bounds.size);
    }
    failed = timbre_getattr(thread, attr);
    if (failed == 0 && pthread_attr_getstack(attr, &bounds.address, &bounds.size) != 0) bounds.size = 0;
    return failed;
}
