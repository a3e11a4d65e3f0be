/* A client of polyipc's manager through its C ABI. */
#include "polyipc_check.h"
#include "turns.h"

#include <polyipc_manager.h>

#define BATCH 100 /* as in api.py */

static polyipc_manager manager;
static polyipc_managed object;
static const char *verb;
static msgpack_sbuffer packed; /* the calls of a batch, or the arguments of a method */

static void pack(msgpack_packer *pk, const char *text) { polyipc_msgpack_pack_str(pk, text, strlen(text)); }

void peer_open(const struct job *job) {
    static const char *const types[][3] = {
        {"set", "dict", "bench"},       {"get", "dict", "bench"},          {"batch", "dict", "bench"},
        {"append", "list", "bench"},    {"increment", "counter", "bench"}, {"method", "account.c", "bench"},
        {"kept", "dict", "bench.kept"}, {"filed", "dict", "bench.filed"}};
    msgpack_packer pk;
    const char *type = NULL, *at = NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(job->verb, types[i][0]) == 0)
            type = types[i][1], at = types[i][2];
    if (type == NULL)
        fail("a manager has no verb %s", job->verb);
    verb = job->verb;
    check(polyipc_manager_connect(at, NULL, POLYIPC_FOREVER, &manager)); /* as in api.py */
    check(polyipc_managed_open(manager, job->name, type, NULL, 0, POLYIPC_FOREVER, &object));
    if (strcmp(verb, "get") == 0)
        check(polyipc_managed_dict_set(object, "key", polyipc_msgpack_of_int64(7), POLYIPC_FOREVER));
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
    if (strcmp(verb, "method") == 0) {
        msgpack_pack_array(&pk, 1);
        msgpack_pack_int64(&pk, 1);
    }
}

static void set_all(void) {
    static char buffer[1 << 16];
    size_t size;
    uint64_t call;
    msgpack_packer pk;
    msgpack_sbuffer_clear(&packed);
    msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, BATCH);
    for (int i = 0; i < BATCH; i++) {
        msgpack_pack_array(&pk, 3);
        msgpack_pack_uint64(&pk, object.object);
        pack(&pk, "set");
        msgpack_pack_array(&pk, 2);
        pack(&pk, "key");
        msgpack_pack_int64(&pk, 7);
    }
    check(polyipc_manager_batch(manager, packed.data, packed.size, 0, POLYIPC_FOREVER, &call));
    check(polyipc_manager_finish(manager, call, POLYIPC_FOREVER, buffer, sizeof buffer, &size));
}

static void get(void) {
    msgpack_zone zone;
    msgpack_object value;
    if (!msgpack_zone_init(&zone, 256))
        fail("no memory");
    check(polyipc_managed_dict_get(object, "key", POLYIPC_FOREVER, &zone, &value));
    msgpack_zone_destroy(&zone);
}

/* Adds what was packed, and returns the balance. */
static int64_t deposit(void) {
    msgpack_zone zone;
    msgpack_object value;
    int64_t balance;
    if (!msgpack_zone_init(&zone, 256))
        fail("no memory");
    check(polyipc_managed_call(object, "deposit", &packed, NULL, POLYIPC_FOREVER, &zone, &value));
    check(polyipc_msgpack_int64(&value, &balance));
    msgpack_zone_destroy(&zone);
    return balance;
}

void peer_turns(size_t n) {
    switch (verb[0]) {
    case 'b':
        for (size_t i = 0; i < n; i += BATCH)
            set_all();
        return;
    case 's':
    case 'k':
    case 'f':
        for (size_t i = 0; i < n; i++)
            check(polyipc_managed_dict_set(object, "key", polyipc_msgpack_of_int64(7), POLYIPC_FOREVER));
        return;
    case 'g':
        for (size_t i = 0; i < n; i++)
            get();
        return;
    case 'a':
        for (size_t i = 0; i < n; i++)
            check(polyipc_managed_list_append(object, polyipc_msgpack_of_int64(7), POLYIPC_FOREVER, NULL));
        return;
    case 'i':
        for (size_t i = 0; i < n; i++)
            check(polyipc_managed_counter_increment(object, 1, POLYIPC_FOREVER, NULL));
        return;
    default:
        for (size_t i = 0; i < n; i++)
            deposit();
    }
}

uint64_t peer_counted(void) {
    int64_t n = -1;
    if (verb[0] == 'a')
        check(polyipc_managed_list_len(object, POLYIPC_FOREVER, &n));
    else if (verb[0] == 'i')
        check(polyipc_managed_counter_get(object, POLYIPC_FOREVER, &n));
    return (uint64_t)n; /* UNCOUNTED, if nothing counts */
}

void peer_close(void) {
    msgpack_sbuffer_destroy(&packed);
    check(polyipc_managed_release(object));
    check(polyipc_manager_close(manager));
}
