#include "json_stream.h"

#include <string.h>

enum state {
    BEFORE_VALUE, /* at the path's current level */
    BEFORE_FIRST, /* element, or the end of the array */
    ELEMENT,
    AFTER_ELEMENT,
    SINGLE, /* the value at the path, which is not an array */
    FIRST_NAME,
    NAME,
    BEFORE_COLON,
    OTHER_VALUE, /* of a member that is not on the path */
    AFTER_MEMBER,
    AFTER_ALL
};

enum { GOES_ON = -1 }; /* in addition to enum amp_stream_status: take the next step */

void amp_stream_init(struct amp_stream *s, const struct amp_memory *memory, struct amp_scan *scan)
{
    memset(s, 0, sizeof *s);
    s->memory = *memory;
    s->scan = scan;
    amp_stream_rewind(s);
}

void amp_stream_free(struct amp_stream *s)
{
    amp_free(&s->memory, s->text, s->room, 1);
    amp_free(&s->memory, s->envelope, s->envelope_room, 1);
    s->text = s->envelope = NULL;
    s->start = s->used = s->room = s->envelope_used = s->envelope_room = 0;
}

void amp_stream_rewind(struct amp_stream *s)
{
    s->start = s->used = s->path_level = s->envelope_used = s->origin.offset = 0;
    s->origin.line = s->origin.column = 1;
    s->overflow = s->finished = s->is_array = s->found = s->arriving = s->unsure = false;
    s->members = 0;
    s->state = BEFORE_VALUE;
}

/* --- positions ------------------------------------------------------------------------------- */

