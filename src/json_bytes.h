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

/* The high bit of each of the word's bytes that is not plain. */
AMP_INLINE uint64_t amp_not_plain_word(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101u, low7 = ones * 0x7f;
    uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';
    uint64_t plain =
        ((quote & low7) + low7) & ((backslash & low7) + low7) & ((x & low7) + ones * 0x60);
    return (~plain | x) & ones * 0x80;
}

/* The same for the eight bytes at `p`, the first byte's lowest. */
AMP_INLINE uint64_t amp_not_plain_8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return amp_not_plain_word(x);
}

/* A bit for each of 16 bytes that is not plain, the first byte's lowest. */
#if defined(__SSE2__) && !defined(AMP_NO_SIMD)
#include <emmintrin.h>

AMP_INLINE uint64_t amp_not_plain_16(const char *p)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i other = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)); /* signed: also beyond ASCII */
    return (uint64_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));
}
#else
AMP_INLINE uint64_t amp_not_plain_16(const char *p)
{
    const uint64_t gather = 0x0102040810204080u;
    uint64_t first = (amp_not_plain_8(p) >> 7) * gather >> 56;
    return first | (amp_not_plain_8(p + 8) >> 7) * gather >> 56 << 8;
}
#endif

#endif
