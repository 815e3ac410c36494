#include "http_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ENOUGH = 64 * 1024,    /* a stream holding this much asks libcurl to pause */
    ERROR_BODY = 64 * 1024 /* bytes kept of an error's body */
};

/* --- readiness ---------------------------------------------------------------------------------
 */

static bool has_head(const struct amp_transfer *transfer)
{
    return transfer->head.state == AMP_HEAD_DONE;
}

/* Bytes of the body that have arrived; those of a coded one may turn out to be none decoded. */
static bool has_body(const struct amp_transfer *transfer)
{
    const char *bytes;

    return transfer->body.size > 0 ||
           (transfer->inflater && amp_inflater_peek(transfer->inflater, &bytes) > 0);
}

static bool is_ready(const struct amp_transfer *transfer)
{
    if (transfer->outcome != AMP_OPEN)
        return true;
    if (!transfer->stream || !has_head(transfer))
        return false;
    return !transfer->head_taken || has_body(transfer);
}

static void push_ready(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    if (transfer->is_ready)
        return;
    transfer->is_ready = true;
    transfer->next_ready = NULL;
    *engine->ready_end = transfer;
    engine->ready_end = &transfer->next_ready;
}

static void drop_ready(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;
    struct amp_transfer **link = &engine->ready;

    if (!transfer->is_ready)
        return;
    while (*link != transfer)
        link = &(*link)->next_ready;
    *link = transfer->next_ready;
    if (!*link)
        engine->ready_end = link;
    transfer->is_ready = false;
}

unsigned long amp_engine_pop_ready(struct amp_engine *engine)
{
    struct amp_transfer *first = engine->ready;

    if (!first)
        return 0;
    drop_ready(first);
    return first->id;
}

/* Wakes the waiting caller, once. */
static void announce(struct amp_transfer *transfer)
{
    if (!transfer->wanted || !is_ready(transfer))
        return;
    transfer->wanted = false;
    push_ready(transfer);
}

/* Outside of a step there is another time to wake an event loop at. */
static void arm(const struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    if (!amp_engine_usable(engine))
        return;
    amp_poll_arm(&engine->poll, engine->ready ? amp_now() : amp_transfer_expiry(transfer));
    amp_poll_arm(&engine->poll, engine->poll.due);
}

/* --- libcurl's callbacks: they store bytes and find faults, nothing else -----------------------
 */

static bool fault(struct amp_transfer *transfer, enum amp_outcome outcome, const char *reason)
{
    transfer->fault = outcome;
    snprintf(transfer->reason, sizeof transfer->reason, "%s", reason);
    return false;
}

/* How many bytes of the body may come, before and after decoding; 0: no bound. */
static double body_limit(const struct amp_transfer *transfer)
{
    double most = transfer->max_bytes;

    return transfer->head.status < 300 || (most && most < ERROR_BODY) ? most : (double)ERROR_BODY;
}

static void word_limit(const struct amp_transfer *transfer, char *text, size_t size)
{
    if (transfer->head.status < 300)
        snprintf(text, size, "the response is longer than max_bytes (%.0f)", transfer->max_bytes);
    else
        snprintf(text, size, "the error's body is longer than %.0f bytes", body_limit(transfer));
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;
    struct amp_head *head = &transfer->head;

    (void)size;
    transfer->quiet_since = amp_now();
    if (!amp_head_line(head, line, n)) {
        fault(transfer, head->fault, head->reason);
        return 0;
    }
    announce(transfer);
    return n;
}

/* What exceeds an error's body is cut, what came until then is kept. */
static bool take_body(struct amp_transfer *transfer, const char *bytes, size_t n)
{
    double limit = body_limit(transfer), left = limit - transfer->received;
    bool is_over = limit && (double)n > left;

    if (is_over && transfer->head.status < 300)
        left = 0;
    if (is_over)
        n = (size_t)left;
    if (transfer->head.coding != AMP_UNKNOWN && !amp_queue_append(&transfer->body, bytes, n))
        return fault(transfer, AMP_OVER_LIMIT, "out of memory");
    transfer->received += (double)n;
    transfer->quiet_since = amp_now();
    announce(transfer);
    if (!is_over)
        return true;
    transfer->fault = AMP_OVER_LIMIT;
    word_limit(transfer, transfer->reason, sizeof transfer->reason);
    return false;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;

    (void)size;
    if (transfer->stream && transfer->body.size >= ENOUGH) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    return take_body(transfer, bytes, n) ? n : 0;
}

