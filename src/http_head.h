/*
 * Reads the head of a response line by line, and decides how its body is framed. The rules are
 * written down in spec/transport/framing.lua. Knows neither libcurl nor Lua.
 */
#ifndef AMP_HTTP_HEAD_H
#define AMP_HTTP_HEAD_H

#include "http_buffer.h"
#include "http_engine.h"
#include "http_inflate.h"

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

enum { AMP_MAX_HEAD = 64 * 1024 }; /* bytes, with interim responses and trailers */

enum amp_head_state {
    AMP_HEAD_STATUS, /* a status line comes next */
    AMP_HEAD_FIELDS,
    AMP_HEAD_DONE /* the final response's head; what still comes are trailers */
};

struct amp_head {
    struct amp_buffer fields; /* name NUL value NUL, each */
    enum amp_head_state state;
    size_t bytes;  /* of all lines */
    int version;   /* 10, 11, 20, 30 */
    long status;   /* of the final response, once DONE */
    double length; /* Content-Length; -1: none */
    enum amp_coding coding;
    bool chunked;
    bool framing;         /* the last field frames the body */
    bool secure, no_body; /* of the request: over TLS; HEAD */
    bool raw;             /* a coding we cannot decode was asked for */
    bool old;             /* HTTP/2 was not offered */
    enum amp_outcome fault;
    const char *reason; /* what the fault is */
};

/* Ready for a response; what concerns the request stays. */
void amp_head_reset(struct amp_head *head);

/* Takes a line with its end. False when it has a fault. */
bool amp_head_line(struct amp_head *head, const char *line, size_t n);

/* Steps through the fields: name in lower case and value; NULL begins and ends. */
const char *amp_head_next(const struct amp_head *head, const char *previous, const char **value);

#pragma GCC visibility pop

#endif
