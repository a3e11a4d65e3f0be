/* The commands that begin with "many.": waiting for the first of many, and child processes. */
#include "peer.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

static polyipc_process children[1000];
static int child_count;

/* What an item stands for. */
static bool read_item(const char *word, polyipc_wait_item *item) {
    const int n = (int)number(word + 1);
    const polyipc_queue q = queue_number(n);
    if (word[0] == 'c' ? n < 0 || n >= child_count : q.id == 0)
        return false;
    *item = (polyipc_wait_item){.handle = word[0] == 'c' ? children[n].id : q.id,
                                .events = word[0] == 'w' ? POLYIPC_WRITABLE : POLYIPC_READABLE};
    return word[0] == 'r' || word[0] == 'w' || word[0] == 'c';
}

static polyipc_status wait_many(call *c) {
    const size_t n = (size_t)c->count - 2;
    polyipc_wait_item *items = calloc(n + 1, sizeof *items);
    polyipc_status s = POLYIPC_OK;
    for (size_t i = 0; i < n && s == POLYIPC_OK; i++)
        if (!read_item(c->words[i + 2], &items[i]))
            s = PROTOCOL;
    if (s == POLYIPC_OK)
        s = polyipc_wait(items, n, nanoseconds(c->words[1]), NULL);
    for (size_t i = 0; i < n && s == POLYIPC_OK; i++)
        if (items[i].ready != 0)
            text_add(c->answer, " %s", c->words[i + 2]);
    free(items);
    return s;
}

static polyipc_status poll_item(call *c) {
    polyipc_wait_item item;
    int fd;
    if (!read_item(c->words[1], &item))
        return PROTOCOL;
    const polyipc_status s = c->words[1][0] == 'c'
                                 ? polyipc_process_poll_fd((polyipc_process){item.handle}, &fd)
                                 : polyipc_queue_poll_fd((polyipc_queue){item.handle}, item.events, &fd);
    if (s == POLYIPC_OK) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        text_add(c->answer, " %d", poll(&one, 1, 0));
    }
    return s;
}

/* Reads ROLE=Q,...; their number, or -1. */
static int read_roles(char *words, polyipc_process_object *to, int most) {
    int n = 0;
    char *rest = words, *word;
    if (strcmp(words, "-") == 0)
        return 0;
    while ((word = strtok_r(rest, ",", &rest)) != NULL) {
        char *equals = strchr(word, '=');
        const polyipc_queue q = equals != NULL ? queue_number(number(equals + 1)) : (polyipc_queue){0};
        if (q.id == 0 || n == most)
            return -1;
        *equals = 0;
        to[n++] = (polyipc_process_object){word, q.id, 0};
    }
    return n;
}

static polyipc_status spawn(call *c) {
    polyipc_process_object objects[16];
    const int roles = read_roles(c->words[1], objects, 16), n = c->count - 2;
    if (roles < 0 || n < 1)
        return PROTOCOL;
    char **argv = calloc((size_t)n + 1, sizeof *argv);
    polyipc_status s = POLYIPC_OK;
    for (int i = 0; i < n && s == POLYIPC_OK; i++) {
        text word = {0};
        s = read_hex(c->words[i + 2], &word);
        *text_reserve(&word, 1) = 0;
        argv[i] = word.bytes;
    }
    if (s == POLYIPC_OK)
        s = polyipc_process_spawn(argv, objects, (size_t)roles, NULL, &children[child_count]);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", child_count++);
    for (int i = 0; i < n; i++)
        free(argv[i]);
    free(argv);
    return s;
}

static polyipc_status inherit(call *c) {
    polyipc_queue q;
    const polyipc_status s = polyipc_inherited(c->words[1], POLYIPC_KIND_QUEUE, 0, &q.id);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", keep_queue(q));
    return s;
}

polyipc_status answer_to_many(call *c) {
    const char *verb = c->words[0] + strlen("many.");
    if (strcmp(verb, "wait") == 0)
        return wait_many(c);
    if (strcmp(verb, "poll") == 0)
        return poll_item(c);
    if (strcmp(verb, "spawn") == 0)
        return spawn(c);
    if (strcmp(verb, "inherited") == 0)
        return inherit(c);
    const int n = (int)number(c->words[1]);
    if (n < 0 || n >= child_count || c->count != 3)
        return PROTOCOL;
    if (strcmp(verb, "kill") == 0)
        return polyipc_process_kill(children[n], (int)number(c->words[2]));
    if (strcmp(verb, "status") != 0)
        return PROTOCOL;
    int status;
    const polyipc_status s = polyipc_process_wait(children[n], nanoseconds(c->words[2]), &status);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", status);
    return s;
}

void close_children(void) {
    for (int i = 0; i < child_count; i++)
        polyipc_process_close(children[i]);
}
