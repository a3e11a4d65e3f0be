/* polyipc_wait over several queues. Each message is put to the next one; a get waits for the first that has
 * one. MANY says how many there are each way.
 */
#include "messages.h"
#include "polyipc_check.h"

#include <stdio.h>

static polyipc_queue to[MANY], from[MANY];
static polyipc_wait_item items[MANY];
static unsigned next;

static void open_queues(const struct job *job, const char *way, polyipc_queue *queues) {
    char name[160];
    polyipc_queue_options options = POLYIPC_QUEUE_OPTIONS_INIT;
    options.flags = POLYIPC_TRANSIENT;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%s.%s.%u", job->name, way, i);
        check(polyipc_queue_open_or_create(name, &options, &queues[i]));
    }
}

void peer_open(const struct job *job) {
    if (job->role != CLIENT && job->role != ECHO)
        fail("polyipc_wait: round trips only");
    open_queues(job, "there", job->role == CLIENT ? to : from);
    open_queues(job, "back", job->role == CLIENT ? from : to);
    for (unsigned i = 0; i < MANY; i++)
        items[i] = (polyipc_wait_item){.handle = from[i].id, .events = POLYIPC_READABLE};
}

void peer_put(const void *data, size_t size) {
    check(polyipc_queue_put(to[next++ % MANY], data, size, POLYIPC_RAW, POLYIPC_FOREVER));
}

size_t peer_get(void *buffer, size_t capacity) {
    size_t size;
    unsigned first = 0;
    check(polyipc_wait(items, MANY, POLYIPC_FOREVER, NULL));
    while (items[first].ready == 0)
        first++;
    check(polyipc_queue_get(from[first], buffer, capacity, POLYIPC_TRY, &size, NULL));
    return size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    (void)data, (void)size;
    fail("polyipc_wait: no call for %zu messages", n);
}

size_t peer_get_many(size_t most) { fail("polyipc_wait: no call for %zu messages", most); }

void peer_close(void) {
    for (unsigned i = 0; i < MANY; i++) {
        check(polyipc_queue_close(to[i]));
        check(polyipc_queue_close(from[i]));
    }
}
