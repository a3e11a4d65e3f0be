/* polyipc's lock through its C ABI. */
#include "polyipc_check.h"
#include "turns.h"

#include <string.h>

static struct area *area;
static polyipc_lock lock;
static int contended;

void peer_open(const struct job *job) {
    polyipc_sync_options options = POLYIPC_SYNC_OPTIONS_INIT;
    contended = strcmp(job->verb, "section") == 0;
    if (!contended && strcmp(job->verb, "lock") != 0)
        fail("polyipc_lock: no verb %s", job->verb);
    options.flags = POLYIPC_TRANSIENT;
    check(polyipc_lock_open_or_create(job->name, &options, &lock));
    area = area_open(job, NULL);
}

void peer_turns(size_t n) {
    for (size_t i = 0; i < n; i++) {
        int owner_died;
        check(polyipc_lock_acquire(lock, POLYIPC_FOREVER, &owner_died));
        if (contended)
            section(area);
        check(polyipc_lock_release(lock));
    }
}

uint64_t peer_counted(void) { return contended ? area->number : UNCOUNTED; }

void peer_close(void) { check(polyipc_lock_close(lock)); }
