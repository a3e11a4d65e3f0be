/* The commands on managers, which begin with "manager.". account.c has the type that the peer hosts. */
#include "peer.h"

#include <polyipc_manager.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static polyipc_manager_server servers[100];
static polyipc_manager managers[4096];
static int server_count, manager_count;

/* A word that may be "-". */
static char *given(char *word) { return strcmp(word, "-") == 0 ? NULL : word; }

/* A MessagePack value in hex, read and written anew; empty for "-". */
static polyipc_status value_of(char *word, text *to) {
    text packed = {0};
    polyipc_format format;
    if (given(word) == NULL)
        return POLYIPC_OK;
    text_add(&packed, "m%s", word);
    const polyipc_status s = read_body(packed.bytes, to, &format);
    free(packed.bytes);
    return s;
}

/* The answer to a command whose call came to s. */
static polyipc_status show(call *c, polyipc_status s, const msgpack_object *result) {
    if (s == POLYIPC_REMOTE_ERROR && result->type == MSGPACK_OBJECT_ARRAY) {
        const msgpack_object *part = result->via.array.ptr;
        text_add(&c->failure, "%.*s %c %.*s", (int)part[0].via.str.size, part[0].via.str.ptr,
                 part[2].via.str.size > 0 ? 't' : '-', (int)part[1].via.str.size, part[1].via.str.ptr);
        for (size_t i = 0; i < c->failure.size; i++)
            if (c->failure.bytes[i] == '\n')
                c->failure.bytes[i] = ' ';
    }
    if (s != POLYIPC_OK)
        return s;
    msgpack_sbuffer packed;
    msgpack_packer pk;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
    if (msgpack_pack_object(&pk, *result) != 0)
        broken("no memory");
    s = show_body(c->answer, packed.data, packed.size, POLYIPC_MSGPACK);
    msgpack_sbuffer_destroy(&packed);
    return s;
}

/* ---- servers ---------------------------------------------------------------------------- */

/* What options refer to. */
typedef struct {
    text secret, ca, cert, key;
} referred;

/* KEY FLAGS [CERTS] of a "server" or a "client". */
static polyipc_status read_options(polyipc_manager_options *o, const call *c, const char *who, referred *r) {
    char *key = c->words[3];
    const polyipc_status s = given(key) != NULL ? read_hex(key, &r->secret) : POLYIPC_OK;
    o->key = given(key) != NULL ? r->secret.bytes : NULL;
    o->key_size = r->secret.size;
    o->flags = strchr(c->words[4], 'p') != NULL ? POLYIPC_PICKLE : 0u;
    if (c->count == 6) {
        text_add(&r->ca, "%s/ca.pem", c->words[5]);
        text_add(&r->cert, "%s/%s.pem", c->words[5], who);
        text_add(&r->key, "%s/%s.key", c->words[5], who);
        o->tls_ca = r->ca.bytes;
        o->tls_cert = r->cert.bytes;
        o->tls_key = r->key.bytes;
    }
    return s;
}

static void forget(referred *r) {
    free(r->secret.bytes);
    free(r->ca.bytes);
    free(r->cert.bytes);
    free(r->key.bytes);
}

static polyipc_status serve(call *c) {
    polyipc_manager_options o = POLYIPC_MANAGER_OPTIONS_INIT;
    referred r = {0};
    polyipc_status s = c->count == 5 || c->count == 6 ? read_options(&o, c, "server", &r) : PROTOCOL;
    o.listen = given(c->words[2]);
    if (s == POLYIPC_OK)
        s = polyipc_manager_serve(given(c->words[1]), &o, &servers[server_count]);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", server_count++);
    forget(&r);
    return s;
}

static polyipc_status on_server(call *c, const char *verb) {
    const int n = (int)number(c->words[1]);
    char told[256];
    polyipc_status s;
    if (n < 0 || n >= server_count)
        return PROTOCOL;
    if (strcmp(verb, "wait") == 0)
        return polyipc_manager_server_wait(servers[n], nanoseconds(c->words[2]));
    if (strcmp(verb, "stop") == 0)
        return polyipc_manager_server_close(servers[n]);
    s = strcmp(verb, "name") == 0 ? polyipc_manager_server_name(servers[n], told, sizeof told)
                                  : polyipc_manager_server_address(servers[n], told, sizeof told);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %s", told[0] != 0 ? told : "-");
    return s;
}

