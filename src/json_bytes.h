/*
 * Plain bytes: those that go on a string as they are, neither quote, backslash, control nor beyond
 * ASCII. What the scanner and the encoder share; no Lua, no memory.
 */
#ifndef AMP_JSON_BYTES_H
#define AMP_JSON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define AMP_INLINE static inline __attribute__((always_inline))

AMP_INLINE bool amp_is_plain(char c)
{
    return (signed char)c >= 0x20 && c != '"' && c != '\\';
}

/* Eight bytes, the first one lowest. */
AMP_INLINE uint64_t amp_load_word(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

#if defined(__SSE2__) && !defined(AMP_NO_SIMD)
#include <emmintrin.h>
#define AMP_BIT_FOR_BYTE 1

/* A signed comparison catches controls and non-ASCII at once. */
AMP_INLINE __m128i amp_compare_plain(__m128i x)
{
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i other = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));
    return _mm_or_si128(_mm_or_si128(quote, backslash), other);
}

/* A bit for each of 16 bytes that is not plain. */
AMP_INLINE uint64_t amp_not_plain_16(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    return (uint64_t)_mm_movemask_epi8(amp_compare_plain(x));
}
#else
/* The high bit of a byte is set when it, or one before it in the word's order, is not plain. */
AMP_INLINE uint64_t amp_not_plain_word(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';
    uint64_t low = (x - ones * 0x20) & ~x;
    return ((((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | low | x) &
            ones * 0x80);
}
#endif

#endif