/* Over HTTP/2 libcurl silently repeats what a server refused: not for what may be sent
 * but once. Without TLS no server is asked for HTTP/2, and libcurl would have the others wait for
 * the first one's answer to find out. */
static long http_version(const struct amp_transfer *transfer)
{
    if (transfer->stream || !transfer->resend || !transfer->head.secure ||
        transfer->engine->options.http_version == 1)
        return CURL_HTTP_VERSION_1_1;
    return CURL_HTTP_VERSION_2TLS;
}

/* Whether the connection has been used before and the server has said something since. With HTTP/2
 * it may; with HTTP/1 its reader takes it for the answer to the next request. */
static bool spoke_unasked(const struct amp_transfer *transfer, int port)
{
    long opened = 1;

    if (http_version(transfer) != CURL_HTTP_VERSION_1_1)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened);
    return !opened && amp_engine_has_input(transfer->engine, port);
}

/*
 * Called when a connection stands and the request is about to be written. A second call means
 * that the first connection died without an answer: then the server may have acted already.
 */
static int on_connected(void *data, char *ip, char *local_ip, int port, int local_port)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;

    (void)ip, (void)local_ip, (void)port;
    if (transfer->sent && (!transfer->resend || transfer->resent)) {
        fault(transfer, AMP_CLOSED, "the connection was closed before an answer came");
        return CURL_PREREQFUNC_ABORT;
    }
    if (spoke_unasked(transfer, local_port)) {
        transfer->stale_connection = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->resent = transfer->sent;
    transfer->sent = true;
    transfer->quiet_since = amp_now();
    return CURL_PREREQFUNC_OK;
}

/* --- birth and death ---------------------------------------------------------------------------
 */

struct amp_transfer *amp_transfer_new(struct amp_engine *engine)
{
    struct amp_transfer *transfer;

    if (!amp_engine_usable(engine))
        return NULL;
    transfer = (struct amp_transfer *)calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->engine = engine;
    transfer->id = ++engine->last_id;
    engine->references++;
    amp_head_reset(&transfer->head);
    return transfer;
}

static void run(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    transfer->next = engine->running;
    transfer->link = &engine->running;
    if (transfer->next)
        transfer->next->link = &transfer->next;
    engine->running = transfer;
}

/* A handle whose connection died is not used again: libcurl counts in it how often that happened.
 * In a forked child it is left alone: it is tied to connections of the parent. */
static void detach(struct amp_transfer *transfer)
{
    if (transfer->link)
        *transfer->link = transfer->next;
    if (transfer->link && transfer->next)
        transfer->next->link = transfer->link;
    transfer->link = NULL;
    if (transfer->easy && amp_engine_usable(transfer->engine))
        amp_engine_give_handle(transfer->engine, transfer->easy, !transfer->resent);
    transfer->easy = NULL;
    curl_slist_free_all(transfer->header_lines);
    transfer->header_lines = NULL;
}

static void end(struct amp_transfer *transfer, enum amp_outcome outcome)
{
    detach(transfer);
    transfer->outcome = outcome;
    announce(transfer);
}

void amp_transfer_fail(struct amp_transfer *transfer, enum amp_outcome outcome, const char *why)
{
    detach(transfer);
    snprintf(transfer->detail, sizeof transfer->detail, "%s", why);
    end(transfer, outcome);
}

/* The same outside of a step. */
static void stop(struct amp_transfer *transfer, enum amp_outcome outcome, const char *why)
{
    struct amp_sigpipe sigpipe;

    amp_block_sigpipe(transfer->engine, &sigpipe);
    amp_transfer_fail(transfer, outcome, why);
    amp_restore_sigpipe(&sigpipe);
    arm(transfer);
}

void amp_transfer_cancel(struct amp_transfer *transfer)
{
    if (transfer->outcome == AMP_OPEN)
        stop(transfer, AMP_CANCELLED, "the request was cancelled");
}

void amp_transfer_release(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    transfer->wanted = false;
    amp_transfer_cancel(transfer);
    drop_ready(transfer);
    curl_slist_free_all(transfer->header_lines);
    amp_inflater_free(transfer->inflater);
    amp_queue_free(&transfer->body);
    amp_buffer_free(&transfer->head.fields);
    free(transfer);
    amp_engine_release(engine);
}

/* --- the request -------------------------------------------------------------------------------
 */

static bool add_line(struct amp_transfer *transfer, const char *line)
{
    struct curl_slist *lines = curl_slist_append(transfer->header_lines, line);

    if (lines)
        transfer->header_lines = lines;
    return lines != NULL;
}

