#include "http_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- what may be asked -------------------------------------------------------------------------
 */

static size_t held(const struct amp_transfer *transfer)
{
    return transfer->body.end - transfer->body.start;
}

static bool is_ready(const struct amp_transfer *transfer)
{
    if (transfer->outcome != AMP_OPEN)
        return true;
    if (!transfer->stream || !transfer->head_done)
        return false;
    return !transfer->head_taken || held(transfer) > 0;
}

/* Tells whoever waits, once. */
static void tell(struct amp_transfer *transfer)
{
    if (!transfer->wanted || !is_ready(transfer))
        return;
    transfer->wanted = false;
    amp_engine_news(transfer);
}

/* --- libcurl's callbacks: they store bytes and find faults, nothing else -----------------------
 */

static bool fault(struct amp_transfer *transfer, enum amp_outcome outcome, const char *reason)
{
    transfer->fault = outcome;
    transfer->reason = reason;
    return false;
}

#define MAX_LENGTH 9007199254740992.0 /* 2^53: beyond it a double is not exact */

static bool take_length(struct amp_transfer *transfer, const char *value)
{
    double length = 0;
    const char *c;

    for (c = value; isdigit((unsigned char)*c); c++)
        length = length * 10 + (*c - '0');
    if (c == value || *c || length > MAX_LENGTH)
        return fault(transfer, AMP_PROTOCOL, "the response's Content-Length is not a number");
    if (transfer->length >= 0 && transfer->length != length)
        return fault(transfer, AMP_PROTOCOL, "the response names two different lengths");
    transfer->length = length;
    return true;
}

static bool store(struct amp_transfer *transfer, const char *bytes, size_t n)
{
    if (amp_buffer_append(&transfer->head, bytes, n))
        return true;
    return fault(transfer, AMP_OVER_LIMIT, "out of memory");
}

/* A line that begins with a space continues the one before. */
static bool fold(struct amp_transfer *transfer, const char *line, size_t n)
{
    if (transfer->head.end == 0)
        return fault(transfer, AMP_PROTOCOL, "the response's first header has no name");
    transfer->head.bytes[transfer->head.end - 1] = ' ';
    return store(transfer, line, n) && store(transfer, "", 1);
}

static bool store_name(struct amp_transfer *transfer, const char *name, size_t n)
{
    char *stored;
    size_t i;

    if (!store(transfer, name, n) || !store(transfer, "", 1))
        return false;
    stored = transfer->head.bytes + transfer->head.end - n - 1;
    for (i = 0; i < n; i++)
        stored[i] = (char)tolower((unsigned char)stored[i]);
    return true;
}

/* The last coding must be the one that tells where the body ends. */
static bool ends_in_chunks(const char *codings)
{
    const char *last = strrchr(codings, ',');

    last = last ? last + 1 : codings;
    while (isspace((unsigned char)*last))
        last++;
    return strcasecmp(last, "chunked") == 0;
}

/* The few headers that decide whether the body is whole. */
static bool understand(struct amp_transfer *transfer, const char *name, const char *value)
{
    if (strcmp(name, "content-length") == 0)
        return take_length(transfer, value);
    if (strcmp(name, "transfer-encoding") == 0)
        transfer->chunked = ends_in_chunks(value);
    if (strcmp(name, "content-encoding") == 0 && transfer->own_encoding &&
        strcasecmp(value, "identity") != 0)
        return fault(transfer, AMP_PROTOCOL, "the response is encoded in a way nobody asked for");
    return true;
}

static bool take_header(struct amp_transfer *transfer, const char *line, size_t n)
{
    const char *colon = (const char *)memchr(line, ':', n), *value;
    size_t name_length = colon ? (size_t)(colon - line) : 0;
    size_t value_start, rest;

    if (name_length == 0)
        return fault(transfer, AMP_PROTOCOL, "a header of the response has no name");
    for (value = colon + 1, rest = n - name_length - 1; rest && isspace((unsigned char)*value);
         rest--)
        value++;
    if (!store_name(transfer, line, name_length))
        return false;
    value_start = transfer->head.end;
    if (!store(transfer, value, rest) || !store(transfer, "", 1))
        return false;
    return understand(transfer, transfer->head.bytes + value_start - name_length - 1,
                      transfer->head.bytes + value_start);
}

