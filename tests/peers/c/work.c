/* produce and consume: work until somebody shuts the queue down, or kills the worker. */
#include "peer.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A log in a shared mapping: what was stored into it is there after a kill, and the stores cost so
 * little that a kill rather hits the queue. */
typedef struct journal {
    char *bytes;
    size_t size, at;
} journal;

typedef struct worker {
    journal log;
    polyipc_queue q;
    uint64_t random;
    int64_t done;
} worker;

static bool start(worker *w, polyipc_queue q, const char *path, const char *seed) {
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    *w = (worker){.q = q, .random = (uint64_t)number(seed) * 2654435761u + 88172645463325252u};
    if (fd < 0 || fstat(fd, &st) != 0)
        return false;
    w->log.size = (size_t)st.st_size;
    w->log.bytes = mmap(NULL, w->log.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return w->log.bytes != MAP_FAILED;
}

static bool full(const worker *w) { return w->log.size - w->log.at < 8192; }

static void line(worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(worker *w, const char *format, ...) {
    va_list args;
    char text[1024];
    va_start(args, format);
    int n = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    text[n] = '\n';
    memcpy(w->log.bytes + w->log.at, text, (size_t)n + 1);
    w->log.at += (size_t)n + 1;
}

/* xorshift64: good enough to mix calls. */
static uint64_t between(worker *w, uint64_t least, uint64_t most) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return least + (w->random >> 11) % (most - least + 1);
}

static polyipc_status finish(worker *w, call *c, polyipc_status s) {
    if (s == POLYIPC_SHUTDOWN) {
        line(w, "E");
        s = POLYIPC_OK;
    }
    munmap(w->log.bytes, w->log.size);
    text_add(c->answer, " %lld", (long long)w->done);
    return s;
}

static size_t length_of(worker *w, char kind) {
    switch (kind) {
    case 'e':
        return between(w, 40, 4000);
    case 'f':
        return between(w, 40, 3000);
    case 'l':
        return between(w, 5000, 15000);
    case 'b':
        return between(w, 70000, LARGEST);
    default:
        return between(w, 40, 200);
    }
}

polyipc_status produce(polyipc_queue q, call *c) {
    if (c->count < 7)
        return PROTOCOL;
    worker w;
    int64_t id = number(c->words[3]), count = number(c->words[6]);
    const char *mix = c->words[5];
    enum { MOST = 100 };
    static char bytes[MOST][3000], large[LARGEST];
    polyipc_slice slices[MOST];
    polyipc_status s = POLYIPC_OK;
    if (!start(&w, q, c->words[2], c->words[4]))
        return PROTOCOL;
    while (s == POLYIPC_OK && !full(&w) && (count == 0 || w.done < count)) {
        char kind = mix[between(&w, 0, strlen(mix) - 1)];
        bool many = kind == 'm' || kind == 'f';
        size_t n = many ? between(&w, 1, kind == 'm' ? 8 : MOST) : 1;
        if (count != 0 && (int64_t)n > count - w.done)
            n = (size_t)(count - w.done);
        for (size_t i = 0; i < n; i++) {
            char *to = many ? bytes[i] : large;
            size_t length = length_of(&w, kind);
            compose(to, id, w.done + (int64_t)i, length);
            slices[i] = (polyipc_slice){to, length};
        }
        line(&w, "p %lld %zu", (long long)w.done, n);
        if (many)
            s = polyipc_queue_put_many(q, slices, n, POLYIPC_RAW, POLYIPC_FOREVER, &n);
        else
            s = polyipc_queue_put(q, slices[0].data, slices[0].size, POLYIPC_RAW, POLYIPC_FOREVER);
        if (s == POLYIPC_OK) {
            w.done += (int64_t)n;
            line(&w, "P %zu", n);
        }
    }
    return finish(&w, c, s);
}

/* The name of a message, which is complained about if it is not what it should be. */
static const char *name_of(worker *w, const char *bytes, size_t size, polyipc_format format, char name[64]) {
    strcpy(name, "0/0");
    if (!parse_name(bytes, size, format, name))
        line(w, "X %zu bytes", size);
    return name;
}

static polyipc_status work_on_lease(worker *w, char kind, char *buffer) {
    polyipc_lease lease;
    polyipc_format format;
    size_t n;
    char name[64];
    line(w, "l");
    polyipc_status s = polyipc_queue_lease(w->q, buffer, LARGEST, POLYIPC_FOREVER, &lease, &n, &format);
    if (s != POLYIPC_OK)
        return s;
    line(w, "L %s %u", name_of(w, buffer, n, format, name), lease.deliveries);
    if (kind == 'n') {
        line(w, "n %s", name);
        s = polyipc_queue_nack(w->q, &lease);
        line(w, "N");
        return s;
    }
    if (kind == 'h') {
        struct timespec now, began;
        uint64_t hold = between(w, 0, 100000);
        clock_gettime(CLOCK_MONOTONIC, &began);
        do
            clock_gettime(CLOCK_MONOTONIC, &now);
        while ((uint64_t)((now.tv_sec - began.tv_sec) * 1000000000 + now.tv_nsec - began.tv_nsec) < hold);
    }
    line(w, "a %s", name);
    s = polyipc_queue_ack(w->q, &lease);
    if (s == POLYIPC_OK) {
        line(w, "A");
        w->done++;
    }
    return s;
}

static polyipc_status work_on_many(worker *w, char *buffer) {
    polyipc_message messages[8];
    size_t n;
    char name[64], names[1000] = "";
    line(w, "g 8");
    polyipc_status s = polyipc_queue_get_many(w->q, buffer, LARGEST, messages, 8, POLYIPC_FOREVER, &n);
    if (s != POLYIPC_OK)
        return s;
    for (size_t i = 0; i < n; i++) {
        strcat(names, " ");
        strcat(names, name_of(w, buffer + messages[i].offset, messages[i].size, messages[i].format, name));
    }
    line(w, "G%s", names);
    w->done += (int64_t)n;
    return s;
}

static polyipc_status work_on_one(worker *w, char kind, char *buffer) {
    size_t n;
    char name[64];
    polyipc_format format;
    polyipc_wait_item item = {w->q.id, 0, POLYIPC_READABLE, 0};
    polyipc_status s = kind == 'w' ? polyipc_wait(&item, 1, POLYIPC_FOREVER, NULL) : POLYIPC_OK;
    if (s != POLYIPC_OK)
        return s;
    line(w, "g 1");
    s = polyipc_queue_get(w->q, buffer, LARGEST, POLYIPC_FOREVER, &n, &format);
    if (s != POLYIPC_OK)
        return s;
    line(w, "G %s", name_of(w, buffer, n, format, name));
    w->done++;
    if (kind == 't') {
        line(w, "t");
        s = polyipc_queue_task_done(w->q);
        line(w, "T");
    }
    return s;
}

polyipc_status consume(polyipc_queue q, call *c) {
    if (c->count < 5)
        return PROTOCOL;
    static char buffer[LARGEST];
    const char *mix = c->words[4];
    worker w;
    polyipc_status s = POLYIPC_OK;
    if (!start(&w, q, c->words[2], c->words[3]))
        return PROTOCOL;
    while (s == POLYIPC_OK && !full(&w)) {
        char kind = mix[between(&w, 0, strlen(mix) - 1)];
        if (kind == 'm')
            s = work_on_many(&w, buffer);
        else if (kind == 'l' || kind == 'n' || kind == 'h')
            s = work_on_lease(&w, kind, buffer);
        else
            s = work_on_one(&w, kind, buffer);
    }
    return finish(&w, c, s);
}