/* ---- connections ------------------------------------------------------------------------ */

static polyipc_status link_to(call *c) {
    polyipc_manager_options o = POLYIPC_MANAGER_OPTIONS_INIT;
    referred r = {0};
    polyipc_status s = c->count == 5 || c->count == 6 ? read_options(&o, c, "client", &r) : PROTOCOL;
    if (c->count == 6)
        o.tls_server_name = "scores.test";
    if (s == POLYIPC_OK)
        s = polyipc_manager_connect(c->words[1], &o, nanoseconds(c->words[2]), &managers[manager_count]);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", manager_count++);
    forget(&r);
    return s;
}

static polyipc_status reconnect(polyipc_manager m, call *c) {
    return polyipc_manager_reconnect(m, nanoseconds(c->words[2]));
}

static polyipc_status unlink_from(polyipc_manager m, call *c) {
    (void)c;
    const polyipc_status s = polyipc_manager_close(m);
    end_host(m);
    return s;
}

static polyipc_status info(polyipc_manager m, call *c) {
    polyipc_manager_info_t i = {.size = sizeof i};
    const polyipc_status s = polyipc_manager_info(m, &i);
    if (s == POLYIPC_OK)
        text_add(c->answer, " epoch=%llu client=%llu frame=%lld pickle=%d", (unsigned long long)i.epoch,
                 (unsigned long long)i.client, (long long)i.frame, (i.flags & POLYIPC_PICKLE) != 0);
    return s;
}

/* create TYPE ARGS and open NAME TYPE ARGS, through the manager's own methods. */
static polyipc_status make(polyipc_manager m, call *c) {
    const bool opens = strcmp(c->words[0], "manager.open") == 0;
    char *type = c->words[opens ? 3 : 2], *args = c->words[opens ? 4 : 3];
    text packed = {0};
    msgpack_zone zone;
    msgpack_object list = {.type = MSGPACK_OBJECT_ARRAY};
    polyipc_managed made;
    msgpack_zone_init(&zone, 1024);
    polyipc_status s = value_of(args, &packed);
    if (s == POLYIPC_OK && packed.size > 0)
        s = polyipc_msgpack_read(packed.bytes, packed.size, &zone, &list);
    if (s == POLYIPC_OK && list.type != MSGPACK_OBJECT_ARRAY)
        s = PROTOCOL;
    const msgpack_object *first = list.via.array.ptr;
    const size_t count = list.via.array.size;
    if (s == POLYIPC_OK && opens)
        s = polyipc_managed_open(m, c->words[2], given(type), first, count, POLYIPC_FOREVER, &made);
    else if (s == POLYIPC_OK)
        s = polyipc_managed_create(m, type, first, count, POLYIPC_FOREVER, &made);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %llu", (unsigned long long)made.object);
    msgpack_zone_destroy(&zone);
    free(packed.bytes);
    return s;
}

/* ---- calls ------------------------------------------------------------------------------ */

/* What a command says to call, from its words: THREAD O METHOD ARGS NAMED. */
typedef struct request {
    text args, named;
    polyipc_manager_call_t call;
} request;

static polyipc_status read_request(request *r, char **words, bool named) {
    *r = (request){0};
    polyipc_status s = value_of(words[3], &r->args);
    if (s == POLYIPC_OK && named)
        s = value_of(words[4], &r->named);
    r->call = (polyipc_manager_call_t){.object = (uint64_t)number(words[1]),
                                       .method = words[2],
                                       .args = r->args.size > 0 ? r->args.bytes : NULL,
                                       .args_size = r->args.size,
                                       .named = r->named.size > 0 ? r->named.bytes : NULL,
                                       .named_size = r->named.size,
                                       .thread = (uint64_t)number(words[0])};
    return s;
}

static void drop_request(request *r) {
    free(r->args.bytes);
    free(r->named.bytes);
}

