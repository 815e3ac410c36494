/*
 * Decodes the content codings gzip and deflate (RFC 9110, 8.4.1), at most 64 KB at a time: who
 * reads decides how far a body unpacks. Knows neither libcurl nor Lua.
 */
#ifndef AMP_HTTP_INFLATE_H
#define AMP_HTTP_INFLATE_H

#include "http_buffer.h"
#include "http_engine.h"

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

/* AMP_UNKNOWN: of an error, whose body is left unread then. */
enum amp_coding { AMP_IDENTITY, AMP_GZIP, AMP_DEFLATE, AMP_UNKNOWN };

struct amp_inflater;

/* NULL when memory runs out. */
struct amp_inflater *amp_inflater_new(enum amp_coding coding);
void amp_inflater_free(struct amp_inflater *inflater);

/* Whether a pull can give bytes, once those decoded already are consumed. */
bool amp_inflater_has_more(const struct amp_inflater *inflater, const struct amp_queue *coded);

/*
 * Decodes once, which may give no bytes yet. Returns AMP_OPEN, or why the body cannot be decoded,
 * with the words for it.
 */
enum amp_outcome amp_inflater_pull(struct amp_inflater *inflater, struct amp_queue *coded,
                                   const char **why);

/* The decoded bytes that were not consumed. */
size_t amp_inflater_peek(const struct amp_inflater *inflater, const char **bytes);
void amp_inflater_consume(struct amp_inflater *inflater, size_t n);

/* Forgets the decoded bytes after the first n. */
void amp_inflater_cut(struct amp_inflater *inflater, size_t n);

/* Whether bytes have come but not the end, which both codings mark. */
bool amp_inflater_is_cut(const struct amp_inflater *inflater);

#pragma GCC visibility pop

#endif
