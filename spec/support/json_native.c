/*
 * The JSON sources that know no Lua, by themselves: also built for other CPUs (make check-foreign).
 *
 *     json_native doubles COUNT     literals against strtod, printed doubles against themselves
 *     json_native suite FILE...     JSONTestSuite: files y_ are accepted, n_ refused, and a stream
 *                                   that gets a file in pieces of any size agrees with the whole
 *
 * Prints one line of what was done; exits with 1 at the first thing that is wrong.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_number.h"
#include "json_scan.h"
#include "json_stream.h"

/* --- doubles ---------------------------------------------------------------------------------- */

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double random_double(void)
{
    uint64_t bits = next_random() & 0x7fffffffffffffffu;
    double value;
    if (next_random() % 8 == 0)
        bits &= 0xfffffffffffffu; /* subnormal */
    if (next_random() % 16 == 0)
        bits &= 0x7ff0000000000000u; /* a power of two */
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 1;
}

/* Digits of all lengths, with and without a point, with exponents far and near. */
static void random_literal(char *out)
{
    char *p = out;
    int digits = 1 + (int)(next_random() % (next_random() % 4 ? 20 : 60));
    int point = next_random() % 2 ? (int)(next_random() % (uint64_t)(digits + 1)) : -1;
    for (int i = 0; i < digits; i++) {
        *p++ = (char)('0' + (i == 0 ? 1 + next_random() % 9 : next_random() % 10));
        if (i == point && i + 1 < digits)
            *p++ = '.';
    }
    if (next_random() % 3)
        snprintf(p, 8, "e%d", (int)(next_random() % 640) - 330);
    else
        *p = '\0';
}

/* Exactly between two doubles, or a hair beside it; a long double holds one bit more, or this is a
 * double. */
static void halfway_literal(char *out, size_t room)
{
    double low = random_double();
    long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
    char exponent[16];
    snprintf(out, room, "%.1100Le", middle);
    char *e = strchr(out, 'e');
    snprintf(exponent, sizeof exponent, "%s", e);
    while (e[-1] == '0')
        e--;
    const char *hair = next_random() % 2   ? ""
                       : next_random() % 2 ? "1"
                                           : "0000000000000000000000000000001";
    snprintf(e, room - (size_t)(e - out), "%s%s%s", e[-1] == '.' ? "0" : "", hair, exponent);
}

static int check_literal(struct amp_scan *scan, const char *literal)
{
    double expected = strtod(literal, NULL);
    if (isinf(expected))
        return 1;
    if (!amp_scan_start(scan, literal + strlen(literal), 0) || !amp_scan_record(scan, literal))
        return fprintf(stderr, "refused: %s\n", literal) < 0;
    const struct amp_node *node = &scan->node[0];
    double value = node->kind == AMP_INTEGER ? (double)node->as.integer : node->as.number;
    return value == expected ||
           fprintf(stderr, "%s: got %.17g, strtod %.17g\n", literal, value, expected) < 0;
}

static int check_printed(double value)
{
    char text[AMP_NUMBER_ROOM + 1], printf_text[64];
    text[amp_print_double(text, value)] = '\0';
    snprintf(printf_text, sizeof printf_text, "%.17g", value);
    int digits = 0;
    for (const char *p = text; *p && *p != 'e'; p++)
        digits += *p >= '0' && *p <= '9';
    return (strtod(text, NULL) == value && strlen(text) <= 25 && digits <= 22) ||
           fprintf(stderr, "%s printed as %s\n", printf_text, text) < 0;
}

static int doubles(long count)
{
    struct amp_scan scan;
    char literal[2500];
    amp_scan_init(&scan, &amp_libc_memory);
    scan.max_depth = scan.max_values = 1;
    scan.integer_bits = 63;
    for (long i = 0; i < count; i++) {
        if (i % 16 == 0)
            halfway_literal(literal, sizeof literal);
        else if (i % 16 < 4)
            snprintf(literal, sizeof literal, "%.*g", 14 + (int)(next_random() % 6),
                     random_double());
        else
            random_literal(literal);
        if (!check_literal(&scan, literal) || !check_printed(random_double()))
            return 1;
    }
    amp_scan_free(&scan);
    printf("%ld literals equal strtod, %ld doubles printed read back equal\n", count, count);
    return 0;
}

