/* A number in polyipc's segment through its C ABI, changed under the segment's lock or by atomics. */
#include "polyipc_check.h"
#include "turns.h"

#include <string.h>

static polyipc_segment segment;
static int64_t *number;
static int atomic;

void peer_open(const struct job *job) {
    polyipc_segment_options options = POLYIPC_SEGMENT_OPTIONS_INIT;
    void *data;
    atomic = strcmp(job->verb, "atomic") == 0;
    if (!atomic && strcmp(job->verb, "increment") != 0)
        fail("polyipc_segment: no verb %s", job->verb);
    options.flags = POLYIPC_TRANSIENT;
    options.format = "q";
    check(polyipc_segment_open_or_create(job->name, &options, &segment));
    check(polyipc_segment_data(segment, &data, NULL));
    number = data;
}

static void increment(void) {
    int owner_died;
    check(polyipc_segment_lock(segment, POLYIPC_FOREVER, &owner_died));
    (*number)++;
    check(polyipc_segment_unlock(segment));
}

void peer_turns(size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (atomic)
            check(polyipc_segment_add(segment, 0, sizeof *number, 1, NULL));
        else
            increment();
    }
}

uint64_t peer_counted(void) { return (uint64_t)*number; }

void peer_close(void) { check(polyipc_segment_close(segment)); }
