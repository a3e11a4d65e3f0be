/* A POSIX semaphore with one permit, in shared memory: no lock is smaller, but nobody finds out when the one
 * who has it dies.
 */
#define _GNU_SOURCE
#include "turns.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

static struct area *area;
static sem_t *semaphore;
static int contended;

static void make(void *place) {
    if (sem_init(place, 1, 1) != 0)
        fail("semaphore: make: %s", strerror(errno));
}

void peer_open(const struct job *job) {
    _Static_assert(sizeof *semaphore <= sizeof area->lock, "a semaphore fits");
    contended = strcmp(job->verb, "section") == 0;
    if (!contended && strcmp(job->verb, "lock") != 0)
        fail("semaphore: no verb %s", job->verb);
    area = area_open(job, make);
    semaphore = (sem_t *)area->lock;
}

void peer_turns(size_t n) {
    for (size_t i = 0; i < n; i++) {
        while (sem_wait(semaphore) != 0)
            if (errno != EINTR)
                fail("semaphore: wait: %s", strerror(errno));
        if (contended)
            section(area);
        if (sem_post(semaphore) != 0)
            fail("semaphore: post: %s", strerror(errno));
    }
}

uint64_t peer_counted(void) { return contended ? area->number : UNCOUNTED; }

void peer_close(void) {}
