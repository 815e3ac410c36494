#include "json_number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- decimal to double, the fast way --------------------------------------------------------- */

struct wide {
    uint64_t high, low;
};

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 amp_uint128;

static struct wide multiply(uint64_t a, uint64_t b)
{
    amp_uint128 product = (amp_uint128)a * b;
    struct wide result;
    result.high = (uint64_t)(product >> 64);
    result.low = (uint64_t)product;
    return result;
}
#else
static struct wide multiply(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    struct wide result;
    result.high = a1 * b1 + (middle >> 32) + (other >> 32);
    result.low = a * b;
    return result;
}
#endif

/* 5^(27 k) for k = -13 … 11: the 128 leading bits, cut off. */
static const struct wide coarse_powers[] = {
    {0x8049a4ac0c5811aeu, 0x205b896d777d6278u}, {0xcf42894a5dce35eau, 0x52064cac828675b9u},
    {0xa76c582338ed2621u, 0xaf2af2b80af6f24eu}, {0x873e4f75e2224e68u, 0x5a7744a6e804a291u},
    {0xda7f5bf590966848u, 0xaf39a475506a899eu}, {0xb080392cc4349decu, 0xbd8d794d96aacfb3u},
    {0x8e938662882af53eu, 0x547eb47b7282ee9cu}, {0xe65829b3046b0afau, 0x0cb4a5a3112a5112u},
    {0xba121a4650e4ddebu, 0x92f34d62616ce413u}, {0x964e858c91ba2655u, 0x3a6a07f8d510f86fu},
    {0xf2d56790ab41c2a2u, 0xfae27299423fb9c3u}, {0xc428d05aa4751e4cu, 0xaa97e14c3c26b886u},
    {0x9e74d1b791e07e48u, 0x775ea264cf55347du}, {0x8000000000000000u, 0x0000000000000000u},
    {0xcecb8f27f4200f3au, 0x0000000000000000u}, {0xa70c3c40a64e6c51u, 0x999090b65f67d924u},
    {0x86f0ac99b4e8dafdu, 0x69a028bb3ded71a3u}, {0xda01ee641a708de9u, 0xe80e6f4820cc9495u},
    {0xb01ae745b101e9e4u, 0x5ec05dcff72e7f8fu}, {0x8e41ade9fbebc27du, 0x14588f13be847307u},
    {0xe5d3ef282a242e81u, 0x8f1668c8a86da5fau}, {0xb9a74a0637ce2ee1u, 0x6d953e2bd7173692u},
    {0x95f83d0a1fb69cd9u, 0x4abdaf101564f98eu}, {0xf24a01a73cf2dccfu, 0xbc633b39673c8cecu},
    {0xc3b8358109e84f07u, 0x0a862f80ec4700c8u},
};
enum { COARSE_STEP = 27, COARSE_FIRST = -13, POWER_MIN = -342, POWER_MAX = 308, POWER_EXACT = 53 };

/* 5^r for r = 0 … 26: exact, shifted left until the highest bit is set. */
static const uint64_t fine_powers[COARSE_STEP] = {
    0x8000000000000000u, 0xa000000000000000u, 0xc800000000000000u, 0xfa00000000000000u,
    0x9c40000000000000u, 0xc350000000000000u, 0xf424000000000000u, 0x9896800000000000u,
    0xbebc200000000000u, 0xee6b280000000000u, 0x9502f90000000000u, 0xba43b74000000000u,
    0xe8d4a51000000000u, 0x9184e72a00000000u, 0xb5e620f480000000u, 0xe35fa931a0000000u,
    0x8e1bc9bf04000000u, 0xb1a2bc2ec5000000u, 0xde0b6b3a76400000u, 0x8ac7230489e80000u,
    0xad78ebc5ac620000u, 0xd8d726b7177a8000u, 0x878678326eac9000u, 0xa968163f0a57b400u,
    0xd3c21bcecceda100u, 0x84595161401484a0u, 0xa56fa5b99019a5c8u,
};

static int leading_zeros(uint64_t x)
{
    return __builtin_clzll(x);
}

/* a x b, the upper 128 of 192 bits. `*rest` says whether the lower 64 held anything. */
static struct wide multiply_wide(struct wide a, uint64_t b, uint64_t *rest)
{
    struct wide upper = multiply(a.high, b), lower = multiply(a.low, b);
    upper.low += lower.high;
    upper.high += upper.low < lower.high;
    *rest = lower.low;
    return upper;
}

