/* Threads put, get and lease while another one closes the queue's handle and opens it anew, thousands of
 * times: every call is carried out or says that the handle is gone, and no message is lost or doubled. */
#include "quick_test.h"

enum { ROUNDS = 2000, THREADS = 6 };

static polyipc_queue keeper;    /* so that the queue stays */
static _Atomic uint32_t handle; /* the one that comes and goes */
static atomic_bool stop;
static atomic_ulong put_sum, got_sum, calls;

/* What a call may say that was begun with a handle which may be closed by now. */
static bool done(polyipc_status s) {
    switch (s) {
    case POLYIPC_OK:
        return true;
    case POLYIPC_CLOSED:
    case POLYIPC_BAD_HANDLE:
    case POLYIPC_EMPTY:
    case POLYIPC_FULL:
    case POLYIPC_TIMEOUT:
        return false;
    default: {
        char detail[300];
        polyipc_error_detail(detail, sizeof detail);
        CHECK(false, "%s: %s", polyipc_status_name(s), detail);
    }
    }
    return false;
}

static polyipc_queue current(void) { return (polyipc_queue){atomic_load(&handle)}; }

static const int64_t timeouts[] = {POLYIPC_TRY, 20000, 2000000, POLYIPC_FOREVER};

static void puts_one(unsigned turn) {
    unsigned long v = turn % 1000 + 1;
    if (done(polyipc_queue_put(current(), &v, sizeof v, POLYIPC_RAW, timeouts[turn % 4])))
        put_sum += v;
}

static void puts_many(unsigned turn) {
    unsigned long v[5];
    polyipc_slice s[5];
    size_t n = 0;
    for (int i = 0; i < 5; i++) {
        v[i] = turn % 1000 + (unsigned long)i;
        s[i] = (polyipc_slice){&v[i], sizeof *v};
    }
    if (done(polyipc_queue_put_many(current(), s, 5, POLYIPC_RAW, timeouts[turn % 3], &n)))
        for (size_t i = 0; i < n; i++)
            put_sum += v[i];
}

static void gets_one(unsigned turn) {
    unsigned long v;
    size_t n;
    if (done(polyipc_queue_get(current(), &v, sizeof v, timeouts[turn % 4], &n, NULL))) {
        CHECK(n == sizeof v, "%zu bytes", n);
        got_sum += v;
    }
}

static void gets_many(unsigned turn) {
    unsigned long v[8];
    polyipc_message m[8];
    size_t n = 0;
    if (done(polyipc_queue_get_many(current(), v, sizeof v, m, 8, timeouts[turn % 4], &n)))
        for (size_t i = 0; i < n; i++) {
            CHECK(m[i].offset == i * sizeof *v && m[i].size == sizeof *v, "message %zu", i);
            got_sum += v[i];
        }
}

static void leases(unsigned turn) {
    unsigned long v;
    polyipc_lease l;
    const polyipc_queue q = current();
    if (!done(polyipc_queue_lease(q, &v, sizeof v, timeouts[turn % 4], &l, NULL, NULL)))
        return;
    /* The keeper is this process's too, so the lease is good whatever became of the handle. */
    if (turn % 3 == 0) {
        EXPECT(polyipc_queue_nack(keeper, &l), POLYIPC_OK);
    } else {
        EXPECT(polyipc_queue_ack(keeper, &l), POLYIPC_OK);
        got_sum += v;
    }
}

static void *works(void *number) {
    static void (*const ways[])(unsigned) = {puts_one, puts_many, gets_one, gets_many, leases, gets_one};
    const int mine = *(int *)number;
    for (unsigned turn = (unsigned)mine; !stop; turn++, calls++)
        ways[mine](turn);
    return NULL;
}

int main(void) {
    set_up();
    polyipc_queue_options o = POLYIPC_QUEUE_OPTIONS_INIT;
    o.max_size = 50;
    EXPECT(polyipc_queue_create(NULL, &o, &keeper), POLYIPC_OK);
    char *const file = map_file(keeper);
    int numbers[THREADS];
    pthread_t t[THREADS];
    handle = again(keeper).id;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        t[i] = run(works, &numbers[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned long before = calls;
        for (int i = 0; i < 1000 && round % 4 == 0 && calls == before; i++)
            sched_yield();
        const polyipc_queue old = current();
        handle = again(keeper).id;
        EXPECT(polyipc_queue_close(old), POLYIPC_OK);
    }
    stop = true;
    EXPECT(polyipc_queue_close(current()), POLYIPC_OK); /* wakes who still waits */
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    unsigned long v;
    while (polyipc_queue_get(keeper, &v, sizeof v, POLYIPC_TRY, NULL, NULL) == POLYIPC_OK)
        got_sum += v;
    CHECK(put_sum == got_sum, "put %lu, got %lu", put_sum, got_sum);
    CHECK(put_sum > 0, "nothing was put");
    CHECK(waiting(file) == 0, "%d seats are taken", waiting(file));
    CHECK(*word(file, AT_PRODUCERS) == 0 && *word(file, AT_CONSUMERS) == 0, "a lock is held");
    EXPECT(polyipc_queue_close(keeper), POLYIPC_OK);
    munmap(file, 4096);
    remove_root();
    return 0;
}
