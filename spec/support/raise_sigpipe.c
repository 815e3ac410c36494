/* Preloaded: writes to dead sockets raise SIGPIPE, as OpenSSL's do in libcurl before 7.87. */
#include <stddef.h>
#include <sys/socket.h>

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return sendto(fd, bytes, size, flags & ~MSG_NOSIGNAL, NULL, 0);
}
