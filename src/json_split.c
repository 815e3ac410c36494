#include "json_split.h"

#include <string.h>

#include "json_scan.h"

void amp_split_start(struct amp_split *s, char first)
{
    s->scalar = first != '"' && first != '{' && first != '[';
    s->in_string = s->escaped = false;
    s->depth = 0;
}

static const char *find_scalar_end(const char *p, const char *end)
{
    for (; p < end; p++)
        if (strchr(",]} \t\r\n", *p) && *p)
            return p;
    return NULL;
}

/* From inside of a string to the byte after its closing quote, or to `end`. */
static const char *skip_string(struct amp_split *s, const char *p, const char *end)
{
    while (p < end) {
        if (s->escaped) {
            s->escaped = false;
            p++;
            continue;
        }
        p = amp_scan_plain(p, end);
        if (p < end && *p == '"') {
            s->in_string = false;
            return p + 1;
        }
        s->escaped = p < end && *p == '\\';
        p += p < end;
    }
    return end;
}

/* Any other byte of a container, or the quote that begins a string. */
static void take_byte(struct amp_split *s, char c)
{
    if (c == '"')
        s->in_string = true;
    else if (c == '{' || c == '[')
        s->depth++;
    else if (c == '}' || c == ']')
        s->depth--;
}

const char *amp_split_find(struct amp_split *s, const char *p, const char *end, size_t most)
{
    if (s->scalar)
        return find_scalar_end(p, end);
    while (p < end) {
        if (s->in_string)
            p = skip_string(s, p, end);
        else
            take_byte(s, *p++);
        if ((s->depth == 0 && !s->in_string) || s->depth > most)
            return p;
    }
    return NULL;
}
