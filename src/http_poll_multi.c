/* Where there is no epoll: libcurl waits by itself, and no event loop can wait for it. */
#include "http_poll.h"

#ifndef AMP_EPOLL

bool amp_poll_open(struct amp_poll *poll, CURLM *multi)
{
    poll->multi = multi;
    return true;
}

void amp_poll_close(struct amp_poll *poll)
{
    (void)poll;
}

void amp_poll_wait(struct amp_poll *poll, int milliseconds)
{
    curl_multi_poll(poll->multi, NULL, 0, milliseconds < 0 ? 1000 : milliseconds, NULL);
}

CURLMcode amp_poll_perform(struct amp_poll *poll)
{
    int running;
    long milliseconds = -1;
    CURLMcode code = curl_multi_perform(poll->multi, &running);

    curl_multi_timeout(poll->multi, &milliseconds);
    poll->due = milliseconds < 0 ? 0 : amp_now() + (double)milliseconds * 1e-3;
    return code;
}

bool amp_poll_has_events(struct amp_poll *poll)
{
    (void)poll;
    return true;
}

void amp_poll_arm(struct amp_poll *poll, double due)
{
    (void)poll;
    (void)due;
}

int amp_poll_descriptor(struct amp_poll *poll)
{
    (void)poll;
    return -1;
}

#else
typedef int amp_has_epoll; /* a file must not be empty */
#endif
