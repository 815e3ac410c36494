#include "http_internal.h"
#include "memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- SIGPIPE: a TLS library may write to a dead socket; the host keeps its handler -------------
 * libcurl's own writes raise no signal.
 */

void amp_block_sigpipe(const struct amp_engine *engine, struct amp_sigpipe *sigpipe)
{
    sigset_t pipe, pending;

    sigpipe->blocked = engine->tls;
    if (!sigpipe->blocked)
        return;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigemptyset(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &sigpipe->before);
    if (sigismember(&sigpipe->before, SIGPIPE) == 1) /* only then may one wait already */
        sigpending(&pending);
    sigpipe->pending = sigismember(&pending, SIGPIPE) == 1;
}

void amp_restore_sigpipe(const struct amp_sigpipe *sigpipe)
{
    sigset_t pipe, pending;
    int number;

    if (!sigpipe->blocked)
        return;
    sigpending(&pending);
    if (!sigpipe->pending && sigismember(&pending, SIGPIPE) == 1) {
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigwait(&pipe, &number);
    }
    pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}

/* --- life --------------------------------------------------------------------------------------
 */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned long generation; /* how many forks lie behind this process */

static void note_fork(void)
{
    generation++;
}

static void init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_atfork(NULL, NULL, note_fork);
}

static bool copy_string(const char **to)
{
    if (*to && !(*to = strdup(*to)))
        return false;
    return true;
}

/* All are tried, so that none stays the caller's. */
static bool copy_options(struct amp_engine_options *to, const struct amp_engine_options *from)
{
    bool ok;

    *to = *from;
    ok = copy_string(&to->ca_file);
    ok = copy_string(&to->ca_path) && ok;
    ok = copy_string(&to->client_cert) && ok;
    ok = copy_string(&to->client_key) && ok;
    ok = copy_string(&to->client_key_password) && ok;
    ok = copy_string(&to->http_proxy) && ok;
    return ok;
}

static void free_options(struct amp_engine_options *options)
{
    free((void *)options->ca_file);
    free((void *)options->ca_path);
    free((void *)options->client_cert);
    free((void *)options->client_key);
    free((void *)options->client_key_password);
    free((void *)options->http_proxy);
}

static bool open_multi(struct amp_engine *engine)
{
    engine->multi = curl_multi_init();
    engine->share = curl_share_init();
    if (!engine->multi || !engine->share)
        return false;
    curl_share_setopt(engine->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)AMP_MAX_CONNECTIONS);
    curl_multi_setopt(engine->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      engine->options.max_connections);
    return amp_poll_open(&engine->poll, engine->multi);
}

struct amp_engine *amp_engine_new(const struct amp_engine_options *options)
{
    struct amp_engine *engine = (struct amp_engine *)calloc(1, sizeof *engine);

    pthread_once(&once, init_once);
    if (!engine)
        return NULL;
#ifdef AMP_EPOLL
    engine->poll.epoll = engine->poll.timer = -1;
#endif
    engine->references = 1;
    engine->generation = generation;
    engine->ready_end = &engine->ready;
    if (copy_options(&engine->options, options) && open_multi(engine)) {
        amp_choose_trust(engine);
        return engine;
    }
    amp_engine_release(engine);
    return NULL;
}

bool amp_engine_usable(const struct amp_engine *engine)
{
    return engine->multi && engine->generation == generation;
}

void amp_engine_cancel(struct amp_engine *engine)
{
    struct amp_sigpipe sigpipe;

    amp_block_sigpipe(engine, &sigpipe);
    while (engine->running)
        engine->running->events->failed(engine->running, AMP_CANCELLED,
                                        "the request was cancelled");
    amp_restore_sigpipe(&sigpipe);
}