/* The leading 128 bits of 5^power; at most 3 units too small, exact for 0 … POWER_EXACT. */
static struct wide power_of_five(int power)
{
    int index = (power - COARSE_FIRST * COARSE_STEP) / COARSE_STEP;
    int fine = (power - COARSE_FIRST * COARSE_STEP) % COARSE_STEP;
    uint64_t rest;
    struct wide result = multiply_wide(coarse_powers[index], fine_powers[fine], &rest);
    if (!(result.high >> 63)) {
        result.high = result.high << 1 | result.low >> 63;
        result.low = result.low << 1 | rest >> 63;
    }
    return result;
}

static double make_double(uint64_t mantissa, int biased_exponent)
{
    uint64_t bits = (uint64_t)biased_exponent << 52 | (mantissa & 0xfffffffffffffu);
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* The double nearest to x * 2^exponent, or 0 when that is not a normal double. */
static double round_wide(struct wide x, int exponent)
{
    int shift = leading_zeros(x.high);
    uint64_t top = shift ? x.high << shift | x.low >> (64 - shift) : x.high;
    uint64_t below = x.low << shift, mantissa = top >> 11, half = top & 0x7ff;
    int biased = exponent - shift + 75 + 1075;
    if (half > 0x400 || (half == 0x400 && (below || (mantissa & 1)))) {
        if (++mantissa >> 53) {
            mantissa >>= 1;
            biased++;
        }
    }
    return biased >= 1 && biased <= 2046 ? make_double(mantissa, biased) : 0;
}

/*
 * Multiplies by an approximate power of ten and keeps the error's bounds: where both ends round to
 * the same double, that is the answer (after Eisel and Lemire). Returns 0 when undecided.
 */
static double multiply_power(uint64_t digits, int power)
{
    int shift = leading_zeros(digits);
    int exponent = ((power * 217706) >> 16) - 63 - shift; /* floor(power * log2(10)) */
    uint64_t rest;
    struct wide low = multiply_wide(power_of_five(power), digits << shift, &rest), high = low;
    high.low += power >= 0 && power <= POWER_EXACT ? rest != 0 : 4;
    high.high += high.low < low.low;
    double result = round_wide(low, exponent);
    return result == round_wide(high, exponent) ? result : 0;
}

#define EXACT_TENS 22 /* 10^22 is the last power of ten that a double holds exactly */

static const double exact_ten[EXACT_TENS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* --- decimal to double, the slow and exact way ----------------------------------------------- */

/* A point halfway between two doubles has at most 767 digits: what comes after more than these only
 * shows on which side of it the number is. */
enum { COUNTED = 19, MOST_DIGITS = 800 };

/* strtod, subnormals and overflow included. Without a point it reads the same in every locale. */
static double round_exactly(const struct amp_decimal *number)
{
    char text[MOST_DIGITS + 32];
    int length = snprintf(text, sizeof text, "%" PRIu64, number->digits), count = 0;
    int64_t exponent = number->exponent;
    bool more = false;
    for (const char *p = number->text; number->many && p < number->end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.' || (!count && *p == '0') || ++count <= COUNTED)
            continue;
        more |= length >= MOST_DIGITS && *p != '0';
        if (length < MOST_DIGITS) {
            text[length++] = *p;
            exponent--;
        }
    }
    snprintf(text + length, sizeof text - (size_t)length, "%se%" PRId64, more ? "1" : "",
             exponent - more);
    return strtod(text, NULL);
}

/* --- decimal to double ----------------------------------------------------------------------- */

/* One rounding only: both operands are exact (after Clinger). Wrong where doubles are computed
 * wider. */
static bool is_exact(uint64_t digits, int64_t power)
{
    return FLT_EVAL_METHOD == 0 && digits >> 53 == 0 && power >= -EXACT_TENS && power <= EXACT_TENS;
}

static double nearest(const struct amp_decimal *number)
{
    uint64_t digits = number->digits;
    int64_t power = number->exponent;
    if (is_exact(digits, power) && !number->many)
        return power < 0 ? (double)digits / exact_ten[-power] : (double)digits * exact_ten[power];
    if (power >= POWER_MIN && power <= POWER_MAX && digits) {
        double result = multiply_power(digits, (int)power);
        if (result != 0 && (!number->many || result == multiply_power(digits + 1, (int)power)))
            return result;
    }
    return digits ? round_exactly(number) : 0;
}

double amp_decimal_double(const struct amp_decimal *number)
{
    double result = nearest(number);
    return number->negative ? -result : result;
}

/* --- double to decimal ----------------------------------------------------------------------- */

size_t amp_print_integer(char *out, int64_t value)
{
    char digit[20];
    size_t count = 0, length = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digit[count++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        out[length++] = '-';
    while (count)
        out[length++] = digit[--count];
    return length;
}

/* Decimal digits without the point: value = 0.d1d2d3… x 10^point */
struct digits {
    char digit[20];
    int count, point;
};

static double digits_value(const struct digits *d)
{
    struct amp_decimal number;
    memset(&number, 0, sizeof number);
    for (int i = 0; i < d->count; i++)
        number.digits = number.digits * 10 + (uint64_t)(d->digit[i] - '0');
    number.exponent = d->point - d->count;
    return nearest(&number);
}

/* What printf says with `count` digits; it may put any decimal point between them. */
static void round_digits(struct digits *d, double value, int count)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    const char *e = strchr(text, 'e');
    d->count = 0;
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9')
            d->digit[d->count++] = *p;
    bool negative = e[1] == '-';
    int power = 0;
    for (const char *p = e + 2; *p; p++)
        power = power * 10 + (*p - '0');
    d->point = 1 + (negative ? -power : power);
    while (d->count > 1 && d->digit[d->count - 1] == '0')
        d->count--;
}

/* Below a power of two the gap is narrower than above it: the next decimal up may fit where the
 * nearest fails. */
static bool next_digit_fits(struct digits *d, double value)
{
    if (d->digit[d->count - 1] == '9')
        return false;
    d->digit[d->count - 1]++;
    return digits_value(d) == value;
}

static void shortest_digits(struct digits *d, double value)
{
    /* Every decimal of 15 digits survives a normal double; a subnormal holds fewer. */
    for (int count = value < DBL_MIN ? 1 : 15; count < 17; count++) {
        round_digits(d, value, count);
        if (digits_value(d) == value || next_digit_fits(d, value))
            return;
    }
    round_digits(d, value, 17);
}

/* Numbers of few decimals, such as 0.25, without asking printf. */
static bool few_digits(struct digits *d, double value)
{
    for (int decimals = 1; decimals <= 6 && value < 1e9; decimals++) {
        double scaled = value * exact_ten[decimals], whole = (double)(int64_t)(scaled + 0.5);
        if (whole >= 1 && is_exact((uint64_t)whole, decimals) &&
            whole / exact_ten[decimals] == value) {
            d->count = (int)amp_print_integer(d->digit, (int64_t)whole);
            d->point = d->count - decimals;
            return true;
        }
    }
    return false;
}

static size_t put(char *out, const char *text, int count)
{
    memcpy(out, text, (size_t)count);
    return (size_t)count;
}

static size_t put_zeros(char *out, int count)
{
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

/* 12.5, the shorter of 0.00012 and 1.2e-4, 1.2e30. */
static size_t put_digits(char *out, const struct digits *d)
{
    char *p = out;
    if (d->point > 0 && d->point < d->count) {
        p += put(p, d->digit, d->point);
        *p++ = '.';
        p += put(p, d->digit + d->point, d->count - d->point);
    } else if (d->point <= 0 && d->point > -4) {
        p += put(p, "0.", 2);
        p += put_zeros(p, -d->point);
        p += put(p, d->digit, d->count);
    } else {
        *p++ = d->digit[0];
        if (d->count > 1) {
            *p++ = '.';
            p += put(p, d->digit + 1, d->count - 1);
        }
        *p++ = 'e';
        p += amp_print_integer(p, d->point - 1);
    }
    return (size_t)(p - out);
}

size_t amp_print_double(char *out, double value)
{
    struct digits d;
    size_t sign = signbit(value) ? 1 : 0;
    if (sign) {
        *out++ = '-';
        value = -value;
    }
    if (value == 0 && sign)
        return sign + put(out, "0.0", 3);
    /* All its digits: fewer would be another integer where integers are exact. */
    if (value < 9223372036854775808.0 && value == (double)(int64_t)value)
        return sign + amp_print_integer(out, (int64_t)value);
    if (!few_digits(&d, value))
        shortest_digits(&d, value);
    return sign + put_digits(out, &d);
}
