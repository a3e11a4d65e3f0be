/* polyipc's queue through its C ABI. */
#include "messages.h"
#include "polyipc_check.h"

#include <stdio.h>
#include <stdlib.h>

/* Bounded, so that a producer waits as it would with the peers. */
#define CAPACITY (1 << 20)

static polyipc_queue to, from;
static polyipc_slice *slices;
static polyipc_message *messages;
static char *landing; /* of a get_many */
static size_t landing_size;

static polyipc_queue open_queue(const struct job *job, const char *suffix) {
    char name[160];
    polyipc_queue_options options = POLYIPC_QUEUE_OPTIONS_INIT;
    polyipc_queue queue;
    snprintf(name, sizeof name, "%s%s", job->name, suffix);
    options.flags = POLYIPC_TRANSIENT;
    options.capacity = CAPACITY;
    if ((size_t)options.capacity < 4 * job->size)
        options.capacity = (int64_t)(4 * job->size);
    check(polyipc_queue_open_or_create(name, &options, &queue));
    return queue;
}

void peer_open(const struct job *job) {
    switch (job->role) {
    case PRODUCER:
        to = open_queue(job, "");
        break;
    case CONSUMER:
    case IDLE:
        from = open_queue(job, "");
        break;
    case CLIENT:
        to = open_queue(job, "");
        from = open_queue(job, ".back");
        break;
    case ECHO:
        from = open_queue(job, "");
        to = open_queue(job, ".back");
        break;
    case HOLDER:
        fail("polyipc: a queue is no lock");
    }
    /* Large messages come one at a time whatever the batch. */
    landing_size = job->batch * job->size;
    if (landing_size > CAPACITY)
        landing_size = job->size > CAPACITY ? job->size : CAPACITY;
    landing = malloc(landing_size + 1);
    slices = calloc(job->batch, sizeof *slices);
    messages = calloc(job->batch, sizeof *messages);
    if (landing == NULL || slices == NULL || messages == NULL)
        fail("no memory for batches of %zu", job->batch);
}

void peer_put(const void *data, size_t size) {
    polyipc_status status = polyipc_queue_put(to, data, size, POLYIPC_RAW, POLYIPC_FOREVER);
    if (status != POLYIPC_OK)
        check(status);
}

size_t peer_get(void *buffer, size_t capacity) {
    size_t size;
    polyipc_status status = polyipc_queue_get(from, buffer, capacity, POLYIPC_FOREVER, &size, NULL);
    if (status != POLYIPC_OK)
        check(status);
    return size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    size_t put;
    for (size_t i = 0; i < n; i++)
        slices[i] = (polyipc_slice){data, size};
    for (; n > 0; n -= put)
        check(polyipc_queue_put_many(to, slices, n, POLYIPC_RAW, POLYIPC_FOREVER, &put));
}

size_t peer_get_many(size_t most) {
    size_t n;
    check(polyipc_queue_get_many(from, landing, landing_size, messages, most, POLYIPC_FOREVER, &n));
    return n;
}

void peer_close(void) {
    if (to.id != 0)
        check(polyipc_queue_close(to));
    if (from.id != 0)
        check(polyipc_queue_close(from));
    free(landing);
    free(slices);
    free(messages);
}
