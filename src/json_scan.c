#include "json_scan.h"

#include <math.h>
#include <string.h>

#include "json_bytes.h"
#include "json_number.h"

#define AMP_NEVER(condition) __builtin_expect(!!(condition), 0)

void amp_scan_init(struct amp_scan *s, const struct amp_memory *memory)
{
    memset(s, 0, sizeof *s);
    s->memory = *memory;
    s->values_what = "too many values";
}

void amp_scan_free(struct amp_scan *s)
{
    amp_free(&s->memory, s->node, s->room, sizeof *s->node);
    amp_free(&s->memory, s->open, s->open_room, sizeof *s->open);
    s->node = NULL;
    s->open = NULL;
    s->room = s->open_room = s->used = s->level = 0;
}

/* --- errors ---------------------------------------------------------------------------------- */

static const char *fail(struct amp_scan *s, enum amp_failure failure, const char *at,
                        const char *what)
{
    s->error.failure = failure;
    s->error.at = at;
    s->error.what = what;
    s->error.expected = false;
    s->error.limit = 0;
    return NULL;
}

const char *amp_scan_fail(struct amp_scan *s, const char *at, const char *expected)
{
    fail(s, AMP_MALFORMED, at, expected);
    s->error.expected = true;
    return NULL;
}

const char *amp_scan_over(struct amp_scan *s, const char *at, const char *what, size_t limit)
{
    fail(s, AMP_LIMIT, at, what);
    s->error.limit = limit;
    return NULL;
}

/* --- the tape -------------------------------------------------------------------------------- */

static bool grow_tape(struct amp_scan *s)
{
    void *grown = amp_grow(&s->memory, s->node, &s->room, s->used + 4, sizeof *s->node);
    if (!grown)
        return fail(s, AMP_NO_MEMORY, NULL, "not enough memory") != NULL;
    s->node = (struct amp_node *)grown;
    return true;
}

/* One value adds three nodes at most: its key, itself, its end. */
AMP_INLINE bool reserve(struct amp_scan *s)
{
    return AMP_NEVER(s->used + 4 > s->room) ? grow_tape(s) : 1;
}

AMP_INLINE void set_node(struct amp_node *node, uint32_t kind, const char *text, size_t size)
{
    node->as.text = text;
    node->size = (uint32_t)size;
    node->kind = kind;
}

bool amp_scan_put(struct amp_scan *s, struct amp_node node)
{
    if (!reserve(s))
        return false;
    s->node[s->used++] = node;
    return true;
}

static bool grow_open(struct amp_scan *s)
{
    void *grown = amp_grow(&s->memory, s->open, &s->open_room, s->level + 1, sizeof *s->open);
    if (!grown)
        return fail(s, AMP_NO_MEMORY, NULL, "not enough memory") != NULL;
    s->open = (struct amp_level *)grown;
    return true;
}

/* One level deeper; the container's node is at `index`. */
AMP_INLINE bool descend(struct amp_scan *s, const char *at, size_t index, bool is_object)
{
    if (AMP_NEVER(s->level >= s->max_depth))
        return amp_scan_over(s, at, "nested deeper than max_depth", s->max_depth) != NULL;
    if (AMP_NEVER(s->level >= s->open_room) && !grow_open(s))
        return false;
    s->open[s->level++].node = (uint32_t)index << 1 | (uint32_t)is_object;
    return true;
}

AMP_INLINE void open_node(struct amp_scan *s, struct amp_node *node, bool is_object)
{
    set_node(node, is_object ? AMP_OBJECT : AMP_ARRAY, NULL, 0);
    if (s->level > s->deepest)
        s->deepest = s->level;
}

bool amp_scan_enter(struct amp_scan *s, const char *at, bool is_object, bool record)
{
    if (s->values++ >= s->max_values)
        return amp_scan_over(s, at, s->values_what, s->values_limit) != NULL;
    if (!reserve(s) || !descend(s, at, record ? s->used : 0, is_object))
        return false;
    if (record)
        open_node(s, &s->node[s->used++], is_object);
    return true;
}

bool amp_scan_leave(struct amp_scan *s, bool record)
{
    s->level--;
    if (!reserve(s))
        return false;
    if (record)
        set_node(&s->node[s->used++], AMP_END, NULL, 0);
    return true;
}

void amp_scan_count(struct amp_scan *s)
{
    s->node[s->open[s->level - 1].node >> 1].size++;
}