/* Waits for the end of a call that was started. */
static polyipc_status finish_call(polyipc_manager m, uint64_t started, int64_t ns, call *c) {
    msgpack_zone zone;
    msgpack_object result = {.type = MSGPACK_OBJECT_NIL};
    msgpack_zone_init(&zone, 4096);
    const polyipc_status s = show(c, polyipc_managed_finish(m, started, ns, &zone, &result), &result);
    msgpack_zone_destroy(&zone);
    return s;
}

/* One call, as polyipc_manager_call does it: a result that is too large is fetched. */
static polyipc_status call_once(polyipc_manager m, call *c) {
    request r;
    char bytes[1000];
    size_t size = 0;
    uint64_t started = 0;
    const int64_t ns = nanoseconds(c->words[2]);
    polyipc_status s = read_request(&r, c->words + 3, true);
    if (s == POLYIPC_OK) {
        s = polyipc_manager_call(m, &r.call, ns, bytes, sizeof bytes, &size, &started);
        if (s == POLYIPC_TOO_SMALL) {
            s = finish_call(m, started, ns, c);
        } else if (s == POLYIPC_OK || size > 0) {
            msgpack_zone zone;
            msgpack_object result;
            msgpack_zone_init(&zone, 4096);
            const polyipc_status read = polyipc_msgpack_read(bytes, size, &zone, &result);
            s = show(c, read != POLYIPC_OK ? read : s, &result);
            msgpack_zone_destroy(&zone);
        }
    }
    drop_request(&r);
    return s;
}

static polyipc_status start(polyipc_manager m, call *c) {
    request r;
    uint64_t started;
    polyipc_status s = read_request(&r, c->words + 3, true);
    if (s == POLYIPC_OK)
        s = polyipc_manager_start(m, &r.call, nanoseconds(c->words[2]), &started);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %llu", (unsigned long long)started);
    drop_request(&r);
    return s;
}

static polyipc_status finish(polyipc_manager m, call *c) {
    return finish_call(m, (uint64_t)number(c->words[3]), nanoseconds(c->words[2]), c);
}

static polyipc_status cancel(polyipc_manager m, call *c) {
    return polyipc_manager_cancel(m, (uint64_t)number(c->words[2]));
}

static polyipc_status batch(polyipc_manager m, call *c) {
    text calls = {0};
    uint64_t started;
    const int64_t ns = nanoseconds(c->words[2]);
    polyipc_status s = value_of(c->words[4], &calls);
    if (s == POLYIPC_OK)
        s = polyipc_manager_batch(m, calls.bytes, calls.size, (uint64_t)number(c->words[3]), ns, &started);
    free(calls.bytes);
    return s == POLYIPC_OK ? finish_call(m, started, ns, c) : s;
}

static polyipc_status repeat(polyipc_manager m, call *c) {
    request r;
    char bytes[1000];
    size_t size;
    polyipc_status s = read_request(&r, c->words + 3, false);
    const int64_t count = number(c->words[2]);
    for (int64_t i = 0; i < count && s == POLYIPC_OK; i++)
        s = polyipc_manager_call(m, &r.call, POLYIPC_FOREVER, bytes, sizeof bytes, &size, NULL);
    drop_request(&r);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %lld", (long long)count);
    return s;
}

static polyipc_status release(polyipc_manager m, call *c) {
    return polyipc_manager_release(m, (uint64_t)number(c->words[2]), (uint64_t)number(c->words[3]));
}

static polyipc_status watch(polyipc_manager m, call *c) {
    uint64_t subscription;
    const polyipc_status s = polyipc_managed_watch((polyipc_managed){m, (uint64_t)number(c->words[2])},
                                                   POLYIPC_FOREVER, &subscription);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %llu", (unsigned long long)subscription);
    return s;
}

static polyipc_status event(polyipc_manager m, call *c) {
    msgpack_zone zone;
    msgpack_object result = {.type = MSGPACK_OBJECT_NIL};
    msgpack_zone_init(&zone, 4096);
    const polyipc_status s = polyipc_managed_next_event(m, (uint64_t)number(c->words[3]),
                                                        nanoseconds(c->words[2]), &zone, &result);
    const polyipc_status shown = show(c, s, &result);
    msgpack_zone_destroy(&zone);
    return shown;
}

