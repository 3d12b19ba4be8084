package main

// common is TIMCloudComm.h, which has nothing of the catalogue in it.
const common = `/* ` + mark + ` */

/*
 * What all headers share: how functions are exported and called, and the integer types.
 *
 * Define TIMBRE_BUILD only while building the library itself.
 */

#ifndef TIMBRE_TIMCLOUDCOMM_H
#define TIMBRE_TIMCLOUDCOMM_H

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif

/* TIM_API exports or imports a function, TIM_DECL is its calling convention. */
#if defined(_WIN32)
#if defined(TIMBRE_BUILD)
#define TIM_API __declspec(dllexport)
#else
#define TIM_API __declspec(dllimport)
#endif
#define TIM_DECL __cdecl
#else
#if defined(__GNUC__)
#define TIM_API __attribute__((visibility("default")))
#else
#define TIM_API
#endif
#define TIM_DECL
#endif

/* Names keep their C spelling in C++. */
#if defined(__cplusplus)
#define TIM_EXTERN_C extern "C"
#define TIM_EXTERN_C_BEGIN extern "C" {
#define TIM_EXTERN_C_END }
#else
#define TIM_EXTERN_C
#define TIM_EXTERN_C_BEGIN
#define TIM_EXTERN_C_END
#endif

#endif
`
