/* What the engine's own files share. Nobody else includes this. */
#ifndef AMP_HTTP_INTERNAL_H
#define AMP_HTTP_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* epoll, timerfd, strdup and clocks under -std=c99 */
#endif

#include "http_buffer.h"
#include "http_engine.h"
#include "http_head.h"
#include "http_inflate.h"

#include <curl/curl.h>
#include <signal.h>
#include <time.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or newer is needed: older ones cannot be kept from sending a POST twice"
#endif

#if defined(__linux__) && !defined(AMP_NO_EPOLL)
#define AMP_EPOLL 1
#include <sys/epoll.h>
#endif

enum {
    AMP_ENOUGH = 64 * 1024,     /* a stream holding this much asks libcurl to pause */
    AMP_ERROR_BODY = 64 * 1024, /* bytes kept of an error's body */
    AMP_MAX_IDLE = 64,          /* easy handles kept for later requests */
    AMP_MAX_CONNECTIONS = 128,  /* connections kept for later requests */
    AMP_MAX_EVENTS = 64         /* taken from epoll at once */
};

struct amp_socket {
    int fd, port; /* port: the local one; 0: not asked for yet */
};

/* The open sockets. */
struct amp_sockets {
    struct amp_socket *list;
    size_t count, capacity;
};

struct amp_engine {
    CURLM *multi; /* NULL once closed */
    CURLSH *share;
    CURL *idle[AMP_MAX_IDLE];
    size_t idle_count;
    struct amp_sockets sockets;
    struct amp_transfer *running, *ready, **ready_end;
    double curl_due;                          /* when libcurl wants to be called; 0: never */
    bool tls;                                 /* a TLS library may write to the sockets */
    unsigned long generation, steps, last_id; /* generation: of the process that made it */
    size_t references;
    struct amp_engine_options options; /* strings are owned */
    char *bundle;    /* authorities that are read only where the hashed directory knows none */
    bool use_bundle; /* that was so once */
#ifdef AMP_EPOLL
    struct epoll_event events[AMP_MAX_EVENTS];
    int event_count; /* taken by a wait, not handled yet */
    bool blind;      /* the last step did not look for events */
    int epoll, timer;
    double armed;  /* when the timer goes off; 0: not at all */
    bool pollable; /* somebody polls from outside, so the timer must be right */
#endif
};

struct amp_transfer {
    struct amp_engine *engine;
    struct amp_transfer *next, **link; /* among the running; link is NULL for the others */
    struct amp_transfer *next_ready;
    CURL *easy; /* NULL before the start and after the end */
    struct curl_slist *header_lines;
    struct amp_head head;
    struct amp_queue body;         /* as it arrived, without the transfer coding */
    struct amp_inflater *inflater; /* NULL until a coded body is read */
    unsigned long id;
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
    bool sent, resent, head_taken, paused, wanted, ready;
};

/* Monotonic seconds. */
static inline double amp_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#if defined(__GNUC__)
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* http_options.c: an easy handle with everything set that all requests share; NULL: no memory. */
CURL *amp_easy_new(struct amp_engine *engine);

/* http_options.c: whether bytes wait to be read on the socket that is bound to this port. */
bool amp_socket_has_input(struct amp_engine *engine, int port);

/* http_options.c: which authorities are trusted, unless the options say so. */
void amp_choose_trust(struct amp_engine *engine);

/* http_options.c: gives this handle, and all later ones, the bundle too. */
void amp_widen_trust(struct amp_engine *engine, CURL *easy);

/* http_options.c: whether the file of the client's key is encrypted. */
bool amp_key_is_encrypted(const struct amp_engine_options *options);

/* http_transfer.c: called by the engine when libcurl or a deadline ended the transfer. */
void amp_transfer_finish(struct amp_transfer *transfer, CURLcode code);
void amp_transfer_fail(struct amp_transfer *transfer, enum amp_outcome outcome, const char *why);
double amp_transfer_expiry(const struct amp_transfer *transfer); /* 0: never */
void amp_transfer_expire(struct amp_transfer *transfer, double now);

/* http_engine.c: SIGPIPE is held back from the host between the two. */
struct amp_sigpipe {
    sigset_t before;
    bool pending, blocked;
};
void amp_block_sigpipe(const struct amp_engine *engine, struct amp_sigpipe *sigpipe);
void amp_restore_sigpipe(const struct amp_sigpipe *sigpipe);

/* http_engine.c */
CURL *amp_engine_borrow(struct amp_engine *engine);
void amp_engine_give_back(struct amp_engine *engine, CURL *easy);
void amp_engine_drop_idle(struct amp_engine *engine);
void amp_engine_push_ready(struct amp_transfer *transfer);
void amp_engine_drop_ready(struct amp_transfer *transfer);
void amp_engine_changed(struct amp_engine *engine); /* something outside a step made work */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
