/* Preloaded: a resolver that takes three seconds for every name. */
#define _GNU_SOURCE
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)node, (void)service, (void)hints;
    sleep(3);
    *result = NULL;
    return EAI_NONAME;
}
