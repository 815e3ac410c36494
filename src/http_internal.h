/*
 * What the http_*.c files share. Each layer calls those below it alone:
 *
 *   http_engine.c     steps, waiting, cancelling: all transfers of an engine
 *   http_transfer.c   one request and its response
 *   http_multi.c      libcurl's handles, SIGPIPE, forks; http_options.c: sockets, trust, TLS
 */
#ifndef AMP_HTTP_INTERNAL_H
#define AMP_HTTP_INTERNAL_H

#include "http_curl.h"
#include "http_engine.h"
#include "http_head.h"
#include "http_inflate.h"
#include "http_poll.h"
#include "memory.h"

#include <signal.h>

enum {
    AMP_KEEPALIVE = 60,       /* seconds after which an idle connection is probed */
    AMP_MAX_IDLE = 64,        /* easy handles kept for later requests */
    AMP_MAX_CONNECTIONS = 128 /* connections kept for later requests */
};

struct amp_socket {
    int fd, port; /* port: the local one; 0: not asked for yet */
};

struct amp_engine {
    CURLM *multi; /* NULL once closed */
    CURLSH *share;
    CURL *idle[AMP_MAX_IDLE];
    size_t idle_count;
    struct amp_poll poll;
    struct amp_vector sockets; /* of struct amp_socket: the open ones */
    struct amp_transfer *running, *ready, **ready_end;
    bool tls;                                 /* a TLS library may write to the sockets */
    unsigned long generation, steps, last_id; /* generation: of the process that made it */
    size_t references;
    struct amp_engine_options options; /* strings are owned */
    char *bundle;    /* authorities that are read only where the hashed directory knows none */
    bool use_bundle; /* that was so once */
};

struct amp_transfer {
    struct amp_engine *engine;
    struct amp_transfer *next, **link; /* among the running; link is NULL for the others */
    struct amp_transfer *next_ready;
    CURL *easy; /* NULL before the start and after the end */
    unsigned long id;
    struct curl_slist *header_lines;
    struct amp_head head;
    struct amp_queue body;         /* as it arrived, without the transfer coding */
    struct amp_inflater *inflater; /* NULL until a coded body is read */
    double deadline, quiet_since, timeout, read_timeout;
    double received, decoded, max_bytes;
    curl_off_t uploaded;
    enum amp_outcome outcome, fault; /* fault: found inside a callback, becomes the outcome */
    const char *proxy;               /* NULL: what the environment says; "": none */
    char reason[96];                 /* what the fault is */
    char detail[CURL_ERROR_SIZE];
    bool stream, resend, own_encoding, own_type; /* of the request */
    bool stale_connection;                       /* the server had spoken on it unasked */
    bool narrow_trust;                           /* the bundle was not read */
    bool sent, resent, final;                    /* final: trying again cannot help */
    bool head_taken, paused, wanted, is_ready;   /* is_ready: among the ready ones */
};

#pragma GCC visibility push(hidden) /* also where the build gives no flags */

/* --- http_multi.c ------------------------------------------------------------------------------
 */

/* An easy handle with everything set that all requests share; NULL: no memory. */
CURL *amp_engine_take_handle(struct amp_engine *engine);

/* Takes it from libcurl; `reusable`: for another request. */
void amp_engine_give_handle(struct amp_engine *engine, CURL *easy, bool reusable);
void amp_engine_drop_idle(struct amp_engine *engine);

/* Gives back all of libcurl's, when no transfer is under way. */
void amp_engine_shut(struct amp_engine *engine);

/* SIGPIPE is held back from the host between the two. */
struct amp_sigpipe {
    sigset_t before;
    bool pending, blocked;
};
void amp_block_sigpipe(const struct amp_engine *engine, struct amp_sigpipe *sigpipe);
void amp_restore_sigpipe(const struct amp_sigpipe *sigpipe);

/* --- http_options.c ----------------------------------------------------------------------------
 */

/* NULL: no memory. */
CURL *amp_easy_new(struct amp_engine *engine);

/* Which authorities are trusted, unless the options say so. */
void amp_choose_trust(struct amp_engine *engine);

/* Has the bundle of authorities read, too, for this handle and all later ones. */
void amp_widen_trust(struct amp_engine *engine, CURL *easy);

/* Whether bytes wait to be read on the socket that is bound to this local port. */
bool amp_engine_has_input(struct amp_engine *engine, int port);

/* Whether the file of the client's key is encrypted. */
bool amp_key_is_encrypted(const struct amp_engine_options *options);

/* --- http_transfer.c: in a step ----------------------------------------------------------------
 */

/* libcurl has ended it. */
void amp_transfer_finish(struct amp_transfer *transfer, CURLcode code);

/* The engine ends it. */
void amp_transfer_fail(struct amp_transfer *transfer, enum amp_outcome outcome, const char *why);

/* When it ends unless something happens; 0: never. And that this time has come. */
double amp_transfer_expiry(const struct amp_transfer *transfer);
void amp_transfer_expire(struct amp_transfer *transfer, double now);

#pragma GCC visibility pop

#endif
