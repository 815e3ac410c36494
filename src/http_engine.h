/*
 * The HTTP engine: many requests at once over libcurl's multi interface. It knows no Lua.
 *
 * An engine belongs to the thread and the process that made it. Nothing here waits except
 * amp_engine_wait(); everything else happens in amp_engine_step(). A transfer keeps its
 * engine alive, so the two may be released in any order.
 */
#ifndef AMP_HTTP_ENGINE_H
#define AMP_HTTP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

struct amp_engine;
struct amp_transfer;

/* Why a transfer ended. Everything but AMP_DONE is a failure. */
enum amp_outcome {
    AMP_OPEN, /* not ended yet */
    AMP_DONE,
    AMP_RESOLVE,
    AMP_CONNECT,
    AMP_TLS,
    AMP_TIMEOUT,
    AMP_CLOSED,
    AMP_PROTOCOL,
    AMP_OVER_LIMIT,
    AMP_CANCELLED
};

/* Strings may be NULL; they are copied where they must outlive the call. */
struct amp_engine_options {
    const char *ca_file;
    const char *ca_path;
    const char *client_cert;
    const char *client_key;
    const char *client_key_password;
    const char *http_proxy;
    long http_version;    /* 0: HTTP/2 where TLS offers it; 1: HTTP/1.1 only */
    long max_connections; /* 0: no bound */
    bool no_keepalive;    /* idle connections are not probed */
    bool insecure;        /* neither certificate nor host name is checked */
};

struct amp_request {
    const char *method;
    const char *url;
    const char *body; /* NULL: none; is not copied: stays until the transfer is released */
    size_t body_length;
    double timeout;         /* seconds for everything; 0: no bound */
    double connect_timeout; /* seconds until the request can be written; 0: no bound */
    double read_timeout;    /* seconds without a byte while somebody waits; 0: no bound */
    double max_bytes;       /* of the decoded body; 0: no bound */
    bool stream;            /* own HTTP/1.1 connection, pauses when the caller does not read */
    bool resend; /* libcurl may send the request again by itself, once; also over HTTP/2 */
    bool direct; /* through no proxy */
};

/* How a transfer stands; once the outcome is not AMP_OPEN it stays so. */
struct amp_result {
    unsigned long id; /* its number within the engine, from 1 */
    enum amp_outcome outcome;
    const char *message; /* one line for people, "" unless it failed; the transfer's */
    bool sent;           /* the server may have seen the request */
    bool final;          /* another try would fail likewise, whatever the outcome */
    bool resent;         /* libcurl sent the request a second time, which it does once at most */
};

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

/* NULL when memory or descriptors run out. */
struct amp_engine *amp_engine_new(const struct amp_engine_options *options);

/* Ends every transfer with AMP_CANCELLED. */
void amp_engine_cancel(struct amp_engine *engine);

/* The same, and gives back all but the struct itself. */
void amp_engine_close(struct amp_engine *engine);

/* Gives up the caller's reference. */
void amp_engine_release(struct amp_engine *engine);

/* False after amp_engine_close() and in a child of the process that made the engine. */
bool amp_engine_usable(const struct amp_engine *engine);

/* A descriptor that is readable when a step has something to do; -1 without epoll. */
int amp_engine_pollfd(struct amp_engine *engine);

/* Waits until there is something to do, `seconds` are over (-1: no bound) or a signal came. */
void amp_engine_wait(struct amp_engine *engine, double seconds);

/* True when a step has something to do now. */
bool amp_engine_due(struct amp_engine *engine);

/* Moves all transfers as far as they go without waiting. */
void amp_engine_step(struct amp_engine *engine);

/* How many streams are under way: each holds a connection. */
size_t amp_engine_streams(const struct amp_engine *engine);

/* How many steps there were: shows whether somebody still drives the engine. */
unsigned long amp_engine_steps(const struct amp_engine *engine);

/* The number of a transfer that is ready for whoever waits for it, each once; 0: no more. */
unsigned long amp_engine_pop_ready(struct amp_engine *engine);

/* --- one transfer: new, header…, start, then want and peek until the end, release ------------ */

/* NULL when memory runs out or the engine is not usable. */
struct amp_transfer *amp_transfer_new(struct amp_engine *engine);

/* Stops it where it stands and frees it. */
void amp_transfer_release(struct amp_transfer *transfer);

/* False when memory runs out. The name and the value are free of control characters. */
bool amp_transfer_header(struct amp_transfer *transfer, const char *name, const char *value);

/* A failure is the transfer's outcome. */
void amp_transfer_start(struct amp_transfer *transfer, const struct amp_request *request);

/* Instead of a start: it ends with AMP_TIMEOUT after this many seconds, and does nothing else. */
void amp_transfer_alarm(struct amp_transfer *transfer, double seconds);

/*
 * Says that somebody waits for it. True when there is nothing to wait for: the transfer has
 * ended, or it is a stream and its head, or after amp_transfer_status() its bytes, are there.
 */
bool amp_transfer_want(struct amp_transfer *transfer);

/* The final status once the response's head is complete, else 0. */
long amp_transfer_status(struct amp_transfer *transfer);

/* Steps through the response's headers: name in lower case and value; NULL begins and ends. */
const char *amp_transfer_next_header(const struct amp_transfer *transfer, const char *previous,
                                     const char **value);

/* The body's bytes that have arrived and were not consumed. */
size_t amp_transfer_peek(struct amp_transfer *transfer, const char **bytes);
void amp_transfer_consume(struct amp_transfer *transfer, size_t n);

struct amp_result amp_transfer_result(const struct amp_transfer *transfer);

/* Sets the seconds left in all; 0: no bound. */
void amp_transfer_deadline(struct amp_transfer *transfer, double seconds);

/* Ends it with AMP_CANCELLED, unless it has ended. */
void amp_transfer_cancel(struct amp_transfer *transfer);

/* Names of the libraries in use; `tls` is NULL for a libcurl without TLS. They live as long as
 * libcurl. */
void amp_library_versions(const char **libcurl, const char **tls);

#pragma GCC visibility pop

#endif