/* --- the suite -------------------------------------------------------------------------------- */

static void limit(struct amp_scan *scan)
{
    scan->max_depth = 1000;
    scan->max_values = SIZE_MAX;
    scan->integer_bits = 63;
}

/* Whether the text is one value and nothing else. */
static bool accepts_whole(const char *text, size_t size)
{
    struct amp_scan scan;
    amp_scan_init(&scan, &amp_libc_memory);
    limit(&scan);
    const char *end = NULL;
    if (amp_scan_start(&scan, text + size, 0))
        end = amp_scan_record(&scan, amp_skip_space(text));
    bool accepted = end && amp_skip_space(end) == text + size;
    amp_scan_free(&scan);
    return accepted;
}

/* Takes what has arrived. */
static enum amp_stream_status drain(struct amp_stream *stream, size_t *values)
{
    for (;;) {
        const char *value;
        enum amp_stream_status status = amp_stream_next(stream, &value);
        if (status != AMP_STREAM_VALUE)
            return status;
        const char *end = NULL;
        if (amp_scan_start(stream->scan, stream->text + stream->used, amp_stream_level(stream)))
            end = amp_scan_record(stream->scan, value);
        if (end && amp_stream_taken(stream, end))
            ++*values;
        else if (!amp_stream_doubt(stream))
            return AMP_STREAM_FAILED;
    }
}

/* The same for a stream that gets `piece` bytes at a time. */
static bool accepts_stream(const char *text, size_t size, size_t piece)
{
    struct amp_scan scan;
    struct amp_stream stream;
    amp_scan_init(&scan, &amp_libc_memory);
    limit(&scan);
    amp_stream_init(&stream, &amp_libc_memory, &scan);
    stream.shape = AMP_STREAM_WHOLE;
    stream.max_bytes = stream.max_value_bytes = SIZE_MAX / 4;
    enum amp_stream_status status = AMP_STREAM_MORE;
    size_t values = 0;
    for (size_t at = 0; status == AMP_STREAM_MORE && at < size; at += piece) {
        amp_stream_feed(&stream, text + at, size - at < piece ? size - at : piece);
        status = drain(&stream, &values);
    }
    if (status == AMP_STREAM_MORE) {
        amp_stream_feed(&stream, "", 0);
        stream.finished = true;
        status = drain(&stream, &values);
    }
    amp_stream_free(&stream);
    amp_scan_free(&scan);
    return status == AMP_STREAM_END && values == 1;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = (char *)malloc(1 << 20);
    if (!file || !text)
        return NULL;
    *size = fread(text, 1, (1 << 20) - 1, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static int judge(const char *path)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 4096, 1 << 20};
    size_t size;
    char *text = read_file(path, &size);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (!text)
        return fprintf(stderr, "%s: cannot be read\n", path) < 0;
    bool accepted = accepts_whole(text, size);
    if ((*name == 'y' && !accepted) || (*name == 'n' && accepted))
        return fprintf(stderr, "%s: %s\n", name, accepted ? "accepted" : "refused") < 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        if (accepts_stream(text, size, pieces[i]) != accepted)
            return fprintf(stderr, "%s: in pieces of %lu not as a whole\n", name,
                           (unsigned long)pieces[i]) < 0;
    free(text);
    return 1;
}

static int suite(int count, char **paths)
{
    for (int i = 0; i < count; i++)
        if (!judge(paths[i]))
            return 1;
    printf("%d files of the suite are judged right, as a whole and in pieces\n", count);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "doubles") == 0)
        return doubles(atol(argv[2]));
    if (argc > 2 && strcmp(argv[1], "suite") == 0)
        return suite(argc - 2, argv + 2);
    fprintf(stderr, "usage: %s doubles COUNT | suite FILE...\n", argv[0]);
    return 2;
}
