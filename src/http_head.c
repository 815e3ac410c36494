#include "http_head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool set_fault(struct amp_head *head, enum amp_outcome outcome, const char *reason)
{
    head->fault = outcome;
    head->reason = reason;
    return false;
}

static bool malformed(struct amp_head *head, const char *reason)
{
    return set_fault(head, AMP_PROTOCOL, reason);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_value(const char *value, size_t n)
{
    return !memchr(value, '\0', n) && !memchr(value, '\r', n);
}

/* --- the status line ---------------------------------------------------------------------------
 */

/* "HTTP/1.0", "HTTP/1.1", "HTTP/2" or "HTTP/3", before a space. 0: something else. */
static int parse_version(const char *line, size_t n)
{
    if (n < 7 || memcmp(line, "HTTP/", 5) != 0)
        return 0;
    if ((line[5] == '2' || line[5] == '3') && line[6] == ' ')
        return (line[5] - '0') * 10;
    if (n >= 9 && memcmp(line + 5, "1.", 2) == 0 && (line[7] == '0' || line[7] == '1') &&
        line[8] == ' ')
        return 10 + line[7] - '0';
    return 0;
}

static bool take_status(struct amp_head *head, const char *line, size_t n)
{
    head->version = parse_version(line, n);
    size_t at = head->version >= 20 ? 7 : 9;
    const char *digit = line + at;

    if (!head->version || (head->old && head->version >= 20) || !is_value(line, n) || n < at + 3 ||
        !isdigit((unsigned char)digit[0]) || !isdigit((unsigned char)digit[1]) ||
        !isdigit((unsigned char)digit[2]) || (n > at + 3 && digit[3] != ' ') || digit[0] == '0')
        return malformed(head, "the answer is not HTTP/1.1 or HTTP/2");
    head->status = (digit[0] - '0') * 100 + (digit[1] - '0') * 10 + digit[2] - '0';
    head->state = AMP_HEAD_FIELDS;
    return head->status != 101 ||
           malformed(head, "the server changed the protocol, which was not requested");
}

/* --- fields that frame the body ----------------------------------------------------------------
 */

/* The same length may be repeated (RFC 9110, 8.6), also after a comma. */
static bool note_length(struct amp_head *head, const char *value)
{
    enum { MOST_DIGITS = 15 }; /* a double holds them exactly */

    for (;;) {
        double length = 0;
        const char *c = value;
        for (; isdigit((unsigned char)*c); c++)
            length = length * 10 + (*c - '0');
        if (c == value || c - value > MOST_DIGITS || (*c && *c != ','))
            return malformed(head, "the response's Content-Length is not a number");
        if (head->length >= 0 && head->length != length)
            return malformed(head, "the response names two different lengths");
        head->length = length;
        if (!*c)
            return true;
        for (value = c + 1; *value == ' '; value++)
            ;
    }
}

static bool note_transfer_coding(struct amp_head *head, const char *value)
{
    if (head->chunked || head->version != 11 || strcasecmp(value, "chunked") != 0)
        return malformed(head, "the response has a transfer-encoding that was not requested");
    head->chunked = true;
    return true;
}

static bool note_content_coding(struct amp_head *head, const char *value)
{
    if (!*value || strcasecmp(value, "identity") == 0)
        return true;
    if (head->coding == AMP_IDENTITY &&
        (!strcasecmp(value, "gzip") || !strcasecmp(value, "x-gzip")))
        head->coding = AMP_GZIP;
    else if (head->coding == AMP_IDENTITY && strcasecmp(value, "deflate") == 0)
        head->coding = AMP_DEFLATE;
    else if (head->raw)
        head->coding = AMP_IDENTITY;
    else if (head->status >= 300)
        head->coding = AMP_UNKNOWN;
    else
        return malformed(head, "the body is encoded in a way that was not requested");
    return true;
}

static bool note_framing(struct amp_head *head, const char *name, const char *value)
{
    head->framing = true;
    if (strcmp(name, "content-length") == 0)
        return note_length(head, value);
    if (strcmp(name, "transfer-encoding") == 0)
        return note_transfer_coding(head, value);
    if (strcmp(name, "content-encoding") == 0)
        return note_content_coding(head, value);
    head->framing = false;
    return true;
}

/* --- fields ------------------------------------------------------------------------------------
 */

static bool store(struct amp_head *head, const char *bytes, size_t n)
{
    return (amp_buffer_append(&head->fields, bytes, n) &&
            amp_buffer_append(&head->fields, "", 1)) ||
           set_fault(head, AMP_OVER_LIMIT, "out of memory");
}

/* The length of the name before the colon; 0 when there is none. */
static size_t name_length(const char *line, size_t n)
{
    size_t i;

    for (i = 0; i < n && line[i] != ':'; i++)
        if ((unsigned char)line[i] <= ' ' || (unsigned char)line[i] >= 127)
            return 0;
    return i < n ? i : 0;
}

static void trim(const char **text, size_t *n)
{
    for (; *n && is_blank(**text); (*n)--)
        (*text)++;
    while (*n && is_blank((*text)[*n - 1]))
        (*n)--;
}

/* A line that begins with a blank continues the one before. What frames the body may not hide
 * there. */
static bool fold(struct amp_head *head, const char *line, size_t n)
{
    if (head->state == AMP_HEAD_DONE)
        return true; /* trailers are not kept */
    if (head->fields.size == 0 || head->framing || !is_value(line, n))
        return malformed(head, "a line of the response's head continues none before it");
    trim(&line, &n);
    head->fields.bytes[head->fields.size - 1] = ' ';
    return store(head, line, n);
}

static bool take_field(struct amp_head *head, const char *line, size_t n)
{
    size_t length = name_length(line, n), rest = n - length - 1, start = head->fields.size, i;
    const char *value = line + length + 1;

    if (length == 0 || !is_value(value, rest))
        return malformed(head, "a header of the response is malformed");
    if (head->state == AMP_HEAD_DONE)
        return true; /* trailers are not kept */
    trim(&value, &rest);
    if (!store(head, line, length) || !store(head, value, rest))
        return false;
    char *name = head->fields.bytes + start;
    for (i = 0; i < length; i++)
        name[i] = (char)tolower((unsigned char)name[i]);
    return note_framing(head, name, name + length + 1);
}

/* --- the end of the head -----------------------------------------------------------------------
 */

/*
 * Over TLS a connection that is cut looks like one that is closed properly, to libcurl 7.88 and to
 * nginx. So a body over TLS needs a length, chunks or HTTP/2; an error's body may be what it is.
 */
static bool has_end(const struct amp_head *head)
{
    return head->length >= 0 || head->chunked || !head->secure || head->no_body ||
           head->status == 204 || head->status >= 300 || head->version >= 20;
}

static bool end_head(struct amp_head *head)
{
    if (head->status < 200) { /* an interim response: another one follows */
        if (head->chunked || head->length >= 0)
            return malformed(head, "an interim response frames a body");
        amp_head_reset(head);
        return true;
    }
    head->state = AMP_HEAD_DONE;
    if (head->chunked && head->length >= 0)
        return malformed(head, "the response comes in chunks and names a length, too");
    return has_end(head) ||
           set_fault(head, AMP_CLOSED, "the response has no length: its end cannot be trusted");
}

void amp_head_reset(struct amp_head *head)
{
    head->state = AMP_HEAD_STATUS;
    head->fields.size = 0;
    head->length = -1;
    head->coding = AMP_IDENTITY;
    head->chunked = head->framing = false;
}

bool amp_head_line(struct amp_head *head, const char *line, size_t n)
{
    head->bytes += n;
    if (head->bytes > AMP_MAX_HEAD)
        return set_fault(head, AMP_OVER_LIMIT, "the response's headers are too long");
    if (n && line[n - 1] == '\n')
        n--;
    if (n && line[n - 1] == '\r')
        n--;
    if (head->state == AMP_HEAD_STATUS)
        return take_status(head, line, n);
    if (n == 0)
        return head->state == AMP_HEAD_DONE || end_head(head);
    return is_blank(*line) ? fold(head, line, n) : take_field(head, line, n);
}

const char *amp_head_next(const struct amp_head *head, const char *previous, const char **value)
{
    const char *name = previous ? *value + strlen(*value) + 1 : head->fields.bytes;

    if (!name || name == head->fields.bytes + head->fields.size)
        return NULL;
    *value = name + strlen(name) + 1;
    return name;
}