/*
 * libcurl 7.88 takes a TLS connection that is cut for one that is closed properly. So a body over
 * TLS needs a length, chunks or HTTP/2; an error's body may be what it is.
 */
static bool is_framed(const struct amp_transfer *transfer)
{
    long version = 0;

    if (transfer->length >= 0 || transfer->chunked || !transfer->secure)
        return true;
    if (transfer->status == 204 || transfer->status >= 300)
        return true;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    return version != CURL_HTTP_VERSION_1_0 && version != CURL_HTTP_VERSION_1_1;
}

/* An interim response (1xx) is followed by another one. */
static bool end_head(struct amp_transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) {
        transfer->in_status = true;
        return true;
    }
    if (transfer->chunked && transfer->length >= 0)
        return fault(transfer, AMP_PROTOCOL,
                     "the response comes in chunks and names a length, too");
    transfer->status = status;
    transfer->head_done = true;
    if (!transfer->no_body && !is_framed(transfer))
        return fault(transfer, AMP_CLOSED, "the response has no length: its end cannot be trusted");
    tell(transfer);
    return true;
}

static bool take_line(struct amp_transfer *transfer, const char *line, size_t n)
{
    transfer->head_bytes += n;
    if (transfer->head_bytes > AMP_MAX_HEAD)
        return fault(transfer, AMP_OVER_LIMIT, "the response's headers are too long");
    while (n && isspace((unsigned char)line[n - 1]))
        n--;
    if (transfer->in_status) {
        transfer->in_status = false;
        transfer->length = -1;
        transfer->chunked = false;
        amp_buffer_clear(&transfer->head);
        return true;
    }
    if (n == 0)
        return end_head(transfer);
    return isspace((unsigned char)*line) ? fold(transfer, line, n) : take_header(transfer, line, n);
}

/* Trailers, which come after the body, are not kept. */
static size_t on_header(char *line, size_t size, size_t n, void *data)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;

    (void)size;
    transfer->quiet_since = amp_now();
    return transfer->head_done || take_line(transfer, line, n) ? n : 0;
}

static bool take_body(struct amp_transfer *transfer, const char *bytes, size_t n)
{
    transfer->received += (double)n;
    if (transfer->max_bytes && transfer->received > transfer->max_bytes)
        return fault(transfer, AMP_OVER_LIMIT, "the response is longer than max_bytes");
    if (!amp_buffer_append(&transfer->body, bytes, n))
        return fault(transfer, AMP_OVER_LIMIT, "out of memory");
    transfer->quiet_since = amp_now();
    tell(transfer);
    return true;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;

    (void)size;
    if (transfer->stream && held(transfer) >= AMP_ENOUGH) {
        transfer->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    return take_body(transfer, bytes, n) ? n : 0;
}

/* Without TLS no server is asked for HTTP/2, and libcurl would have the others wait for the first
 * one's answer to find out. */
static long http_version(const struct amp_transfer *transfer)
{
    if (transfer->stream || !transfer->secure || transfer->engine->options.http_version == 1)
        return CURL_HTTP_VERSION_1_1;
    return CURL_HTTP_VERSION_2TLS;
}

/* Whether the connection has been used before and the server has said something since. With HTTP/2
 * it may; with HTTP/1 whoever reads it takes it for the answer to the next request. */
static bool spoke_unasked(const struct amp_transfer *transfer, int port)
{
    long opened = 1;

    if (http_version(transfer) != CURL_HTTP_VERSION_1_1)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened);
    return !opened && amp_socket_has_input(transfer->engine, port);
}