/* In the process that made it: say goodbye to the servers. */
static void close_curl(struct amp_engine *engine)
{
    struct amp_sigpipe sigpipe;

    amp_block_sigpipe(engine, &sigpipe);
    amp_engine_drop_idle(engine);
    curl_multi_cleanup(engine->multi);
    curl_share_cleanup(engine->share);
    amp_restore_sigpipe(&sigpipe);
}

/* In a child: libcurl's memory stays, for a clean-up would end the parent's TLS connections. */
static void abandon_curl(struct amp_engine *engine)
{
    size_t i;

    for (i = 0; i < engine->sockets.count; i++)
        close(engine->sockets.list[i].fd);
}

void amp_engine_close(struct amp_engine *engine)
{
    amp_engine_cancel(engine);
    if (amp_engine_usable(engine))
        close_curl(engine);
    else if (engine->multi)
        abandon_curl(engine);
    engine->multi = NULL;
    engine->share = NULL;
    amp_poll_close(&engine->poll);
}

void amp_engine_release(struct amp_engine *engine)
{
    if (--engine->references > 0)
        return;
    amp_engine_close(engine);
    free_options(&engine->options);
    free(engine->bundle);
    amp_free(&amp_libc_memory, engine->sockets.list, engine->sockets.capacity,
             sizeof *engine->sockets.list);
    free(engine);
}

/* --- steps -------------------------------------------------------------------------------------
 */

double amp_engine_timeout(const struct amp_engine *engine)
{
    double due = engine->poll.due, now;

    if (engine->ready)
        return 0;
    for (const struct amp_job *job = engine->running; job; job = job->next) {
        double expiry = job->events->expiry(job);
        if (expiry && (!due || expiry < due))
            due = expiry;
    }
    if (!due)
        return -1;
    now = amp_now();
    return due > now ? due - now : 0;
}

static int milliseconds(double seconds)
{
    if (seconds < 0 || seconds > 1e6)
        return -1;
    return (int)(seconds * 1e3 + 0.999); /* rounded up, or the last millisecond would spin */
}

void amp_engine_wait(struct amp_engine *engine, double seconds)
{
    double due = amp_engine_timeout(engine);

    if (due >= 0 && (seconds < 0 || due < seconds))
        seconds = due;
    if (amp_engine_usable(engine) && seconds != 0)
        amp_poll_wait(&engine->poll, milliseconds(seconds));
}

/* libcurl has lost track of its sockets: without memory it cannot say of which. */
static void check(struct amp_engine *engine, CURLMcode code)
{
    struct amp_job *job, *next;

    if (code == CURLM_OK || code == CURLM_BAD_SOCKET)
        return;
    for (job = engine->running; job; job = next) {
        next = job->next;
        if (job->easy)
            job->events->failed(job, AMP_OVER_LIMIT, curl_multi_strerror(code));
    }
}

static void collect(struct amp_engine *engine)
{
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        struct amp_job *job = NULL;
        CURLcode code = message->data.result; /* the message dies with the handle's removal */
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        job->events->finished(job, code);
    }
}

static void expire(struct amp_engine *engine)
{
    struct amp_job *job, *next;
    double now = amp_now();

    for (job = engine->running; job; job = next) {
        double expiry = job->events->expiry(job);
        next = job->next;
        if (expiry && expiry <= now)
            job->events->expired(job, now);
    }
}

void amp_engine_step(struct amp_engine *engine)
{
    struct amp_sigpipe sigpipe;

    if (!amp_engine_usable(engine))
        return;
    engine->steps++;
    amp_block_sigpipe(engine, &sigpipe);
    check(engine, amp_poll_perform(&engine->poll));
    collect(engine);
    expire(engine);
    amp_restore_sigpipe(&sigpipe);
    amp_engine_changed(engine);
}

bool amp_engine_due(struct amp_engine *engine)
{
    if (!amp_engine_usable(engine))
        return false;
    return amp_engine_timeout(engine) == 0 || amp_poll_has_events(&engine->poll);
}

int amp_engine_pollfd(struct amp_engine *engine)
{
    int fd = amp_poll_descriptor(&engine->poll);

    amp_engine_changed(engine);
    return fd;
}

