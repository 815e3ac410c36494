/*
 * Runs a command on a terminal of its own:  pty COLUMNS SECONDS KEYS COMMAND [ARGUMENTS...]
 * What the command shows goes to standard output. The KEYS, where there are any, are typed after
 * SECONDS of silence once something was shown, after four times as long when nothing is. Ends with
 * the command's exit code, or 128 and its signal; after 30 seconds with 99.
 */
#define _DEFAULT_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Copies what there is to standard output; 0 at the end. */
static int copy(int terminal)
{
    char bytes[4096];
    ssize_t n = read(terminal, bytes, sizeof bytes);
    return n > 0 && fwrite(bytes, 1, (size_t)n, stdout) == (size_t)n;
}

/* Shows and types until the command closes its terminal; 0 when that takes too long. */
static int attend(int terminal, double delay, const char *keys)
{
    double started = now(), quiet_since = started, patience = 4 * delay;
    struct pollfd news = {terminal, POLLIN, 0};
    while (now() - started < 30) {
        if (poll(&news, 1, 20) > 0) {
            if (!copy(terminal))
                return 1;
            quiet_since = now();
            patience = delay;
        }
        if (*keys && now() - quiet_since >= patience) {
            size_t length = strlen(keys);
            if (write(terminal, keys, length) != (ssize_t)length)
                return 1;
            keys = "";
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct winsize size = {24, 80, 0, 0};
    int terminal, status;
    if (argc < 5)
        return 2;
    size.ws_col = (unsigned short)atoi(argv[1]);
    pid_t child = forkpty(&terminal, NULL, NULL, &size);
    if (child == 0) {
        execvp(argv[4], argv + 4);
        _exit(127);
    }
    if (!attend(terminal, atof(argv[2]), argv[3])) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        return 99;
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
