#include "http_internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libcurl has lost track of its sockets: without memory it cannot say of which. */
static void check(struct amp_engine *engine, CURLMcode code)
{
    struct amp_transfer *transfer, *next;

    if (code == CURLM_OK || code == CURLM_BAD_SOCKET)
        return;
    for (transfer = engine->running; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->easy)
            amp_transfer_fail(transfer, AMP_OVER_LIMIT, curl_multi_strerror(code));
    }
}

/* --- waiting: one epoll descriptor over libcurl's sockets and a timer --------------------------
 */

#ifdef AMP_EPOLL
#include <sys/timerfd.h>

static unsigned curl_to_epoll(int what)
{
    return (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0) |
           (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0);
}

static int epoll_to_curl(unsigned events)
{
    return (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
           (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
    struct amp_engine *engine = (struct amp_engine *)data;
    struct epoll_event event;

    (void)easy;
    memset(&event, 0, sizeof event);
    event.events = curl_to_epoll(what);
    event.data.fd = fd;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(engine->epoll, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    if (known && epoll_ctl(engine->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    curl_multi_assign(engine->multi, fd, engine); /* "known" from now on, until its removal */
    return epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    ((struct amp_engine *)data)->curl_due =
        milliseconds < 0 ? 0 : amp_now() + (double)milliseconds * 1e-3;
    return 0;
}

static bool open_poll(struct amp_engine *engine)
{
    struct epoll_event event;

    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    engine->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (engine->epoll < 0 || engine->timer < 0)
        return false;
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.fd = engine->timer;
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(engine->multi, CURLMOPT_SOCKETDATA, engine);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(engine->multi, CURLMOPT_TIMERDATA, engine);
    return epoll_ctl(engine->epoll, EPOLL_CTL_ADD, engine->timer, &event) == 0;
}

static void close_poll(struct amp_engine *engine)
{
    if (engine->epoll >= 0)
        close(engine->epoll);
    if (engine->timer >= 0)
        close(engine->timer);
    engine->epoll = engine->timer = -1;
}

static void take_events(struct amp_engine *engine, int milliseconds)
{
    int n = epoll_wait(engine->epoll, engine->events, AMP_MAX_EVENTS, milliseconds);
    engine->event_count = n > 0 ? n : 0;
}

static void wait_for_events(struct amp_engine *engine, int milliseconds)
{
    if (engine->event_count == 0)
        take_events(engine, milliseconds);
}

static void clear_timer(struct amp_engine *engine)
{
    unsigned long long expirations;

    if (read(engine->timer, &expirations, sizeof expirations) > 0)
        engine->armed = 0;
}

/* A step that libcurl's own time has made due, as the first one of a request is, need not look for
 * events; the next one does. */
static void look_for_events(struct amp_engine *engine)
{
    if (engine->event_count > 0)
        return;
    engine->blind = !engine->blind && engine->curl_due && engine->curl_due <= amp_now();
    if (!engine->blind)
        take_events(engine, 0);
}

static void run_curl(struct amp_engine *engine)
{
    int i, running;

    look_for_events(engine);
    for (i = 0; i < engine->event_count; i++) {
        const struct epoll_event *event = &engine->events[i];
        if (event->data.fd == engine->timer)
            clear_timer(engine);
        else
            check(engine, curl_multi_socket_action(engine->multi, event->data.fd,
                                                   epoll_to_curl(event->events), &running));
    }
    engine->event_count = 0;
    if (engine->curl_due && engine->curl_due <= amp_now()) {
        engine->curl_due = 0;
        check(engine, curl_multi_socket_action(engine->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    }
}

/* Makes the timer go off when the next step is due, unless it does so earlier anyhow. */
static void arm_timer(struct amp_engine *engine)
{
    double seconds = engine->pollable ? amp_engine_timeout(engine) : -1;
    double due = seconds < 0 ? 0 : amp_now() + seconds;
    struct itimerspec spec;

    if (seconds < 0 || (engine->armed && engine->armed <= due))
        return;
    memset(&spec, 0, sizeof spec);
    spec.it_value.tv_sec = (time_t)seconds;
    spec.it_value.tv_nsec = (long)((seconds - (double)spec.it_value.tv_sec) * 1e9) + 1;
    if (timerfd_settime(engine->timer, 0, &spec, NULL) == 0)
        engine->armed = due;
}

int amp_engine_pollfd(struct amp_engine *engine)
{
    engine->pollable = true;
    if (amp_engine_usable(engine))
        arm_timer(engine);
    return engine->epoll;
}

#else

static bool open_poll(struct amp_engine *engine)
{
    (void)engine;
    return true;
}

static void close_poll(struct amp_engine *engine)
{
    (void)engine;
}

static void wait_for_events(struct amp_engine *engine, int milliseconds)
{
    curl_multi_poll(engine->multi, NULL, 0, milliseconds < 0 ? 1000 : milliseconds, NULL);
}

static void run_curl(struct amp_engine *engine)
{
    int running;
    long milliseconds = -1;

    check(engine, curl_multi_perform(engine->multi, &running));
    curl_multi_timeout(engine->multi, &milliseconds);
    engine->curl_due = milliseconds < 0 ? 0 : amp_now() + (double)milliseconds * 1e-3;
}

static void arm_timer(struct amp_engine *engine)
{
    (void)engine;
}

int amp_engine_pollfd(struct amp_engine *engine)
{
    (void)engine;
    return -1;
}

#endif

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
    return open_poll(engine);
}

struct amp_engine *amp_engine_new(const struct amp_engine_options *options)
{
    struct amp_engine *engine = (struct amp_engine *)calloc(1, sizeof *engine);

    pthread_once(&once, init_once);
    if (!engine)
        return NULL;
#ifdef AMP_EPOLL
    engine->epoll = engine->timer = -1;
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
    while (engine->running)
        amp_transfer_cancel(engine->running);
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
    close_poll(engine);
}

void amp_engine_release(struct amp_engine *engine)
{
    if (--engine->references > 0)
        return;
    amp_engine_close(engine);
    free_options(&engine->options);
    free(engine->bundle);
    free(engine->sockets.list);
    free(engine);
}

/* --- steps -------------------------------------------------------------------------------------
 */

double amp_engine_timeout(const struct amp_engine *engine)
{
    const struct amp_transfer *transfer;
    double due = engine->curl_due, now;

    if (engine->ready)
        return 0;
    for (transfer = engine->running; transfer; transfer = transfer->next) {
        double expiry = amp_transfer_expiry(transfer);
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
        wait_for_events(engine, milliseconds(seconds));
}

static void collect(struct amp_engine *engine)
{
    int left;
    CURLMsg *message;

    while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
        struct amp_transfer *transfer = NULL;
        CURLcode code = message->data.result; /* the message dies with the handle's removal */
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        amp_transfer_finish(transfer, code);
    }
}

static void expire(struct amp_engine *engine)
{
    struct amp_transfer *transfer, *next;
    double now = amp_now();

    for (transfer = engine->running; transfer; transfer = next) {
        double expiry = amp_transfer_expiry(transfer);
        next = transfer->next;
        if (expiry && expiry <= now)
            amp_transfer_expire(transfer, now);
    }
}

void amp_engine_step(struct amp_engine *engine)
{
    struct amp_sigpipe sigpipe;

    if (!amp_engine_usable(engine))
        return;
    engine->steps++;
    amp_block_sigpipe(engine, &sigpipe);
    run_curl(engine);
    collect(engine);
    expire(engine);
    amp_restore_sigpipe(&sigpipe);
    arm_timer(engine);
}

bool amp_engine_due(struct amp_engine *engine)
{
    if (!amp_engine_usable(engine))
        return false;
    if (amp_engine_timeout(engine) == 0)
        return true;
#ifdef AMP_EPOLL
    if (engine->event_count == 0)
        take_events(engine, 0);
    return engine->event_count > 0;
#else
    return true;
#endif
}

void amp_engine_changed(struct amp_engine *engine)
{
    if (amp_engine_usable(engine))
        arm_timer(engine);
}

size_t amp_engine_streams(const struct amp_engine *engine)
{
    const struct amp_transfer *transfer;
    size_t count = 0;

    for (transfer = engine->running; transfer; transfer = transfer->next)
        count += transfer->stream;
    return count;
}

unsigned long amp_engine_steps(const struct amp_engine *engine)
{
    return engine->steps;
}

/* --- news --------------------------------------------------------------------------------------
 */

void amp_engine_push_ready(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    if (transfer->ready)
        return;
    transfer->ready = true;
    transfer->next_ready = NULL;
    *engine->ready_end = transfer;
    engine->ready_end = &transfer->next_ready;
}

void amp_engine_drop_ready(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;
    struct amp_transfer **link = &engine->ready;

    if (!transfer->ready)
        return;
    while (*link != transfer)
        link = &(*link)->next_ready;
    *link = transfer->next_ready;
    if (!*link)
        engine->ready_end = link;
    transfer->ready = false;
}

unsigned long amp_engine_pop_ready(struct amp_engine *engine)
{
    struct amp_transfer *first = engine->ready;

    if (!first)
        return 0;
    amp_engine_drop_ready(first);
    return first->id;
}

/* --- easy handles: setting one up costs more than a request ------------------------------------
 */

CURL *amp_engine_borrow(struct amp_engine *engine)
{
    return engine->idle_count ? engine->idle[--engine->idle_count] : amp_easy_new(engine);
}

void amp_engine_drop_idle(struct amp_engine *engine)
{
    while (engine->idle_count)
        curl_easy_cleanup(engine->idle[--engine->idle_count]);
}

void amp_engine_give_back(struct amp_engine *engine, CURL *easy)
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
