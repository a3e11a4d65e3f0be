/* Two connected Unix sockets, as socketpair makes them; here one connects to the other, for the processes are
 * started apart. SOCK_SEQPACKET: it was quicker at all sizes than a stream with each message's length before
 * it, also when that was read ahead. With MANY of them, each message takes the next pair, and poll waits for
 * the first that has one.
 */
#define _GNU_SOURCE
#include "messages.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELD (4 << 20) /* bytes under way; a message must fit */
#ifndef MANY
#define MANY 1
#endif

static int listening = -1;
static unsigned connected, next;
static struct pollfd ends[MANY];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void check(long result, const char *what) {
    if (result < 0)
        fail("unixsocket: %s: %s", what, strerror(errno));
}

/* Without CAP_NET_ADMIN, /proc/sys/net/core/wmem_max is the most. */
static void widen(int s) {
    int bytes = HELD;
    if (setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        check(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), "set SO_SNDBUF");
}

static int new_socket(void) {
    int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    check(s, "make a socket");
    return s;
}

static void take(int s) {
    widen(s);
    ends[connected++] = (struct pollfd){.fd = s, .events = POLLIN};
}

void peer_open(const struct job *job) {
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", job->dir, job->name);
    if (job->role == CONSUMER || job->role == ECHO) {
        listening = new_socket();
        check(bind(listening, (struct sockaddr *)&address, sizeof address), address.sun_path);
        check(listen(listening, MANY), "listen");
        return;
    }
    while (connected < MANY) {
        int s = new_socket();
        check(connect(s, (struct sockaddr *)&address, sizeof address), address.sun_path);
        take(s);
    }
}

void peer_put(const void *data, size_t size) { check(send(ends[next++ % MANY].fd, data, size, 0), "send"); }

size_t peer_get(void *buffer, size_t capacity) {
    unsigned first = 0;
    while (connected < MANY) { /* who listens meets the other side when it wants something */
        int s = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        check(s, "accept");
        take(s);
    }
    if (MANY > 1) {
        check(poll(ends, MANY, -1), "poll");
        while (ends[first].revents == 0)
            first++;
    }
    ssize_t size = recv(ends[first].fd, buffer, capacity, 0);
    check(size, "receive");
    return (size_t)size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    (void)data, (void)size;
    fail("unixsocket: no call for %zu messages", n);
}

size_t peer_get_many(size_t most) { fail("unixsocket: no call for %zu messages", most); }

void peer_close(void) {
    while (connected > 0)
        check(close(ends[--connected].fd), "close");
    if (listening >= 0) {
        check(close(listening), "close");
        unlink(address.sun_path);
    }
}