void amp_engine_changed(struct amp_engine *engine)
{
    if (amp_engine_usable(engine))
        amp_poll_arm(&engine->poll, amp_engine_timeout(engine));
}

size_t amp_engine_streams(const struct amp_engine *engine)
{
    size_t count = 0;

    for (const struct amp_job *job = engine->running; job; job = job->next)
        count += job->stream;
    return count;
}

unsigned long amp_engine_steps(const struct amp_engine *engine)
{
    return engine->steps;
}

const struct amp_engine_options *amp_engine_options(const struct amp_engine *engine)
{
    return &engine->options;
}

void amp_engine_expect_tls(struct amp_engine *engine)
{
    engine->tls = true;
}

/* --- jobs that are ready -----------------------------------------------------------------------
 */

void amp_job_push_ready(struct amp_job *job)
{
    struct amp_engine *engine = job->engine;

    if (job->ready)
        return;
    job->ready = true;
    job->next_ready = NULL;
    *engine->ready_end = job;
    engine->ready_end = &job->next_ready;
}

void amp_job_drop_ready(struct amp_job *job)
{
    struct amp_engine *engine = job->engine;
    struct amp_job **link = &engine->ready;

    if (!job->ready)
        return;
    while (*link != job)
        link = &(*link)->next_ready;
    *link = job->next_ready;
    if (!*link)
        engine->ready_end = link;
    job->ready = false;
}

unsigned long amp_engine_pop_ready(struct amp_engine *engine)
{
    struct amp_job *first = engine->ready;

    if (!first)
        return 0;
    amp_job_drop_ready(first);
    return first->id;
}

/* --- easy handles: setting one up costs more than a request ------------------------------------
 */

void amp_engine_drop_idle(struct amp_engine *engine)
{
    while (engine->idle_count)
        curl_easy_cleanup(engine->idle[--engine->idle_count]);
}

static void keep_idle(struct amp_engine *engine, CURL *easy)
{
    if (engine->idle_count == AMP_MAX_IDLE) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    engine->idle[engine->idle_count++] = easy;
}

bool amp_job_take_handle(struct amp_job *job)
{
    struct amp_engine *engine = job->engine;

    job->easy = engine->idle_count ? engine->idle[--engine->idle_count] : amp_easy_new(engine);
    if (job->easy)
        curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    return job->easy != NULL;
}

/* --- jobs --------------------------------------------------------------------------------------
 */

void amp_job_init(struct amp_job *job, struct amp_engine *engine,
                  const struct amp_job_events *events)
{
    job->engine = engine;
    job->events = events;
    job->id = ++engine->last_id;
    engine->references++;
}

void amp_job_run(struct amp_job *job)
{
    struct amp_engine *engine = job->engine;

    job->next = engine->running;
    job->link = &engine->running;
    if (job->next)
        job->next->link = &job->next;
    engine->running = job;
}

bool amp_job_perform(struct amp_job *job, bool again)
{
    CURLM *multi = job->engine->multi;

    if (again)
        curl_multi_remove_handle(multi, job->easy);
    curl_easy_setopt(job->easy, CURLOPT_FRESH_CONNECT, again ? 1L : 0L);
    return curl_multi_add_handle(multi, job->easy) == CURLM_OK;
}

static void unlink_job(struct amp_job *job)
{
    if (!job->link)
        return;
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    job->link = NULL;
}

/* In a forked child the handle is left alone: it is tied to connections of the parent. */
void amp_job_stop(struct amp_job *job, bool reusable)
{
    CURL *easy = job->easy;

    unlink_job(job);
    job->easy = NULL;
    if (!easy || !amp_engine_usable(job->engine))
        return;
    curl_multi_remove_handle(job->engine->multi, easy);
    if (reusable)
        keep_idle(job->engine, easy);
    else
        curl_easy_cleanup(easy);
}
