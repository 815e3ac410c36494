/*
 * The scanner against a slow validator that knows nothing of blocks, and the splitter, which gets
 * the text in pieces, against counting brackets one byte at a time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_scan.h"
#include "json_split.h"

static void *allocate(void *context, void *block, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

static void demand(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* --- the slow validator
 * --------------------------------------------------------------------------- */

struct slow {
    const unsigned char *p, *end;
    int depth;
};

static int next_is(struct slow *s, int c)
{
    if (s->p == s->end || *s->p != c)
        return 0;
    s->p++;
    return 1;
}

static void space(struct slow *s)
{
    while (next_is(s, ' ') || next_is(s, '\t') || next_is(s, '\n') || next_is(s, '\r'))
        ;
}

static int hex(struct slow *s, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *digit = s->p < s->end && *s->p ? strchr(digits, *s->p) : NULL;
        if (!digit)
            return 0;
        *unit = *unit * 16 + (unsigned)(digit - digits - (digit - digits > 15 ? 6 : 0));
    }
    return 1;
}

static int escape(struct slow *s)
{
    unsigned high, low;
    if (s->p < s->end && *s->p && strchr("\"\\/bfnrt", *s->p))
        return s->p++, 1;
    if (!next_is(s, 'u') || !hex(s, &high))
        return 0;
    if (high < 0xd800 || high > 0xdfff)
        return 1;
    return high < 0xdc00 && next_is(s, '\\') && next_is(s, 'u') && hex(s, &low) && low >= 0xdc00 &&
           low <= 0xdfff;
}

/* A code point of more than one byte, decoded and checked for being the shortest form. */
static int sequence(struct slow *s, unsigned lead)
{
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    unsigned least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
    unsigned code = lead & (0x3fu >> more);
    if (lead < 0xc0 || lead > 0xf7)
        return 0;
    for (int i = 0; i < more; i++, s->p++) {
        if (s->p == s->end || (*s->p & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (*s->p & 0x3f);
    }
    return code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static int string(struct slow *s)
{
    if (!next_is(s, '"'))
        return 0;
    while (s->p < s->end) {
        unsigned c = *s->p++;
        if (c == '"')
            return 1;
        if (c < 0x20 || (c == '\\' && !escape(s)) || (c >= 0x80 && !sequence(s, c)))
            return 0;
    }
    return 0;
}

static int digits(struct slow *s)
{
    const unsigned char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > start;
}

static int number(struct slow *s)
{
    const unsigned char *start = s->p;
    char text[512];
    next_is(s, '-');
    if (!next_is(s, '0') && !digits(s))
        return 0;
    if (next_is(s, '.') && !digits(s))
        return 0;
    if (next_is(s, 'e') || next_is(s, 'E')) {
        (void)(next_is(s, '+') || next_is(s, '-'));
        if (!digits(s))
            return 0;
    }
    if ((size_t)(s->p - start) >= sizeof text)
        return -1;
    memcpy(text, start, (size_t)(s->p - start));
    text[s->p - start] = '\0';
    double value = strtod(text, NULL);
    return value - value == 0;
}

static int value(struct slow *s);

static int container(struct slow *s, int is_object, int closing)
{
    if (++s->depth > 100)
        return 0;
    space(s);
    if (next_is(s, closing))
        return s->depth--, 1;
    do {
        space(s);
        if (is_object && (!string(s) || (space(s), !next_is(s, ':'))))
            return 0;
        int valid = value(s);
        if (valid != 1)
            return valid;
        space(s);
    } while (next_is(s, ','));
    s->depth--;
    return next_is(s, closing);
}

static int word(struct slow *s, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(s->end - s->p) < size || memcmp(s->p, text, size) != 0)
        return 0;
    s->p += size;
    return 1;
}

/* 1 valid, 0 invalid, -1 not for this validator */
static int value(struct slow *s)
{
    space(s);
    if (s->p == s->end)
        return 0;
    if (*s->p == '"')
        return string(s);
    if (next_is(s, '{'))
        return container(s, 1, '}');
    if (next_is(s, '['))
        return container(s, 0, ']');
    if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
        return number(s);
    return word(s, "true") || word(s, "false") || word(s, "null");
}

static void compare_scanner(const char *text, size_t size)
{
    struct amp_memory memory = {allocate, NULL};
    struct amp_scan scan;
    struct slow slow = {(const unsigned char *)text, (const unsigned char *)text + size, 0};
    int expected = value(&slow);
    amp_scan_init(&scan, &memory);
    scan.max_depth = 100;
    scan.max_values = 1000000;
    scan.integer_bits = 63;
    demand(amp_scan_start(&scan, text + size, 0), "no memory");
    const char *recorded = amp_scan_record(&scan, text);
    demand(amp_scan_start(&scan, text + size, 0), "no memory");
    const char *skipped = amp_scan_skip(&scan, text);
    demand(recorded == skipped, "recording and skipping differ");
    if (expected >= 0)
        demand(recorded == (expected ? (const char *)slow.p : NULL),
               "the scanner and the slow validator differ");
    if (!recorded)
        demand(scan.error.at >= text && scan.error.at <= text + size,
               "an error outside of the text");
    amp_scan_free(&scan);
}

/* --- the splitter ---------------------------------------------------------------------------- */

static size_t count_brackets(const char *text, size_t size)
{
    size_t depth = 0;
    int inside = 0, escaped = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        inside ^= c == '"' && !escaped;
        escaped = inside && c == '\\' && !escaped; /* outside of strings it escapes nothing */
        if (!inside && (c == '{' || c == '['))
            depth++;
        if (!inside && (c == '}' || c == ']') && --depth == 0)
            return i + 1;
    }
    return 0;
}

static size_t split(const char *text, size_t size, size_t phase)
{
    struct amp_split state;
    amp_split_start(&state, *text);
    for (size_t from = 0, i = 0; from < size; i++) {
        size_t step = 1 + (unsigned char)text[(i + phase) % size] % 100,
               to = from + step < size ? from + step : size;
        const char *end = amp_split_find(&state, text + from, text + to, SIZE_MAX);
        if (end)
            return (size_t)(end - text);
        from = to;
    }
    return 0;
}

static void check_splitter(const char *text, size_t size)
{
    if (*text != '{' && *text != '[')
        return;
    size_t expected = count_brackets(text, size);
    demand(split(text, size, 0) == expected && split(text, size, size / 2) == expected,
           "the splitter and counting brackets differ");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = (char *)malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    compare_scanner(text, size);
    if (size)
        check_splitter(text, size);
    free(text);
    return 0;
}
