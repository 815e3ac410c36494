/*
 * A response's head, line by line: whatever comes, it ends in one state, and its fields are texts.
 * The same bytes through the inflater, whole and byte by byte: the same text, or the same refusal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_buffer.c"
#include "http_head.c"
#include "http_inflate.c"

static void read_head(const char *bytes, size_t size)
{
    const char *line = bytes, *end = bytes + size, *stop, *name = NULL, *value = NULL;
    struct amp_head head;
    size_t fields = 0;

    memset(&head, 0, sizeof head);
    amp_head_reset(&head);
    head.secure = size & 1;
    head.no_body = size & 2;
    head.raw = size & 4;
    head.old = size & 8;
    while ((stop = (const char *)memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (!amp_head_line(&head, line, (size_t)(stop + 1 - line)))
            break;
        line = stop + 1;
    }
    if (head.fault && !head.reason)
        abort();
    while (!head.fault && (name = amp_head_next(&head, name, &value)) != NULL)
        fields += strlen(name) + strlen(value) + 2;
    if (!head.fault && fields != head.fields.size)
        abort();
    if (head.state == AMP_HEAD_DONE && !head.fault && (head.status < 200 || head.status > 999))
        abort();
    amp_buffer_free(&head.fields);
}

/* Appends at most 1 MB of what the bytes unpack to; returns why it ended. */
static enum amp_outcome inflate_steps(const char *bytes, size_t size, size_t step,
                                      struct amp_buffer *text)
{
    struct amp_inflater *inflater = amp_inflater_new(size & 1 ? AMP_GZIP : AMP_DEFLATE);
    struct amp_queue queue = {NULL, NULL, 0};
    enum amp_outcome outcome = AMP_OPEN;
    const char *why = NULL, *piece;
    size_t at, n;

    for (at = 0; at < size && outcome == AMP_OPEN; at += step) {
        amp_queue_append(&queue, bytes + at, size - at < step ? size - at : step);
        while (amp_inflater_has_more(inflater, &queue) && outcome == AMP_OPEN &&
               text->size < 1 << 20) {
            outcome = amp_inflater_pull(inflater, &queue, &why);
            n = amp_inflater_peek(inflater, &piece);
            amp_buffer_append(text, piece, n);
            amp_inflater_consume(inflater, n);
        }
    }
    if (outcome != AMP_OPEN && !why)
        abort();
    amp_queue_free(&queue);
    amp_inflater_free(inflater);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct amp_buffer whole = {NULL, 0, 0}, bytewise = {NULL, 0, 0};
    const char *bytes = (const char *)data;

    read_head(bytes, size);
    if (inflate_steps(bytes, size, size + 1, &whole) != inflate_steps(bytes, size, 1, &bytewise))
        abort();
    if (whole.size != bytewise.size && whole.size < 1 << 20 && bytewise.size < 1 << 20)
        abort();
    amp_buffer_free(&whole);
    amp_buffer_free(&bytewise);
    return 0;
}
