/* The commands that are one call each, and the loop that reads them. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static polyipc_queue queues[4096];
static int queue_count;
static polyipc_lease *leases;
static size_t lease_count;

void broken(const char *what) {
    fprintf(stderr, "C peer: %s\n", what);
    exit(3);
}

void close_queues(void) {
    for (int i = 0; i < queue_count; i++)
        polyipc_queue_close(queues[i]); /* those closed before are BAD_HANDLE */
}

int64_t number(const char *word) { return strtoll(word, NULL, 10); }

int64_t nanoseconds(const char *milliseconds) {
    int64_t n = number(milliseconds);
    return n < 0 ? POLYIPC_FOREVER : n * 1000000;
}

polyipc_queue queue_number(int64_t n) { return n < 0 || n >= queue_count ? (polyipc_queue){0} : queues[n]; }

int keep_queue(polyipc_queue q) {
    queues[queue_count] = q;
    return queue_count++;
}

static polyipc_status open_queue(call *c) {
    const char *name = c->words[1];
    polyipc_queue_options o = POLYIPC_QUEUE_OPTIONS_INIT;
    polyipc_queue q;
    polyipc_status s = PROTOCOL;
    if (strcmp(c->words[0], "open") == 0) {
        s = polyipc_queue_open(name, NULL, &q);
    } else if (c->count == 5) {
        if (strcmp(name, "-") == 0)
            name = NULL;
        o.max_size = number(c->words[2]);
        o.capacity = number(c->words[3]);
        o.flags = c->words[4][0] == 'k' ? POLYIPC_KEPT : c->words[4][0] == 't' ? POLYIPC_TRANSIENT : 0;
        s = strcmp(c->words[0], "create") == 0 ? polyipc_queue_create(name, &o, &q)
                                               : polyipc_queue_open_or_create(name, &o, &q);
    }
    if (s != POLYIPC_OK)
        return s;
    text_add(c->answer, " %d", keep_queue(q));
    return s;
}

static polyipc_status put_many(polyipc_queue q, call *c) {
    size_t n = (size_t)c->count - 3, put = 0;
    polyipc_slice *slices = calloc(n + 1, sizeof *slices);
    polyipc_format format = POLYIPC_RAW;
    polyipc_status s = POLYIPC_OK;
    for (size_t i = 0; i < n && s == POLYIPC_OK; i++) {
        text body = {0};
        s = read_body(c->words[3 + i], &body, &format);
        slices[i] = (polyipc_slice){body.bytes, body.size};
    }
    if (s == POLYIPC_OK)
        s = polyipc_queue_put_many(q, slices, n, format, nanoseconds(c->words[2]), &put);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %zu", put);
    for (size_t i = 0; i < n; i++)
        free((void *)slices[i].data);
    free(slices);
    return s;
}

/* get and lease. A message that is too large for the buffer may be gone when there is a larger one. */
static polyipc_status get(polyipc_queue q, call *c) {
    bool leased = strcmp(c->words[0], "lease") == 0;
    text body = {0};
    size_t room = 100, size = 0;
    polyipc_format format;
    polyipc_lease lease;
    polyipc_status s;
    for (;;) {
        char *to = text_reserve(&body, room);
        int64_t ns = nanoseconds(c->words[2]);
        s = leased ? polyipc_queue_lease(q, to, room, ns, &lease, &size, &format)
                   : polyipc_queue_get(q, to, room, ns, &size, &format);
        if (s != POLYIPC_TOO_SMALL)
            break;
        room = size;
    }
    if (s == POLYIPC_OK && leased) {
        leases = realloc(leases, (lease_count + 1) * sizeof *leases);
        leases[lease_count] = lease;
        text_add(c->answer, " %zu %u", lease_count++, lease.deliveries);
    }
    if (s == POLYIPC_OK)
        s = show_body(c->answer, body.bytes, size, format);
    free(body.bytes);
    return s;
}

static polyipc_status get_many(polyipc_queue q, call *c) {
    if (c->count != 4)
        return PROTOCOL;
    size_t most = (size_t)number(c->words[3]), room = 1 << 20, n = 0;
    polyipc_message *messages = calloc(most + 1, sizeof *messages);
    char *buffer = malloc(room);
    polyipc_status s;
    while ((s = polyipc_queue_get_many(q, buffer, room, messages, most, nanoseconds(c->words[2]), &n)) ==
           POLYIPC_TOO_SMALL) {
        room = messages[0].size;
        buffer = realloc(buffer, room);
    }
    for (size_t i = 0; i < n && s == POLYIPC_OK; i++)
        s = show_body(c->answer, buffer + messages[i].offset, messages[i].size, messages[i].format);
    free(messages);
    free(buffer);
    return s;
}

static polyipc_status stat_of(polyipc_queue q, call *c) {
    polyipc_queue_stat_t s = {.size = sizeof s};
    polyipc_status status = polyipc_queue_stat(q, &s);
    if (status != POLYIPC_OK)
        return status;
    if (strcmp(c->words[0], "full") == 0) {
        int64_t live = s.messages + s.leased + s.reserved;
        bool is = (s.max_size > 0 && live >= s.max_size) || (s.capacity > 0 && s.bytes + 24 > s.capacity);
        text_add(c->answer, " %d", is);
        return status;
    }
    text_add(c->answer,
             " messages=%lld leased=%lld reserved=%lld unfinished=%lld put=%llu taken=%llu abandoned=%llu "
             "redelivered=%llu rings=%u",
             (long long)s.messages, (long long)s.leased, (long long)s.reserved, (long long)s.unfinished,
             (unsigned long long)s.put, (unsigned long long)s.taken, (unsigned long long)s.abandoned,
             (unsigned long long)s.redelivered, s.rings);
    return status;
}

