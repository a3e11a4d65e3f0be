/* worker.c has main, the arguments and the clock of every peer written in C or C++. What a peer gives is in
 * messages.h, if it carries messages, or in turns.h, if processes take turns with it.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum role { PRODUCER, CONSUMER, CLIENT, ECHO, IDLE, HOLDER };

/* What this process is to do: the arguments, of the form key=value. */
struct job {
    enum role role;
    const char *dir;    /* for files and sockets of this run; the harness removes it */
    const char *name;   /* of the queue or lock; the way back of a round trip is NAME.back */
    const char *verb;   /* what a holder does in each turn */
    size_t size;        /* bytes of a message */
    size_t warm;        /* messages, or round trips, before the clock starts */
    size_t count;       /* messages, or round trips, on the clock */
    size_t batch;       /* messages a call; 1: the single verbs */
    int64_t pause;      /* ns before each message of a round trip, so that the other side sleeps */
    int64_t lasts;      /* ns for which a holder's turns are counted, after a tenth of that to warm up */
    size_t step;        /* turns between two looks at the clock */
    unsigned producers; /* how many there are */
    unsigned consumers; /* how many there are */
    unsigned index;     /* which of them this one is, from 0 */
};

/* Opens what the role needs. Every call blocks until it is done, and ends the program when it fails. */
void peer_open(const struct job *job);
/* Called by every role when all of them have done their work. */
void peer_close(void);

/* Does the work of a role, from the time start on where that matters, and prints what came of it. In
 * messages.c or turns.c. */
void work(const struct job *job, int64_t start);

int64_t now(void); /* ns of CLOCK_MONOTONIC */
int64_t cpu(void); /* CPU time of this process so far, in ns */

/* Says what failed and ends the program with exit code 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#ifdef __cplusplus
}
#endif
#endif
