/* What a peer in C or C++ that carries messages gives to messages.c, which has the roles.
 *
 * A peer is one kind of queue or pipe. Each role opens what it needs in peer_open; from then on peer_put and
 * peer_get mean the one queue, or direction, that this role puts to and gets from.
 */
#ifndef BENCH_MESSAGES_H
#define BENCH_MESSAGES_H

#include "worker.h"

#ifdef __cplusplus
extern "C" {
#endif

void peer_put(const void *data, size_t size);
/* Gets one message of at most capacity bytes and returns its size. */
size_t peer_get(void *buffer, size_t capacity);
/* Puts n messages, at most the job's batch, all of them this one. Peers that have no such call end
 * the program. */
void peer_put_many(const void *data, size_t size, size_t n);
/* Gets at least one and at most most messages, no more than the job's batch; returns how many. */
size_t peer_get_many(size_t most);

#ifdef __cplusplus
}
#endif
#endif
