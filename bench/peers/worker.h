/* What a peer written in C or C++ gives to worker.c, which has main, the arguments and the clock.
 *
 * A peer is one kind of queue. Each role opens what it needs in peer_open; from then on peer_put and
 * peer_get mean the one queue that this role puts to and gets from. Every call blocks until it is
 * done, and ends the program with a message when it fails.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum role { PRODUCER, CONSUMER, CLIENT, ECHO, IDLE };

/* What this process is to do: the arguments, of the form key=value. */
struct job {
    enum role role;
    const char *dir;    /* for files and sockets of this run; the harness removes it */
    const char *name;   /* of the queue; the way back of a round trip is NAME.back */
    size_t size;        /* bytes of a message */
    size_t warm;        /* messages, or round trips, before the clock starts */
    size_t count;       /* messages, or round trips, on the clock */
    size_t batch;       /* messages a call; 1: the single verbs */
    int64_t pause;      /* ns before each message of a round trip, so that the other side sleeps */
    unsigned producers; /* how many there are */
    unsigned consumers; /* how many there are */
    unsigned index;     /* which of them this one is, from 0 */
};

void peer_open(const struct job *job);
void peer_put(const void *data, size_t size);
/* Gets one message of at most capacity bytes and returns its size. */
size_t peer_get(void *buffer, size_t capacity);
/* Puts n messages, at most the job's batch, all of them this one. Peers that have no such call end
 * the program. */
void peer_put_many(const void *data, size_t size, size_t n);
/* Gets at least one and at most most messages, no more than the job's batch; returns how many. */
size_t peer_get_many(size_t most);
/* Called by every role when all of them have done their work. */
void peer_close(void);

/* Says what failed and ends the program with exit code 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#ifdef __cplusplus
}
#endif
#endif
