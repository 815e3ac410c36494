/*
 * Runs a command on a terminal of its own:  pty COLUMNS COMMAND [ARGUMENTS...]
 * What standard input holds is typed, until it ends; what the command shows goes to standard
 * output. When the command has closed its terminal, a line with its exit code follows, or with 128
 * and its signal; after 30 seconds with 99.
 */
#define _DEFAULT_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Copies what there is; 0 at the end. */
static int copy(int from, int to)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof bytes);
    return n > 0 && write(to, bytes, (size_t)n) == n;
}

/* Shows and types until the command closes its terminal; 0 when that takes too long. */
static int attend(int terminal)
{
    double started = now();
    struct pollfd ready[2] = {{terminal, POLLIN, 0}, {0, POLLIN, 0}};
    while (now() - started < 30) {
        if (poll(ready, 2, 1000) <= 0)
            continue;
        if (ready[0].revents && !copy(terminal, 1))
            return 1;
        if (ready[1].revents && !copy(0, terminal))
            ready[1].fd = -1; /* no more will be typed */
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct winsize size = {24, 80, 0, 0};
    int terminal, status, in_time;
    if (argc < 3)
        return 2;
    size.ws_col = (unsigned short)atoi(argv[1]);
    pid_t child = forkpty(&terminal, NULL, NULL, &size);
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    in_time = attend(terminal);
    if (!in_time)
        kill(child, SIGKILL);
    waitpid(child, &status, 0);
    printf("\n%d\n", !in_time            ? 99
                     : WIFEXITED(status) ? WEXITSTATUS(status)
                                         : 128 + WTERMSIG(status));
    return 0;
}
