/* The type that each peer hosts: an account. */
#include "peer.h"

#include <polyipc_manager.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct account {
    char owner[100];
    int64_t balance;
} account;

/* A host: the thread that serves what its manager's type is called for. */
typedef struct host {
    polyipc_host host;
    pthread_t thread;
} host;

static host *hosts[4096];
static int host_count;
static atomic_int accounts;

static bool integer(polyipc_hosted *call, uint32_t position, const char *name, int64_t *out) {
    const polyipc_status s = polyipc_msgpack_int64(polyipc_hosted_arg(call, position, name), out);
    if (s != POLYIPC_OK && polyipc_hosted_arg(call, position, name)->type != MSGPACK_OBJECT_NIL)
        polyipc_hosted_fail(call, "TypeError", "%s must be an integer", name);
    else if (s != POLYIPC_OK && strcmp(name, "amount") == 0)
        polyipc_hosted_fail(call, "TypeError", "amount is missing");
    return call->error == NULL;
}

static void begin(polyipc_hosted *call) {
    const char *owner;
    size_t size;
    account *a = calloc(1, sizeof *a);
    call->state = a;
    if (a == NULL || polyipc_msgpack_str(polyipc_hosted_arg(call, 0, "owner"), &owner, &size) != POLYIPC_OK ||
        size >= sizeof a->owner)
        polyipc_hosted_fail(call, "TypeError", "owner must be a text of less than 100 bytes");
    else if (integer(call, 1, "balance", &a->balance))
        memcpy(a->owner, owner, size);
    if (call->error != NULL)
        free(a);
    else
        atomic_fetch_add(&accounts, 1);
}

static void end(polyipc_hosted *call) {
    free(call->state);
    atomic_fetch_sub(&accounts, 1);
}

static void balance(polyipc_hosted *call) {
    msgpack_pack_int64(call->result, ((account *)call->state)->balance);
}

static void deposit(polyipc_hosted *call) {
    int64_t amount, times = 1;
    if (!integer(call, 0, "amount", &amount) || !integer(call, 1, "times", &times))
        return;
    ((account *)call->state)->balance += amount * times;
    balance(call);
}

static void withdraw(polyipc_hosted *call) {
    account *a = call->state;
    int64_t amount;
    if (!integer(call, 0, "amount", &amount))
        return;
    if (amount > a->balance) {
        polyipc_hosted_fail(call, "ValueError", "only %lld there", (long long)a->balance);
        return;
    }
    a->balance -= amount;
    balance(call);
}

static void owner(polyipc_hosted *call) {
    const account *a = call->state;
    polyipc_msgpack_pack_str(call->result, a->owner, strlen(a->owner));
}

static void fail(polyipc_hosted *call) {
    polyipc_hosted_fail(call, "RuntimeError", "%s failed", ((account *)call->state)->owner);
}

static const polyipc_hosted_method methods[] = {
    {"Account", "__init__", begin},    {"Account", "__del__", end}, {"Account", "deposit", deposit},
    {"Account", "owner", owner},       {"Account", "fail", fail},   {"Account", "balance", balance},
    {"Account", "withdraw", withdraw},
};

static void *serve(void *argument) {
    host *h = argument;
    while (polyipc_host_serve(&h->host, POLYIPC_FOREVER) == POLYIPC_OK) {
    }
    return NULL;
}

polyipc_status begin_host(polyipc_manager m, call *c) {
    (void)c;
    host *h = calloc(1, sizeof *h);
    if (h == NULL)
        broken("no memory");
    const polyipc_status s =
        polyipc_host_begin(&h->host, m, methods, sizeof methods / sizeof methods[0], POLYIPC_FOREVER);
    if (s != POLYIPC_OK) {
        free(h);
        return s;
    }
    if (pthread_create(&h->thread, NULL, serve, h) != 0)
        broken("no thread");
    hosts[host_count++] = h;
    return POLYIPC_OK;
}

/* Ends what was hosted for a manager that is closed. */
void end_host(polyipc_manager m) {
    for (int i = 0; i < host_count; i++) {
        if (hosts[i] == NULL || hosts[i]->host.manager.id != m.id)
            continue;
        pthread_join(hosts[i]->thread, NULL);
        polyipc_host_end(&hosts[i]->host);
        free(hosts[i]);
        hosts[i] = NULL;
    }
}

polyipc_status count_hosted(polyipc_manager m, call *c) {
    (void)m;
    text_add(c->answer, " %d", atomic_load(&accounts));
    return POLYIPC_OK;
}
