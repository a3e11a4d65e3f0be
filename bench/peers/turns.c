/* The work of all peers in C that take turns: warms up until the start, counts its turns from there on for as
 * long as the job says, and checks that none was lost. Prints one line of JSON; when all holders are
 * through, a line on standard input says how many turns they took together.
 */
#define _GNU_SOURCE
#include "turns.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct area *area_open(const struct job *job, void (*make)(void *lock)) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s.area", job->dir, job->name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct area)) != 0)
        fail("make %s: %s", path, strerror(errno));
    struct area *area = mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (area == MAP_FAILED)
        fail("map %s: %s", path, strerror(errno));
    close(fd);
    if (job->index == 0) {
        if (make != NULL)
            make(area->lock);
        atomic_store(&area->made, 1);
    }
    while (atomic_load(&area->made) == 0)
        sched_yield();
    return area;
}

void work(const struct job *job, int64_t start) {
    uint64_t all = 0, counted = 0;
    int64_t longest = 0, at, began, used;
    char line[64];
    if (job->role != HOLDER)
        fail("this peer carries no messages");
    for (; (at = now()) < start; all += job->step)
        peer_turns(job->step);
    began = at, used = cpu();
    while (at < began + job->lasts) {
        peer_turns(job->step);
        counted += job->step;
        int64_t then = now();
        if (then - at > longest)
            longest = then - at;
        at = then;
    }
    all += counted;
    printf("{\"begin\": %" PRId64 ", \"end\": %" PRId64 ", \"cpu\": %" PRId64 ", \"turns\": %" PRIu64
           ", \"all\": %" PRIu64 ", \"longest\": %" PRId64 "}\n",
           began, at, cpu() - used, counted, all, longest);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(1); /* the harness gave up */
    uint64_t total = strtoull(line, NULL, 10), found = peer_counted();
    if (found != UNCOUNTED && found != total)
        fail("%s: %" PRIu64 " turns were taken, and %" PRIu64 " counted", job->verb, total, found);
}