bool amp_scan_start(struct amp_scan *s, const char *end, size_t level)
{
    s->end = end;
    s->used = s->level = s->deepest = s->values = 0;
    s->error.failure = AMP_FINE;
    s->window.base = s->window.bits = 0;
    while (s->level < level) {
        if (s->level >= s->open_room && !grow_open(s))
            return false;
        s->open[s->level++].node = 0;
    }
    return true;
}

/* --- strings --------------------------------------------------------------------------------- */

enum { WINDOW = 64 };

/* A bit for each byte of a window that is not plain. */
AMP_INLINE uint64_t window_bits(const char *p)
{
    return amp_not_plain_16(p) | amp_not_plain_16(p + 16) << 16 | amp_not_plain_16(p + 32) << 32 |
           amp_not_plain_16(p + 48) << 48;
}

/* The bits of the text's last bytes; what is beyond them counts as NUL, which is not plain. */
static uint64_t last_bits(const char *p, const char *end)
{
    char bytes[WINDOW] = {0};
    memcpy(bytes, p, (size_t)(end - p));
    return window_bits(bytes);
}

/* Moves the window until it shows a byte that is not plain. Next to each other windows do not
 * depend on `p`: the processor need not wait for the token before. */
static __attribute__((noinline)) const char *plain_beyond(struct amp_scan *s, const char *p)
{
    uintptr_t at = (uintptr_t)p - s->window.base;
    const char *next = at < WINDOW ? p - at + WINDOW : at < 2 * WINDOW ? p - (at - WINDOW) : p;
    for (;; next += WINDOW) {
        uint64_t bits = s->end - next < WINDOW ? last_bits(next, s->end) : window_bits(next);
        s->window.base = (uintptr_t)next;
        s->window.bits = bits;
        if (p < next)
            p = next;
        bits >>= p - next;
        if (bits)
            return p + __builtin_ctzll(bits);
    }
}

/* The first byte from `p` on that is not plain. Strings are short: several share a window. */
AMP_INLINE const char *next_special(struct amp_scan *s, const char *p)
{
    uintptr_t at = (uintptr_t)p - s->window.base;
    uint64_t bits = at < WINDOW ? s->window.bits >> at : 0;
    return bits ? p + __builtin_ctzll(bits) : plain_beyond(s, p);
}

const char *amp_scan_plain(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16) {
        uint64_t bits = amp_not_plain_16(p);
        if (bits)
            return p + __builtin_ctzll(bits);
    }
    while (p < end && amp_is_plain(*p))
        p++;
    return p;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

const char *amp_scan_utf8(const char *p)
{
    unsigned char lead = (unsigned char)p[0], second = (unsigned char)p[1];
    if (!is_continuation(p[1]) || lead < 0xc2 || lead > 0xf4)
        return NULL;
    if (lead < 0xe0)
        return p + 2;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        !is_continuation(p[2]))
        return NULL;
    if (lead < 0xf0)
        return p + 3;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) ||
        !is_continuation(p[3]))
        return NULL;
    return p + 4;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads up to four hexadecimal digits. Returns where they stop: `p` + 4 when all are there. */
static const char *read_hex4(const char *p, int *unit)
{
    const char *last = p + 4;
    *unit = 0;
    for (int digit; p < last && (digit = hex_digit(*p)) >= 0; p++)
        *unit = *unit << 4 | digit;
    return p;
}