bool amp_transfer_header(struct amp_transfer *transfer, const char *name, const char *value)
{
    size_t name_length = strlen(name), value_length = strlen(value);
    char *line = (char *)malloc(name_length + value_length + 3);
    bool added;

    if (!line)
        return false;
    /* libcurl reads "Name:" as "leave it out" and "Name;" as an empty one. */
    memcpy(line, name, name_length + 1);
    memcpy(line + name_length, value_length ? ": " : ";", value_length ? 3 : 2);
    memcpy(line + name_length + (value_length ? 2 : 1), value, value_length + 1);
    added = add_line(transfer, line);
    free(line);
    if (strcasecmp(name, "accept-encoding") == 0) {
        transfer->own_encoding = true;
        transfer->head.raw = strcasecmp(value, "identity") != 0;
    }
    transfer->own_type |= strcasecmp(name, "content-type") == 0;
    return added;
}

/* libcurl must not add a Content-Type or an Expect by itself. */
static bool set_body(struct amp_transfer *transfer, const char *body, size_t n)
{
    CURL *easy = transfer->easy;

    if (!transfer->own_type && !add_line(transfer, "Content-Type:"))
        return false;
    if (!add_line(transfer, "Expect:"))
        return false;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK;
}

static bool needs_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

/* Leaves no trace of the handle's earlier request. */
static bool set_method(struct amp_transfer *transfer, const struct amp_request *request)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (strcmp(request->method, "GET") == 0 && !request->body)
        return true;
    if (strcmp(request->method, "HEAD") == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK)
        return false;
    if (request->body)
        return set_body(transfer, request->body, request->body_length);
    return !needs_body(request->method) || set_body(transfer, "", 0);
}

static void set_callbacks(struct amp_transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static bool set_request(struct amp_transfer *transfer, const struct amp_request *request)
{
    CURL *easy = transfer->easy;

    set_callbacks(transfer);
    transfer->head.old = http_version(transfer) == CURL_HTTP_VERSION_1_1;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(transfer));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_timeout * 1e3));
    if (!transfer->own_encoding && !add_line(transfer, "Accept-Encoding: gzip, deflate"))
        return false; /* as a line: libcurl decodes what it asks for itself, at any length */
    if (curl_easy_setopt(easy, CURLOPT_PROXY, transfer->proxy) != CURLE_OK)
        return false;
    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
           set_method(transfer, request) &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->header_lines) == CURLE_OK;
}

static bool is_https(const char *url)
{
    return strncasecmp(url, "https:", 6) == 0;
}

static void perform(struct amp_transfer *transfer)
{
    if (curl_multi_add_handle(transfer->engine->multi, transfer->easy) != CURLM_OK)
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "out of memory");
}

/* On a connection of its own: nothing has been sent on the one before. */
static void start_again(struct amp_transfer *transfer)
{
    transfer->stale_connection = false;
    transfer->detail[0] = '\0';
    curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
    curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
    perform(transfer);
}

void amp_transfer_start(struct amp_transfer *transfer, const struct amp_request *request)
{
    struct amp_engine *engine = transfer->engine;

    transfer->stream = request->stream;
    transfer->head.no_body = strcmp(request->method, "HEAD") == 0;
    transfer->head.secure = is_https(request->url);
    transfer->narrow_trust = engine->bundle && !engine->use_bundle;
    transfer->proxy = request->direct ? "" : engine->options.http_proxy;
    transfer->resend = request->resend;
    transfer->read_timeout = request->read_timeout;
    transfer->max_bytes = request->max_bytes;
    amp_transfer_deadline(transfer, request->timeout);
    if (transfer->head.secure || !transfer->proxy || is_https(transfer->proxy))
        engine->tls = true; /* perhaps: libcurl knows which proxy the environment names */
    transfer->easy = amp_engine_take_handle(engine);
    if (!transfer->easy || !set_request(transfer, request)) {
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "out of memory");
        return;
    }
    run(transfer);
    perform(transfer);
    arm(transfer);
}

