/* What a peer in C gives to turns.c, which counts the turns that processes take with one lock or number in a
 * while.
 */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include "worker.h"

/* Takes n turns of the job's verb. */
void peer_turns(size_t n);

/* What the shared number holds that each turn makes one larger; UNCOUNTED if the verb has none. */
uint64_t peer_counted(void);
#define UNCOUNTED UINT64_MAX

/* Memory that all holders of a run share. */
struct area {
    _Atomic uint32_t made; /* by the first holder; the others wait for it */
    uint32_t reserved[15];
    uint64_t number; /* no atomic operations on it: only a lock makes the sum right */
    uint64_t noise;  /* keeps the section's work from being left out */
    uint64_t pad[6];
    _Alignas(64) char lock[128]; /* of peers that have no place of their own for it */
};

/* Maps the area of this run. The first holder lets make, if not NULL, prepare the lock in it. */
struct area *area_open(const struct job *job, void (*make)(void *lock));

/* A short critical section: a chain of 100 multiplications, some 100 ns, and an increment. */
static inline void section(struct area *area) {
    uint64_t x = area->noise;
    for (int i = 0; i < 100; i++)
        x = x * UINT64_C(6364136223846793005) + 1;
    area->noise = x;
    area->number++;
}

#endif