static bool is_high_surrogate(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* A high surrogate's escape is at `p`: the escape of a low one must follow. */
static const char *scan_low_surrogate(struct amp_scan *s, const char *p)
{
    int unit = 0;
    const char *stop = p + 6;
    stop += *stop == '\\';
    stop += stop == p + 7 && *stop == 'u';
    if (stop == p + 8)
        stop = read_hex4(stop, &unit);
    if (is_low_surrogate(unit))
        return p + 12;
    return stop == s->end && stop < p + 12
               ? amp_scan_fail(s, stop, "the second half of a surrogate pair")
               : fail(s, AMP_MALFORMED, p, "a lone surrogate");
}

static const char *scan_unicode_escape(struct amp_scan *s, const char *p)
{
    int unit;
    const char *stop = read_hex4(p + 2, &unit);
    if (stop < p + 6)
        return amp_scan_fail(s, stop == s->end ? stop : p, "four hexadecimal digits after \\u");
    if (is_high_surrogate(unit))
        return scan_low_surrogate(s, p);
    return is_low_surrogate(unit) ? fail(s, AMP_MALFORMED, p, "a lone surrogate") : stop;
}

/* No UTF-8 sequence is at `p`. The text may end in the midst of one: any two continuations show
 * whether there is a way to complete it. */
static const char *fail_utf8(struct amp_scan *s, const char *p)
{
    char lowest[] = "\x80\x80\x80\x80", highest[] = "\xbf\xbf\xbf\xbf";
    size_t left = (size_t)(s->end - p);
    if (left < 4) {
        memcpy(lowest, p, left);
        memcpy(highest, p, left);
        if (amp_scan_utf8(lowest) || amp_scan_utf8(highest))
            return amp_scan_fail(s, s->end, "the rest of a UTF-8 sequence");
    }
    return fail(s, AMP_MALFORMED, p, "invalid UTF-8");
}

/* What stopped a run of plain bytes and does not end the string. */
static const char *scan_special(struct amp_scan *s, const char *p)
{
    if (*p == '\\') {
        if (p[1] == 'u')
            return scan_unicode_escape(s, p);
        if (p[1] && strchr("\"\\/bfnrt", p[1]))
            return p + 2;
        return amp_scan_fail(s, p + 1, "an escape (one of \" \\ / b f n r t u)");
    }
    if ((signed char)*p < 0) {
        const char *next = amp_scan_utf8(p);
        return next ? next : fail_utf8(s, p);
    }
    if (p >= s->end)
        return amp_scan_fail(s, p, "the end of a string");
    return fail(s, AMP_MALFORMED, p, "a control character in a string (it must be escaped)");
}

/* On from a byte that is not plain, which may be the closing quote. `*kind` changes when there are
 * escapes. */
static __attribute__((noinline)) const char *string_end(struct amp_scan *s, const char *p,
                                                        uint32_t *kind)
{
    uint32_t escaped = 0;
    for (; *p != '"'; p = next_special(s, p)) {
        escaped |= *p == '\\';
        do /* text that is not ASCII comes in runs */
            p = scan_special(s, p);
        while (p && (signed char)*p < 0);
        if (!p)
            return NULL;
    }
    *kind += escaped;
    return p;
}

/* From the opening quote to the byte after the closing one. `node` may be NULL. */
AMP_INLINE const char *scan_string(struct amp_scan *s, const char *p, struct amp_node *node,
                                   uint32_t kind)
{
    const char *start = p + 1;
    p = next_special(s, start);
    if (AMP_NEVER(*p != '"')) {
        uint32_t found = kind;
        p = string_end(s, p, &found);
        if (!p)
            return NULL;
        kind = found;
    }
    if (node)
        set_node(node, kind, start, (size_t)(p - start));
    return p + 1;
}

static size_t put_utf8(char *out, uint32_t c)
{
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(length == 1 ? c : c | (0xf00u >> length & 0xff));
    return length;
}

/* Writes what the escape at `*p` means and moves behind it. */
static size_t unescape_one(char *out, const char **p)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char c = (*p)[1];
    *p += 2;
    if (c != 'u') {
        const char *letter = strchr(letters, c);
        *out = letter ? meanings[letter - letters] : c;
        return 1;
    }
    int unit, low;
    *p = read_hex4(*p, &unit);
    if (!is_high_surrogate(unit))
        return put_utf8(out, (uint32_t)unit);
    *p = read_hex4(*p + 2, &low);
    return put_utf8(out, 0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

size_t amp_unescape(char *out, const char *text, size_t size)
{
    const char *p = text, *end = text + size;
    char *start = out;
    while (p < end) {
        const char *backslash = (const char *)memchr(p, '\\', (size_t)(end - p));
        size_t clean = (size_t)((backslash ? backslash : end) - p);
        memcpy(out, p, clean);
        out += clean;
        p += clean;
        if (backslash)
            out += unescape_one(out, &p);
    }
    return (size_t)(out - start);
}

/* Whether a node with escapes begins with these bytes; `*rest`: and goes on after them. */
static bool begins(const struct amp_node *node, const char *text, size_t size, bool *rest)
{
    const char *p = node->as.text, *end = p + node->size;
    *rest = p < end;
    while (p < end && size) {
        char one[4];
        size_t length = 1;
        if (*p == '\\')
            length = unescape_one(one, &p);
        else
            one[0] = *p++;
        size_t compared = length < size ? length : size;
        if (memcmp(one, text, compared) != 0)
            return false;
        *rest = p < end || length > size;
        text += compared;
        size -= compared;
    }
    return size == 0;
}

static bool is_plain_node(const struct amp_node *node)
{
    return node->kind == AMP_STRING || node->kind == AMP_KEY;
}

bool amp_node_is(const struct amp_node *node, const char *text, size_t size)
{
    bool rest;
    if (is_plain_node(node))
        return node->size == size && memcmp(node->as.text, text, size) == 0;
    return begins(node, text, size, &rest) && !rest;
}

bool amp_node_begins(const struct amp_node *node, const char *text, size_t size)
{
    bool rest;
    if (is_plain_node(node))
        return node->size >= size && memcmp(node->as.text, text, size) == 0;
    return begins(node, text, size, &rest);
}

/* --- numbers --------------------------------------------------------------------------------- */

AMP_INLINE bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

AMP_INLINE const char *scan_digits(const char *p, uint64_t *value)
{
    uint64_t digits = *value;
    for (; is_digit(*p); p++)
        digits = digits * 10 + (uint64_t)(*p - '0');
    *value = digits;
    return p;
}

static const char *scan_exponent(struct amp_scan *s, const char *p, int64_t *exponent)
{
    bool negative = *p == '-';
    int64_t value = 0;
    p += negative || *p == '+';
    if (!is_digit(*p))
        return amp_scan_fail(s, p, "a digit in the exponent");
    for (; is_digit(*p); p++)
        if (value < INT64_C(100000000000)) /* a text may hold that many zeros */
            value = value * 10 + (*p - '0');
    *exponent += negative ? -value : value;
    return p;
}

/* More than 19 digits were counted: leading zeros do not matter, then the first 19 do. */
static void shorten(struct amp_decimal *d)
{
    int count = 0, dropped = 0;
    uint64_t digits = 0;
    for (const char *p = d->text; p < d->end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.')
            continue;
        if (count < 19) {
            digits = digits * 10 + (uint64_t)(*p - '0');
            count += digits != 0;
        } else {
            dropped++;
        }
    }
    d->digits = digits;
    d->exponent += dropped;
    d->many = dropped > 0;
}

static bool fits_integer(const struct amp_decimal *d)
{
    return d->digits <= (uint64_t)INT64_MAX + (uint64_t)d->negative;
}

static const char *put_big(const struct amp_decimal *d, struct amp_node *node)
{
    const char *start = d->text - d->negative;
    set_node(node, AMP_STRING, start, (size_t)(d->end - start));
    return d->end;
}

static const char *put_double(struct amp_scan *s, const struct amp_decimal *d,
                              struct amp_node *node)
{
    double value = amp_decimal_double(d);
    if (isinf(value))
        return fail(s, AMP_MALFORMED, d->text - d->negative, "a number out of range");
    if (node) {
        set_node(node, AMP_DOUBLE, NULL, 0);
        node->as.number = value;
    }
    return d->end;
}

static const char *put_integer(struct amp_scan *s, const struct amp_decimal *d,
                               struct amp_node *node)
{
    bool exact = fits_integer(d) && !d->many;
    if (s->big_as_text && (!exact || (s->integer_bits == 53 && d->digits >> 53)))
        return put_big(d, node);
    if (!exact || (d->negative && d->digits == 0))
        return put_double(s, d, node);
    set_node(node, AMP_INTEGER, NULL, 0);
    node->as.integer = d->negative ? (int64_t)(0 - d->digits) : (int64_t)d->digits;
    return d->end;
}

AMP_INLINE const char *scan_number(struct amp_scan *s, const char *p, struct amp_node *node)
{
    struct amp_decimal d;
    bool integer = true, has_exponent = false;
    d.digits = 0;
    d.exponent = 0;
    d.many = false;
    d.negative = *p == '-';
    p += d.negative;
    d.text = p;
    if (!is_digit(*p))
        return amp_scan_fail(s, p, "a digit");
    p = *p == '0' ? p + 1 : scan_digits(p, &d.digits);
    size_t count = (size_t)(p - d.text);
    if (*p == '.') {
        const char *fraction = ++p;
        p = scan_digits(p, &d.digits);
        if (p == fraction)
            return amp_scan_fail(s, p, "a digit after the decimal point");
        d.exponent = fraction - p;
        count += (size_t)(p - fraction);
        integer = false;
    }
    if ((*p | 0x20) == 'e') {
        p = scan_exponent(s, p + 1, &d.exponent);
        if (!p)
            return NULL;
        integer = false;
        has_exponent = true;
    }
    if (!node && !has_exponent && count < 300)
        return p;
    d.end = p;
    if (AMP_NEVER(count > 19))
        shorten(&d);
    return integer && node ? put_integer(s, &d, node) : put_double(s, &d, node);
}

/* --- values ---------------------------------------------------------------------------------- */

AMP_INLINE bool spells(const struct amp_scan *s, const char *p, const char *word, size_t size)
{
    return (size_t)(s->end - p) >= size && memcmp(p, word, size) == 0;
}

/* Of a word that is cut, the text's end is what is wrong. */
static const char *fail_word(struct amp_scan *s, const char *p)
{
    static const char *const words[] = {"true", "false", "null"};
    size_t left = (size_t)(s->end - p);
    for (int i = 0; i < 3; i++)
        if (left < strlen(words[i]) && memcmp(p, words[i], left) == 0)
            return amp_scan_fail(s, s->end, "a value");
    return amp_scan_fail(s, p, "a value");
}

AMP_INLINE const char *scan_word(struct amp_scan *s, const char *p, struct amp_node *node)
{
    uint32_t kind;
    const char *end;
    if (spells(s, p, "true", 4)) {
        kind = AMP_TRUE;
        end = p + 4;
    } else if (spells(s, p, "false", 5)) {
        kind = AMP_FALSE;
        end = p + 5;
    } else if (spells(s, p, "null", 4)) {
        kind = AMP_NULL;
        end = p + 4;
    } else {
        return fail_word(s, p);
    }
    if (node)
        set_node(node, kind, NULL, 0);
    return end;
}

AMP_INLINE const char *scan_scalar(struct amp_scan *s, const char *p, struct amp_node *node)
{
    return is_digit(*p) || *p == '-' ? scan_number(s, p, node) : scan_word(s, p, node);
}

AMP_INLINE const char *scan_member_name(struct amp_scan *s, const char *p, struct amp_node *node)
{
    if (AMP_NEVER(*p != '"'))
        return amp_scan_fail(s, p, "a member's name in quotes");
    p = scan_string(s, p, node, AMP_KEY);
    if (!p)
        return NULL;
    p = amp_skip_space(p);
    return AMP_NEVER(*p != ':') ? amp_scan_fail(s, p, "':'") : p + 1;
}

/* What a scan keeps in registers until the value is complete. */
struct reader {
    struct amp_node *next, *last; /* on the tape, and where it must grow */
    size_t left;                  /* values allowed */
    uint32_t count;               /* values so far in the innermost container ... */
    char closing; /* ... and the byte that closes it; NUL outside of this scan's containers */
};

AMP_INLINE void place_reader(const struct amp_scan *s, struct reader *r)
{
    r->next = s->node + s->used;
    r->last = s->node + (s->room - 4);
}

AMP_INLINE bool reserve_next(struct amp_scan *s, struct reader *r)
{
    if (!AMP_NEVER(r->next > r->last))
        return true;
    s->used = (size_t)(r->next - s->node);
    if (!grow_tape(s))
        return false;
    place_reader(s, r);
    return true;
}

AMP_INLINE bool start_reading(struct amp_scan *s, struct reader *r, int record)
{
    r->left = s->max_values > s->values ? s->max_values - s->values : 0;
    r->count = 0;
    r->closing = '\0';
    if (!record)
        return true;
    if (!reserve(s))
        return false;
    place_reader(s, r);
    return true;
}

AMP_INLINE void finish_reading(struct amp_scan *s, const struct reader *r, int record)
{
    s->values = s->max_values - r->left;
    if (record)
        s->used = (size_t)(r->next - s->node);
}

/* The count of the container around it rests in that one's node meanwhile. */
AMP_INLINE bool enter(struct amp_scan *s, struct reader *r, const char *p, bool record)
{
    bool is_object = *p == '{';
    size_t index = record ? (size_t)(r->next - s->node) : 0;
    if (record && r->closing)
        s->node[s->open[s->level - 1].node >> 1].size = r->count;
    if (!descend(s, p, index, is_object))
        return false;
    if (record)
        open_node(s, r->next++, is_object);
    r->count = 0;
    r->closing = is_object ? '}' : ']';
    return true;
}

AMP_INLINE bool leave(struct amp_scan *s, struct reader *r, size_t base, bool record)
{
    uint32_t open = s->open[--s->level].node;
    if (record) {
        if (!reserve_next(s, r))
            return false;
        s->node[open >> 1].size = r->count;
        set_node(r->next++, AMP_END, NULL, 0);
    }
    r->closing = '\0';
    if (s->level > base) {
        open = s->open[s->level - 1].node;
        r->closing = open & 1 ? '}' : ']';
        if (record)
            r->count = s->node[open >> 1].size;
    }
    return true;
}

/* A member that is null and not wanted: its key has no value, and does not count. */
AMP_INLINE void drop_null(struct reader *r)
{
    if (r->closing == '}' && r->next[-1].kind == AMP_NULL) {
        r->next[-1].kind = AMP_ABSENT;
        r->count--;
    }
}

#ifndef AMP_PART_NODES
#define AMP_PART_NODES 4096 /* the fuzzers take fewer */
#endif

/* Between two values, when the tape is long enough: the counts so far are the sizes of the tables
 * that stay open. */
AMP_INLINE bool pause_reading(struct amp_scan *s, struct reader *r)
{
    if (!AMP_NEVER(r->next - s->node > AMP_PART_NODES))
        return false;
    s->node[s->open[s->level - 1].node >> 1].size = r->count;
    set_node(r->next++, AMP_PAUSE, NULL, 0);
    finish_reading(s, r, 1);
    return true;
}

/* The containers that are open were on the tape before: here they have a node that stands for all
 * of them. Returns whether there are any. */
AMP_INLINE bool resume_reading(struct amp_scan *s, struct reader *r)
{
    for (size_t i = 0; i < s->level; i++)
        s->open[i].node &= 1;
    set_node(r->next++, AMP_NULL, NULL, 0);
    if (s->level)
        r->closing = s->open[s->level - 1].node ? '}' : ']';
    return s->level > 0;
}

/* `record`: onto the tape; 2: in parts, of which a value at level 0 may need several. */
AMP_INLINE const char *scan(struct amp_scan *s, const char *p, int record)
{
    const size_t base = record == 2 ? 0 : s->level;
    struct reader r;
    if (!start_reading(s, &r, record))
        return NULL;
    if (record == 2 && resume_reading(s, &r))
        goto after;
value:
    p = amp_skip_space(p);
    if (AMP_NEVER(r.left-- == 0))
        return amp_scan_over(s, p, s->values_what, s->values_limit);
    if (record && !reserve_next(s, &r))
        return NULL;
    if (*p == '"') {
        p = scan_string(s, p, record ? r.next++ : NULL, AMP_STRING);
    } else if (*p == '{' || *p == '[') {
        if (!enter(s, &r, p, record))
            return NULL;
        p = amp_skip_space(p + 1);
        if (*p == r.closing)
            goto close;
        if (r.closing == '}')
            goto member;
        goto value;
    } else {
        p = scan_scalar(s, p, record ? r.next++ : NULL);
        if (record && AMP_NEVER(s->drop_nulls) && p)
            drop_null(&r);
    }
    if (AMP_NEVER(!p))
        return NULL;
next:
    if (!r.closing) {
        finish_reading(s, &r, record);
        return p;
    }
    r.count++;
    if (record == 2 && pause_reading(s, &r))
        return p;
after:
    p = amp_skip_space(p);
    if (*p == ',') {
        p++;
        if (r.closing == ']')
            goto value;
        p = amp_skip_space(p);
    member:
        p = scan_member_name(s, p, record ? r.next++ : NULL);
        if (AMP_NEVER(!p))
            return NULL;
        goto value;
    }
    if (AMP_NEVER(*p != r.closing))
        return amp_scan_fail(s, p, r.closing == '}' ? "',' or '}'" : "',' or ']'");
close:
    if (!leave(s, &r, base, record))
        return NULL;
    p++;
    goto next;
}

const char *amp_scan_record(struct amp_scan *s, const char *p)
{
    return scan(s, p, 1);
}

const char *amp_scan_part(struct amp_scan *s, const char *p, bool *more)
{
    s->used = s->deepest = 0;
    p = scan(s, p, 2);
    *more = p && s->level;
    return p;
}

const char *amp_scan_skip(struct amp_scan *s, const char *p)
{
    p = amp_skip_space(p);
    if (*p == '"' && s->values < s->max_values) {
        s->values++;
        return scan_string(s, p, NULL, AMP_STRING);
    }
    return scan(s, p, 0);
}

const char *amp_scan_key(struct amp_scan *s, const char *p, struct amp_node *key)
{
    return scan_member_name(s, p, key);
}
