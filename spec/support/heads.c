/* Reads heads as src/http_head.c does: for each one on stdin, a size in decimal, a newline and that
 * many bytes, prints "STATUS LENGTH CHUNKED" and the fields as name NUL value NUL, or the kind of
 * its error; a byte 30 ends each. */
#include "http_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const struct amp_head *head)
{
    const char *name = NULL, *value = NULL;

    printf("%ld %.0f %d%c", head->status, head->length, head->chunked, 0);
    while ((name = amp_head_next(head, name, &value)) != NULL)
        printf("%s%c%s%c", name, 0, value, 0);
}

static void read_head(const char *bytes, size_t n)
{
    struct amp_head head;
    const char *end = bytes + n, *line = bytes, *stop;

    memset(&head, 0, sizeof head);
    amp_head_reset(&head);
    head.old = true;
    while (head.state != AMP_HEAD_DONE &&
           (stop = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (!amp_head_line(&head, line, (size_t)(stop + 1 - line)))
            break;
        line = stop + 1;
    }
    if (head.fault)
        printf("%s", head.fault == AMP_OVER_LIMIT ? "limit"
                     : head.fault == AMP_CLOSED   ? "closed"
                                                  : "protocol");
    else if (head.state == AMP_HEAD_DONE)
        print(&head);
    else
        printf("closed");
    putchar(30);
    amp_buffer_free(&head.fields);
}

int main(void)
{
    unsigned long n;

    while (scanf("%lu", &n) == 1 && getchar() == '\n') {
        char *bytes = (char *)malloc(n + 1);
        if (!bytes || fread(bytes, 1, n, stdin) != n)
            return 1;
        read_head(bytes, n);
        free(bytes);
    }
    return 0;
}
