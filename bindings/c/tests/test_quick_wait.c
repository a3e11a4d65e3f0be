/* Waits for a message: they end at the deadline, with a message, with the handle, and where the thread wants
 * it with a signal. */
#include "quick_test.h"

static polyipc_queue q;
static char *file;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* One thread's wait. */
enum how { GET, GET_MANY, LEASE, WAYS };

struct wait {
    enum how how;
    size_t capacity;
    bool interruptible;
    int64_t timeout;
    polyipc_status status;
    char text[64], detail[200];
    size_t size;
    int kept; /* errno */
    atomic_bool over;
};

static void *waits(void *argument) {
    struct wait *w = argument;
    polyipc_message m = {.size = 0};
    polyipc_lease lease;
    size_t n = 0;
    polyipc_thread_interruptible(w->interruptible);
    errno = 4321;
    switch (w->how) {
    case GET:
        w->status = polyipc_queue_get(q, w->text, w->capacity, w->timeout, &w->size, NULL);
        break;
    case GET_MANY:
        w->status = polyipc_queue_get_many(q, w->text, w->capacity, &m, 1, w->timeout, &n);
        w->size = m.size;
        break;
    default:
        w->status = polyipc_queue_lease(q, w->text, w->capacity, w->timeout, &lease, &w->size, NULL);
        if (w->status == POLYIPC_OK)
            EXPECT(polyipc_queue_ack(q, &lease), POLYIPC_OK);
    }
    w->kept = errno;
    polyipc_error_detail(w->detail, sizeof w->detail);
    w->over = true;
    return NULL;
}

static struct wait made(enum how how, int64_t timeout) {
    return (struct wait){.how = how, .capacity = 63, .timeout = timeout};
}

static void said(const struct wait *w, polyipc_status status, const char *text) {
    CHECK(w->status == status, "%s, not %s: %s", polyipc_status_name(w->status), polyipc_status_name(status),
          w->detail);
    CHECK(text == NULL || strstr(w->detail, text) != NULL, "\"%s\" says nothing of \"%s\"", w->detail, text);
}

static void nobody_sits(void) { CHECK(waiting(file) == 0, "%d seats are taken", waiting(file)); }

static void deadlines(void) {
    char name[129];
    EXPECT(polyipc_queue_name(q, name, sizeof name), POLYIPC_OK);
    for (enum how how = GET; how < WAYS; how++) {
        static const int64_t timeouts[] = {1, 1000, 300000, 30000000, 120000000};
        for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
            struct wait w = made(how, timeouts[i]);
            const int64_t began = now();
            waits(&w);
            CHECK(now() - began >= timeouts[i], "after %ld of %ld ns", (long)(now() - began),
                  (long)timeouts[i]);
            said(&w, POLYIPC_TIMEOUT, name);
            said(&w, POLYIPC_TIMEOUT, how == LEASE ? "lease from queue" : "get from queue");
            CHECK(w.kept == 4321, "errno is %d", w.kept);
        }
        struct wait w = made(how, POLYIPC_TRY);
        waits(&w);
        said(&w, POLYIPC_EMPTY, name);
        nobody_sits();
    }
}

/* Each way, by a thread that sleeps. */
static void messages(void) {
    for (enum how how = GET; how < WAYS; how++)
        for (int round = 0; round < 20; round++) {
            struct wait w = made(how, round % 2 != 0 ? POLYIPC_FOREVER : INT64_MAX);
            const pthread_t t = run(waits, &w);
            until_waiting(file, 1);
            put(q, "message");
            pthread_join(t, NULL);
            said(&w, POLYIPC_OK, NULL);
            CHECK(w.size == 7 && memcmp(w.text, "message", 7) == 0, "%zu bytes", w.size);
            CHECK(w.kept == 4321, "errno is %d", w.kept);
            nobody_sits();
        }
    is_empty(q);
}

/* Whom a message is too large for passes the wake on. */
static void too_small(void) {
    for (enum how how = GET; how < WAYS; how++) {
        uint32_t wakes = 0;
        /* Again if the sleeper happened to look up by itself, between the put and its wake. */
        for (int round = 0; round < 20 && wakes < 2; round++) {
            struct wait w = made(how, POLYIPC_FOREVER);
            w.capacity = 3;
            const pthread_t t = run(waits, &w);
            until_waiting(file, 1);
            const uint32_t before = *word(file, AT_READABLE) >> 1;
            put(q, "message");
            pthread_join(t, NULL);
            said(&w, POLYIPC_TOO_SMALL, NULL);
            CHECK(w.size == 7, "size %zu", w.size);
            wakes = (*word(file, AT_READABLE) >> 1) - before;
            get(q, "message");
            nobody_sits();
        }
        CHECK(wakes >= 2, "%u wakes", wakes);
    }
}

static volatile sig_atomic_t signals;

