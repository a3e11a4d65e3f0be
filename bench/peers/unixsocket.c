/* Two connected Unix sockets, as socketpair makes them; here one connects to the other, for the processes are
 * started apart. SOCK_SEQPACKET: it was quicker at all sizes than a stream with each message's length before
 * it, also when that was read ahead.
 */
#define _GNU_SOURCE
#include "messages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELD (4 << 20) /* bytes under way; a message must fit */

static int listening = -1, fd = -1;
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

void peer_open(const struct job *job) {
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", job->dir, job->name);
    int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    check(s, "make a socket");
    if (job->role == CONSUMER || job->role == ECHO) {
        check(bind(s, (struct sockaddr *)&address, sizeof address), address.sun_path);
        check(listen(s, 1), "listen");
        listening = s;
    } else {
        check(connect(s, (struct sockaddr *)&address, sizeof address), address.sun_path);
        widen(s);
        fd = s;
    }
}

void peer_put(const void *data, size_t size) { check(send(fd, data, size, 0), "send"); }

size_t peer_get(void *buffer, size_t capacity) {
    if (fd < 0) { /* who listens meets the other side when it wants something */
        fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
        check(fd, "accept");
        widen(fd);
    }
    ssize_t size = recv(fd, buffer, capacity, 0);
    check(size, "receive");
    return (size_t)size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    (void)data, (void)size;
    fail("unixsocket: no call for %zu messages", n);
}

size_t peer_get_many(size_t most) { fail("unixsocket: no call for %zu messages", most); }

void peer_close(void) {
    check(close(fd), "close");
    if (listening >= 0) {
        check(close(listening), "close");
        unlink(address.sun_path);
    }
}
