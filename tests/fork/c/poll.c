/* poll.c - descriptors for event loops and child processes belong to the process that made them. */
#include "fork_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static polyipc_queue q;
static polyipc_process p;
static int parents_fd;

static int poll_fd(void) {
    int fd;
    EXPECT(polyipc_queue_poll_fd(q, POLYIPC_READABLE, &fd), POLYIPC_OK);
    return fd;
}

static bool readable(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) == 1 && one.revents == POLLIN;
}

static void has_its_own(void *unused) {
    (void)unused;
    CHECK(fcntl(parents_fd, F_GETFD) < 0 && errno == EBADF, "the parent's descriptor is open");
    polyipc_wait_item item = {q.id, 0, POLYIPC_READABLE, 0};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    const int fd = poll_fd();
    CHECK(!readable(fd), "an empty queue");
    put(q, "x");
    CHECK(readable(fd), "a message");
    EXPECT(polyipc_wait(&item, 1, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    get(q, "x");
    CHECK(!readable(fd), "it is taken");
    put(q, "for the parent");
}

static void is_no_parent(void *unused) {
    (void)unused;
    int n;
    EXPECT(polyipc_process_wait(p, POLYIPC_TRY, &n), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_process_kill(p, SIGKILL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
    EXPECT(polyipc_process_close(p), POLYIPC_BAD_HANDLE);
    char *argv[] = {"sh", "-c", "exit 4", NULL};
    EXPECT(polyipc_process_spawn(argv, NULL, 0, NULL, &p), POLYIPC_OK);
    EXPECT(polyipc_process_wait(p, POLYIPC_FOREVER, &n), POLYIPC_OK);
    CHECK(n == 4, "%d", n);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
}

int main(void) {
    q = anonymous();
    parents_fd = poll_fd();
    for (int i = 0; i < 10; i++) {
        IN_CHILD(has_its_own, NULL);
        CHECK(readable(parents_fd), "a child rings");
        get(q, "for the parent");
        CHECK(!readable(parents_fd), "it is taken");
    }
    char *argv[] = {"sleep", "1000", NULL};
    EXPECT(polyipc_process_spawn(argv, NULL, 0, NULL, &p), POLYIPC_OK);
    IN_CHILD(is_no_parent, NULL);
    int status;
    EXPECT(polyipc_process_wait(p, POLYIPC_TRY, &status), POLYIPC_TIMEOUT);
    EXPECT(polyipc_process_kill(p, SIGKILL), POLYIPC_OK);
    EXPECT(polyipc_process_wait(p, POLYIPC_FOREVER, &status), POLYIPC_OK);
    CHECK(status == -SIGKILL, "%d", status);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
