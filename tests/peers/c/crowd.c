/* The commands of crowds, which begin with "crowd.": many threads or forked children, each of which does one
 * thing with the same object. */
#include "peer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_MEMBERS = 1000 };

static const int64_t PATIENCE = INT64_C(60000000000); /* bounds a failure */

typedef struct crowd {
    uint32_t id; /* the object's handle */
    polyipc_segment sum;
    uint64_t size; /* how many there are in all languages */
    polyipc_status (*work)(const struct crowd *c);
    atomic_int failed;
} crowd;

/* Takes what was tried before, adds to the atomic number if that was OK. */
static polyipc_status counted(const crowd *c, polyipc_status s) {
    return s == POLYIPC_OK ? polyipc_segment_add(c->sum, 8, 8, 1, NULL) : s;
}

/* The plain number, to be used under a lock. */
static uint64_t *plain(const crowd *c) {
    void *data;
    if (polyipc_segment_data(c->sum, &data, NULL) != POLYIPC_OK)
        broken("a segment has no data");
    return data;
}

#define UNDER(name, acquire, release)            \
    static polyipc_status name(const crowd *c) { \
        polyipc_status s = acquire;              \
        if (s != POLYIPC_OK)                     \
            return s;                            \
        ++*plain(c);                             \
        return release;                          \
    }
UNDER(in_lock, polyipc_lock_acquire((polyipc_lock){c->id}, PATIENCE, NULL),
      polyipc_lock_release((polyipc_lock){c->id}))
UNDER(in_rlock, polyipc_rlock_acquire((polyipc_rlock){c->id}, PATIENCE, NULL),
      polyipc_rlock_release((polyipc_rlock){c->id}))
UNDER(in_rwlock, polyipc_rwlock_write_lock((polyipc_rwlock){c->id}, PATIENCE, NULL),
      polyipc_rwlock_write_unlock((polyipc_rwlock){c->id}))
UNDER(in_segment, polyipc_segment_lock((polyipc_segment){c->id}, PATIENCE, NULL),
      polyipc_segment_unlock((polyipc_segment){c->id}))

static polyipc_status at_event(const crowd *c) {
    return counted(c, polyipc_event_wait((polyipc_event){c->id}, PATIENCE));
}

static polyipc_status at_barrier(const crowd *c) {
    return counted(c, polyipc_barrier_wait((polyipc_barrier){c->id}, PATIENCE, NULL, NULL));
}

static polyipc_status with_permit(const crowd *c) {
    const polyipc_semaphore it = {c->id};
    polyipc_status s = polyipc_semaphore_acquire(it, PATIENCE);
    return s == POLYIPC_OK ? counted(c, polyipc_semaphore_release(it, 1)) : s;
}

/* The last one tells the others. */
static polyipc_status in_condition(const crowd *c) {
    const polyipc_condition it = {c->id};
    polyipc_status s = polyipc_condition_acquire(it, PATIENCE, NULL);
    if (s != POLYIPC_OK)
        return s;
    ++*plain(c);
    while (s == POLYIPC_OK && *plain(c) < c->size)
        s = polyipc_condition_wait(it, 0, PATIENCE, NULL, NULL);
    if (s == POLYIPC_OK)
        s = polyipc_condition_notify_all(it);
    return s == POLYIPC_OK ? counted(c, polyipc_condition_release(it)) : s;
}

static polyipc_status through_queue(const crowd *c) {
    char mine[4];
    polyipc_status s = polyipc_queue_put((polyipc_queue){c->id}, "mine", sizeof mine, POLYIPC_RAW, PATIENCE);
    if (s == POLYIPC_OK)
        s = polyipc_queue_get((polyipc_queue){c->id}, mine, sizeof mine, PATIENCE, NULL, NULL);
    return counted(c, s);
}

static polyipc_status through_pipe(const crowd *c) {
    return counted(c, polyipc_pipe_send((polyipc_pipe){c->id}, "mine", 4, POLYIPC_RAW, PATIENCE));
}

/* Counts in a cell, and waits until all have. */
static polyipc_status assemble(const crowd *c, polyipc_segment at, int64_t offset) {
    uint64_t now = 0;
    polyipc_status s = polyipc_segment_add(at, offset, 8, 1, &now);
    if (s == POLYIPC_OK && ++now == c->size)
        s = polyipc_segment_notify(at, offset);
    while (s == POLYIPC_OK && now < c->size)
        s = polyipc_segment_wait(at, offset, 8, now, PATIENCE, &now);
    return s;
}

static polyipc_status at_cell(const crowd *c) {
    const polyipc_status s = in_segment(c);
    return s == POLYIPC_OK ? counted(c, assemble(c, (polyipc_segment){c->id}, 8)) : s;
}

static const struct {
    const char *kind;
    uint32_t (*handle)(int64_t n);
    polyipc_status (*work)(const crowd *c);
} works[] = {
    {"lock", sync_number, in_lock},           {"rlock", sync_number, in_rlock},
    {"rwlock", sync_number, in_rwlock},       {"event", sync_number, at_event},
    {"barrier", sync_number, at_barrier},     {"semaphore", sync_number, with_permit},
    {"condition", sync_number, in_condition}, {"pipe", pipe_number, through_pipe},
    {"segment", segment_number, at_cell},     {"queue", NULL, through_queue},
};

/* Nobody begins before all are there. */
static bool takes_part(const crowd *c) {
    return assemble(c, c->sum, 16) == POLYIPC_OK && c->work(c) == POLYIPC_OK;
}

static void *member(void *of) {
    crowd *c = of;
    if (!takes_part(c))
        atomic_fetch_add(&c->failed, 1);
    return NULL;
}

static void threads(crowd *c, int count) {
    static pthread_t all[MOST_MEMBERS];
    for (int i = 0; i < count; i++)
        if (pthread_create(&all[i], NULL, member, c) != 0)
            broken("no more threads");
    for (int i = 0; i < count; i++)
        pthread_join(all[i], NULL);
}

static void children(crowd *c, int count) {
    static pid_t all[MOST_MEMBERS];
    for (int i = 0; i < count; i++) {
        all[i] = fork();
        if (all[i] < 0)
            broken("fork");
        if (all[i] == 0)
            _exit(!takes_part(c));
    }
    for (int i = 0; i < count; i++) {
        int status = 0;
        waitpid(all[i], &status, 0);
        if (status != 0)
            atomic_fetch_add(&c->failed, 1);
    }
}

polyipc_status answer_to_crowd(call *c) {
    if (c->count != 6)
        return PROTOCOL;
    const int64_t object = number(c->words[2]), count = number(c->words[3]);
    crowd w = {.size = (uint64_t)number(c->words[4]), .sum = {segment_number(number(c->words[5]))}};
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (strcmp(works[i].kind, c->words[1]) == 0) {
            w.work = works[i].work;
            w.id = works[i].handle != NULL ? works[i].handle(object) : queue_number(object).id;
        }
    if (w.work == NULL || count > MOST_MEMBERS)
        return PROTOCOL;
    if (strcmp(c->words[0], "crowd.threads") == 0)
        threads(&w, (int)count);
    else
        children(&w, (int)count);
    return w.failed == 0 ? POLYIPC_OK : PROTOCOL;
}
