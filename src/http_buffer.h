/* Two containers of bytes: a text that grows, and a queue of what arrives and is taken. */
#ifndef AMP_HTTP_BUFFER_H
#define AMP_HTTP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

struct amp_buffer {
    char *bytes;
    size_t size, capacity;
};

/* False when memory runs out; nothing was appended then. */
bool amp_buffer_append(struct amp_buffer *buffer, const char *bytes, size_t n);
void amp_buffer_free(struct amp_buffer *buffer);

/* Held in blocks, each given back as soon as it has been taken. */
struct amp_queue {
    struct amp_block *first, *last;
    size_t size;
};

/* False when memory runs out; nothing was appended then. */
bool amp_queue_append(struct amp_queue *queue, const char *bytes, size_t n);

/* How many bytes lie together at the front, and where; 0 when the queue is empty. */
size_t amp_queue_peek(const struct amp_queue *queue, const char **bytes);

/* Takes bytes that amp_queue_peek() has shown. */
void amp_queue_consume(struct amp_queue *queue, size_t n);
void amp_queue_free(struct amp_queue *queue);

#pragma GCC visibility pop

#endif