/*
 * Called when a connection stands and the request is about to be written. A second call means
 * that the first connection died without an answer: then the server may have acted already.
 */
static int on_connected(void *data, char *ip, char *local_ip, int port, int local_port)
{
    struct amp_transfer *transfer = (struct amp_transfer *)data;

    (void)ip, (void)local_ip, (void)port;
    transfer->resent = transfer->sent;
    if (transfer->sent && !transfer->resend) {
        fault(transfer, AMP_CLOSED, "the connection was closed before an answer came");
        return CURL_PREREQFUNC_ABORT;
    }
    if (spoke_unasked(transfer, local_port)) {
        transfer->misled = true;
        return CURL_PREREQFUNC_ABORT;
    }
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
    transfer->length = -1;
    transfer->in_status = true;
    engine->references++;
    return transfer;
}

static void link_running(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    transfer->next = engine->running;
    transfer->link = &engine->running;
    if (transfer->next)
        transfer->next->link = &transfer->next;
    engine->running = transfer;
}

static void unlink_running(struct amp_transfer *transfer)
{
    if (!transfer->link)
        return;
    *transfer->link = transfer->next;
    if (transfer->next)
        transfer->next->link = transfer->link;
    transfer->link = NULL;
}

/* In a forked child the handle is left alone: it is tied to connections of the parent. One whose
 * connection died is not used again: libcurl counts in it how often that happened. */
static void detach(struct amp_transfer *transfer)
{
    unlink_running(transfer);
    if (transfer->easy && amp_engine_usable(transfer->engine)) {
        curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
        if (transfer->resent)
            curl_easy_cleanup(transfer->easy);
        else
            amp_engine_give_back(transfer->engine, transfer->easy);
    }
    curl_slist_free_all(transfer->header_lines);
    transfer->easy = NULL;
    transfer->header_lines = NULL;
}

static void end(struct amp_transfer *transfer, enum amp_outcome outcome)
{
    detach(transfer);
    transfer->outcome = outcome;
    tell(transfer);
}

void amp_transfer_fail(struct amp_transfer *transfer, enum amp_outcome outcome, const char *why)
{
    detach(transfer);
    snprintf(transfer->detail, sizeof transfer->detail, "%s", why);
    end(transfer, outcome);
}

void amp_transfer_cancel(struct amp_transfer *transfer)
{
    struct amp_quiet quiet;

    if (transfer->outcome != AMP_OPEN)
        return;
    amp_hush(transfer->engine, &quiet);
    amp_transfer_fail(transfer, AMP_CANCELLED, "the request was cancelled");
    amp_unhush(&quiet);
    amp_engine_changed(transfer->engine);
}

void amp_transfer_release(struct amp_transfer *transfer)
{
    struct amp_engine *engine = transfer->engine;

    transfer->wanted = false;
    amp_transfer_cancel(transfer);
    amp_engine_forget(transfer);
    curl_slist_free_all(transfer->header_lines);
    amp_buffer_free(&transfer->body);
    amp_buffer_free(&transfer->head);
    free(transfer);
    amp_engine_release(engine);
}

/* --- the request -------------------------------------------------------------------------------
 */

bool amp_transfer_header(struct amp_transfer *transfer, const char *name, const char *value)
{
    size_t name_length = strlen(name), value_length = strlen(value);
    char *line = (char *)malloc(name_length + value_length + 3);
    struct curl_slist *lines;

    if (!line)
        return false;
    /* libcurl reads "Name:" as "leave it out" and "Name;" as an empty one. */
    snprintf(line, name_length + value_length + 3, "%s%s%s", name, value_length ? ": " : ";",
             value);
    lines = curl_slist_append(transfer->header_lines, line);
    free(line);
    if (!lines)
        return false;
    transfer->header_lines = lines;
    transfer->own_encoding |= strcasecmp(name, "accept-encoding") == 0;
    transfer->own_type |= strcasecmp(name, "content-type") == 0;
    return true;
}

