#include "rfc3339.h"

#include <string.h>

enum { DAY = 86400 };

struct cursor {
    const char *p, *end;
};

/* Takes one byte of `set`. */
static bool take(struct cursor *c, const char *set)
{
    if (c->p == c->end || !*c->p || !strchr(set, *c->p))
        return false;
    c->p++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes exactly `count` digits. */
static bool take_digits(struct cursor *c, int count, int *value)
{
    if (c->end - c->p < count)
        return false;
    for (*value = 0; count; count--, c->p++) {
        if (!is_digit(*c->p))
            return false;
        *value = *value * 10 + (*c->p - '0');
    }
    return true;
}

/* Days since 1970-01-01; the year begins in March, so that the leap day comes last. */
static int64_t days(int year, int month, int day)
{
    int64_t y = year - (month <= 2) + 400, m = (month + 9) % 12; /* y is never negative */
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468 - 146097;
}

static int month_length(int year, int month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 ? 28 + leap : 30 + ((month + month / 8) & 1);
}

static const char *read_date(struct cursor *c, int64_t *seconds, int *day, int *last_day)
{
    int year, month;
    if (!take_digits(c, 4, &year) || !take(c, "-") || !take_digits(c, 2, &month) || !take(c, "-") ||
        !take_digits(c, 2, day))
        return "expected yyyy-mm-ddThh:mm:ss, then Z or an offset";
    if (month < 1 || month > 12)
        return "no such month";
    *last_day = month_length(year, month);
    if (*day < 1 || *day > *last_day)
        return "no such day";
    *seconds = days(year, month, *day) * DAY;
    return NULL;
}

static const char *read_clock(struct cursor *c, struct amp_instant *instant, int *second)
{
    int hour, minute;
    if (!take(c, "Tt ") || !take_digits(c, 2, &hour) || !take(c, ":") ||
        !take_digits(c, 2, &minute) || !take(c, ":") || !take_digits(c, 2, second))
        return "expected yyyy-mm-ddThh:mm:ss, then Z or an offset";
    if (hour > 23 || minute > 59 || *second > 60)
        return "no such time of day";
    instant->seconds += hour * 3600 + minute * 60 + *second;
    if (take(c, ".")) {
        int32_t unit = 100000000;
        const char *first = c->p;
        for (; c->p < c->end && is_digit(*c->p); c->p++, unit /= 10)
            instant->nanoseconds += (*c->p - '0') * unit;
        if (c->p == first)
            return "expected digits after the point";
    }
    return NULL;
}

static const char *read_zone(struct cursor *c, int64_t *seconds)
{
    int hour = 0, minute = 0;
    if (!take(c, "Zz")) {
        bool west = take(c, "-");
        if ((!west && !take(c, "+")) || !take_digits(c, 2, &hour) || !take(c, ":") ||
            !take_digits(c, 2, &minute) || hour > 23 || minute > 59)
            return "expected Z or an offset such as +02:00 at the end";
        *seconds += (west ? 1 : -1) * (hour * 3600 + minute * 60);
    }
    return c->p == c->end ? NULL : "expected Z or an offset such as +02:00 at the end";
}

/* Whether a month begins in UTC this many seconds after the midnight of its local date. */
static bool is_month_begin(int64_t seconds, int day, int last_day)
{
    return seconds == 0 ? day == 1 : seconds == DAY && day == last_day;
}

const char *amp_rfc3339_read(struct amp_instant *instant, const char *text, size_t size,
                             bool or_date)
{
    struct cursor c = {text, text + size};
    int day, last_day, second;
    const char *why = read_date(&c, &instant->seconds, &day, &last_day);
    instant->nanoseconds = 0;
    if (why || (or_date && c.p == c.end))
        return why;
    int64_t date = instant->seconds;
    if ((why = read_clock(&c, instant, &second)) || (why = read_zone(&c, &instant->seconds)))
        return why;
    if (second == 60 && !is_month_begin(instant->seconds - date, day, last_day))
        return "no leap second is inserted there";
    return NULL;
}

int amp_instant_compare(const struct amp_instant *a, const struct amp_instant *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return a->nanoseconds - b->nanoseconds;
}
