/* The commands on segments, which begin with "segment.". */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static polyipc_segment segments[4096];
static int segment_count;

uint32_t segment_number(int64_t n) { return n < 0 || n >= segment_count ? 0 : segments[n].id; }

int keep_segment(uint32_t id) {
    segments[segment_count] = (polyipc_segment){id};
    return segment_count++;
}

typedef struct point {
    int32_t x;
    double y;
} point;

static uint64_t value(const char *word) { return strtoull(word, NULL, 10); }

static uint32_t read_shape(const char *word, int64_t *shape) {
    uint32_t dims = 0;
    if (strcmp(word, "-") == 0)
        return 0;
    for (char *end; dims < POLYIPC_SEGMENT_MAX_DIMS; word = end + 1) {
        shape[dims++] = strtoll(word, &end, 10);
        if (*end != ',')
            break;
    }
    return dims;
}

static polyipc_status make(call *c, const char *verb) {
    const bool opens = strcmp(verb, "open") == 0;
    if (c->count != (opens ? 4 : 7))
        return PROTOCOL;
    polyipc_segment_options o = POLYIPC_SEGMENT_OPTIONS_INIT;
    int64_t shape[POLYIPC_SEGMENT_MAX_DIMS];
    const char *name = strcmp(c->words[1], "-") == 0 ? NULL : c->words[1], *format = c->words[opens ? 2 : 4];
    o.format = strcmp(format, "-") == 0 ? NULL : format;
    o.dims = read_shape(c->words[opens ? 3 : 5], shape);
    o.shape = shape;
    polyipc_segment g;
    polyipc_status s;
    if (opens) {
        s = polyipc_segment_open(name, &o, &g);
    } else {
        o.bytes = number(c->words[2]);
        o.max_bytes = number(c->words[3]);
        o.flags = c->words[6][0] == 'k' ? POLYIPC_KEPT : c->words[6][0] == 't' ? POLYIPC_TRANSIENT : 0;
        s = strcmp(verb, "create") == 0 ? polyipc_segment_create(name, &o, &g)
                                        : polyipc_segment_open_or_create(name, &o, &g);
    }
    if (s != POLYIPC_OK)
        return s;
    segments[segment_count] = g;
    text_add(c->answer, " %d", segment_count++);
    return s;
}

static polyipc_status describe(polyipc_segment g, call *c) {
    polyipc_segment_type_t t = {.size = sizeof t};
    polyipc_segment_stat_t st = {.size = sizeof st};
    polyipc_status s = polyipc_segment_describe(g, &t);
    if (s == POLYIPC_OK)
        s = polyipc_segment_stat(g, &st);
    if (s != POLYIPC_OK)
        return s;
    text_add(c->answer, " %s ", t.format[0] != 0 ? t.format : "-");
    for (uint32_t i = 0; i < t.dims; i++)
        text_add(c->answer, "%s%lld", i > 0 ? "," : "", (long long)t.shape[i]);
    text_add(c->answer, "%s %lld %lld %lld", t.dims > 0 ? "" : "-", (long long)t.item_size,
             (long long)st.bytes, (long long)st.max_bytes);
    return s;
}

static polyipc_status stat_of(polyipc_segment g, call *c) {
    polyipc_segment_stat_t st = {.size = sizeof st};
    polyipc_status s = polyipc_segment_stat(g, &st);
    if (s == POLYIPC_OK)
        text_add(c->answer, " size=%lld max=%lld waiters=%lld take_overs=%llu holder=%lld",
                 (long long)st.bytes, (long long)st.max_bytes, (long long)st.waiters,
                 (unsigned long long)st.take_overs, (long long)st.lock_pid);
    return s;
}

static polyipc_status contents(polyipc_segment g, call *c, const char *verb) {
    void *at;
    int64_t bytes;
    polyipc_status s = polyipc_segment_data(g, &at, &bytes);
    if (s != POLYIPC_OK)
        return s;
    unsigned char *p = (unsigned char *)at + number(c->words[2]);
    if (strcmp(verb, "read") == 0) {
        text_add(c->answer, " x");
        for (int64_t i = 0; i < number(c->words[3]); i++)
            text_add(c->answer, "%02x", p[i]);
        return s;
    }
    for (const char *hex = c->words[3]; *hex != 0; hex += 2, p++) {
        unsigned byte;
        if (sscanf(hex, "%2x", &byte) != 1)
            return PROTOCOL;
        *p = (unsigned char)byte;
    }
    return s;
}

static polyipc_status item(polyipc_segment g, call *c) {
    void *at;
    polyipc_segment_type_t t = {.size = sizeof t};
    polyipc_status s = polyipc_segment_data(g, &at, NULL);
    if (s == POLYIPC_OK)
        s = polyipc_segment_describe(g, &t);
    if (s != POLYIPC_OK)
        return s;
    const int64_t i = number(c->words[2]);
    const bool set = c->count > 3;
    if (strcmp(t.format, "<q") == 0) {
        int64_t *n = (int64_t *)at + i;
        if (set)
            *n = number(c->words[3]);
        else
            text_add(c->answer, " %lld", (long long)*n);
    } else if (strcmp(t.format, "<d") == 0) {
        double *n = (double *)at + i;
        if (set)
            *n = strtod(c->words[3], NULL);
        else
            text_add(c->answer, " %g", *n);
    } else if (strcmp(t.format, "T{<i:x:4x<d:y:}") == 0 && t.item_size == sizeof(point)) {
        point *n = (point *)at + i;
        if (set)
            *n = (point){(int32_t)number(c->words[3]), strtod(c->words[4], NULL)};
        else
            text_add(c->answer, " %d %g", n->x, n->y);
    } else {
        return PROTOCOL;
    }
    return s;
}

