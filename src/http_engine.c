#include "http_internal.h"

/* --- waiting -----------------------------------------------------------------------------------
 */

/* When a step has something to do even without traffic; 0: never. */
static double next_due(const struct amp_engine *engine)
{
    double due = engine->poll.due;

    if (engine->ready)
        return amp_now();
    for (const struct amp_transfer *one = engine->running; one; one = one->next) {
        double expiry = amp_transfer_expiry(one);
        if (expiry && (!due || expiry < due))
            due = expiry;
    }
    return due;
}

static int milliseconds(double seconds)
{
    if (seconds > 1e6)
        return -1;
    return seconds > 0 ? (int)(seconds * 1e3 + 0.999)
                       : 0; /* rounded up, or the last one would spin */
}

void amp_engine_wait(struct amp_engine *engine, double seconds)
{
    double due = next_due(engine), left = due ? due - amp_now() : -1;

    if (seconds < 0)
        seconds = due ? left : 1e9;
    else if (due && left < seconds)
        seconds = left;
    if (amp_engine_usable(engine) && seconds > 0)
        amp_poll_wait(&engine->poll, milliseconds(seconds));
}

bool amp_engine_due(struct amp_engine *engine)
{
    if (!amp_engine_usable(engine))
        return false;
    double due = next_due(engine);
    return (due && due <= amp_now()) || amp_poll_has_events(&engine->poll);
}

int amp_engine_pollfd(struct amp_engine *engine)
{
    int fd = amp_poll_descriptor(&engine->poll);

    if (amp_engine_usable(engine))
        amp_poll_arm(&engine->poll, next_due(engine));
    return fd;
}

/* --- steps -------------------------------------------------------------------------------------
 */

/* libcurl has lost track of its sockets: without memory it cannot say of which. */
static void check(struct amp_engine *engine, CURLMcode code)
{
    struct amp_transfer *one, *next;

    if (code == CURLM_OK || code == CURLM_BAD_SOCKET)
        return;
    for (one = engine->running; one; one = next) {
        next = one->next;
        if (one->easy)
            amp_transfer_fail(one, AMP_OVER_LIMIT, curl_multi_strerror(code));
    }
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
    struct amp_transfer *one, *next;
    double now = amp_now();

    for (one = engine->running; one; one = next) {
        double expiry = amp_transfer_expiry(one);
        next = one->next;
        if (expiry && expiry <= now)
            amp_transfer_expire(one, now);
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
    amp_poll_arm(&engine->poll, next_due(engine));
}

void amp_engine_cancel(struct amp_engine *engine)
{
    struct amp_sigpipe sigpipe;

    amp_block_sigpipe(engine, &sigpipe);
    while (engine->running)
        amp_transfer_fail(engine->running, AMP_CANCELLED, "the request was cancelled");
    amp_restore_sigpipe(&sigpipe);
}

void amp_engine_close(struct amp_engine *engine)
{
    amp_engine_cancel(engine);
    amp_engine_shut(engine);
}

size_t amp_engine_streams(const struct amp_engine *engine)
{
    size_t count = 0;

    for (const struct amp_transfer *one = engine->running; one; one = one->next)
        count += one->stream;
    return count;
}

unsigned long amp_engine_steps(const struct amp_engine *engine)
{
    return engine->steps;
}