/* libcurl must not add these by itself to a request with a body. */
static bool suppress(struct amp_transfer *transfer, const char *line)
{
    struct curl_slist *lines = curl_slist_append(transfer->header_lines, line);

    if (lines)
        transfer->header_lines = lines;
    return lines != NULL;
}

static bool set_body(struct amp_transfer *transfer, const char *body, size_t n)
{
    CURL *easy = transfer->easy;

    if (!transfer->own_type && !suppress(transfer, "Content-Type:"))
        return false;
    if (!suppress(transfer, "Expect:"))
        return false;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK;
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
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(transfer));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(request->connect_timeout * 1e3));
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, transfer->own_encoding ? NULL : "");
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

/* To the server, or to a proxy that libcurl knows by itself. */
static bool may_use_tls(const struct amp_transfer *transfer)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    const char *proxy = transfer->proxy;
    size_t i;

    if (transfer->secure || proxy)
        return transfer->secure || is_https(proxy);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        proxy = getenv(names[i]);
        if (proxy && is_https(proxy))
            return true;
    }
    return false;
}

static void join(struct amp_transfer *transfer)
{
    if (curl_multi_add_handle(transfer->engine->multi, transfer->easy) != CURLM_OK)
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "out of memory");
}

/* On a connection of its own, after an old one proved useless before anything was sent. */
static void start_again(struct amp_transfer *transfer)
{
    transfer->misled = false;
    transfer->detail[0] = '\0';
    curl_multi_remove_handle(transfer->engine->multi, transfer->easy);
    curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
    join(transfer);
}

void amp_transfer_start(struct amp_transfer *transfer, const struct amp_request *request)
{
    struct amp_engine *engine = transfer->engine;

    transfer->stream = request->stream;
    transfer->no_body = strcmp(request->method, "HEAD") == 0;
    transfer->secure = is_https(request->url);
    transfer->proxy = request->direct ? "" : engine->options.http_proxy;
    engine->tls = engine->tls || may_use_tls(transfer);
    transfer->resend = request->resend;
    transfer->read_timeout = request->read_timeout;
    transfer->max_bytes = request->max_bytes;
    amp_transfer_deadline(transfer, request->timeout);
    if (!amp_engine_usable(engine)) {
        amp_transfer_fail(transfer, AMP_CANCELLED, "the engine is closed");
        return;
    }
    transfer->easy = amp_engine_borrow(engine);
    if (!transfer->easy || !set_request(transfer, request)) {
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "out of memory");
        return;
    }
    link_running(transfer);
    join(transfer);
    amp_engine_changed(engine);
}

void amp_transfer_alarm(struct amp_transfer *transfer, double seconds)
{
    link_running(transfer);
    amp_transfer_deadline(transfer, seconds > 0 ? seconds : 1e-9);
}

/* --- the end -----------------------------------------------------------------------------------
 */

/* libcurl has no codes of their own for senseless chunks and for a server that refuses our side of
 * TLS 1.3. */
static enum amp_outcome outcome_of_receiving(const struct amp_transfer *transfer)
{
    if (strstr(transfer->detail, "chunked-encoding"))
        return AMP_PROTOCOL;
    return strstr(transfer->detail, " alert ") && !transfer->head_bytes ? AMP_TLS : AMP_CLOSED;
}

static enum amp_outcome outcome_of(const struct amp_transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return AMP_DONE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
        return AMP_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return AMP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
        return transfer->sent ? AMP_CLOSED : AMP_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return AMP_TIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR: /* not ours, which leave a fault: something follows a compressed body */
        return AMP_PROTOCOL;
    case CURLE_OUT_OF_MEMORY:
        return AMP_OVER_LIMIT;
    case CURLE_RECV_ERROR:
        return outcome_of_receiving(transfer);
    default:
        return AMP_CLOSED;
    }
}

