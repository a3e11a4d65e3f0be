/* The commands on pipes, which begin with "pipe.". */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

static polyipc_pipe ends[4096];
static int end_count;

static polyipc_status keep(call *c, polyipc_status s, polyipc_pipe p) {
    if (s != POLYIPC_OK)
        return s;
    ends[end_count] = p;
    text_add(c->answer, " %d", end_count++);
    return s;
}

uint32_t pipe_number(int64_t n) { return n < 0 || n >= end_count ? 0 : ends[n].id; }

int keep_pipe(uint32_t id) {
    ends[end_count] = (polyipc_pipe){id};
    return end_count++;
}

static uint32_t end_of(const char *word) {
    return *word == '0' ? POLYIPC_END_FIRST : *word == '1' ? POLYIPC_END_SECOND : POLYIPC_END_DEFAULT;
}

static void read_options(polyipc_pipe_options *o, const char *capacity, const char *flags) {
    o->capacity = number(capacity);
    o->flags = (strchr(flags, 'k') != NULL ? POLYIPC_KEPT : 0u) |
               (strchr(flags, 't') != NULL ? POLYIPC_TRANSIENT : 0u) |
               (strchr(flags, '1') != NULL ? POLYIPC_ONE_WAY : 0u);
}

static polyipc_status make(call *c, const char *verb) {
    const char *name = strcmp(c->words[1], "-") == 0 ? NULL : c->words[1];
    polyipc_pipe_options o = POLYIPC_PIPE_OPTIONS_INIT;
    polyipc_pipe p, q;
    if (strcmp(verb, "pair") == 0) {
        read_options(&o, c->words[2], c->words[3]);
        polyipc_status s = polyipc_pipe_pair(name, &o, &p, &q);
        s = keep(c, s, p);
        return keep(c, s, q);
    }
    o.end = end_of(c->words[2]);
    if (strcmp(verb, "open") == 0)
        return keep(c, polyipc_pipe_open(name, &o, &p), p);
    read_options(&o, c->words[3], c->words[4]);
    polyipc_status s = strcmp(verb, "create") == 0 ? polyipc_pipe_create(name, &o, &p)
                                                   : polyipc_pipe_open_or_create(name, &o, &p);
    return keep(c, s, p);
}

static polyipc_status send_one(polyipc_pipe p, call *c) {
    text body = {0};
    polyipc_format format;
    polyipc_status s = c->count == 4 ? read_body(c->words[3], &body, &format) : PROTOCOL;
    if (s == POLYIPC_OK)
        s = polyipc_pipe_send(p, body.bytes, body.size, format, nanoseconds(c->words[2]));
    free(body.bytes);
    return s;
}

/* Receives into a text that grows as needed. */
static polyipc_status receive(polyipc_pipe p, text *to, int64_t ns, polyipc_format *format) {
    for (;;) {
        to->size = 0;
        text_reserve(to, 1000);
        size_t size = 0;
        polyipc_status s = polyipc_pipe_recv(p, to->bytes, to->room, ns, &size, format);
        if (s == POLYIPC_OK)
            to->size = size;
        if (s != POLYIPC_TOO_SMALL)
            return s;
        text_reserve(to, size + 1);
    }
}

static polyipc_status recv_one(polyipc_pipe p, call *c) {
    text body = {0};
    polyipc_format format;
    polyipc_status s = receive(p, &body, nanoseconds(c->words[2]), &format);
    if (s == POLYIPC_OK)
        s = show_body(c->answer, body.bytes, body.size, format);
    free(body.bytes);
    return s;
}

static polyipc_status poll_one(polyipc_pipe p, call *c) {
    polyipc_status s = polyipc_pipe_poll(p, nanoseconds(c->words[2]));
    if (s != POLYIPC_OK && s != POLYIPC_EMPTY && s != POLYIPC_TIMEOUT)
        return s;
    text_add(c->answer, " %d", s == POLYIPC_OK);
    return POLYIPC_OK;
}

