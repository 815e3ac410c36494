#include "http_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- sockets: remembered, for a forked child to close its copies and for a look at their input ---
 */

static bool remember(struct amp_vector *sockets, int fd)
{
    if (!amp_vector_add(&amp_libc_memory, sockets, 1))
        return false;
    ((struct amp_socket *)sockets->items)[sockets->used - 1].fd = fd;
    return true;
}

static void forget(struct amp_vector *sockets, int fd)
{
    struct amp_socket *one = (struct amp_socket *)sockets->items, *end = one + sockets->used;

    while (one < end && one->fd != fd)
        one++;
    if (one < end) {
        *one = end[-1];
        sockets->used--;
    }
}

/* Has the kernel probe an idle connection, so that one which a firewall has dropped is noticed. */
static void probe_idle(int fd)
{
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL)
    int seconds = AMP_KEEPALIVE;
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
#endif
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct amp_engine *engine = (struct amp_engine *)data;
    int fd;

    (void)purpose;
#ifdef SOCK_CLOEXEC
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
#else
    fd = socket(address->family, address->socktype, address->protocol);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (!engine->options.no_keepalive)
        probe_idle(fd);
    if (remember(&engine->sockets, fd))
        return fd;
    close(fd);
    return CURL_SOCKET_BAD;
}

static int close_socket(void *data, curl_socket_t fd)
{
    forget(&((struct amp_engine *)data)->sockets, fd);
    return close(fd);
}

/* IPv4 and IPv6 have the port at the same place. */
static int local_port(int fd)
{
    struct sockaddr_in6 address;
    socklen_t size = sizeof address;

    memset(&address, 0, sizeof address);
    getsockname(fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin6_port);
}

bool amp_engine_has_input(struct amp_engine *engine, int port)
{
    struct amp_socket *socket = (struct amp_socket *)engine->sockets.items;
    const struct amp_socket *end = socket + engine->sockets.used;
    char byte;

    for (; socket < end; socket++) {
        if (!socket->port)
            socket->port = local_port(socket->fd);
        if (socket->port == port && recv(socket->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            return true;
    }
    return false;
}

/* --- trust: a hashed directory is read certificate by certificate, a bundle as a whole ---------
 */

/* Hashed names are eight hexadecimal digits, a point and a number. */
static bool is_hashed(const char *name)
{
    size_t i;

    for (i = 0; i < 8; i++)
        if (!isxdigit((unsigned char)name[i]))
            return false;
    return name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool has_hashes(const char *path)
{
    DIR *directory = path ? opendir(path) : NULL;
    struct dirent *entry;
    bool found = false;

    if (!directory)
        return false;
    while (!found && (entry = readdir(directory)) != NULL)
        found = is_hashed(entry->d_name);
    closedir(directory);
    return found;
}

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* The variables that the curl command knows; libcurl itself reads none. The first one names all
 * there is to trust, and SSL_CERT_DIR may be several directories. */
static void read_environment(const char **file, const char **path)
{
    *file = variable("CURL_CA_BUNDLE");
    *path = *file ? NULL : variable("SSL_CERT_DIR");
    if (!*file)
        *file = variable("SSL_CERT_FILE");
}

/*
 * libcurl's default is bundle and directory together: it parses the whole bundle and, because of
 * the directory, keeps no cache of it. A hashed directory alone is several times faster, but may
 * lack what the bundle has: so the bundle is read when a verification has failed.
 */
static void choose_default_trust(struct amp_engine *engine)
{
    const char *file, *path;

    read_environment(&file, &path);
#if LIBCURL_VERSION_NUM >= 0x075400
    CURL *easy = curl_easy_init();
    bool is_list = path && strchr(path, ':');

    if (!easy)
        return;
    if (!path)
        curl_easy_getinfo(easy, CURLINFO_CAPATH, &path);
    if (!file) {
        curl_easy_getinfo(easy, CURLINFO_CAINFO, &file);
        if (file && access(file, R_OK) != 0)
            file = NULL; /* a bare machine has none: libcurl would refuse to begin */
    }
    engine->bundle = copy(file);
    if (!file || is_list || has_hashes(path))
        engine->options.ca_path = copy(path);
    else
        engine->use_bundle = true;
    curl_easy_cleanup(easy);
#else
    engine->options.ca_file = copy(file);
    engine->options.ca_path = copy(path);
#endif
}

void amp_choose_trust(struct amp_engine *engine)
{
    const struct amp_engine_options *options = &engine->options;

    if (!options->ca_file && !options->ca_path && !options->insecure)
        choose_default_trust(engine);
}

void amp_widen_trust(struct amp_engine *engine, CURL *easy)
{
    engine->use_bundle = true;
    amp_engine_drop_idle(engine);
    curl_easy_setopt(easy, CURLOPT_CAINFO, engine->bundle);
}

/* --- TLS ---------------------------------------------------------------------------------------
 */

static bool set_string(CURL *easy, CURLoption option, const char *value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

bool amp_key_is_encrypted(const struct amp_engine_options *options)
{
    const char *path = options->client_key ? options->client_key : options->client_cert;
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[128];
    bool found = false;

    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = strstr(line, "ENCRYPTED") != NULL;
    fclose(file);
    return found;
}

static bool set_authorities(CURL *easy, const struct amp_engine *engine)
{
    const char *file = engine->use_bundle ? engine->bundle : engine->options.ca_file;

    if (!file && !engine->options.ca_path)
        return true; /* what libcurl finds by itself */
    return set_string(easy, CURLOPT_CAINFO, file) &&
           set_string(easy, CURLOPT_CAPATH, engine->options.ca_path);
}

static bool set_tls(CURL *easy, const struct amp_engine *engine)
{
    const struct amp_engine_options *options = &engine->options;
    const char *password = options->client_key_password;

    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
    /* Without a password OpenSSL would ask for one on the terminal. */
    return set_authorities(easy, engine) &&
           set_string(easy, CURLOPT_SSLCERT, options->client_cert) &&
           set_string(easy, CURLOPT_SSLKEY, options->client_key) &&
           set_string(easy, CURLOPT_KEYPASSWD, password ? password : "");
}

/* --- everything else ---------------------------------------------------------------------------
 */

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) ==
           CURLE_OK;
#endif
}

static void set_safe_defaults(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L * 1024);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A deadline must not wait for the resolver's thread; the module stays loaded for it. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_sockets(CURL *easy, struct amp_engine *engine)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, engine);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, engine);
}

CURL *amp_easy_new(struct amp_engine *engine)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        return NULL;
    set_safe_defaults(easy);
    set_sockets(easy, engine);
    curl_easy_setopt(easy, CURLOPT_SHARE, engine->share);
    if (set_protocols(easy) && set_tls(easy, engine))
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

void amp_library_versions(const char **libcurl, const char **tls)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    *libcurl = info->version;
    *tls = info->ssl_version;
}
