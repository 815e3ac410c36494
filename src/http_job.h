/*
 * The engine as its transfers see it, and a transfer as the engine sees it: a job, which is an easy
 * handle and what happens when it ends. Transfers include this; the engine knows no transfers.
 */
#ifndef AMP_HTTP_JOB_H
#define AMP_HTTP_JOB_H

#include "http_curl.h"
#include "http_engine.h"

#include <signal.h>

struct amp_job;

/* Called in a step, or when the engine is cancelled. */
struct amp_job_events {
    void (*finished)(struct amp_job *, CURLcode);                        /* libcurl ended it */
    void (*failed)(struct amp_job *, enum amp_outcome, const char *why); /* the engine ends it */
    double (*expiry)(const struct amp_job *);                            /* 0: never */
    void (*expired)(struct amp_job *, double now);                       /* the expiry has passed */
};

/* The first member of a transfer. */
struct amp_job {
    const struct amp_job_events *events;
    struct amp_engine *engine;
    struct amp_job *next, **link; /* among the running; link is NULL for the others */
    struct amp_job *next_ready;
    CURL *easy; /* NULL before the start and after the end */
    unsigned long id;
    bool stream, ready;
};

#if defined(__GNUC__)
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* Gives the job a number and keeps the engine alive until amp_engine_release(). */
void amp_job_init(struct amp_job *job, struct amp_engine *engine,
                  const struct amp_job_events *events);

/* Adds it to the running ones, without a handle: its expiry counts from now on. */
void amp_job_run(struct amp_job *job);

/* Gives it an easy handle, with all set that requests share. False when memory runs out. */
bool amp_job_take_handle(struct amp_job *job);

/* Lets libcurl work on the handle. `again`: once more, on a connection of its own. False when
 * memory runs out. */
bool amp_job_perform(struct amp_job *job, bool again);

/* Takes it from the running ones, and its handle away; `reusable`: another job may have that. */
void amp_job_stop(struct amp_job *job, bool reusable);

/* Whoever waits for the job is to be woken; or not any more. */
void amp_job_push_ready(struct amp_job *job);
void amp_job_drop_ready(struct amp_job *job);

/* Something outside a step made work, or another time to wake up at. */
void amp_engine_changed(struct amp_engine *engine);

/* A TLS library may write to the engine's sockets from now on. */
void amp_engine_expect_tls(struct amp_engine *engine);

const struct amp_engine_options *amp_engine_options(const struct amp_engine *engine);

/* Whether bytes wait to be read on the socket that is bound to this local port. */
bool amp_engine_has_input(struct amp_engine *engine, int port);

/* Whether the bundle of authorities was not read so far; and has it read, for this job and all
 * later ones. */
bool amp_engine_trust_is_narrow(const struct amp_engine *engine);
void amp_engine_widen_trust(struct amp_engine *engine, struct amp_job *job);

/* Whether the file of the client's key is encrypted. */
bool amp_key_is_encrypted(const struct amp_engine_options *options);

/* SIGPIPE is held back from the host between the two. */
struct amp_sigpipe {
    sigset_t before;
    bool pending, blocked;
};
void amp_block_sigpipe(const struct amp_engine *engine, struct amp_sigpipe *sigpipe);
void amp_restore_sigpipe(const struct amp_sigpipe *sigpipe);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif
