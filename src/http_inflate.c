#include "http_inflate.h"

#include <stdlib.h>
#include <zlib.h>

enum { PIECE = 64 * 1024 };

struct amp_inflater {
    z_stream stream;
    enum amp_coding coding;
    bool begun, ended, full; /* full: zlib may hold more output */
    size_t start, end;
    char decoded[PIECE];
};

struct amp_inflater *amp_inflater_new(enum amp_coding coding)
{
    struct amp_inflater *inflater = (struct amp_inflater *)calloc(1, sizeof *inflater);

    if (inflater)
        inflater->coding = coding;
    return inflater;
}

void amp_inflater_free(struct amp_inflater *inflater)
{
    if (inflater && inflater->begun)
        inflateEnd(&inflater->stream);
    free(inflater);
}

/* "deflate" means the zlib format, but some servers send it bare: no bare stream that a compressor
 * writes begins as the zlib format does. */
static bool begin(struct amp_inflater *inflater, char first)
{
    int bits = inflater->coding == AMP_GZIP ? 16 + MAX_WBITS
               : (first & 0x0f) == 8        ? MAX_WBITS
                                            : -MAX_WBITS;

    inflater->begun = inflateInit2(&inflater->stream, bits) == Z_OK;
    return inflater->begun;
}

static int decode(struct amp_inflater *inflater, struct amp_queue *coded, const char *bytes,
                  size_t n)
{
    z_stream *stream = &inflater->stream;
    int code;

    stream->next_in = (Bytef *)bytes;
    stream->avail_in = (uInt)n;
    stream->next_out = (Bytef *)inflater->decoded;
    stream->avail_out = PIECE;
    code = inflate(stream, Z_NO_FLUSH);
    amp_queue_consume(coded, n - stream->avail_in);
    inflater->start = 0;
    inflater->end = PIECE - stream->avail_out;
    inflater->full = stream->avail_out == 0;
    inflater->ended = code == Z_STREAM_END;
    return code;
}

enum amp_outcome amp_inflater_pull(struct amp_inflater *inflater, struct amp_queue *coded,
                                   const char **why)
{
    const char *bytes = "";

    while (inflater->start == inflater->end) {
        size_t n = amp_queue_peek(coded, &bytes);
        if (n == 0 && (inflater->ended || !inflater->full))
            return AMP_OPEN;
        if (inflater->ended) {
            *why = "the compressed body is followed by something else";
            return AMP_PROTOCOL;
        }
        int code = inflater->begun || begin(inflater, *bytes) ? decode(inflater, coded, bytes, n)
                                                              : Z_MEM_ERROR;
        if (code == Z_MEM_ERROR) {
            *why = "out of memory";
            return AMP_OVER_LIMIT;
        }
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            *why = "the compressed body is damaged";
            return AMP_PROTOCOL;
        }
    }
    return AMP_OPEN;
}

size_t amp_inflater_peek(const struct amp_inflater *inflater, const char **bytes)
{
    *bytes = inflater->decoded + inflater->start;
    return inflater->end - inflater->start;
}

void amp_inflater_consume(struct amp_inflater *inflater, size_t n)
{
    inflater->start += n;
}

void amp_inflater_cut(struct amp_inflater *inflater, size_t n)
{
    inflater->end = inflater->start + n;
}

bool amp_inflater_is_cut(const struct amp_inflater *inflater)
{
    return inflater->begun && !inflater->ended;
}
