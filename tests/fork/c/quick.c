/* quick.c - fork while threads put, get and sleep without Go (capi/quick.h): what they are at in the parent
 * neither hinders the child nor comes undone in the parent, whose locks the child does not hold. */
#include "fork_test.h"

#include <fcntl.h>
#include <stdint.h>

enum { FORKS = 60 };

static polyipc_queue traffic, idle, shared;
static atomic_bool stop;
static atomic_ulong turns;

static void *moves_messages(void *unused) {
    char text[64] = "message";
    size_t n;
    polyipc_message m[4];
    const polyipc_slice s[] = {{text, 8}, {text, 20}};
    while (!stop) {
        EXPECT(polyipc_queue_put_many(traffic, s, 2, POLYIPC_RAW, POLYIPC_FOREVER, &n), POLYIPC_OK);
        EXPECT(polyipc_queue_get_many(traffic, text, sizeof text, m, 1, POLYIPC_FOREVER, &n), POLYIPC_OK);
        EXPECT(polyipc_queue_get(traffic, text, sizeof text, POLYIPC_FOREVER, NULL, NULL), POLYIPC_OK);
        turns++;
    }
    return unused;
}

static void *waits(void *unused) {
    char text[16];
    const polyipc_status s = polyipc_queue_get(idle, text, sizeof text, POLYIPC_FOREVER, NULL, NULL);
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    return unused;
}

static void *sleeps(void *text) {
    get(shared, text);
    return NULL;
}

/* How many processes have a seat in a queue's file, by the owner tokens there (docs/spec/queue.md). */
static int sleepers(polyipc_queue q) {
    enum { SEATS_AT = 128 + 1152, SEATS = 64 };
    struct {
        uint32_t token, what;
        int64_t since;
    } seat[SEATS];
    char name[129], path[4096];
    EXPECT(polyipc_queue_name(q, name, sizeof name), POLYIPC_OK);
    if (getenv("POLYIPC_ROOT") != NULL)
        snprintf(path, sizeof path, "%s/%s", getenv("POLYIPC_ROOT"), name);
    else
        snprintf(path, sizeof path, "/dev/shm/polyipc-%d/%s", (int)getuid(), name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s", path);
    CHECK(pread(fd, seat, sizeof seat, SEATS_AT) == (ssize_t)sizeof seat, "%s is short", path);
    close(fd);
    int n = 0;
    for (int i = 0; i < SEATS; i++) {
        bool known = seat[i].what == 0;
        for (int j = 0; j < i && !known; j++)
            known = seat[j].what != 0 && seat[j].token == seat[i].token;
        n += !known;
    }
    return n;
}

/* It sleeps in its own name: with its parent's it would seem alive, locks and all, when it is dead. */
static void child_sleeps(void *unused) {
    (void)unused;
    const pthread_t t = run(waits, NULL);
    while (sleepers(idle) < 2) /* the parent sleeps there, too */
        nap(1000);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    pthread_join(t, NULL);
}

/* The inherited handles, each without Go where it can be; and closing them waits for no thread that is
 * the parent's. */
static void child(void *unused) {
    (void)unused;
    char text[64];
    EXPECT(polyipc_queue_put(traffic, "from the child", 14, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_queue_get(traffic, text, sizeof text, POLYIPC_FOREVER, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_queue_get(idle, text, sizeof text, 1000000, NULL, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    EXPECT(polyipc_queue_get(idle, text, sizeof text, POLYIPC_FOREVER, NULL, NULL), POLYIPC_BAD_HANDLE);
    const pthread_t t = run(sleeps, "hello");
    put(shared, "hello");
    pthread_join(t, NULL);
    EXPECT(polyipc_queue_close(traffic), POLYIPC_OK);
    const polyipc_queue q = anonymous();
    use(q);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    /* A wrong pointer is caught in a child, too. */
    EXPECT(polyipc_queue_put(shared, (const void *)sysconf(_SC_PAGESIZE), 10, POLYIPC_RAW, POLYIPC_TRY),
           POLYIPC_INVALID);
    use(shared);
}

int main(void) {
    traffic = anonymous();
    idle = anonymous();
    shared = anonymous();
    pthread_t t[4];
    for (int i = 0; i < 2; i++)
        t[i] = run(moves_messages, NULL);
    for (int i = 2; i < 4; i++)
        t[i] = run(waits, NULL);
    for (int i = 0; i < FORKS; i++) {
        for (const unsigned long before = turns; turns == before;)
            nap(50);
        IN_CHILD(child, NULL);
    }
    IN_CHILD(child_sleeps, NULL);
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    for (int i = 2; i < 4; i++)
        pthread_join(t[i], NULL);
    EXPECT(polyipc_queue_close(traffic), POLYIPC_OK);
    EXPECT(polyipc_queue_close(shared), POLYIPC_OK);
    return 0;
}