static polyipc_status stat_one(polyipc_pipe p, call *c) {
    polyipc_pipe_stat_t st = {.size = sizeof st};
    polyipc_status s = polyipc_pipe_stat(p, &st);
    if (s == POLYIPC_OK)
        text_add(c->answer, " end=%u other=%u messages=%lld sent=%llu received=%llu",
                 st.end - POLYIPC_END_FIRST, st.other, (long long)st.in.messages,
                 (unsigned long long)st.out.sent, (unsigned long long)st.in.received);
    return s;
}

static polyipc_status name_one(polyipc_pipe p, call *c) {
    char name[129];
    polyipc_status s = polyipc_pipe_name(p, name, sizeof name);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %s", name);
    return s;
}

static polyipc_status close_one(polyipc_pipe p, call *c) {
    (void)c;
    return polyipc_pipe_close(p);
}

/* Nobody is left at the other end: the number of messages is the answer. */
static polyipc_status over(polyipc_status s, call *c, int count) {
    if (s != POLYIPC_OK && s != POLYIPC_END_OF_FILE && s != POLYIPC_BROKEN)
        return s;
    text_add(c->answer, " %d", count);
    return POLYIPC_OK;
}

static polyipc_status echo(polyipc_pipe p, call *c) {
    text body = {0};
    polyipc_format format;
    polyipc_status s;
    int n = -1;
    do {
        n++;
        s = receive(p, &body, POLYIPC_FOREVER, &format);
        if (s == POLYIPC_OK)
            s = polyipc_pipe_send(p, body.bytes, body.size, format, POLYIPC_FOREVER);
    } while (s == POLYIPC_OK);
    free(body.bytes);
    return over(s, c, n);
}

enum { MOST_POURED = 33000 };

static size_t poured(char *buffer, int i) {
    const size_t n = (size_t)(7919LL * i % 3000 + (i % 50 == 49 ? 30000 : 0));
    generate(buffer, n, i);
    return n;
}

static polyipc_status pour(polyipc_pipe p, call *c) {
    static char buffer[MOST_POURED];
    const int count = (int)number(c->words[2]);
    polyipc_status s = POLYIPC_OK;
    int n = 0;
    while (n < count && s == POLYIPC_OK) {
        s = polyipc_pipe_send(p, buffer, poured(buffer, n), POLYIPC_RAW, POLYIPC_FOREVER);
        n += s == POLYIPC_OK;
    }
    return over(s, c, n);
}

static polyipc_status drain(polyipc_pipe p, call *c) {
    static char got[MOST_POURED], want[MOST_POURED];
    for (int n = 0;; n++) {
        size_t size;
        polyipc_status s = polyipc_pipe_recv(p, got, sizeof got, POLYIPC_FOREVER, &size, NULL);
        if (s != POLYIPC_OK)
            return over(s, c, n);
        if (size != poured(want, n) || memcmp(got, want, size) != 0)
            return PROTOCOL;
    }
}

static const struct {
    const char *verb;
    int words; /* at least, with the verb */
    polyipc_status (*does)(polyipc_pipe p, call *c);
} verbs[] = {
    {"send", 4, send_one}, {"recv", 3, recv_one}, {"poll", 3, poll_one},
    {"stat", 2, stat_one}, {"name", 2, name_one}, {"close", 2, close_one},
    {"echo", 2, echo},     {"pour", 3, pour},     {"drain", 2, drain},
};

polyipc_status answer_to_pipe(call *c) {
    const char *verb = c->words[0] + strlen("pipe.");
    if (strcmp(verb, "unlink") == 0)
        return polyipc_pipe_unlink(c->words[1], NULL);
    if (strcmp(verb, "pair") == 0 || strcmp(verb, "create") == 0 || strncmp(verb, "open", 4) == 0)
        return c->count > 2 ? make(c, verb) : PROTOCOL;
    const int n = (int)number(c->words[1]);
    if (n < 0 || n >= end_count)
        return PROTOCOL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb, verbs[i].verb) == 0 && c->count >= verbs[i].words)
            return verbs[i].does(ends[n], c);
    return PROTOCOL;
}

void close_pipes(void) {
    for (int i = 0; i < end_count; i++)
        polyipc_pipe_close(ends[i]);
}