void amp_transfer_alarm(struct amp_transfer *transfer, double seconds)
{
    run(transfer);
    amp_transfer_deadline(transfer, seconds > 0 ? seconds : 1e-9);
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* The status with which a proxy refused to open a tunnel; 0: it did not. */
static long refused_tunnel(const struct amp_transfer *transfer)
{
    long status = 0;

    if (!transfer->sent)
        curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300 ? status : 0;
}

/* Where only the end of the connection ends an error's body, libcurl from 8 on tells a TLS
 * connection that is cut from one that is closed. That makes no difference: see has_end. */
static bool ended_by_cut(const struct amp_transfer *transfer)
{
    const struct amp_head *head = &transfer->head;

    return has_head(transfer) && head->status >= 300 && head->version < 20 && !head->chunked &&
           head->length < 0 &&
           (strstr(transfer->detail, "unexpected eof") ||         /* OpenSSL */
            strstr(transfer->detail, "non-properly terminated")); /* GnuTLS */
}

/* libcurl has no codes of their own for senseless chunks and for a server that refuses our side of
 * TLS 1.3. Before 8.6 it says "chunked-encoding", since then "chunk hex-length". */
static enum amp_outcome outcome_of_receiving(const struct amp_transfer *transfer)
{
    if (refused_tunnel(transfer))
        return AMP_CONNECT;
    if (strstr(transfer->detail, "chunk"))
        return AMP_PROTOCOL;
    if (ended_by_cut(transfer))
        return AMP_DONE;
    return strstr(transfer->detail, " alert ") && !transfer->head.bytes ? AMP_TLS : AMP_CLOSED;
}

/* What is not here means that the connection was lost. */
static const struct {
    CURLcode code;
    enum amp_outcome outcome;
} outcomes[] = {
    {CURLE_OK, AMP_DONE},
    {CURLE_COULDNT_RESOLVE_PROXY, AMP_RESOLVE},
    {CURLE_COULDNT_RESOLVE_HOST, AMP_RESOLVE},
    {CURLE_COULDNT_CONNECT, AMP_CONNECT},
    {CURLE_PROXY, AMP_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, AMP_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, AMP_TLS},
    {CURLE_SSL_ENGINE_NOTFOUND, AMP_TLS},
    {CURLE_SSL_ENGINE_SETFAILED, AMP_TLS},
    {CURLE_SSL_CIPHER, AMP_TLS},
    {CURLE_SSL_CACERT_BADFILE, AMP_TLS},
    {CURLE_SSL_CRL_BADFILE, AMP_TLS},
    {CURLE_SSL_ISSUER_ERROR, AMP_TLS},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, AMP_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, AMP_TLS},
    {CURLE_SSL_CLIENTCERT, AMP_TLS},
    {CURLE_OPERATION_TIMEDOUT, AMP_TIMEOUT},
    {CURLE_UNSUPPORTED_PROTOCOL, AMP_PROTOCOL},
    {CURLE_URL_MALFORMAT, AMP_PROTOCOL},
    {CURLE_WEIRD_SERVER_REPLY, AMP_PROTOCOL},
    {CURLE_BAD_FUNCTION_ARGUMENT,
     AMP_PROTOCOL}, /* a header that libcurl's own list does not take */
    {CURLE_BAD_CONTENT_ENCODING,
     AMP_PROTOCOL}, /* a transfer coding; libcurl decodes no content coding here */
    {CURLE_OUT_OF_MEMORY, AMP_OVER_LIMIT},
    {(CURLcode)100, AMP_OVER_LIMIT}, /* CURLE_TOO_LARGE, since 8.6 */
};

/* Whether a client's key cannot be read; the second is what libcurl 8.23 says. */
static bool is_bad_key(const struct amp_transfer *transfer, CURLcode code)
{
    return code == CURLE_SSL_CERTPROBLEM ||
           (code == CURLE_BAD_FUNCTION_ARGUMENT && strstr(transfer->detail, "private key"));
}

static enum amp_outcome outcome_of(const struct amp_transfer *transfer, CURLcode code)
{
    size_t i = 0, n = sizeof outcomes / sizeof *outcomes;

    if (code == CURLE_RECV_ERROR)
        return outcome_of_receiving(transfer);
    if (is_bad_key(transfer, code))
        return AMP_TLS;
    while (i < n && outcomes[i].code != code)
        i++;
    if (i == n)
        return AMP_CLOSED;
    /* a handshake whose connection was lost may succeed at another try */
    if (outcomes[i].outcome == AMP_TLS &&
        (transfer->sent || strstr(transfer->detail, "SSL_ERROR_SYSCALL") ||
         strstr(transfer->detail, "Connection reset")))
        return AMP_CLOSED;
    return outcomes[i].outcome;
}

static const char *words_of_tunnel(long status)
{
    return status == 407   ? "it wants a user name and a password in its URL"
           : status == 403 ? "it does not allow this server"
           : status >= 500 ? "it cannot reach the server"
                           : "it refuses to connect";
}

