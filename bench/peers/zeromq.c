/* ZeroMQ over ipc://: PUSH to PULL one way, PAIR to PAIR for round trips; compiled a second time with PAIR
 * for both, to stand beside pipes.
 *
 * PUSH deals its messages out in turn to the consumers it is connected to. There is no queue between
 * them that consumers compete for, so with several consumers each has an endpoint of its own, and
 * no high-water mark, which makes the turn exact: every consumer gets its share.
 */
#include "messages.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#ifndef SENDER
#define SENDER ZMQ_PUSH
#define RECEIVER ZMQ_PULL
#endif

#define HELD (64 << 20) /* bytes that a pipe may hold, at least a thousand messages */

static void *context, *socket_;

static void check(int result, const char *what) {
    if (result < 0)
        fail("zeromq: %s: %s", what, zmq_strerror(zmq_errno()));
}

static void start(const struct job *job, int kind) {
    int mark = 0;
    if (job->consumers == 1) {
        size_t messages = HELD / (job->size + 1);
        mark = (int)(messages < 1000 ? 1000 : messages);
    }
    context = zmq_ctx_new();
    socket_ = zmq_socket(context, kind);
    if (socket_ == NULL)
        fail("zeromq: socket: %s", zmq_strerror(zmq_errno()));
    check(zmq_setsockopt(socket_, ZMQ_SNDHWM, &mark, sizeof mark), "set ZMQ_SNDHWM");
    check(zmq_setsockopt(socket_, ZMQ_RCVHWM, &mark, sizeof mark), "set ZMQ_RCVHWM");
}

static void endpoint(const struct job *job, unsigned index, int (*join)(void *, const char *)) {
    char address[256];
    snprintf(address, sizeof address, "ipc://%s/%s.%u", job->dir, job->name, index);
    check(join(socket_, address), address);
}

void peer_open(const struct job *job) {
    switch (job->role) {
    case PRODUCER:
        start(job, SENDER);
        for (unsigned i = 0; i < job->consumers; i++)
            endpoint(job, i, zmq_connect);
        break;
    case CONSUMER:
    case IDLE:
        start(job, RECEIVER);
        endpoint(job, job->index, zmq_bind);
        break;
    case CLIENT:
        start(job, ZMQ_PAIR);
        endpoint(job, 0, zmq_connect);
        break;
    case ECHO:
        start(job, ZMQ_PAIR);
        endpoint(job, 0, zmq_bind);
        break;
    case HOLDER:
        fail("zeromq: there is no lock");
    }
}

void peer_put(const void *data, size_t size) { check(zmq_send(socket_, data, size, 0), "send"); }

size_t peer_get(void *buffer, size_t capacity) {
    int size = zmq_recv(socket_, buffer, capacity, 0);
    check(size, "receive");
    return (size_t)size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    (void)data, (void)size;
    fail("zeromq has no call for %zu messages", n);
}

size_t peer_get_many(size_t most) { fail("zeromq has no call for %zu messages", most); }

void peer_close(void) {
    check(zmq_close(socket_), "close");
    check(zmq_ctx_term(context), "end the context");
}
