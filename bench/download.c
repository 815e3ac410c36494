/*
 * The limit: a program that downloads and does nothing else.
 *
 *   download URL times [together] [CAPATH]     together: so many at once; prints bytes and CPU
 * seconds
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 200 };

static size_t count(char *bytes, size_t size, size_t n, void *sum)
{
    (void)bytes;
    *(double *)sum += (double)(size * n);
    return size * n;
}

static CURL *new_easy(const char *url, const char *ca_path, double *sum)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, ca_path);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, sum);
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
    int running = 1, i;

    for (i = 0; i < n; i++)
        curl_multi_add_handle(multi, easy[i]);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK)
        if (running)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    for (i = 0; i < n; i++)
        curl_multi_remove_handle(multi, easy[i]);
    curl_multi_cleanup(multi);
    return 0;
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1, together = argc > 3 ? atoi(argv[3]) : 1, i, failed;
    CURL *easy[MOST];
    double bytes = 0;

    if (argc < 2 || together < 1 || together > MOST)
        return 2;
    for (i = 0; i < together; i++)
        easy[i] = new_easy(argv[1], argc > 4 ? argv[4] : NULL, &bytes);
    failed = together > 1 ? at_once(easy, together) : one_by_one(easy[0], times);
    for (i = 0; i < together; i++)
        curl_easy_cleanup(easy[i]);
    printf("%.0f bytes %.6f cpu\n", bytes, (double)clock() / CLOCKS_PER_SEC);
    return failed;
}