static polyipc_status count_up(polyipc_manager m, call *c) {
    volatile uint64_t *counter = number_in(c->words[3]);
    const polyipc_manager_call_t acquire = {.object = (uint64_t)number(c->words[2]),
                                            .method = "acquire",
                                            .thread = (uint64_t)number(c->words[5])};
    polyipc_manager_call_t let_go = acquire;
    char bytes[16];
    size_t size;
    polyipc_status s = POLYIPC_OK;
    let_go.method = "release";
    for (int64_t i = number(c->words[4]); i > 0 && s == POLYIPC_OK; i--) {
        s = polyipc_manager_call(m, &acquire, POLYIPC_FOREVER, bytes, sizeof bytes, &size, NULL);
        if (s == POLYIPC_OK) {
            *counter = *counter + 1;
            s = polyipc_manager_call(m, &let_go, POLYIPC_FOREVER, bytes, sizeof bytes, &size, NULL);
        }
    }
    munmap((void *)counter, sizeof *counter);
    return s;
}

/* Increments a key of a dict until that fails; the file says how often it began, and how often it had the
 * answer. */
static polyipc_status tally(polyipc_manager m, call *c) {
    volatile uint64_t *counts = number_in(c->words[4]);
    const size_t length = strlen(c->words[3]);
    char args[34] = {(char)0x91, (char)(0xa0 | length)}, bytes[16];
    const polyipc_manager_call_t increment = {.object = (uint64_t)number(c->words[2]),
                                              .method = "increment",
                                              .args = args,
                                              .args_size = 2 + length};
    size_t size;
    polyipc_status s = length < 32 ? POLYIPC_OK : PROTOCOL;
    if (s == POLYIPC_OK)
        memcpy(args + 2, c->words[3], length);
    while (s == POLYIPC_OK) {
        counts[0] = counts[0] + 1;
        s = polyipc_manager_call(m, &increment, POLYIPC_FOREVER, bytes, sizeof bytes, &size, NULL);
        if (s == POLYIPC_OK)
            counts[1] = counts[1] + 1;
    }
    munmap((void *)counts, sizeof *counts);
    return s;
}

static const struct {
    const char *verb;
    int words; /* with the verb */
    polyipc_status (*does)(polyipc_manager m, call *c);
} verbs[] = {
    {"reconnect", 3, reconnect}, {"close", 2, unlink_from}, {"info", 2, info},      {"create", 4, make},
    {"open", 5, make},           {"call", 8, call_once},    {"start", 8, start},    {"finish", 4, finish},
    {"cancel", 3, cancel},       {"batch", 5, batch},       {"repeat", 7, repeat},  {"release", 4, release},
    {"watch", 3, watch},         {"event", 4, event},       {"count", 6, count_up}, {"host", 2, begin_host},
    {"hosted", 2, count_hosted}, {"tally", 5, tally},
};

polyipc_status answer_to_manager(call *c) {
    const char *verb = c->words[0] + strlen("manager.");
    if (strcmp(verb, "serve") == 0)
        return serve(c);
    if (strcmp(verb, "connect") == 0)
        return link_to(c);
    if (strcmp(verb, "name") == 0 || strcmp(verb, "address") == 0 || strcmp(verb, "wait") == 0 ||
        strcmp(verb, "stop") == 0)
        return on_server(c, verb);
    const int n = (int)number(c->words[1]);
    if (n < 0 || n >= manager_count)
        return PROTOCOL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb, verbs[i].verb) == 0 && c->count == verbs[i].words)
            return verbs[i].does(managers[n], c);
    return PROTOCOL;
}

void close_managers(void) {
    for (int i = 0; i < manager_count; i++) {
        polyipc_manager_close(managers[i]); /* those closed before are BAD_HANDLE */
        end_host(managers[i]);
    }
    for (int i = 0; i < server_count; i++)
        polyipc_manager_server_close(servers[i]);
}
