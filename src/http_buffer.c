#include "http_buffer.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* --- a text ------------------------------------------------------------------------------------
 */

bool amp_buffer_append(struct amp_buffer *buffer, const char *bytes, size_t n)
{
    if (n == 0)
        return true;
    if (buffer->capacity - buffer->size < n) {
        void *grown =
            amp_grow(&amp_libc_memory, buffer->bytes, &buffer->capacity, buffer->size + n, 1);
        if (!grown)
            return false;
        buffer->bytes = (char *)grown;
    }
    memcpy(buffer->bytes + buffer->size, bytes, n);
    buffer->size += n;
    return true;
}

void amp_buffer_free(struct amp_buffer *buffer)
{
    amp_free(&amp_libc_memory, buffer->bytes, buffer->capacity, 1);
    memset(buffer, 0, sizeof *buffer);
}

/* --- a queue -----------------------------------------------------------------------------------
 */

enum { BLOCK = 16 * 1024 }; /* bytes in a block, if not more came at once */

struct amp_block {
    struct amp_block *next;
    size_t start, end, capacity;
};

static char *bytes_of(struct amp_block *block)
{
    return (char *)(block + 1);
}

static bool add_block(struct amp_queue *queue, size_t capacity)
{
    struct amp_block *block = (struct amp_block *)malloc(sizeof *block + capacity);

    if (!block)
        return false;
    block->next = NULL;
    block->start = block->end = 0;
    block->capacity = capacity;
    if (queue->last)
        queue->last->next = block;
    else
        queue->first = block;
    queue->last = block;
    return true;
}

bool amp_queue_append(struct amp_queue *queue, const char *bytes, size_t n)
{
    struct amp_block *last = queue->last;

    if (n == 0)
        return true;
    if (!last || last->capacity - last->end < n) {
        if (!add_block(queue, n > BLOCK ? n : (size_t)BLOCK))
            return false;
        last = queue->last;
    }
    memcpy(bytes_of(last) + last->end, bytes, n);
    last->end += n;
    queue->size += n;
    return true;
}

size_t amp_queue_peek(const struct amp_queue *queue, const char **bytes)
{
    struct amp_block *first = queue->first;

    if (!first)
        return 0;
    *bytes = bytes_of(first) + first->start;
    return first->end - first->start;
}

static void drop_block(struct amp_queue *queue)
{
    struct amp_block *first = queue->first;

    queue->first = first->next;
    if (!queue->first)
        queue->last = NULL;
    free(first);
}

void amp_queue_consume(struct amp_queue *queue, size_t n)
{
    queue->size -= n;
    if (!queue->first)
        return;
    queue->first->start += n;
    if (queue->first->start == queue->first->end)
        drop_block(queue);
}

void amp_queue_free(struct amp_queue *queue)
{
    while (queue->first)
        drop_block(queue);
    queue->size = 0;
}
