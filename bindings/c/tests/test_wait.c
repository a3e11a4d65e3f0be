/* Waiting for many, and descriptors for event loops. What is put and gotten here goes without Go, which must
 * ring all the same. */
#include "quick_test.h"

#include <poll.h>
#include <sys/epoll.h>

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    CHECK(poll(&p, 1, 0) >= 0, "poll: %m");
    CHECK((p.revents & ~POLLIN) == 0, "descriptor %d: %#x", fd, (unsigned)p.revents);
    return p.revents == POLLIN;
}

static int poll_fd(polyipc_queue q, uint32_t what) {
    int fd = -1, same;
    EXPECT(polyipc_queue_poll_fd(q, what, &fd), POLYIPC_OK);
    EXPECT(polyipc_queue_poll_fd(q, what, &same), POLYIPC_OK);
    CHECK(fd == same, "%d and %d", fd, same);
    return fd;
}

static void level_triggered(void) {
    const polyipc_queue q = anonymous(), other = again(q);
    const int fd = poll_fd(q, POLYIPC_READABLE);
    CHECK(!readable(fd), "an empty queue");
    put(other, "a");
    put(other, "b");
    CHECK(readable(fd), "two messages");
    get(q, "a");
    CHECK(readable(fd), "one message");
    get(q, "b");
    CHECK(!readable(fd), "all are taken");
    put(q, "c");
    CHECK(readable(fd), "put by the handle itself");
    get(other, "c"); /* another takes it: the try that fails ends the lie */
    is_empty(q);
    CHECK(!readable(fd), "a loop would spin");
    polyipc_slice two[] = {{"d", 1}, {"e", 1}};
    size_t n;
    EXPECT(polyipc_queue_put_many(other, two, 2, POLYIPC_RAW, POLYIPC_TRY, &n), POLYIPC_OK);
    CHECK(readable(fd), "a batch");
    char buffer[16];
    polyipc_message messages[4];
    EXPECT(polyipc_queue_get_many(q, buffer, sizeof buffer, messages, 4, POLYIPC_TRY, &n), POLYIPC_OK);
    CHECK(n == 2 && !readable(fd), "%zu messages taken", n);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "the descriptor outlives its handle");
    EXPECT(polyipc_queue_close(other), POLYIPC_OK);
}

static void writable(void) {
    polyipc_queue_options options = POLYIPC_QUEUE_OPTIONS_INIT;
    options.max_size = 1;
    polyipc_queue q;
    EXPECT(polyipc_queue_create(NULL, &options, &q), POLYIPC_OK);
    const polyipc_queue other = again(q);
    const int fd = poll_fd(q, POLYIPC_WRITABLE);
    CHECK(readable(fd), "there is room");
    put(q, "a");
    CHECK(!readable(fd), "full");
    get(other, "a");
    CHECK(readable(fd), "room again");
    EXPECT(polyipc_queue_shutdown(other, 0), POLYIPC_OK);
    CHECK(readable(fd), "shut down");
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(other), POLYIPC_OK);
}

static void events(void) {
    polyipc_event e, other;
    char name[129];
    int fd = -1, set;
    EXPECT(polyipc_event_create(NULL, NULL, &e), POLYIPC_OK);
    EXPECT(polyipc_event_name(e, name, sizeof name), POLYIPC_OK);
    EXPECT(polyipc_event_open(name, NULL, &other), POLYIPC_OK);
    EXPECT(polyipc_event_poll_fd(e, POLYIPC_WRITABLE, &fd), POLYIPC_INVALID);
    EXPECT(polyipc_event_poll_fd(e, POLYIPC_READABLE, &fd), POLYIPC_OK);
    CHECK(!readable(fd), "not set");
    EXPECT(polyipc_event_set(other), POLYIPC_OK);
    CHECK(readable(fd), "set");
    EXPECT(polyipc_event_clear(e), POLYIPC_OK);
    CHECK(!readable(fd), "cleared");
    EXPECT(polyipc_event_set(e), POLYIPC_OK);
    CHECK(readable(fd), "set by the handle itself");
    EXPECT(polyipc_event_clear(other), POLYIPC_OK); /* by another: a look ends the lie */
    EXPECT(polyipc_event_is_set(e, &set), POLYIPC_OK);
    CHECK(!set && !readable(fd), "a loop would spin");
    polyipc_wait_item item = {e.id, 0, POLYIPC_READABLE, 0};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_event_set(other), POLYIPC_OK);
    EXPECT(polyipc_wait(&item, 1, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_event_close(e), POLYIPC_OK);
    EXPECT(polyipc_event_close(other), POLYIPC_OK);
}