/* Where libcurl's own words do not say what to do, or say too much: it quotes a proxy it does not
 * understand, and its password with it. */
static void reword(struct amp_transfer *transfer, CURLcode code)
{
    const struct amp_engine_options *options = &transfer->engine->options;
    char *detail = transfer->detail;
    size_t size = sizeof transfer->detail;
    long tunnel = code == CURLE_OK ? 0 : refused_tunnel(transfer);

    if (strncmp(detail, "Unsupported proxy", 17) == 0)
        snprintf(detail, size, "the URL of the proxy is not understood");
    else if (tunnel) {
        snprintf(detail, size, "the proxy answered CONNECT with status %ld: %s", tunnel,
                 words_of_tunnel(tunnel));
        transfer->final = tunnel < 500 && tunnel != 408 && tunnel != 429;
    } else if (is_bad_key(transfer, code) && amp_key_is_encrypted(options))
        snprintf(detail, size, "the client's key is encrypted, and client_key_password %s",
                 options->client_key_password ? "does not open it" : "is not given");
}

/* Which libcurl, the resolver and the TLS library report as anything but that. */
static bool descriptors_are_out(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd >= 0)
        close(fd);
    return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

void amp_transfer_finish(struct amp_transfer *transfer, CURLcode code)
{
    enum amp_outcome outcome = outcome_of(transfer, code);

    if (transfer->stale_connection) {
        start_again(transfer);
    } else if (code == CURLE_PEER_FAILED_VERIFICATION && transfer->narrow_trust &&
               !transfer->sent) {
        transfer->narrow_trust = false;
        amp_widen_trust(transfer->engine, transfer->easy);
        start_again(transfer);
    } else if (transfer->fault != AMP_OPEN)
        amp_transfer_fail(transfer, transfer->fault, transfer->reason);
    else if (outcome == AMP_DONE && !has_head(transfer))
        amp_transfer_fail(transfer, AMP_CLOSED, "the response ended inside its headers");
    else if (outcome == AMP_OVER_LIMIT && transfer->head.bytes && !has_head(transfer))
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "a header is too long, or memory ran out");
    else if (outcome != AMP_DONE && !transfer->sent && descriptors_are_out())
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "no file descriptor is left");
    else {
        if (outcome != AMP_DONE && !*transfer->detail)
            snprintf(transfer->detail, sizeof transfer->detail, "%s", curl_easy_strerror(code));
        reword(transfer, code);
        end(transfer, outcome);
    }
}

/* --- deadlines ---------------------------------------------------------------------------------
 */

void amp_transfer_deadline(struct amp_transfer *transfer, double seconds)
{
    transfer->timeout = seconds;
    transfer->deadline = seconds > 0 ? amp_now() + seconds : 0;
    arm(transfer);
}

/* Silence counts only while somebody waits and there is a server that could speak. */
static double stall(const struct amp_transfer *transfer)
{
    if (!transfer->wanted || !transfer->sent || transfer->read_timeout <= 0)
        return 0;
    return transfer->quiet_since + transfer->read_timeout;
}

double amp_transfer_expiry(const struct amp_transfer *transfer)
{
    double silence = stall(transfer), deadline = transfer->deadline;

    if (!silence || !deadline)
        return silence + deadline;
    return silence < deadline ? silence : deadline;
}

static const char *phase(const struct amp_transfer *transfer)
{
    if (!transfer->sent)
        return "before the connection stood";
    return has_head(transfer) ? "while the body arrived" : "before the response came";
}

static bool still_uploading(struct amp_transfer *transfer, double now)
{
    curl_off_t uploaded = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (uploaded == transfer->uploaded)
        return false;
    transfer->uploaded = uploaded;
    transfer->quiet_since = now;
    return true;
}

static bool is_late(const struct amp_transfer *transfer, double now)
{
    return transfer->deadline && transfer->deadline <= now;
}

void amp_transfer_expire(struct amp_transfer *transfer, double now)
{
    char text[128];

    if (is_late(transfer, now))
        snprintf(text, sizeof text, "timed out after %.3g s, %s", transfer->timeout,
                 phase(transfer));
    else if (!still_uploading(transfer, now))
        snprintf(text, sizeof text, "no byte came for %.3g s, %s", transfer->read_timeout,
                 phase(transfer));
    else
        return;
    stop(transfer, AMP_TIMEOUT, text);
}

/* --- decoding: when bytes are asked for, at most 64 KB at a time -------------------------------
 */

