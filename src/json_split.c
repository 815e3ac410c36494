#include "json_split.h"

#include <string.h>

#include "json_bytes.h"
#include "json_scan.h"

#if defined(__x86_64__) && !defined(AMP_NO_SIMD)
#include <immintrin.h>
#define AMP_SPLIT_X86 1
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(AMP_NO_SIMD)
#include <arm_neon.h>
#define AMP_SPLIT_NEON 1
#endif

enum { BLOCK = 64 };

/* One bit for each of 64 bytes. */
struct masks {
    uint64_t quote, backslash, opening, closing;
};

typedef void make_masks(const char *block, struct masks *m);

/* --- a block to masks: '[' and '{', ']' and '}' differ in one bit ---------------------------- */

#define REPEAT(byte) ((uint64_t)0x0101010101010101u * (byte))

/* The high bit of each byte of `x` that is zero, gathered into the lowest eight bits. */
AMP_INLINE uint64_t zero_bytes(uint64_t x)
{
    uint64_t high = ~(((x & REPEAT(0x7f)) + REPEAT(0x7f)) | x) & REPEAT(0x80);
    return ((high >> 7) * 0x0102040810204080u) >> 56;
}

AMP_INLINE uint64_t load_word(const char *p)
{
    const unsigned char *byte = (const unsigned char *)p;
    uint64_t x;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&x, byte, sizeof x);
#else
    x = 0;
    for (int i = 7; i >= 0; i--)
        x = x << 8 | byte[i];
#endif
    return x;
}

AMP_INLINE void masks_portable(const char *block, struct masks *m)
{
    memset(m, 0, sizeof *m);
    for (int shift = 0; shift < 64; shift += 8) {
        uint64_t x = load_word(block + shift), folded = x | REPEAT(0x20);
        m->quote |= zero_bytes(x ^ REPEAT('"')) << shift;
        m->backslash |= zero_bytes(x ^ REPEAT('\\')) << shift;
        m->opening |= zero_bytes(folded ^ REPEAT('{')) << shift;
        m->closing |= zero_bytes(folded ^ REPEAT('}')) << shift;
    }
}

#ifdef AMP_SPLIT_X86
AMP_INLINE void masks_sse2(const char *block, struct masks *m)
{
    memset(m, 0, sizeof *m);
    for (int shift = 0; shift < 64; shift += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(block + shift));
        __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));
#define MASK(v, c)                                                                                 \
    ((uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c))) << shift)
        m->quote |= MASK(x, '"');
        m->backslash |= MASK(x, '\\');
        m->opening |= MASK(folded, '{');
        m->closing |= MASK(folded, '}');
#undef MASK
    }
}

#define AMP_AVX2 __attribute__((target("avx2,bmi,popcnt")))

AMP_AVX2 AMP_INLINE uint64_t equal_avx2(__m256i low, __m256i high, char c)
{
    __m256i wanted = _mm256_set1_epi8(c);
    uint32_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint32_t second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));
    return (uint64_t)second << 32 | first;
}

AMP_AVX2 AMP_INLINE void masks_avx2(const char *block, struct masks *m)
{
    __m256i fold = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)block);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(block + 32));
    m->quote = equal_avx2(low, high, '"');
    m->backslash = equal_avx2(low, high, '\\');
    low = _mm256_or_si256(low, fold);
    high = _mm256_or_si256(high, fold);
    m->opening = equal_avx2(low, high, '{');
    m->closing = equal_avx2(low, high, '}');
}
#endif

#ifdef AMP_SPLIT_NEON
AMP_INLINE uint64_t neon_bits(const uint8x16_t v[4])
{
    const uint8x16_t weight = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t a = vpaddq_u8(vandq_u8(v[0], weight), vandq_u8(v[1], weight));
    uint8x16_t b = vpaddq_u8(vandq_u8(v[2], weight), vandq_u8(v[3], weight));
    uint8x16_t sum = vpaddq_u8(a, b);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}