static void pipes(void) {
    polyipc_pipe first, second;
    int fd;
    char c;
    EXPECT(polyipc_pipe_pair(NULL, NULL, &first, &second), POLYIPC_OK);
    EXPECT(polyipc_pipe_poll_fd(first, POLYIPC_READABLE, &fd), POLYIPC_OK);
    CHECK(!readable(fd), "an empty pipe");
    EXPECT(polyipc_pipe_send(second, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_OK);
    CHECK(readable(fd), "a message");
    EXPECT(polyipc_pipe_recv(first, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_OK);
    CHECK(!readable(fd), "received");
    polyipc_wait_item item = {first.id, 0, POLYIPC_READABLE | POLYIPC_WRITABLE, 0};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    CHECK(item.ready == POLYIPC_WRITABLE, "%u", item.ready);
    EXPECT(polyipc_pipe_close(second), POLYIPC_OK);
    CHECK(readable(fd), "the end of file");
    EXPECT(polyipc_pipe_recv(first, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_END_OF_FILE);
    CHECK(readable(fd), "it stays the end of file");
    EXPECT(polyipc_pipe_close(first), POLYIPC_OK);
}

static void wait_for_many(void) {
    const polyipc_queue a = anonymous(), b = anonymous();
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0, "pipe: %m");
    polyipc_wait_item items[] = {
        {a.id, 0, POLYIPC_READABLE, 9}, {b.id, 0, POLYIPC_READABLE, 9}, {0, ends[0], POLYIPC_READABLE, 9}};
    size_t ready = 9;
    EXPECT(polyipc_wait(items, 3, POLYIPC_TRY, &ready), POLYIPC_TIMEOUT);
    CHECK(ready == 0 && items[0].ready == 0 && items[2].ready == 0, "%zu", ready);
    EXPECT(polyipc_wait(items, 3, 1000000, NULL), POLYIPC_TIMEOUT);
    put(b, "x");
    EXPECT(polyipc_wait(items, 3, POLYIPC_FOREVER, &ready), POLYIPC_OK);
    CHECK(ready == 1 && items[0].ready == 0 && items[1].ready == POLYIPC_READABLE, "%zu", ready);
    CHECK(write(ends[1], "x", 1) == 1, "write: %m");
    EXPECT(polyipc_wait(items, 3, POLYIPC_FOREVER, &ready), POLYIPC_OK);
    CHECK(ready == 2 && items[2].ready == POLYIPC_READABLE, "%zu", ready);
    items[1].events |= POLYIPC_WRITABLE;
    EXPECT(polyipc_wait(items + 1, 1, POLYIPC_FOREVER, &ready), POLYIPC_OK);
    CHECK(ready == 1 && items[1].ready == items[1].events, "%u", items[1].ready);
    get(b, "x");
    EXPECT(polyipc_wait(items, 2, POLYIPC_FOREVER, &ready), POLYIPC_OK);
    CHECK(items[1].ready == POLYIPC_WRITABLE, "%u", items[1].ready);
    EXPECT(polyipc_wait(NULL, 0, 1000, &ready), POLYIPC_TIMEOUT);
    close(ends[0]);
    close(ends[1]);
    EXPECT(polyipc_queue_close(a), POLYIPC_OK);
    EXPECT(polyipc_queue_close(b), POLYIPC_OK);
}

static void bad_input(void) {
    const polyipc_queue q = anonymous();
    int fd = 77;
    EXPECT(polyipc_queue_poll_fd(q, 0, &fd), POLYIPC_INVALID);
    EXPECT(polyipc_queue_poll_fd(q, POLYIPC_READABLE | POLYIPC_WRITABLE, &fd), POLYIPC_INVALID);
    EXPECT(polyipc_queue_poll_fd(q, POLYIPC_READABLE, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_queue_poll_fd((polyipc_queue){0}, POLYIPC_READABLE, &fd), POLYIPC_BAD_HANDLE);
    CHECK(fd == 77, "out_fd was written");
    polyipc_wait_item item = {q.id, 0, POLYIPC_READABLE, 9};
    EXPECT(polyipc_wait(NULL, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_wait((polyipc_wait_item *)4096, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_wait(&item, (size_t)1 << 40, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    item.events = 0;
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    item = (polyipc_wait_item){q.id, 0, 4, 9};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    item = (polyipc_wait_item){0xffffffff, 0, POLYIPC_READABLE, 9};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_BAD_HANDLE);
    item = (polyipc_wait_item){0, -1, POLYIPC_READABLE, 9};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    item = (polyipc_wait_item){0, 999999, POLYIPC_WRITABLE, 9};
    EXPECT(polyipc_wait(&item, 1, POLYIPC_TRY, NULL), POLYIPC_INVALID);
    CHECK(item.ready == 9, "ready was written");
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

/* ---- threads ---------------------------------------------------------------------------- */

static void *waits_forever(void *argument) {
    polyipc_wait_item item = {((polyipc_queue *)argument)->id, 0, POLYIPC_READABLE, 0};
    const polyipc_status s = polyipc_wait(&item, 1, POLYIPC_FOREVER, NULL);
    /* It may not have come as far as the call: then its handle is a bad one. */
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    return NULL;
}

static void close_ends_waits(void) {
    for (int i = 0; i < 50; i++) {
        polyipc_queue q = anonymous();
        if (i % 2 == 0)
            poll_fd(q, POLYIPC_READABLE);
        const pthread_t t = run(waits_forever, &q);
        usleep(1000U * (unsigned)(i % 10));
        EXPECT(polyipc_queue_close(q), POLYIPC_OK);
        pthread_join(t, NULL);
    }
}

enum { MESSAGES = 20000, LOOPS = 3 };

static polyipc_queue shared;
static atomic_int left = MESSAGES;

/* An event loop that takes what there is when epoll says so. */
static void *loops(void *unused) {
    (void)unused;
    const polyipc_queue q = again(shared);
    const int epoll = epoll_create1(EPOLL_CLOEXEC), fd = poll_fd(q, POLYIPC_READABLE);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll: %m");
    while (atomic_load(&left) > 0) {
        CHECK(epoll_wait(epoll, &event, 1, 60000) == 1, "nothing happens any more");
        char c;
        const polyipc_status s = polyipc_queue_get(q, &c, 1, POLYIPC_TRY, NULL, NULL);
        if (s == POLYIPC_OK && atomic_fetch_sub(&left, 1) == 1)
            EXPECT(polyipc_queue_shutdown(q, 0), POLYIPC_OK);
        CHECK(s == POLYIPC_OK || s == POLYIPC_EMPTY || s == POLYIPC_SHUTDOWN, "%s", polyipc_status_name(s));
    }
    close(epoll);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return NULL;
}

static void no_ring_is_lost(void) {
    pthread_t t[LOOPS];
    shared = anonymous();
    for (int i = 0; i < LOOPS; i++)
        t[i] = run(loops, NULL);
    for (int i = 0; i < MESSAGES; i++)
        EXPECT(polyipc_queue_put(shared, "x", 1, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
    for (int i = 0; i < LOOPS; i++)
        pthread_join(t[i], NULL);
    EXPECT(polyipc_queue_close(shared), POLYIPC_OK);
}

/* ---- signals ---------------------------------------------------------------------------- */

static void nothing(int signal) { (void)signal; }

static void signals(void) {
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGUSR1, &action, NULL);
    const polyipc_queue q = anonymous();
    polyipc_wait_item item = {q.id, 0, POLYIPC_READABLE, 0};
    polyipc_thread_interruptible(1);
    EXPECT(polyipc_wait(&item, 1, 60 * SECOND, NULL), POLYIPC_INTERRUPTED); /* at least every 200 ms */
    polyipc_thread_interruptible(0);
    EXPECT(polyipc_wait(&item, 1, SECOND / 2, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

int main(void) {
    set_up();
    level_triggered();
    writable();
    events();
    pipes();
    wait_for_many();
    bad_input();
    close_ends_waits();
    no_ring_is_lost();
    signals();
    remove_root();
    return 0;
}
