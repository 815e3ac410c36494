/* One epoll descriptor over libcurl's sockets and a timer. */
#include "http_poll.h"

#ifdef AMP_EPOLL

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

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
    struct amp_poll *poll = (struct amp_poll *)data;
    struct epoll_event event;

    (void)easy;
    memset(&event, 0, sizeof event);
    event.events = curl_to_epoll(what);
    event.data.fd = fd;
    if (what == CURL_POLL_REMOVE) {
        poll->sockets -= known != NULL;
        epoll_ctl(poll->epoll, EPOLL_CTL_DEL, fd, &event);
        return 0;
    }
    if (known && epoll_ctl(poll->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    poll->sockets += known == NULL;
    curl_multi_assign(poll->multi, fd, poll); /* "known" from now on, until its removal */
    return epoll_ctl(poll->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    (void)multi;
    ((struct amp_poll *)data)->due = milliseconds < 0 ? 0 : amp_now() + (double)milliseconds * 1e-3;
    return 0;
}

bool amp_poll_open(struct amp_poll *poll, CURLM *multi)
{
    struct epoll_event event;

    poll->multi = multi;
    poll->epoll = epoll_create1(EPOLL_CLOEXEC);
    poll->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (poll->epoll < 0 || poll->timer < 0)
        return false;
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.fd = poll->timer;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, poll);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, poll);
    return epoll_ctl(poll->epoll, EPOLL_CTL_ADD, poll->timer, &event) == 0;
}

void amp_poll_close(struct amp_poll *poll)
{
    if (poll->epoll >= 0)
        close(poll->epoll);
    if (poll->timer >= 0)
        close(poll->timer);
    poll->epoll = poll->timer = -1;
}

static void take_events(struct amp_poll *poll, int milliseconds)
{
    int n = epoll_wait(poll->epoll, poll->events, AMP_MAX_EVENTS, milliseconds);
    poll->event_count = n > 0 ? n : 0;
}

void amp_poll_wait(struct amp_poll *poll, int milliseconds)
{
    if (poll->event_count == 0)
        take_events(poll, milliseconds);
}

bool amp_poll_has_events(struct amp_poll *poll)
{
    amp_poll_wait(poll, 0);
    return poll->event_count > 0;
}

static void clear_timer(struct amp_poll *poll)
{
    unsigned long long expirations;

    if (read(poll->timer, &expirations, sizeof expirations) > 0)
        poll->armed = 0;
}

/* The first code that is worse than the one before. */
static CURLMcode worse(CURLMcode one, CURLMcode other)
{
    return one == CURLM_OK || one == CURLM_BAD_SOCKET ? other : one;
}

CURLMcode amp_poll_perform(struct amp_poll *poll)
{
    CURLMcode code = CURLM_OK;
    int i, running;

    if (poll->sockets || poll->armed) /* else there are none, as before a request is written */
        amp_poll_wait(poll, 0);
    for (i = 0; i < poll->event_count; i++) {
        const struct epoll_event *event = &poll->events[i];
        if (event->data.fd == poll->timer)
            clear_timer(poll);
        else
            code = worse(code, curl_multi_socket_action(poll->multi, event->data.fd,
                                                        epoll_to_curl(event->events), &running));
    }
    poll->event_count = 0;
    if (poll->due && poll->due <= amp_now()) {
        poll->due = 0;
        code = worse(code, curl_multi_socket_action(poll->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    }
    return code;
}

void amp_poll_arm(struct amp_poll *poll, double due)
{
    struct itimerspec spec;

    if (!poll->watched || !due || (poll->armed && poll->armed <= due))
        return;
    memset(&spec, 0, sizeof spec);
    spec.it_value.tv_sec = (time_t)due;
    spec.it_value.tv_nsec = (long)((due - (double)spec.it_value.tv_sec) * 1e9);
    if (timerfd_settime(poll->timer, TFD_TIMER_ABSTIME, &spec, NULL) == 0)
        poll->armed = due;
}

int amp_poll_descriptor(struct amp_poll *poll)
{
    poll->watched = true;
    return poll->epoll;
}

#else
typedef int amp_no_epoll; /* a file must not be empty */
#endif
