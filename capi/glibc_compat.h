/*
 * Included before every C file of the Linux build: binds the thread functions that glibc 2.32 and 2.34 gave new versions
 * to their first ones, so that the library loads wherever glibc is 2.28 or newer. pthread_getattr_np is bound in
 * stackbounds_linux.c.
 */
#if defined(__linux__) && !defined(__ASSEMBLER__)
#if defined(__x86_64__)
#define TIMBRE_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define TIMBRE_GLIBC "GLIBC_2.17"
#endif
#ifdef TIMBRE_GLIBC
__asm__(".symver pthread_create,pthread_create@" TIMBRE_GLIBC);
__asm__(".symver pthread_key_create,pthread_key_create@" TIMBRE_GLIBC);
__asm__(".symver pthread_setspecific,pthread_setspecific@" TIMBRE_GLIBC);
__asm__(".symver pthread_attr_getstack,pthread_attr_getstack@" TIMBRE_GLIBC);
__asm__(".symver pthread_attr_getstacksize,pthread_attr_getstacksize@" TIMBRE_GLIBC);
__asm__(".symver pthread_attr_setstack,pthread_attr_setstack@" TIMBRE_GLIBC);
__asm__(".symver pthread_sigmask,pthread_sigmask@" TIMBRE_GLIBC);
#endif
#endif
