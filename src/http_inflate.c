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

static int decode(struct amp_inflater *inflater, struct amp_queue *coded)
{
    z_stream *stream = &inflater->stream;
    const char *bytes = "";
    size_t n = amp_queue_peek(coded, &bytes);
    int code;

    if (!inflater->begun && !begin(inflater, *bytes))
        return Z_MEM_ERROR;
    if (inflater->ended && (inflater->coding != AMP_GZIP || *bytes != '\x1f'))
        return Z_DATA_ERROR;
    if (inflater->ended) /* gzip may have several members */
        inflateReset(stream);
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

bool amp_inflater_has_more(const struct amp_inflater *inflater, const struct amp_queue *coded)
{
    return coded->size > 0 || (inflater->full && !inflater->ended);
}

enum amp_outcome amp_inflater_pull(struct amp_inflater *inflater, struct amp_queue *coded,
                                   const char **why)
{
    switch (decode(inflater, coded)) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR:
        return AMP_OPEN;
    case Z_MEM_ERROR:
        *why = "out of memory";
        return AMP_OVER_LIMIT;
    default:
        *why = inflater->ended ? "the compressed body is followed by something else"
                               : "the compressed body is damaged";
        return AMP_PROTOCOL;
    }
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
