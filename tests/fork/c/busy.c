/* busy.c - fork while other threads are within calls: putting, getting, waiting, making and closing
 * queues, collecting garbage. No child hangs, none inherits half a handle. */
#include "fork_test.h"

enum { FORKS = 60, LEAST_REST = 64 /* capi/handles.go: restFor */ };

static polyipc_queue traffic, idle, plain;
static atomic_bool stop;
static atomic_uint made;

static void *moves_messages(void *unused) {
    char text[4096] = "message";
    while (!stop) {
        EXPECT(polyipc_queue_put(traffic, text, sizeof text, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
        EXPECT(polyipc_queue_get(traffic, text, sizeof text, POLYIPC_FOREVER, NULL, NULL), POLYIPC_OK);
    }
    return unused;
}

static void *moves_large_messages(void *unused) {
    static char text[1 << 20];
    while (!stop) {
        EXPECT(polyipc_queue_put(traffic, text, sizeof text, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
        size_t n = 0;
        const polyipc_status s = polyipc_queue_get(traffic, text, sizeof text, POLYIPC_FOREVER, &n, NULL);
        CHECK(s == POLYIPC_OK, "%s", polyipc_status_name(s));
    }
    return unused;
}

static void *waits(void *unused) {
    char text[16];
    const polyipc_status s = polyipc_queue_get(idle, text, sizeof text, POLYIPC_FOREVER, NULL, NULL);
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    return unused;
}

static void *makes_and_closes(void *unused) {
    while (!stop) {
        const polyipc_queue q = anonymous();
        made++;
        EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    }
    return unused;
}

static void *collects(void *unused) {
    while (!stop)
        EXPECT(polyipc_gc(NULL, NULL), POLYIPC_OK);
    return unused;
}

/* Closes every handle there can be. Afterwards nothing of the root may be open: a descriptor that
 * is left belongs to no handle. */
static void closes_all(void) {
    const uint32_t generations = made / LEAST_REST + 3;
    for (uint32_t generation = 1; generation <= generations; generation++)
        for (uint32_t index = 0; index < LEAST_REST + 16; index++)
            polyipc_queue_close((polyipc_queue){generation << 20 | index});
    const char *root = getenv("POLYIPC_ROOT");
    char link[64], path[4096];
    for (int fd = 0; fd < 256 && root != NULL; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t n = readlink(link, path, sizeof path - 1);
        if (n <= 0)
            continue;
        path[n] = 0;
        CHECK(strncmp(path, root, strlen(root)) != 0, "descriptor %d of %s belongs to no handle", fd, path);
    }
}

static void child(void *number) {
    use(plain);
    EXPECT(polyipc_queue_size(traffic, &(int64_t){0}), POLYIPC_OK);
    const polyipc_queue q = anonymous();
    use(q);
    if (*(int *)number % 10 == 0)
        closes_all();
}

int main(void) {
    traffic = anonymous();
    idle = anonymous();
    plain = anonymous();
    pthread_t t[6];
    t[0] = run(moves_messages, NULL);
    t[1] = run(moves_messages, NULL);
    t[2] = run(makes_and_closes, NULL);
    t[3] = run(makes_and_closes, NULL);
    t[4] = run(collects, NULL);
    t[5] = run(waits, NULL);
    const pthread_t w = run(waits, NULL);
    for (int i = 0; i < FORKS; i++) {
        nap(i * 131 % 2000);
        IN_CHILD(child, &i);
    }
    stop = true;
    for (int i = 0; i < 5; i++)
        pthread_join(t[i], NULL);
    stop = false;
    const pthread_t large = run(moves_large_messages, NULL);
    for (int i = 1; i < FORKS / 2; i++) {
        nap(i * 131 % 2000);
        IN_CHILD(child, &(int){1});
    }
    stop = true;
    pthread_join(large, NULL);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    pthread_join(t[5], NULL);
    pthread_join(w, NULL);
    EXPECT(polyipc_queue_close(traffic), POLYIPC_OK);
    EXPECT(polyipc_queue_close(plain), POLYIPC_OK);
    return 0;
}