static polyipc_status name_of(polyipc_queue q, call *c) {
    char name[129];
    polyipc_status s = polyipc_queue_name(q, name, sizeof name);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %s", name);
    return s;
}

static polyipc_status size_of(polyipc_queue q, call *c) {
    int64_t n;
    polyipc_status s = polyipc_queue_size(q, &n);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %lld", (long long)(strcmp(c->words[0], "empty") == 0 ? n == 0 : n));
    return s;
}

static polyipc_status put(polyipc_queue q, call *c) {
    text body = {0};
    polyipc_format format;
    polyipc_status s = c->count == 4 ? read_body(c->words[3], &body, &format) : PROTOCOL;
    if (s == POLYIPC_OK)
        s = polyipc_queue_put(q, body.bytes, body.size, format, nanoseconds(c->words[2]));
    free(body.bytes);
    return s;
}

static polyipc_status end_lease(polyipc_queue q, call *c) {
    size_t n = (size_t)number(c->words[2]);
    if (n >= lease_count)
        return PROTOCOL;
    return strcmp(c->words[0], "ack") == 0 ? polyipc_queue_ack(q, &leases[n])
                                           : polyipc_queue_nack(q, &leases[n]);
}

static polyipc_status close_queue(polyipc_queue q, call *c) {
    (void)c;
    return polyipc_queue_close(q);
}

static polyipc_status task_done(polyipc_queue q, call *c) {
    (void)c;
    return polyipc_queue_task_done(q);
}

static polyipc_status join(polyipc_queue q, call *c) {
    return polyipc_queue_join(q, nanoseconds(c->words[2]));
}

static polyipc_status shut_down(polyipc_queue q, call *c) {
    return polyipc_queue_shutdown(q, c->words[2][0] == '1');
}

static const struct {
    const char *verb;
    int words; /* at least, with the verb */
    polyipc_status (*does)(polyipc_queue q, call *c);
} verbs[] = {
    {"put", 4, put},           {"put_many", 3, put_many},
    {"get", 3, get},           {"lease", 3, get},
    {"get_many", 4, get_many}, {"ack", 3, end_lease},
    {"nack", 3, end_lease},    {"task_done", 2, task_done},
    {"join", 3, join},         {"shutdown", 3, shut_down},
    {"size", 2, size_of},      {"empty", 2, size_of},
    {"full", 2, stat_of},      {"stat", 2, stat_of},
    {"name", 2, name_of},      {"close", 2, close_queue},
    {"produce", 7, produce},   {"consume", 5, consume},
};

polyipc_status answer_to(call *c) {
    if (c->count < 2)
        return PROTOCOL;
    const char *verb = c->words[0];
    if (strncmp(verb, "sync.", 5) == 0)
        return answer_to_sync(c);
    if (strncmp(verb, "pipe.", 5) == 0)
        return answer_to_pipe(c);
    if (strncmp(verb, "ref.", 4) == 0)
        return answer_to_ref(c);
    if (strncmp(verb, "segment.", 8) == 0)
        return answer_to_segment(c);
    if (strncmp(verb, "many.", 5) == 0)
        return answer_to_many(c);
    if (strncmp(verb, "crowd.", 6) == 0)
        return answer_to_crowd(c);
    if (strncmp(verb, "manager.", 8) == 0)
        return answer_to_manager(c);
    if (strcmp(verb, "fork") == 0)
        return fork_child(c);
    if (strncmp(verb, "open", 4) == 0 || strcmp(verb, "create") == 0)
        return open_queue(c);
    if (strcmp(verb, "unlink") == 0)
        return polyipc_queue_unlink(c->words[1], NULL);
    int n = (int)number(c->words[1]);
    if (n < 0 || n >= queue_count)
        return PROTOCOL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb, verbs[i].verb) == 0 && c->count >= verbs[i].words)
            return verbs[i].does(queues[n], c);
    return PROTOCOL;
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    static call c;
    text answer = {0};
    while (getline(&line, &room, stdin) > 0) {
        char *rest = line, *word;
        c.count = 0;
        c.answer = &answer;
        answer.size = c.failure.size = 0;
        while (c.count < MOST_WORDS && (word = strtok_r(rest, " \n", &rest)) != NULL)
            c.words[c.count++] = word;
        bool waited = c.count > 0 && strcmp(c.words[0], "wait") == 0;
        polyipc_status s = waited ? wait_child(&c) : answer_to(&c);
        text_reserve(&answer, 1);
        if (c.failure.size == 0)
            text_add(&c.failure, "%s", c.count > 0 ? c.words[0] : "");
        if (s != POLYIPC_OK)
            printf("err %s %.*s\n", s == PROTOCOL ? "PROTOCOL" : polyipc_status_name(s), (int)c.failure.size,
                   text_reserve(&c.failure, 1) - c.failure.size);
        else if (waited)
            printf("%.*s", (int)answer.size, answer.bytes);
        else
            printf("ok%.*s\n", (int)answer.size, answer.bytes);
        fflush(stdout);
    }
    close_queues();
    close_syncs();
    close_segments();
    close_pipes();
    close_managers();
    close_children();
    free(line);
    free(leases);
    free(answer.bytes);
    free(c.failure.bytes);
    return 0;
}