AMP_INLINE uint64_t neon_equal(const char *block, uint8_t fold, uint8_t wanted)
{
    uint8x16_t found[4];
    for (int i = 0; i < 4; i++) {
        uint8x16_t x = vld1q_u8((const uint8_t *)(const void *)(block + 16 * i));
        found[i] = vceqq_u8(vorrq_u8(x, vdupq_n_u8(fold)), vdupq_n_u8(wanted));
    }
    return neon_bits(found);
}

AMP_INLINE void masks_neon(const char *block, struct masks *m)
{
    m->quote = neon_equal(block, 0, '"');
    m->backslash = neon_equal(block, 0, '\\');
    m->opening = neon_equal(block, 0x20, '{');
    m->closing = neon_equal(block, 0x20, '}');
}
#endif

/* --- masks to the closing bracket ------------------------------------------------------------ */

/* The bytes that follow an unescaped backslash; `*carry` is such a byte at the block's begin, then
 * at its end. */
AMP_INLINE uint64_t escaped_bytes(uint64_t backslash, uint64_t *carry)
{
    uint64_t escaped = *carry;
    backslash &= ~*carry;
    *carry = 0;
    while (backslash) {
        uint64_t first = backslash & (0 - backslash);
        escaped |= first << 1;
        *carry = first >> 63;
        backslash &= ~(first | first << 1);
    }
    return escaped;
}

