/* What http_engine.c and http_options.c share. Nobody else includes this. */
#ifndef AMP_HTTP_INTERNAL_H
#define AMP_HTTP_INTERNAL_H

#include "http_job.h"
#include "http_poll.h"

enum {
    AMP_KEEPALIVE = 60,       /* seconds after which an idle connection is probed */
    AMP_MAX_IDLE = 64,        /* easy handles kept for later requests */
    AMP_MAX_CONNECTIONS = 128 /* connections kept for later requests */
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
    struct amp_poll poll;
    struct amp_sockets sockets;
    struct amp_job *running, *ready, **ready_end;
    bool tls;                                 /* a TLS library may write to the sockets */
    unsigned long generation, steps, last_id; /* generation: of the process that made it */
    size_t references;
    struct amp_engine_options options; /* strings are owned */
    char *bundle;    /* authorities that are read only where the hashed directory knows none */
    bool use_bundle; /* that was so once */
};

#if defined(__GNUC__)
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* http_options.c: an easy handle with everything set that all requests share; NULL: no memory. */
CURL *amp_easy_new(struct amp_engine *engine);

/* http_options.c: which authorities are trusted, unless the options say so. */
void amp_choose_trust(struct amp_engine *engine);

/* http_engine.c */
void amp_engine_drop_idle(struct amp_engine *engine);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
