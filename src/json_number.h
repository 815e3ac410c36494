/*
 * Decimal text to double and back, exact and locale-proof. Knows no Lua.
 */
#ifndef AMP_JSON_NUMBER_H
#define AMP_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

#define AMP_NUMBER_ROOM 32 /* bytes that amp_print_double and amp_print_integer may write */

/* A number token: digits x 10^exponent. `many`: `digits` are the first 19, all are in the text. */
struct amp_decimal {
    uint64_t digits;
    int64_t exponent;
    bool negative;
    bool many;
    const char *text, *end; /* the token without its sign; read only when `many` */
};

/* The nearest double, ties to even; infinite when the number is out of range. */
double amp_decimal_double(const struct amp_decimal *number);

/* Print the shortest text that reads back equal, as a double and, if it has no exponent, as an
 * int64; whole numbers below 2^63 have all their digits and no exponent. `value` must be finite.
 * Return the text's length. */
size_t amp_print_double(char *out, double value);
size_t amp_print_integer(char *out, int64_t value);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