/* Each bit becomes the parity of itself and all bits below it. */
AMP_INLINE uint64_t parity_below(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

/* `hardware`: the machine has an instruction for it. */
AMP_INLINE size_t count_bits(uint64_t x, bool hardware)
{
    if (hardware)
        return (size_t)__builtin_popcountll(x);
    x -= x >> 1 & REPEAT(0x55);
    x = (x & REPEAT(0x33)) + (x >> 2 & REPEAT(0x33));
    return (size_t)(((x + (x >> 4)) & REPEAT(0x0f)) * REPEAT(1) >> 56);
}

/* The place behind the bracket that closes the value, or 0. */
static int walk_brackets(struct amp_split *s, uint64_t opening, uint64_t closing)
{
    for (uint64_t both = opening | closing; both; both &= both - 1) {
        uint64_t first = both & (0 - both);
        if (first & opening)
            s->depth++;
        else if (--s->depth == 0)
            return __builtin_ctzll(first) + 1;
    }
    return 0;
}

/* `count` bytes of the block are the value's. Returns the place behind the value, or 0. */
AMP_INLINE int find_in_block(struct amp_split *s, const struct masks *m, int count, bool popcount)
{
    uint64_t quote = m->quote, inside, opening, closing;
    if (__builtin_expect(m->backslash || s->escaped, 0)) {
        uint64_t escaped = escaped_bytes(m->backslash, &s->escaped);
        quote &= ~escaped;
        if (count < BLOCK)
            s->escaped = escaped >> count & 1;
    }
    inside = parity_below(quote) ^ s->in_string;
    s->in_string = 0 - (inside >> 63);
    opening = m->opening & ~inside;
    closing = m->closing & ~inside;
    if (s->depth <= count_bits(closing, popcount))
        return walk_brackets(s, opening, closing);
    s->depth += count_bits(opening, popcount) - count_bits(closing, popcount);
    return 0;
}

AMP_INLINE const char *find_end(struct amp_split *s, const char *p, const char *end,
                                make_masks *make, bool popcount)
{
    struct masks m;
    int place;
    for (; end - p >= BLOCK; p += BLOCK) {
        make(p, &m);
        if ((place = find_in_block(s, &m, BLOCK, popcount)) != 0)
            return p + place;
    }
    if (p < end) {
        char rest[BLOCK] = {0};
        memcpy(rest, p, (size_t)(end - p));
        make(rest, &m);
        if ((place = find_in_block(s, &m, (int)(end - p), popcount)) != 0)
            return p + place;
    }
    return NULL;
}

/* --- the scanner of this machine ------------------------------------------------------------- */

typedef const char *find(struct amp_split *s, const char *p, const char *end);

static const char *find_portable(struct amp_split *s, const char *p, const char *end)
{
    return find_end(s, p, end, masks_portable, false);
}

#ifdef AMP_SPLIT_X86
static const char *find_sse2(struct amp_split *s, const char *p, const char *end)
{
    return find_end(s, p, end, masks_sse2, false);
}

AMP_AVX2 static const char *find_avx2(struct amp_split *s, const char *p, const char *end)
{
    return find_end(s, p, end, masks_avx2, true);
}
#endif

#ifdef AMP_SPLIT_NEON
static const char *find_neon(struct amp_split *s, const char *p, const char *end)
{
    return find_end(s, p, end, masks_neon, true);
}
#endif

static const struct scanner {
    const char *name;
    find *find_container;
} scanners[] = {
#ifdef AMP_SPLIT_X86
    {"avx2", find_avx2},
    {"sse2", find_sse2},
#endif
#ifdef AMP_SPLIT_NEON
    {"neon", find_neon},
#endif
    {"portable", find_portable},
};
enum { SCANNERS = sizeof scanners / sizeof scanners[0] };

static bool is_supported(const char *name)
{
#ifdef AMP_SPLIT_X86
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("popcnt");
#endif
    return name != NULL;
}

/* Threads may choose at once: the same, but not by racing accesses. */
#if defined(__GNUC__)
#define LOAD(pointer) __atomic_load_n(&(pointer), __ATOMIC_RELAXED)
#define STORE(pointer, value) __atomic_store_n(&(pointer), value, __ATOMIC_RELAXED)
#else
#define LOAD(pointer) (pointer)
#define STORE(pointer, value) ((pointer) = (value))
#endif

static const struct scanner *current;

bool amp_split_use(const char *name)
{
    for (int i = 0; i < SCANNERS; i++)
        if (strcmp(scanners[i].name, name) == 0 && is_supported(name)) {
            STORE(current, &scanners[i]);
            return true;
        }
    return false;
}

/* The first that this machine supports. */
static const struct scanner *best(void)
{
    const struct scanner *chosen = LOAD(current);
    if (chosen)
        return chosen;
    for (int i = 0; !chosen; i++)
        if (is_supported(scanners[i].name))
            chosen = &scanners[i];
    STORE(current, chosen);
    return chosen;
}

const char *amp_split_name(void)
{
    return best()->name;
}

/* --- values ---------------------------------------------------------------------------------- */

void amp_split_start(struct amp_split *s, char first)
{
    s->shape = first == '"'                   ? AMP_SPLIT_STRING
               : first == '{' || first == '[' ? AMP_SPLIT_CONTAINER
                                              : AMP_SPLIT_SCALAR;
    s->in_string = s->escaped = 0;
    s->depth = 0;
}

static const char *find_string_end(struct amp_split *s, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (s->escaped) {
            s->escaped = 0;
        } else if (*p == '"') {
            if (s->in_string)
                return p + 1;
            s->in_string = 1;
        } else {
            p = amp_scan_plain(p, end);
            if (p == end)
                break;
            s->escaped = *p == '\\';
            p -= *p == '"';
        }
    }
    return NULL;
}

static const char *find_scalar_end(const char *p, const char *end)
{
    for (; p < end; p++)
        if (strchr(",]} \t\r\n", *p) && *p)
            return p;
    return NULL;
}

const char *amp_split_find(struct amp_split *s, const char *p, const char *end)
{
    if (s->shape == AMP_SPLIT_CONTAINER)
        return best()->find_container(s, p, end);
    return s->shape == AMP_SPLIT_STRING ? find_string_end(s, p, end) : find_scalar_end(p, end);
}
