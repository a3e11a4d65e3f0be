/* The main of all peers in C and C++: reads the job from the arguments, opens, says "ready", waits for a
 * line on standard input, does the role's work, prints one line of JSON, and closes when standard
 * input ends. The clock is CLOCK_MONOTONIC, which all processes of a run share.
 */
#define _GNU_SOURCE
#include "worker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* A sample of a round trip without pauses is the mean of so many: reading the clock for each would
 * show in the figure. */
#define TRIPS_PER_SAMPLE 50

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000000) +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * INT64_C(1000);
}

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

static void work(const struct job *job) {
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

static enum role role_of(const char *word) {
    static const char *const words[] = {"producer", "consumer", "client", "echo", "idle"};
    for (int i = 0; i <= IDLE; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum role)i;
    fail("role=%s: give producer, consumer, client, echo or idle", word);
}

static struct job parse(int count, char **arguments) {
    struct job job = {.name = "", .dir = "", .batch = 1, .producers = 1, .consumers = 1};
    for (int i = 1; i < count; i++) {
        char *key = arguments[i], *value = strchr(key, '=');
        if (value == NULL)
            fail("%s: give key=value", key);
        *value++ = '\0';
        unsigned long long number = strtoull(value, NULL, 10);
        if (strcmp(key, "role") == 0)
            job.role = role_of(value);
        else if (strcmp(key, "dir") == 0)
            job.dir = value;
        else if (strcmp(key, "name") == 0)
            job.name = value;
        else if (strcmp(key, "size") == 0)
            job.size = number;
        else if (strcmp(key, "warm") == 0)
            job.warm = number;
        else if (strcmp(key, "count") == 0)
            job.count = number;
        else if (strcmp(key, "batch") == 0)
            job.batch = number;
        else if (strcmp(key, "pause") == 0)
            job.pause = (int64_t)number;
        else if (strcmp(key, "producers") == 0)
            job.producers = (unsigned)number;
        else if (strcmp(key, "consumers") == 0)
            job.consumers = (unsigned)number;
        else if (strcmp(key, "index") == 0)
            job.index = (unsigned)number;
        else
            fail("unknown argument %s", key);
    }
    if (job.pause > 0 && job.size < 16)
        fail("size=%zu: a paused round trip carries two stamps, 16 bytes", job.size);
    return job;
}

int main(int count, char **arguments) {
    struct job job = parse(count, arguments);
    char line[8];
    peer_open(&job);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return 1; /* the harness gave up */
    work(&job);
    while (fgets(line, sizeof line, stdin) != NULL) {
    }
    peer_close();
    return 0;
}