void amp_position_advance(struct amp_position *position, const char *bytes, size_t size)
{
    const char *end = bytes + size, *newline;
    position->offset += size;
    while ((newline = (const char *)memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        position->line++;
        position->column = 1;
        bytes = newline + 1;
    }
    position->column += (size_t)(end - bytes);
}

struct amp_position amp_stream_position(const struct amp_stream *s, const char *at)
{
    struct amp_position position = s->origin;
    amp_position_advance(&position, s->text, (size_t)(at - s->text));
    return position;
}

bool amp_stream_is_over(const struct amp_stream *s)
{
    return s->state == AFTER_ALL && s->finished && s->start == s->used;
}

size_t amp_stream_level(const struct amp_stream *s)
{
    return s->path_length + (size_t)s->is_array;
}

/* --- the buffer ------------------------------------------------------------------------------ */

/* Forgets the consumed bytes; the value that is arriving moves to the front. */
static void compact(struct amp_stream *s)
{
    if (s->start == 0)
        return;
    amp_position_advance(&s->origin, s->text, s->start);
    memmove(s->text, s->text + s->start, s->used - s->start + 1);
    s->used -= s->start;
    s->begin -= s->arriving ? s->start : 0;
    s->start = 0;
}

char *amp_stream_reserve(struct amp_stream *s, size_t size)
{
    if (s->room - s->used <= size) {
        /* Where more would stay than goes, the same bytes would move again and again. */
        if (s->text && s->start >= s->used - s->start)
            compact(s);
        if (s->room - s->used <= size) {
            void *grown = amp_grow(&s->memory, s->text, &s->room, s->used + size + 1, 1);
            if (!grown)
                return NULL;
            s->text = (char *)grown;
        }
    }
    return s->text + s->used;
}

void amp_stream_add(struct amp_stream *s, size_t size)
{
    size_t allowed = s->max_bytes - (s->origin.offset + s->used);
    if (size > allowed) {
        size = allowed;
        s->overflow = true;
    }
    s->used += size;
    s->text[s->used] = '\0';
}

bool amp_stream_feed(struct amp_stream *s, const char *bytes, size_t size)
{
    size_t allowed = s->max_bytes - (s->origin.offset + s->used), kept = size;
    if (kept > allowed)
        kept = allowed;
    char *end = amp_stream_reserve(s, kept);
    if (!end)
        return false;
    memcpy(end, bytes, kept);
    amp_stream_add(s, kept);
    s->overflow |= kept < size;
    return true;
}

/* --- errors ---------------------------------------------------------------------------------- */

static int fail(struct amp_stream *s, const char *at, const char *expected)
{
    amp_scan_fail(s->scan, at, expected);
    return AMP_STREAM_FAILED;
}

static int over(struct amp_stream *s, const char *at, const char *what, size_t limit)
{
    amp_scan_over(s->scan, at, what, limit);
    return AMP_STREAM_FAILED;
}

static int out_of_memory(struct amp_stream *s)
{
    amp_scan_fail(s->scan, s->text, "not enough memory");
    s->scan->error.failure = AMP_NO_MEMORY;
    return AMP_STREAM_FAILED;
}

/* The input ends here for now: more may come, or the error that it does not. */
static int starved(struct amp_stream *s, const char *expected)
{
    if (s->overflow)
        return over(s, s->text + s->used, "more bytes than max_bytes", s->max_bytes);
    return s->finished ? fail(s, s->text + s->used, expected) : AMP_STREAM_MORE;
}

/* --- steps ----------------------------------------------------------------------------------- */

/* The next byte that is not white space, or NUL at the end of what has arrived. */
static char peek(struct amp_stream *s)
{
    s->start = (size_t)(amp_skip_space(s->text + s->start) - s->text);
    return s->text[s->start];
}

static bool is_empty(const struct amp_stream *s)
{
    return s->start == s->used;
}

static int go(struct amp_stream *s, int state)
{
    s->state = state;
    return GOES_ON;
}

static bool too_long(const struct amp_stream *s, size_t size)
{
    return size > s->max_value_bytes;
}

/* A value begins at the front, unless nothing is there. */
static bool arrive(struct amp_stream *s)
{
    char first = peek(s);
    if (is_empty(s))
        return false;
    s->arriving = true;
    s->begin = s->start;
    s->searched = 0;
    amp_split_start(&s->split, first);
    return true;
}

/*
 * Waits until the value at the front is complete. When the input has ended in its midst, or it is
 * nested too deeply already, it is given all the same: the scanner knows best what is wrong.
 */
static int whole_value(struct amp_stream *s, const char *expected)
{
    if (!s->arriving && !arrive(s))
        return starved(s, expected);
    const char *begin = s->text + s->begin, *end = s->text + s->used;
    const char *found = amp_split_find(&s->split, begin + s->searched, end, s->scan->max_depth);
    s->searched = (size_t)((found ? found : end) - begin);
    if (too_long(s, s->searched))
        return over(s, begin + s->max_value_bytes, "a value of more bytes than max_element_bytes",
                    s->max_value_bytes);
    if (!found && s->overflow)
        return starved(s, expected);
    return found || s->finished ? AMP_STREAM_VALUE : AMP_STREAM_MORE;
}

/* --- the envelope: the members outside the path ---------------------------------------------- */

static int remember(struct amp_stream *s, const char *text, size_t size)
{
    if (too_long(s, s->envelope_used + size))
        return over(s, s->text + s->start, "more bytes around the array than max_element_bytes",
                    s->max_value_bytes);
    if (s->envelope_room - s->envelope_used <= size) {
        void *grown =
            amp_grow(&s->memory, s->envelope, &s->envelope_room, s->envelope_used + size + 1, 1);
        if (!grown)
            return out_of_memory(s);
        s->envelope = (char *)grown;
    }
    memcpy(s->envelope + s->envelope_used, text, size);
    s->envelope_used += size;
    s->envelope[s->envelope_used] = '\0';
    return GOES_ON;
}

static int remember_name(struct amp_stream *s, const char *text, size_t size)
{
    int result = s->members++ ? remember(s, ",", 1) : GOES_ON;
    if (result == GOES_ON)
        result = remember(s, text, size);
    return result == GOES_ON ? remember(s, ":", 1) : result;
}

/* --- on the way to the path ------------------------------------------------------------------ */

static int open_object(struct amp_stream *s)
{
    s->start++;
    s->members = 0;
    s->state = FIRST_NAME;
    return remember(s, "{", 1);
}

/* A value on the path has ended; the object around it goes on. */
static void leave_value(struct amp_stream *s)
{
    if (s->path_level == 0) {
        s->state = s->many ? BEFORE_VALUE : AFTER_ALL;
    } else {
        s->path_level--;
        s->state = AFTER_MEMBER;
    }
}

static int close_object(struct amp_stream *s)
{
    s->start++;
    s->members = 1;
    leave_value(s);
    return remember(s, "}", 1);
}

/* A whole value that is not an element: scanned here. Returns its end or NULL. */
static const char *scan_piece(struct amp_stream *s)
{
    if (!amp_scan_start(s->scan, s->text + s->used, s->path_level + 1))
        return NULL;
    return amp_scan_skip(s->scan, s->text + s->begin);
}

static int take_name(struct amp_stream *s)
{
    const char *begin = s->text + s->begin, *end;
    const struct amp_path_key *key = &s->path[s->path_level];
    struct amp_node name;
    if (*begin != '"')
        return fail(s, begin, "a member's name in quotes");
    end = scan_piece(s);
    if (!end)
        return AMP_STREAM_FAILED;
    memset(&name, 0, sizeof name);
    name.as.text = begin + 1;
    name.size = (uint32_t)(end - begin - 2);
    name.kind = AMP_ESCAPED_KEY;
    s->on_path = amp_node_is(&name, key->text, key->size);
    bool is_last = s->on_path && s->path_level + 1 == s->path_length;
    if (is_last && s->found)
        return fail(s, begin, "the array at the path only once");
    s->arriving = false;
    s->start = (size_t)(end - s->text);
    s->state = BEFORE_COLON;
    return is_last ? GOES_ON : remember_name(s, begin, (size_t)(end - begin));
}

static int take_other(struct amp_stream *s)
{
    const char *begin = s->text + s->begin, *end = scan_piece(s);
    s->state = AFTER_MEMBER;
    if (!end || !amp_stream_taken(s, end))
        return AMP_STREAM_FAILED;
    return remember(s, begin, (size_t)(end - begin));
}

/* --- steps ----------------------------------------------------------------------------------- */

static int begin_value(struct amp_stream *s, char c)
{
    if (s->path_level < s->path_length)
        return c == '{' ? open_object(s) : fail(s, s->text + s->start, "an object");
    s->found = true;
    if (c == '[' && s->shape != AMP_STREAM_WHOLE) {
        s->start++;
        s->is_array = true;
        return go(s, BEFORE_FIRST);
    }
    return s->shape == AMP_STREAM_ARRAY ? fail(s, s->text + s->start, "an array") : go(s, SINGLE);
}

static int take_colon(struct amp_stream *s, char c)
{
    if (c != ':')
        return fail(s, s->text + s->start, "':'");
    s->start++;
    s->path_level += (size_t)s->on_path;
    return go(s, s->on_path ? BEFORE_VALUE : OTHER_VALUE);
}

static int end_array(struct amp_stream *s)
{
    s->start++;
    leave_value(s);
    return GOES_ON;
}

/* What follows an element: another, or the array's end. */
static int after_element(struct amp_stream *s, char c)
{
    if (c == ']')
        return end_array(s);
    if (c != ',')
        return fail(s, s->text + s->start, "',' or ']'");
    s->start++;
    return go(s, ELEMENT);
}

static int after_member(struct amp_stream *s, char c)
{
    if (c == '}')
        return close_object(s);
    if (c != ',')
        return fail(s, s->text + s->start, "',' or '}'");
    s->start++;
    return go(s, NAME);
}

static int after_all(struct amp_stream *s)
{
    peek(s);
    if (!is_empty(s))
        return fail(s, s->text + s->start, "the end of the text");
    if (s->overflow || !s->finished)
        return starved(s, "the end of the text");
    return s->found ? AMP_STREAM_END : fail(s, s->text + s->used, "the member at the path");
}

/* Most values have arrived as a whole: a scan that succeeds shows it for less than looking for the
 * end first. */
static int deliver(struct amp_stream *s)
{
    s->unsure = !s->arriving && arrive(s) && !s->split.scalar;
    return s->unsure ? AMP_STREAM_VALUE : whole_value(s, "a value");
}

static int piece(struct amp_stream *s, const char *expected, int (*take)(struct amp_stream *s))
{
    int status = whole_value(s, expected);
    return status == AMP_STREAM_VALUE ? take(s) : status;
}

/* States that look at one byte. */
static int step_byte(struct amp_stream *s)
{
    static const char *const expected[] = {
        "a value", "a value or ']'", "", "',' or ']'", "", "a member's name or '}'", "", "':'",
        "",        "',' or '}'"};
    char c = peek(s);
    if (is_empty(s))
        return s->many && s->finished && !s->overflow ? (int)AMP_STREAM_END
                                                      : starved(s, expected[s->state]);
    switch (s->state) {
    case BEFORE_VALUE:
        return begin_value(s, c);
    case BEFORE_FIRST:
        return c == ']' ? end_array(s) : go(s, ELEMENT);
    case AFTER_ELEMENT:
        return after_element(s, c);
    case FIRST_NAME:
        return c == '}' ? close_object(s) : go(s, NAME);
    case BEFORE_COLON:
        return take_colon(s, c);
    default:
        return after_member(s, c);
    }
}

static int step(struct amp_stream *s)
{
    switch (s->state) {
    case ELEMENT:
    case SINGLE:
        return deliver(s);
    case NAME:
        return piece(s, "a member's name", take_name);
    case OTHER_VALUE:
        return piece(s, "a value", take_other);
    case AFTER_ALL:
        return after_all(s);
    default:
        return step_byte(s);
    }
}

/* Passes over a byte order mark at the very beginning. Returns false while only a part is there. */
static bool skip_mark(struct amp_stream *s)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (!s->has_mark || s->origin.offset + s->start != 0)
        return true;
    size_t size = s->used < 3 ? s->used : 3;
    if (size == 0 || memcmp(s->text, mark, size) != 0)
        return true;
    s->start = size == 3 ? 3 : 0;
    return size == 3 || s->finished;
}

