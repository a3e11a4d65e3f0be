/* The queue's file is truncated while threads put, get and sleep: all of them hear CORRUPT, and the process
 * goes on. */
#include "quick_test.h"

enum { ROUNDS = 40, THREADS = 5 };

static polyipc_queue q;
static atomic_ulong calls;

static bool ends(polyipc_status s) {
    calls++;
    if (s == POLYIPC_OK || s == POLYIPC_EMPTY || s == POLYIPC_FULL)
        return false;
    EXPECT(s, POLYIPC_CORRUPT);
    return true;
}

static void *puts_it(void *unused) {
    char text[700] = "text";
    while (!ends(polyipc_queue_put(q, text, sizeof text, POLYIPC_RAW, POLYIPC_TRY)))
        continue;
    return unused;
}

static void *puts_many(void *unused) {
    static char text[700];
    const polyipc_slice s[] = {{text, 700}, {text, 10}, {text, 100}};
    size_t n;
    while (!ends(polyipc_queue_put_many(q, s, 3, POLYIPC_RAW, POLYIPC_TRY, &n)))
        continue;
    return unused;
}

static void *gets(void *unused) {
    char text[700];
    while (!ends(polyipc_queue_get(q, text, sizeof text, POLYIPC_FOREVER, NULL, NULL)))
        continue;
    return unused;
}

static void *gets_many(void *unused) {
    static char text[7000];
    polyipc_message m[10];
    size_t n;
    while (!ends(polyipc_queue_get_many(q, text, sizeof text, m, 10, POLYIPC_TRY, &n)))
        continue;
    return unused;
}

static void *leases(void *unused) {
    char text[700];
    polyipc_lease l;
    for (;;) {
        const polyipc_status s = polyipc_queue_lease(q, text, sizeof text, POLYIPC_TRY, &l, NULL, NULL);
        if (ends(s))
            return unused;
        if (s == POLYIPC_OK && polyipc_queue_ack(q, &l) == POLYIPC_CORRUPT)
            return unused;
    }
}

static void while_busy(off_t size) {
    static void *(*const works[THREADS])(void *) = {puts_it, puts_many, gets, gets_many, leases};
    polyipc_queue_options o = POLYIPC_QUEUE_OPTIONS_INIT;
    o.max_size = 60; /* which one ring has room for: another would not be truncated */
    EXPECT(polyipc_queue_create(NULL, &o, &q), POLYIPC_OK);
    const int fd = open_file(q);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = run(works[i], NULL);
    for (const unsigned long before = calls; calls < before + 200;)
        sched_yield();
    CHECK(ftruncate(fd, size) == 0, "ftruncate");
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    close(fd);
    polyipc_queue_close(q);
}

static void *sleeps(void *unused) {
    char c;
    EXPECT(polyipc_queue_get(q, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_CORRUPT);
    return unused;
}

static void *sleeps_until_closed(void *unused) {
    char c;
    const polyipc_status s = polyipc_queue_get(q, &c, 1, POLYIPC_FOREVER, NULL, NULL);
    CHECK(s == POLYIPC_CORRUPT || s == POLYIPC_CLOSED, "%s", polyipc_status_name(s));
    return unused;
}

static void while_asleep(bool then_close) {
    q = anonymous();
    char *const file = map_file(q);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        t[i] = run(then_close ? sleeps_until_closed : sleeps, NULL);
    until_waiting(file, 4);
    const int fd = open_file(q);
    CHECK(ftruncate(fd, 0) == 0, "ftruncate");
    if (then_close)
        polyipc_queue_close(q);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    if (!then_close)
        polyipc_queue_close(q);
    close(fd);
    munmap(file, 4096);
}

/* What is truncated away cannot be removed by its users. */
static void sweep_up(void) {
    char command[100];
    snprintf(command, sizeof command, "rm -f %s/*-*", root);
    CHECK(system(command) == 0, "%s", command);
}

int main(void) {
    set_up();
    for (int round = 0; round < ROUNDS; round++)
        while_busy(round % 2 != 0 ? 4096 : 0); /* only the ring, or the queue's header with it */
    for (int round = 0; round < 4; round++)
        while_asleep(round % 2 != 0);
    polyipc_queue after = anonymous();
    put(after, "the process goes on");
    get(after, "the process goes on");
    EXPECT(polyipc_queue_close(after), POLYIPC_OK);
    sweep_up();
    remove_root();
    return 0;
}
