/* polyipc_manager_host.h - types of a manager's objects that are written in C. polyipc_manager.h includes it.
 *
 * A host is a client that does the calls of the objects of its types. Each type is a table of functions:
 *
 *     static void begin(polyipc_hosted *call) {
 *         call->state = calloc(1, sizeof(int64_t));
 *     }
 *     static void deposit(polyipc_hosted *call) {
 *         int64_t amount;
 *         if (polyipc_msgpack_int64(polyipc_hosted_arg(call, 0, "amount"), &amount) != POLYIPC_OK)
 *             polyipc_hosted_fail(call, "TypeError", "amount must be an integer");
 *         else
 *             msgpack_pack_int64(call->result, *(int64_t *)call->state += amount);
 *     }
 *     static void end(polyipc_hosted *call) { free(call->state); }
 *
 *     static const polyipc_hosted_method methods[] = {
 *         {"Account", "__init__", begin}, {"Account", "deposit", deposit}, {"Account", "__del__", end}};
 *
 *     polyipc_host host;
 *     polyipc_host_begin(&host, manager, methods, 3, POLYIPC_FOREVER);
 *     while ((status = polyipc_host_serve(&host, POLYIPC_FOREVER)) == POLYIPC_OK) {}
 *     polyipc_host_end(&host);
 *
 * One thread at a time uses a host, and does one call after the other. Calls of this process's own to such an
 * object must come from another thread. Whoever hosts in many threads calls polyipc_manager_next_call()
 * itself. */
#ifndef POLYIPC_MANAGER_HOST_H
#define POLYIPC_MANAGER_HOST_H

#include <polyipc_manager.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A call, as the function that does it sees it. */
typedef struct polyipc_hosted {
    polyipc_manager manager;
    uint64_t object;
    uint64_t client; /* who calls, and in which of its threads */
    uint64_t thread;
    void *state;            /* of the object; its "__init__" sets it, NULL before */
    msgpack_object args;    /* an array */
    msgpack_object named;   /* a map */
    msgpack_zone *zone;     /* in which they are; gone when the function returns */
    msgpack_packer *result; /* pack one value; none is nil */
    const char *error;      /* polyipc_hosted_fail sets these: NULL, or the type of an exception */
    char message[512], traceback[256];
} polyipc_hosted;

/* A function of a type. The method "__init__" makes an object, and "__del__" ends it, without anybody who
 * waits for a result; either may be left out. */
typedef struct polyipc_hosted_method {
    const char *type;
    const char *method;
    void (*function)(polyipc_hosted *call);
} polyipc_hosted_method;

/* An argument, by its position or its name. A nil if it was left out, so it is never NULL. */
static inline const msgpack_object *polyipc_hosted_arg(polyipc_hosted *call, uint32_t position,
                                                       const char *name);

/* Makes the call fail, with the type of an exception in Python's words, which is to outlive the call, and a
 * message as printf makes it. The caller's traceback says where this stood. */
#define polyipc_hosted_fail(call, type, ...) \
    polyipc_hosted_fail_at(call, type, __FILE__, __LINE__, __func__, __VA_ARGS__)

typedef struct polyipc_host {
    polyipc_manager manager;
    const polyipc_hosted_method *methods;
    size_t count;
    struct polyipc_mg_state *states; /* of its objects, by number */
    size_t used, room;
    char *buffer;
    size_t capacity;
} polyipc_host;

/* Registers the types in methods, which is to outlive the host. EXISTS: somebody hosts one of them. */
static inline polyipc_status polyipc_host_begin(polyipc_host *host, polyipc_manager manager,
                                                const polyipc_hosted_method *methods, size_t count,
                                                int64_t timeout_ns);

/* Waits for one call, or the end of one object, and does it. TIMEOUT, INTERRUPTED, PEER_DIED, CLOSED. */
static inline polyipc_status polyipc_host_serve(polyipc_host *host, int64_t timeout_ns);

/* Ends the objects that there are, and frees the memory. The types stay registered until the manager is
 * closed. */
static inline void polyipc_host_end(polyipc_host *host);