static polyipc_status atomic(polyipc_segment g, call *c) {
    static const struct {
        const char *name;
        polyipc_status (*does)(polyipc_segment, int64_t, uint32_t, uint64_t, uint64_t *);
    } operations[] = {
        {"exchange", polyipc_segment_exchange}, {"add", polyipc_segment_add}, {"sub", polyipc_segment_sub},
        {"and", polyipc_segment_and},           {"or", polyipc_segment_or},   {"xor", polyipc_segment_xor},
    };
    const int64_t offset = number(c->words[3]);
    const uint32_t width = (uint32_t)number(c->words[4]);
    uint64_t before = 0;
    polyipc_status s = PROTOCOL;
    if (strcmp(c->words[2], "load") == 0)
        s = polyipc_segment_load(g, offset, width, &before);
    if (strcmp(c->words[2], "store") == 0)
        s = polyipc_segment_store(g, offset, width, value(c->words[5]));
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(c->words[2], operations[i].name) == 0)
            s = operations[i].does(g, offset, width, value(c->words[5]), &before);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %llu", (unsigned long long)before);
    return s;
}

static polyipc_status count(polyipc_segment g, call *c) {
    void *at;
    polyipc_status s = polyipc_segment_data(g, &at, NULL);
    volatile uint64_t *const plain = (volatile uint64_t *)at + 1;
    for (int64_t i = number(c->words[2]); i > 0 && s == POLYIPC_OK; i--) {
        s = polyipc_segment_add(g, 0, 8, 1, NULL);
        if (s == POLYIPC_OK)
            s = polyipc_segment_lock(g, POLYIPC_FOREVER, NULL);
        if (s == POLYIPC_OK) {
            ++*plain;
            s = polyipc_segment_unlock(g);
        }
    }
    return s;
}

static polyipc_status answer(polyipc_segment g, call *c, const char *verb) {
    polyipc_status s = PROTOCOL;
    if (strcmp(verb, "close") == 0)
        return polyipc_segment_close(g);
    if (strcmp(verb, "unlock") == 0)
        return polyipc_segment_unlock(g);
    if (strcmp(verb, "describe") == 0)
        return describe(g, c);
    if (strcmp(verb, "stat") == 0)
        return stat_of(g, c);
    if (strcmp(verb, "name") == 0) {
        char name[129];
        s = polyipc_segment_name(g, name, sizeof name);
        if (s == POLYIPC_OK)
            text_add(c->answer, " %s", name);
        return s;
    }
    if (c->count < 3)
        return PROTOCOL;
    if (strcmp(verb, "grow") == 0)
        return polyipc_segment_grow(g, number(c->words[2]));
    if (strcmp(verb, "get") == 0 || strcmp(verb, "set") == 0)
        return item(g, c);
    if (strcmp(verb, "count") == 0)
        return count(g, c);
    if (strcmp(verb, "lock") == 0) {
        int died = 0;
        s = polyipc_segment_lock(g, nanoseconds(c->words[2]), &died);
        if (s == POLYIPC_OK)
            text_add(c->answer, " %d", died);
        return s;
    }
    if (strcmp(verb, "notify") == 0)
        return polyipc_segment_notify(g, number(c->words[2]));
    if (c->count < 4)
        return PROTOCOL;
    if (strcmp(verb, "read") == 0 || strcmp(verb, "write") == 0)
        return contents(g, c, verb);
    if (c->count != 6)
        return PROTOCOL;
    if (strcmp(verb, "atomic") == 0)
        return atomic(g, c);
    uint64_t now = 0;
    if (strcmp(verb, "compare_exchange") == 0)
        s = polyipc_segment_compare_exchange(g, number(c->words[2]), (uint32_t)number(c->words[3]),
                                             value(c->words[4]), value(c->words[5]), &now);
    if (strcmp(verb, "wait") == 0)
        s = polyipc_segment_wait(g, number(c->words[3]), (uint32_t)number(c->words[4]), value(c->words[5]),
                                 nanoseconds(c->words[2]), &now);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %llu", (unsigned long long)now);
    return s;
}

polyipc_status answer_to_segment(call *c) {
    const char *verb = strchr(c->words[0], '.') + 1;
    if (strcmp(verb, "create") == 0 || strncmp(verb, "open", 4) == 0)
        return make(c, verb);
    if (strcmp(verb, "unlink") == 0)
        return polyipc_segment_unlink(c->words[1], NULL);
    const int64_t n = number(c->words[1]);
    if (n < 0 || n >= segment_count)
        return PROTOCOL;
    return answer(segments[n], c, verb);
}

void close_segments(void) {
    for (int i = 0; i < segment_count; i++)
        polyipc_segment_close(segments[i]);
}