static void counts(int signal) {
    (void)signal;
    signals++;
}

/* A signal ends the wait of who wants it, and of nobody else; nor does it cost a message. */
static void interrupts(void) {
    struct sigaction action = {.sa_handler = counts}, was;
    sigaction(SIGUSR1, &action, &was);
    for (enum how how = GET; how < WAYS; how++) {
        struct wait w = made(how, POLYIPC_FOREVER);
        w.interruptible = true;
        pthread_t t = run(waits, &w);
        while (!w.over && waiting(file) == 0) /* it may be over by itself, after 200 ms */
            nap();
        while (!w.over) {
            pthread_kill(t, SIGUSR1);
            nap();
        }
        pthread_join(t, NULL);
        said(&w, POLYIPC_INTERRUPTED, NULL);
        nobody_sits();

        w = made(how, POLYIPC_FOREVER);
        w.interruptible = true; /* and no signal: within 200 ms or so it looks for one all the same */
        t = run(waits, &w);
        pthread_join(t, NULL);
        said(&w, POLYIPC_INTERRUPTED, NULL);

        w = made(how, POLYIPC_FOREVER);
        t = run(waits, &w);
        until_waiting(file, 1);
        for (int i = 0; i < 50; i++) {
            const int before = signals;
            pthread_kill(t, SIGUSR1);
            while (signals == before)
                nap();
        }
        CHECK(!w.over, "ended with %s", polyipc_status_name(w.status));
        put(q, "message");
        pthread_join(t, NULL);
        said(&w, POLYIPC_OK, NULL);
    }
    sigaction(SIGUSR1, &was, NULL);
    polyipc_thread_interruptible(0);
}

/* A get at the head sees to it that what was finished behind it is swept. */
static void sweeps(void) {
    char text[8];
    polyipc_lease first;
    uint64_t tail, head;
    put(q, "first");
    put(q, "second");
    EXPECT(polyipc_queue_lease(q, text, sizeof text, POLYIPC_TRY, &first, NULL, NULL), POLYIPC_OK);
    get(q, "second");
    EXPECT(polyipc_queue_nack(q, &first), POLYIPC_OK);
    /* Looks at the lease that came back, and leaves it. */
    EXPECT(polyipc_queue_get(q, text, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_TOO_SMALL);
    get(q, "first");
    const int fd = open_file(q);
    CHECK(pread(fd, &tail, 8, 4096) == 8 && pread(fd, &head, 8, 4096 + 128) == 8, "pread");
    CHECK(head == tail, "%d bytes are not swept", (int)(tail - head));
    close(fd);
}

/* Not seen by the thread that closes: what a shutdown says. */
static void shutdowns(void) {
    for (enum how how = GET; how < WAYS; how++) {
        const polyipc_queue whole = q;
        char *const mine = file;
        q = anonymous();
        file = map_file(q);
        struct wait w = made(how, POLYIPC_FOREVER);
        const pthread_t t = run(waits, &w);
        until_waiting(file, 1);
        EXPECT(polyipc_queue_shutdown(q, how == GET), POLYIPC_OK);
        pthread_join(t, NULL);
        said(&w, POLYIPC_SHUTDOWN, "it was shut down");
        EXPECT(polyipc_queue_put(q, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_SHUTDOWN);
        EXPECT(polyipc_queue_close(q), POLYIPC_OK);
        munmap(file, 4096);
        q = whole;
        file = mine;
    }
}

/* Close ends the waits in its own handle, with the seats given back, and those of no other. */
enum { SLEEPERS = 6 };

static void closes(void) {
    for (int round = 0; round < 30; round++) {
        const polyipc_queue stays = again(q);
        struct wait w[SLEEPERS];
        pthread_t t[SLEEPERS];
        for (int i = 0; i < SLEEPERS; i++) {
            w[i] = made(i % WAYS, POLYIPC_FOREVER);
            t[i] = run(waits, &w[i]);
        }
        until_waiting(file, round % 3 != 0 ? SLEEPERS : 0);
        const polyipc_queue closed = q;
        EXPECT(polyipc_queue_close(closed), POLYIPC_OK);
        for (int i = 0; i < SLEEPERS; i++) {
            pthread_join(t[i], NULL);
            if (w[i].status != POLYIPC_BAD_HANDLE || round % 3 != 0)
                said(&w[i], POLYIPC_CLOSED, NULL);
        }
        EXPECT(polyipc_queue_get(closed, w->text, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_BAD_HANDLE);
        q = stays;
        nobody_sits();
        put(q, "still there");
        get(q, "still there");
    }
}

int main(void) {
    set_up();
    q = anonymous();
    file = map_file(q);
    deadlines();
    messages();
    too_small();
    sweeps();
    interrupts();
    shutdowns();
    closes();
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    munmap(file, 4096);
    remove_root();
    return 0;
}