enum amp_stream_status amp_stream_next(struct amp_stream *s, const char **value)
{
    int status;
    if (!skip_mark(s))
        return AMP_STREAM_MORE;
    do
        status = step(s);
    while (status == GOES_ON);
    *value = s->text + s->begin;
    return (enum amp_stream_status)status;
}

bool amp_stream_doubt(struct amp_stream *s)
{
    bool unsure = s->unsure;
    s->unsure = false;
    /* Also at a limit: which of two is met first must not depend on the chunks. */
    return unsure && s->scan->error.failure != AMP_NO_MEMORY;
}

bool amp_stream_taken(struct amp_stream *s, const char *end)
{
    const char *begin = s->text + s->begin, *complete = s->unsure ? end : begin + s->searched;
    if (s->unsure && too_long(s, (size_t)(end - begin)))
        return false;
    s->arriving = s->unsure = false;
    s->start = (size_t)(end - s->text);
    if (s->state == ELEMENT)
        s->state = AFTER_ELEMENT;
    else if (s->state == SINGLE)
        leave_value(s);
    if (end == complete)
        return true;
    /* A scalar with something attached, such as 1x. */
    fail(s, end,
         s->state == AFTER_ELEMENT  ? "',' or ']'"
         : s->state == AFTER_MEMBER ? "',' or '}'"
         : s->many                  ? "white space"
                                    : "the end of the text");
    return false;
}