/* Lets no more decoded bytes out than the limit allows; false when none are left. */
static bool bound_decoded(struct amp_transfer *transfer)
{
    const char *bytes;
    double n = (double)amp_inflater_peek(transfer->inflater, &bytes), limit = body_limit(transfer);
    double left = limit ? limit - transfer->decoded : n;

    transfer->decoded += n;
    if (n > left)
        amp_inflater_cut(transfer->inflater, left > 0 ? (size_t)left : 0);
    return n <= left || left > 0;
}

static bool decode_once(struct amp_transfer *transfer)
{
    const char *why = NULL;
    char text[96];
    enum amp_outcome outcome = amp_inflater_pull(transfer->inflater, &transfer->body, &why);

    if (outcome == AMP_OPEN && !bound_decoded(transfer)) {
        word_limit(transfer, text, sizeof text);
        outcome = AMP_OVER_LIMIT;
        why = text;
    }
    if (outcome != AMP_OPEN)
        stop(transfer, outcome, why);
    return outcome == AMP_OPEN;
}

/* Decodes until there are bytes, or none can be had now. What is kept of an error's body is decoded
 * whatever came after it; it is too short to look at the clock for. */
static void decode(struct amp_transfer *transfer)
{
    struct amp_inflater *inflater = transfer->inflater;
    const char *bytes;
    bool is_error = transfer->head.status >= 300;

    if (transfer->head.coding == AMP_IDENTITY || !has_head(transfer) ||
        (!is_error && transfer->outcome != AMP_OPEN && transfer->outcome != AMP_DONE))
        return;
    if (!inflater && transfer->body.size > 0 &&
        !(transfer->inflater = inflater = amp_inflater_new(transfer->head.coding)))
        stop(transfer, AMP_OVER_LIMIT, "out of memory");
    if (!inflater)
        return;
    while (amp_inflater_peek(inflater, &bytes) == 0) {
        double now = amp_now();
        if (!is_error && is_late(transfer, now)) {
            amp_transfer_expire(transfer, now);
            return;
        }
        if (!amp_inflater_has_more(inflater, &transfer->body)) {
            if (transfer->outcome == AMP_DONE && amp_inflater_is_cut(inflater))
                stop(transfer, AMP_CLOSED, "the compressed body was cut short");
            return;
        }
        if (!decode_once(transfer))
            return;
    }
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* libcurl delivers what it has held back, and may pause again. */
static void resume(struct amp_transfer *transfer)
{
    CURLcode code;

    transfer->paused = false;
    if (!transfer->easy)
        return;
    code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        amp_transfer_finish(transfer, code);
}

bool amp_transfer_want(struct amp_transfer *transfer)
{
    if (transfer->outcome == AMP_OPEN && !amp_engine_usable(transfer->engine))
        amp_transfer_fail(transfer, AMP_CANCELLED, "the request belongs to another process");
    double now = amp_now();
    if (transfer->outcome == AMP_OPEN && is_late(transfer, now))
        amp_transfer_expire(transfer, now);
    if (transfer->paused && transfer->body.size < ENOUGH)
        resume(transfer);
    if (transfer->stream && transfer->head_taken)
        decode(transfer);
    if (is_ready(transfer))
        return true;
    if (!transfer->wanted) {
        transfer->wanted = true;
        transfer->quiet_since = now;
        arm(transfer);
    }
    return false;
}

long amp_transfer_status(struct amp_transfer *transfer)
{
    if (!has_head(transfer))
        return 0;
    transfer->head_taken = true;
    return transfer->head.status;
}

const char *amp_transfer_next_header(const struct amp_transfer *transfer, const char *previous,
                                     const char **value)
{
    return amp_head_next(&transfer->head, previous, value);
}

size_t amp_transfer_peek(struct amp_transfer *transfer, const char **bytes)
{
    if (transfer->head.coding == AMP_IDENTITY)
        return amp_queue_peek(&transfer->body, bytes);
    decode(transfer);
    return transfer->inflater ? amp_inflater_peek(transfer->inflater, bytes) : 0;
}

void amp_transfer_consume(struct amp_transfer *transfer, size_t n)
{
    if (transfer->head.coding == AMP_IDENTITY)
        amp_queue_consume(&transfer->body, n);
    else
        amp_inflater_consume(transfer->inflater, n);
}

struct amp_result amp_transfer_result(const struct amp_transfer *transfer)
{
    struct amp_result result = {transfer->id,   transfer->outcome, transfer->detail,
                                transfer->sent, transfer->final,   transfer->resent};

    return result;
}
