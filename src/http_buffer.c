#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct amp_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 4096;
    char *bytes;

    while (capacity < needed)
        capacity *= 2;
    bytes = (char *)realloc(buffer->bytes, capacity);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

/* Makes room for n bytes at the end: first by moving what is left to the front. */
static bool reserve(struct amp_buffer *buffer, size_t n)
{
    size_t held = buffer->end - buffer->start;

    if (buffer->capacity - buffer->end >= n)
        return true;
    if (buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, held);
        buffer->start = 0;
        buffer->end = held;
    }
    return buffer->capacity - held >= n || grow(buffer, held + n);
}

bool amp_buffer_append(struct amp_buffer *buffer, const char *bytes, size_t n)
{
    if (n == 0)
        return true;
    if (!reserve(buffer, n))
        return false;
    memcpy(buffer->bytes + buffer->end, bytes, n);
    buffer->end += n;
    return true;
}

void amp_buffer_consume(struct amp_buffer *buffer, size_t n)
{
    buffer->start += n;
    if (buffer->start >= buffer->end)
        amp_buffer_clear(buffer);
}

void amp_buffer_clear(struct amp_buffer *buffer)
{
    buffer->start = buffer->end = 0;
}

void amp_buffer_free(struct amp_buffer *buffer)
{
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}