/* libcurl quotes a proxy it does not understand, and its password with it. */
static void hide_proxy(struct amp_transfer *transfer)
{
    if (strncmp(transfer->detail, "Unsupported proxy", 17) == 0)
        snprintf(transfer->detail, sizeof transfer->detail,
                 "the URL of the proxy is not understood");
}

void amp_transfer_finish(struct amp_transfer *transfer, CURLcode code)
{
    enum amp_outcome outcome = outcome_of(transfer, code);

    if (transfer->misled)
        start_again(transfer);
    else if (transfer->fault != AMP_OPEN)
        amp_transfer_fail(transfer, transfer->fault, transfer->reason);
    else if (outcome == AMP_DONE && !transfer->head_done)
        amp_transfer_fail(transfer, AMP_CLOSED, "the response ended inside its headers");
    else if (outcome == AMP_OVER_LIMIT && transfer->head_bytes && !transfer->head_done)
        amp_transfer_fail(transfer, AMP_OVER_LIMIT, "a header is too long, or memory ran out");
    else {
        if (code == CURLE_WRITE_ERROR)
            snprintf(transfer->detail, sizeof transfer->detail,
                     "the compressed body is followed by something else");
        if (outcome != AMP_DONE && !*transfer->detail)
            snprintf(transfer->detail, sizeof transfer->detail, "%s", curl_easy_strerror(code));
        hide_proxy(transfer);
        end(transfer, outcome);
    }
}

/* --- deadlines ---------------------------------------------------------------------------------
 */

void amp_transfer_deadline(struct amp_transfer *transfer, double seconds)
{
    transfer->timeout = seconds;
    transfer->deadline = seconds > 0 ? amp_now() + seconds : 0;
    amp_engine_changed(transfer->engine);
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
    return transfer->head_done ? "while the body arrived" : "before the response came";
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

void amp_transfer_expire(struct amp_transfer *transfer, double now)
{
    char text[128];

    if (transfer->deadline && transfer->deadline <= now)
        snprintf(text, sizeof text, "timed out after %.3g s, %s", transfer->timeout,
                 phase(transfer));
    else if (!still_uploading(transfer, now))
        snprintf(text, sizeof text, "no byte came for %.3g s, %s", transfer->read_timeout,
                 phase(transfer));
    else
        return;
    amp_transfer_fail(transfer, AMP_TIMEOUT, text);
}

/* --- asking ------------------------------------------------------------------------------------
 */

unsigned long amp_transfer_id(const struct amp_transfer *transfer)
{
    return transfer->id;
}

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
    if (transfer->paused && held(transfer) < AMP_ENOUGH)
        resume(transfer);
    if (is_ready(transfer))
        return true;
    if (!transfer->wanted) {
        transfer->wanted = true;
        transfer->quiet_since = amp_now();
        amp_engine_changed(transfer->engine);
    }
    return false;
}

long amp_transfer_status(struct amp_transfer *transfer)
{
    if (!transfer->head_done)
        return 0;
    transfer->head_taken = true;
    return transfer->status;
}

const char *amp_transfer_next_header(const struct amp_transfer *transfer, const char *previous,
                                     const char **value)
{
    const char *name = transfer->head.bytes;

    if (previous)
        name = *value + strlen(*value) + 1;
    if (!name || name == transfer->head.bytes + transfer->head.end)
        return NULL;
    *value = name + strlen(name) + 1;
    return name;
}

size_t amp_transfer_peek(struct amp_transfer *transfer, const char **bytes)
{
    *bytes = transfer->body.bytes + transfer->body.start;
    return held(transfer);
}

void amp_transfer_consume(struct amp_transfer *transfer, size_t n)
{
    amp_buffer_consume(&transfer->body, n);
}

enum amp_outcome amp_transfer_outcome(const struct amp_transfer *transfer)
{
    return transfer->outcome;
}

const char *amp_transfer_message(const struct amp_transfer *transfer)
{
    return transfer->detail;
}

bool amp_transfer_sent(const struct amp_transfer *transfer)
{
    return transfer->sent;
}
