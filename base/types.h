/* types.h: the short names that the whole project uses. Freestanding. */
#ifndef WHELK_BASE_TYPES_H
#define WHELK_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;
typedef uintptr_t uptr;

/* A borrowed run of bytes. Whoever made it owns the memory. */
struct bytes {
    const u8 *p;
    size_t n;
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((u8 *)(ptr) - offsetof(type, member)))
/* In line wherever it is used; but with sanitizers copies take minutes to compile. */
#ifdef WHELK_CHECK
#define INLINE inline
#else
#define INLINE inline __attribute__((always_inline))
#endif
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Powers of two only. */
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a) ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)

#endif
