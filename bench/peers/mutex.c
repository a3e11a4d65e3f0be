/* A robust pthread mutex that processes share: the lock of the C library which, as polyipc's, survives the
 * death of who has it.
 */
#define _GNU_SOURCE
#include "turns.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct area *area;
static pthread_mutex_t *mutex;
static enum { LOCK, SECTION, INCREMENT } verb;

static void make(void *place) {
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0 ||
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) != 0 ||
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) != 0 ||
        pthread_mutex_init(place, &attributes) != 0)
        fail("mutex: no robust mutex for several processes");
}

void peer_open(const struct job *job) {
    _Static_assert(sizeof *mutex <= sizeof area->lock, "a mutex fits");
    if (strcmp(job->verb, "lock") == 0)
        verb = LOCK;
    else if (strcmp(job->verb, "section") == 0)
        verb = SECTION;
    else if (strcmp(job->verb, "increment") == 0)
        verb = INCREMENT;
    else
        fail("mutex: no verb %s", job->verb);
    area = area_open(job, make);
    mutex = (pthread_mutex_t *)area->lock;
}

static inline void acquire(void) {
    int error = pthread_mutex_lock(mutex);
    if (error == EOWNERDEAD)
        error = pthread_mutex_consistent(mutex);
    if (error != 0)
        fail("mutex: lock: %s", strerror(error));
}

static inline void release(void) {
    int error = pthread_mutex_unlock(mutex);
    if (error != 0)
        fail("mutex: unlock: %s", strerror(error));
}

void peer_turns(size_t n) {
    for (size_t i = 0; i < n; i++) {
        acquire();
        if (verb == SECTION)
            section(area);
        else if (verb == INCREMENT)
            area->number++;
        release();
    }
}

uint64_t peer_counted(void) { return verb == LOCK ? UNCOUNTED : area->number; }

void peer_close(void) {}
