/* The work of all peers in C and C++ that carry messages: the roles, and one line of JSON about each.
 */
#define _GNU_SOURCE
#include "messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A sample of a round trip without pauses is the mean of so many: reading the clock for each would
 * show in the figure. */
#define TRIPS_PER_SAMPLE 50

static void rest(int64_t ns) {
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    nanosleep(&t, NULL);
}

static void *allocate(size_t size) {
    void *p = malloc(size);
    if (p == NULL)
        fail("no memory for %zu bytes", size);
    memset(p, 'x', size); /* mapped before the clock starts */
    return p;
}

static void produce(const struct job *job, const void *data, size_t n) {
    if (job->batch == 1) {
        for (size_t i = 0; i < n; i++)
            peer_put(data, job->size);
        return;
    }
    for (size_t left = n; left > 0;) {
        size_t some = left < job->batch ? left : job->batch;
        peer_put_many(data, job->size, some);
        left -= some;
    }
}

static void consume(const struct job *job, void *buffer, size_t n) {
    if (job->batch == 1) {
        for (size_t i = 0; i < n; i++) {
            size_t size = peer_get(buffer, job->size);
            if (size != job->size)
                fail("a message of %zu bytes, not %zu", size, job->size);
        }
        return;
    }
    for (size_t left = n; left > 0;)
        left -= peer_get_many(left < job->batch ? left : job->batch);
}

/* One direction of a paused round trip: sleep until the other side surely sleeps, stamp, put. */
static void put_stamped(const struct job *job, char *buffer, int64_t there) {
    rest(job->pause);
    int64_t stamps[2] = {now(), there};
    memcpy(buffer, stamps, sizeof stamps);
    peer_put(buffer, job->size);
}

/* How long the message that arrives took, and what its sender measured. */
static int64_t get_stamped(const struct job *job, char *buffer, int64_t *there) {
    peer_get(buffer, job->size);
    int64_t arrived = now(), stamps[2];
    memcpy(stamps, buffer, sizeof stamps);
    *there = stamps[1];
    return arrived - stamps[0];
}

static void echo(const struct job *job, char *buffer) {
    int64_t ignored;
    for (size_t i = 0; i < job->warm + job->count; i++) {
        if (job->pause > 0) {
            int64_t there = get_stamped(job, buffer, &ignored);
            put_stamped(job, buffer, there);
        } else {
            peer_put(buffer, peer_get(buffer, job->size));
        }
    }
}

/* Makes n round trips and notes their times, in ns. Returns how many notes. */
static size_t trips(const struct job *job, char *buffer, size_t n, int64_t *notes) {
    size_t made = 0;
    if (job->pause > 0) {
        for (; made < n; made++) {
            int64_t there;
            put_stamped(job, buffer, 0);
            int64_t back = get_stamped(job, buffer, &there);
            notes[made] = there + back;
        }
        return made;
    }
    for (size_t i = 0; i < n; i += TRIPS_PER_SAMPLE, made++) {
        size_t some = n - i < TRIPS_PER_SAMPLE ? n - i : TRIPS_PER_SAMPLE;
        int64_t begin = now();
        for (size_t k = 0; k < some; k++) {
            peer_put(buffer, job->size);
            peer_get(buffer, job->size);
        }
        notes[made] = (now() - begin) / (int64_t)some;
    }
    return made;
}

void work(const struct job *job, int64_t start) {
    (void)start; /* messages begin at once */
    char *buffer = allocate(job->size < 16 ? 16 : job->size);
    int64_t *notes = NULL;
    size_t noted = 0;
    int64_t begin = 0, used = 0;

    switch (job->role) {
    case PRODUCER:
        produce(job, buffer, job->warm);
        used = cpu(), begin = now();
        produce(job, buffer, job->count);
        break;
    case CONSUMER:
        consume(job, buffer, job->warm);
        used = cpu(), begin = now();
        consume(job, buffer, job->count);
        break;
    case CLIENT:
        notes = allocate((job->warm + job->count + 1) * sizeof *notes);
        trips(job, buffer, job->warm, notes);
        used = cpu(), begin = now();
        noted = trips(job, buffer, job->count, notes);
        break;
    case ECHO:
        used = cpu(), begin = now();
        echo(job, buffer);
        break;
    case IDLE:
        peer_get(buffer, job->size); /* for ever: the harness ends this process */
        break;
    case HOLDER:
        fail("this peer carries messages");
    }
    int64_t end = now();
    printf("{\"begin\": %" PRId64 ", \"end\": %" PRId64 ", \"cpu\": %" PRId64 ", \"trips\": [", begin, end,
           cpu() - used);
    for (size_t i = 0; i < noted; i++)
        printf("%s%" PRId64, i == 0 ? "" : ", ", notes[i]);
    printf("]}\n");
    fflush(stdout);
    free(notes);
    free(buffer);
}
