/*
 * The limit: a program that downloads and does nothing else.
 *
 *   download URL times [together] [CAPATH]
 *
 * together: this many at once. Prints CPU seconds and peak memory in KiB, unless a request failed.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST = 200 };

static size_t ignore(char *bytes, size_t size, size_t n, void *data)
{
    (void)bytes, (void)data;
    return size * n;
}

static CURL *new_easy(const char *url, const char *ca_path)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, ca_path);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    return easy;
}

static int one_by_one(CURL *easy, int times)
{
    int failed = 0;

    while (times-- > 0)
        failed |= curl_easy_perform(easy) != CURLE_OK;
    return failed;
}

static int at_once(CURL **easy, int n)
{
    CURLM *multi = curl_multi_init();
    int running = 1, failed = 0, left, i;
    CURLMsg *message;

    for (i = 0; i < n; i++)
        curl_multi_add_handle(multi, easy[i]);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK)
        if (running)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    while ((message = curl_multi_info_read(multi, &left)) != NULL)
        failed |= message->data.result != CURLE_OK;
    for (i = 0; i < n; i++)
        curl_multi_remove_handle(multi, easy[i]);
    curl_multi_cleanup(multi);
    return failed;
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1, together = argc > 3 ? atoi(argv[3]) : 1, i, failed;
    CURL *easy[MOST];
    struct rusage usage;

    if (argc < 2 || together < 1 || together > MOST)
        return 2;
    for (i = 0; i < together; i++)
        easy[i] = new_easy(argv[1], argc > 4 ? argv[4] : NULL);
    failed = together > 1 ? at_once(easy, together) : one_by_one(easy[0], times);
    for (i = 0; i < together; i++)
        curl_easy_cleanup(easy[i]);
    getrusage(RUSAGE_SELF, &usage);
    if (!failed)
        printf("%.6f %ld \n", (double)clock() / CLOCKS_PER_SEC, usage.ru_maxrss);
    return failed;
}
