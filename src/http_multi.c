#include "http_internal.h"

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
    /* CURLMOPT_QUICK_EXIT: from 8.20 on the resolver's threads belong to the multi handle. Before
     * that there is no such option. */
    curl_multi_setopt(engine->multi, (CURLMoption)21, 1L);
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
    engine->sockets.size = sizeof(struct amp_socket);
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
    const struct amp_socket *sockets = (const struct amp_socket *)engine->sockets.items;

    for (size_t i = 0; i < engine->sockets.used; i++)
        close(sockets[i].fd);
}

void amp_engine_shut(struct amp_engine *engine)
{
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
    amp_engine_shut(engine);
    free_options(&engine->options);
    free(engine->bundle);
    amp_vector_free(&amp_libc_memory, &engine->sockets);
    free(engine);
}

/* --- easy handles: setting one up costs more than a request ------------------------------------
 */

void amp_engine_drop_idle(struct amp_engine *engine)
{
    while (engine->idle_count)
        curl_easy_cleanup(engine->idle[--engine->idle_count]);
}

CURL *amp_engine_take_handle(struct amp_engine *engine)
{
    return engine->idle_count ? engine->idle[--engine->idle_count] : amp_easy_new(engine);
}

void amp_engine_give_handle(struct amp_engine *engine, CURL *easy, bool reusable)
{
    curl_multi_remove_handle(engine->multi, easy);
    if (!reusable || engine->idle_count == AMP_MAX_IDLE) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    engine->idle[engine->idle_count++] = easy;
}