/* Here ends the manual. */

struct polyipc_mg_state {
    uint64_t object;
    const char *type; /* in the host's methods */
    void *state;
};

static inline const msgpack_object *polyipc_hosted_arg(polyipc_hosted *call, uint32_t position,
                                                       const char *name) {
    static const msgpack_object nil = {MSGPACK_OBJECT_NIL, {0}};
    const msgpack_object_map *named = &call->named.via.map;
    uint32_t i;
    if (position < call->args.via.array.size)
        return &call->args.via.array.ptr[position];
    for (i = 0; i < named->size; i++)
        if (named->ptr[i].key.via.str.size == strlen(name) &&
            memcmp(named->ptr[i].key.via.str.ptr, name, strlen(name)) == 0)
            return &named->ptr[i].val;
    return &nil;
}

#if defined(__GNUC__)
__attribute__((format(printf, 6, 7)))
#endif
static inline void polyipc_hosted_fail_at(polyipc_hosted *call, const char *type, const char *file, int line,
                                          const char *function, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(call->message, sizeof call->message, format, args);
    va_end(args);
    snprintf(call->traceback, sizeof call->traceback, "  File \"%s\", line %d, in %s\n", file, line,
             function);
    call->error = type;
}

/* Where the state of an object is, or would be. Numbers go up, so most are at the end. */
static inline size_t polyipc_mg_place(const polyipc_host *host, uint64_t object) {
    size_t low = 0, high = host->used;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (host->states[middle].object < object)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static inline struct polyipc_mg_state *polyipc_mg_state_of(const polyipc_host *host, uint64_t object) {
    const size_t i = polyipc_mg_place(host, object);
    return i < host->used && host->states[i].object == object ? &host->states[i] : NULL;
}

static inline bool polyipc_mg_keep(polyipc_host *host, uint64_t object, const char *type, void *state) {
    const size_t i = polyipc_mg_place(host, object);
    if (host->used == host->room) {
        const size_t room = 2 * host->room + 16;
        struct polyipc_mg_state *grown =
            (struct polyipc_mg_state *)realloc(host->states, room * sizeof *host->states);
        if (grown == NULL)
            return false;
        host->states = grown;
        host->room = room;
    }
    memmove(&host->states[i + 1], &host->states[i], (host->used - i) * sizeof *host->states);
    host->states[i].object = object;
    host->states[i].type = type;
    host->states[i].state = state;
    host->used++;
    return true;
}

/* The function of a method, whose names need not end with a NUL. */
static inline const polyipc_hosted_method *polyipc_mg_method(const polyipc_host *host, const char *type,
                                                             size_t type_size, const char *method,
                                                             size_t method_size) {
    size_t i;
    for (i = 0; i < host->count; i++) {
        const polyipc_hosted_method *m = &host->methods[i];
        if (strlen(m->type) == type_size && memcmp(m->type, type, type_size) == 0 &&
            strlen(m->method) == method_size && memcmp(m->method, method, method_size) == 0)
            return m;
    }
    return NULL;
}

/* Nobody refers to the object any more. */
static inline void polyipc_mg_end_object(polyipc_host *host, struct polyipc_mg_state *of) {
    const struct polyipc_mg_state ended = *of;
    const polyipc_hosted_method *m =
        polyipc_mg_method(host, ended.type, strlen(ended.type), "__del__", strlen("__del__"));
    polyipc_hosted call;
    msgpack_sbuffer unused;
    msgpack_packer pk;
    msgpack_zone zone;
    memmove(of, of + 1, (size_t)(host->states + host->used - (of + 1)) * sizeof *of);
    host->used--;
    if (m == NULL || !msgpack_zone_init(&zone, 64))
        return;
    msgpack_sbuffer_init(&unused);
    msgpack_packer_init(&pk, &unused, msgpack_sbuffer_write);
    memset(&call, 0, sizeof call);
    call.manager = host->manager;
    call.object = ended.object;
    call.state = ended.state;
    call.zone = &zone;
    call.result = &pk;
    call.args.type = MSGPACK_OBJECT_ARRAY;
    call.named.type = MSGPACK_OBJECT_MAP;
    m->function(&call);
    msgpack_sbuffer_destroy(&unused);
    msgpack_zone_destroy(&zone);
}

/* [type, method, args, named] */
static inline bool polyipc_mg_is_call(const msgpack_object *body) {
    const msgpack_object *part = body->via.array.ptr;
    return body->type == MSGPACK_OBJECT_ARRAY && body->via.array.size == 4 &&
           part[0].type == MSGPACK_OBJECT_STR && part[1].type == MSGPACK_OBJECT_STR &&
           part[2].type == MSGPACK_OBJECT_ARRAY;
}

/* Does a call whose body was read. */
static inline void polyipc_mg_run(polyipc_host *host, polyipc_hosted *call, const msgpack_object *body) {
    const msgpack_object *part = body->via.array.ptr;
    const msgpack_object_str type = part[0].via.str, method = part[1].via.str;
    const polyipc_hosted_method *m = polyipc_mg_method(host, type.ptr, type.size, method.ptr, method.size);
    struct polyipc_mg_state *of = polyipc_mg_state_of(host, call->object);
    const bool begins = method.size == strlen("__init__") && memcmp(method.ptr, "__init__", method.size) == 0;
    call->args = part[2];
    if (part[3].type == MSGPACK_OBJECT_MAP)
        call->named = part[3];
    call->state = of != NULL ? of->state : NULL;
    if (m != NULL)
        m->function(call);
    else if (!begins)
        polyipc_hosted_fail(call, "AttributeError", "%.*s has no method %.*s", (int)type.size, type.ptr,
                            (int)method.size, method.ptr);
    if (begins && call->error == NULL) {
        size_t i = 0;
        while (i < host->count && (strlen(host->methods[i].type) != type.size ||
                                   memcmp(host->methods[i].type, type.ptr, type.size) != 0))
            i++;
        if (i == host->count || of != NULL ||
            !polyipc_mg_keep(host, call->object, host->methods[i].type, call->state))
            polyipc_hosted_fail(call, "MemoryError", "the host cannot keep the object");
    }
}

static inline polyipc_status polyipc_mg_answer_call(polyipc_host *host, uint64_t number, polyipc_hosted *call,
                                                    const msgpack_sbuffer *result) {
    polyipc_status status = POLYIPC_OK;
    if (call->error == NULL) {
        do
            status = polyipc_manager_reply(host->manager, number, result->data, result->size);
        while (status == POLYIPC_INTERRUPTED);
        if (status == POLYIPC_OK || status == POLYIPC_PEER_DIED || status == POLYIPC_CLOSED)
            return status;
        polyipc_hosted_fail(call, "TypeError", "the result cannot be sent: %s", polyipc_status_text(status));
    }
    do
        status = polyipc_manager_fail(host->manager, number, call->error, call->message, call->traceback);
    while (status == POLYIPC_INTERRUPTED);
    return status;
}

static inline polyipc_status polyipc_mg_serve_call(polyipc_host *host, const polyipc_manager_hosted_t *what,
                                                   size_t size) {
    polyipc_hosted call;
    msgpack_object body;
    msgpack_sbuffer result;
    msgpack_packer pk;
    msgpack_zone zone;
    polyipc_status status;
    if (!msgpack_zone_init(&zone, 2048))
        return polyipc_manager_fail(host->manager, what->call, "MemoryError", "the host has no memory", NULL);
    msgpack_sbuffer_init(&result);
    msgpack_packer_init(&pk, &result, msgpack_sbuffer_write);
    memset(&call, 0, sizeof call);
    call.manager = host->manager;
    call.object = what->object;
    call.client = what->client;
    call.thread = what->thread;
    call.zone = &zone;
    call.result = &pk;
    call.args.type = MSGPACK_OBJECT_ARRAY;
    call.named.type = MSGPACK_OBJECT_MAP;
    if (polyipc_msgpack_read(host->buffer, size, &zone, &body) == POLYIPC_OK && polyipc_mg_is_call(&body))
        polyipc_mg_run(host, &call, &body);
    else
        polyipc_hosted_fail(&call, "MemoryError", "the host cannot read the arguments");
    status = polyipc_mg_answer_call(host, what->call, &call, &result);
    msgpack_sbuffer_destroy(&result);
    msgpack_zone_destroy(&zone);
    return status;
}

static inline polyipc_status polyipc_host_serve(polyipc_host *host, int64_t timeout_ns) {
    polyipc_manager_hosted_t what;
    struct polyipc_mg_state *of;
    polyipc_status status;
    size_t size = 0;
    memset(&what, 0, sizeof what);
    what.size = (uint32_t)sizeof what;
    while ((status = polyipc_manager_next_call(host->manager, timeout_ns, &what, host->buffer, host->capacity,
                                               &size)) == POLYIPC_TOO_SMALL) {
        char *grown = (char *)realloc(host->buffer, size);
        if (grown == NULL)
            return POLYIPC_NO_MEMORY;
        host->buffer = grown;
        host->capacity = size;
    }
    if (status != POLYIPC_OK)
        return status;
    if (what.what == POLYIPC_HOSTED_CALL)
        return polyipc_mg_serve_call(host, &what, size);
    /* A cancel comes when the call was answered: this thread did nothing else meanwhile. */
    of = what.what == POLYIPC_HOSTED_DROP ? polyipc_mg_state_of(host, what.object) : NULL;
    if (of != NULL)
        polyipc_mg_end_object(host, of);
    return POLYIPC_OK;
}

/* Whether methods[i] is the first one of its type. */
static inline bool polyipc_mg_is_first(const polyipc_host *host, size_t i) {
    size_t k;
    for (k = 0; k < i; k++)
        if (strcmp(host->methods[k].type, host->methods[i].type) == 0)
            return false;
    return true;
}

static inline polyipc_status polyipc_mg_register(polyipc_host *host, const char *type, int64_t timeout_ns) {
    polyipc_mg_args a;
    size_t i, named = 0;
    int pass;
    polyipc_mg_begin(&a, 2);
    polyipc_mg_text(&a, type);
    for (pass = 0; pass < 2; pass++) {
        if (pass == 1)
            polyipc_mg_packed(&a, polyipc_mp_packed(msgpack_pack_array(&a.pk, named)));
        for (i = 0; i < host->count; i++) {
            const polyipc_hosted_method *m = &host->methods[i];
            if (strcmp(m->type, type) != 0 || strcmp(m->method, "__init__") == 0 ||
                strcmp(m->method, "__del__") == 0)
                continue;
            if (pass == 0)
                named++;
            else
                polyipc_mg_text(&a, m->method);
        }
    }
    return polyipc_mg_do_plain(polyipc_managed_self(host->manager), "register", &a, timeout_ns);
}

static inline polyipc_status polyipc_host_begin(polyipc_host *host, polyipc_manager manager,
                                                const polyipc_hosted_method *methods, size_t count,
                                                int64_t timeout_ns) {
    polyipc_status status = POLYIPC_OK;
    size_t i;
    if (host == NULL || methods == NULL || count == 0)
        return POLYIPC_INVALID;
    memset(host, 0, sizeof *host);
    host->manager = manager;
    host->methods = methods;
    host->count = count;
    for (i = 0; i < count && status == POLYIPC_OK; i++)
        if (methods[i].type == NULL || methods[i].method == NULL || methods[i].function == NULL)
            status = POLYIPC_INVALID;
    for (i = 0; i < count && status == POLYIPC_OK; i++)
        if (polyipc_mg_is_first(host, i))
            status = polyipc_mg_register(host, methods[i].type, timeout_ns);
    return status;
}

static inline void polyipc_host_end(polyipc_host *host) {
    while (host->used > 0)
        polyipc_mg_end_object(host, &host->states[host->used - 1]);
    free(host->states);
    free(host->buffer);
    memset(host, 0, sizeof *host);
}

#ifdef __cplusplus
}
#endif
#endif
