/* Preloaded: makes one allocation of the process fail. The allocator below is the C library's own.
 */
#include <stddef.h>
#include <errno.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static long countdown; /* of the thread that asks: resolver threads would make runs differ */
static __thread int mine;

void amp_test_fail_at(long n)
{
    mine = 1;
    countdown = n;
}

static int fails(void)
{
    if (!mine || countdown == 0 || --countdown > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
    return fails() ? NULL : __libc_realloc(block, size);
}
