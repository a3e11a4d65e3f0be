/* Segments through the C ABI: every function, what they refuse, wrong pointers, files that are truncated,
 * forked children, and that cells exclude each other. */
#include "quick_test.h"

static polyipc_segment_options options = POLYIPC_SEGMENT_OPTIONS_INIT;
static uint64_t *wild; /* not there */

static polyipc_segment create(const char *name) {
    polyipc_segment s;
    EXPECT(polyipc_segment_create(name, &options, &s), POLYIPC_OK);
    return s;
}

static char *data(polyipc_segment s, int64_t bytes) {
    void *p;
    int64_t n = -1;
    EXPECT(polyipc_segment_data(s, &p, &n), POLYIPC_OK);
    CHECK(n == bytes, "%lld bytes", (long long)n);
    CHECK((uintptr_t)p % 4096 == 0, "%p", p);
    return p;
}

static void opens(void) {
    polyipc_segment a, b = {77};
    polyipc_segment_type_t type = {.size = sizeof type};
    const int64_t shape[] = {2, 3};
    struct item {
        char c;
        double d;
    };
    options = (polyipc_segment_options)POLYIPC_SEGMENT_OPTIONS_INIT;
    options.format = "T{c:c:d:d:}";
    options.shape = shape;
    options.dims = 2;
    options.item_size = sizeof(struct item);
    a = create("typed");
    EXPECT(polyipc_segment_describe(a, &type), POLYIPC_OK);
    CHECK(strcmp(type.format, "T{<c:c:7x<d:d:}") == 0, "%s", type.format);
    CHECK(type.dims == 2 && type.shape[0] == 2 && type.shape[1] == 3 && type.item_size == sizeof(struct item),
          "%u dimensions", type.dims);
    data(a, 2 * 3 * sizeof(struct item));
    EXPECT(polyipc_segment_create("typed", &options, &b), POLYIPC_EXISTS);
    EXPECT(polyipc_segment_open_or_create("typed", &options, &b), POLYIPC_OK);
    EXPECT(polyipc_segment_close(b), POLYIPC_OK);
    options.format = "T{c:c:i:d:}";
    options.item_size = 0;
    b.id = 77;
    EXPECT(polyipc_segment_open("typed", &options, &b), POLYIPC_MISMATCH);
    CHECK(b.id == 77, "the handle was touched");
    char detail[500];
    polyipc_error_detail(detail, sizeof detail);
    CHECK(strstr(detail, "T{<c:c:7x<d:d:}") && strstr(detail, "T{<c:c:3x<i:d:}"), "%s", detail);
    EXPECT(polyipc_segment_open("typed", NULL, &b), POLYIPC_OK);
    char name[129];
    EXPECT(polyipc_segment_name(b, name, sizeof name), POLYIPC_OK);
    CHECK(strcmp(name, "typed") == 0, "%s", name);
    EXPECT(polyipc_segment_name(b, name, 5), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_segment_close(b), POLYIPC_OK);
    EXPECT(polyipc_segment_close(b), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_close(a), POLYIPC_OK);
    EXPECT(polyipc_segment_unlink("typed", NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_unlink("typed", NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_open("typed", NULL, &b), POLYIPC_NOT_FOUND);
}

static void refuses(void) {
    polyipc_segment s;
    polyipc_segment_options o = POLYIPC_SEGMENT_OPTIONS_INIT;
    EXPECT(polyipc_segment_create(NULL, NULL, &s), POLYIPC_INVALID);
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.bytes = 8;
    EXPECT(polyipc_segment_create(NULL, &o, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_segment_create(NULL, (polyipc_segment_options *)wild, &s), POLYIPC_INVALID);
    o.size--;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.size++;
    o.flags = 4;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.flags = 0;
    o.reserved = 1;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.reserved = 0;
    o.dims = 1;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.bytes = 0;
    o.format = "i";
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.shape = (const int64_t *)wild;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.dims = 9;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.dims = 0;
    o.item_size = -1;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.item_size = 0;
    o.initial_bytes = 4;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.initial = wild;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.initial = "12345";
    o.initial_bytes = 5;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);
    o.initial_bytes = 4;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_OK);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
    o.initial_bytes = 0;
    o.format = "?y";
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_INVALID);

    const polyipc_segment none = {0}, made_up = {12345};
    uint64_t v = 7;
    EXPECT(polyipc_segment_data(none, NULL, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_add(made_up, 0, 8, 1, &v), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_notify(none, 0), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_lock(none, POLYIPC_FOREVER, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_wait(none, 0, 8, 1, POLYIPC_FOREVER, NULL), POLYIPC_BAD_HANDLE);
    const polyipc_queue q = anonymous(); /* handles of one kind are none of another */
    const polyipc_segment kind = {q.id};
    EXPECT(polyipc_segment_add(kind, 0, 8, 1, &v), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_segment_close(kind), POLYIPC_BAD_HANDLE);
    o.format = NULL;
    o.bytes = 8;
    EXPECT(polyipc_segment_create(NULL, &o, &s), POLYIPC_OK);
    const polyipc_queue other = {s.id};
    EXPECT(polyipc_queue_put(other, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BAD_HANDLE);
    char c;
    EXPECT(polyipc_queue_get(other, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_BAD_HANDLE);
    polyipc_lock lock;
    EXPECT(polyipc_lock_create(NULL, NULL, &lock), POLYIPC_OK);
    EXPECT(polyipc_segment_lock((polyipc_segment){lock.id}, POLYIPC_TRY, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_lock_acquire((polyipc_lock){s.id}, POLYIPC_TRY, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_lock_close(lock), POLYIPC_OK);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    CHECK(v == 7, "a call that failed wrote its result");
}

static void cells(void) {
    options = (polyipc_segment_options)POLYIPC_SEGMENT_OPTIONS_INIT;
    options.bytes = 64;
    const polyipc_segment s = create(NULL);
    char *const p = data(s, 64);
    uint64_t v = 0;
    EXPECT(polyipc_segment_store(s, 8, 8, UINT64_MAX), POLYIPC_OK);
    EXPECT(polyipc_segment_add(s, 8, 8, 3, &v), POLYIPC_OK);
    CHECK(v == UINT64_MAX && *(uint64_t *)(void *)(p + 8) == 2, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_sub(s, 8, 4, 3, &v), POLYIPC_OK);
    CHECK(v == 2 && *(uint64_t *)(void *)(p + 8) == UINT32_MAX, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_and(s, 8, 8, 0xf0f0, &v), POLYIPC_OK);
    EXPECT(polyipc_segment_or(s, 8, 8, 0x0f, &v), POLYIPC_OK);
    EXPECT(polyipc_segment_xor(s, 8, 8, 0xff, &v), POLYIPC_OK);
    CHECK(v == 0xf0ff, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_exchange(s, 8, 8, 5, &v), POLYIPC_OK);
    CHECK(v == 0xf000, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_compare_exchange(s, 8, 8, 4, 6, &v), POLYIPC_OK);
    CHECK(v == 5, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_compare_exchange(s, 8, 8, 5, 6, NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_load(s, 8, 8, &v), POLYIPC_OK);
    CHECK(v == 6, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_wait(s, 8, 8, 5, POLYIPC_FOREVER, &v), POLYIPC_OK);
    EXPECT(polyipc_segment_wait(s, 8, 4, UINT64_C(6) << 32, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_wait(s, 8, 4, (UINT64_C(1) << 32) + 6, POLYIPC_TRY, &v), POLYIPC_TIMEOUT);
    EXPECT(polyipc_segment_wait(s, 8, 8, 6, 10000000, &v), POLYIPC_TIMEOUT);
    EXPECT(polyipc_segment_notify(s, 8), POLYIPC_OK);
    const struct {
        int64_t offset;
        uint32_t width;
    } bad[] = {{-8, 8}, {60, 8}, {64, 4}, {INT64_MAX - 7, 8}, {INT64_MIN, 8}, {4, 8}, {2, 4}, {0, 2}, {0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT(polyipc_segment_load(s, bad[i].offset, bad[i].width, &v), POLYIPC_INVALID);
        EXPECT(polyipc_segment_compare_exchange(s, bad[i].offset, bad[i].width, 0, 1, &v), POLYIPC_INVALID);
        EXPECT(polyipc_segment_wait(s, bad[i].offset, bad[i].width, 1, POLYIPC_FOREVER, &v), POLYIPC_INVALID);
    }
    EXPECT(polyipc_segment_notify(s, 64), POLYIPC_INVALID);
    EXPECT(polyipc_segment_load(s, 8, 8, NULL), POLYIPC_INVALID);

    /* What has no place for its result changes nothing. */
    EXPECT(polyipc_segment_add(s, 8, 8, 1, wild), POLYIPC_INVALID);
    EXPECT(polyipc_segment_compare_exchange(s, 8, 8, 6, 1, wild), POLYIPC_INVALID);
    EXPECT(polyipc_segment_load(s, 8, 8, &v), POLYIPC_OK);
    CHECK(v == 6, "%llx", (unsigned long long)v);
    EXPECT(polyipc_segment_lock(s, POLYIPC_FOREVER, (int *)wild), POLYIPC_INVALID);
    EXPECT(polyipc_segment_unlock(s), POLYIPC_INVALID);
    EXPECT(polyipc_segment_describe(s, (polyipc_segment_type_t *)wild), POLYIPC_INVALID);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
}

static void *waits(void *argument) {
    const polyipc_segment s = *(polyipc_segment *)argument;
    uint64_t v;
    EXPECT(polyipc_segment_wait(s, 16, 8, 0, POLYIPC_FOREVER, &v), POLYIPC_OK);
    CHECK(v == 5, "%llu", (unsigned long long)v);
    EXPECT(polyipc_segment_store(s, 24, 4, 1), POLYIPC_OK);
    EXPECT(polyipc_segment_notify(s, 24), POLYIPC_OK);
    EXPECT(polyipc_segment_wait(s, 16, 8, 5, POLYIPC_FOREVER, &v), POLYIPC_CLOSED);
    return NULL;
}

static void until_sleeping(polyipc_segment s, int64_t n) {
    polyipc_segment_stat_t st = {.size = sizeof st};
    do {
        nap();
        EXPECT(polyipc_segment_stat(s, &st), POLYIPC_OK);
    } while (st.waiters != n);
}

static void waiting_and_closing(void) {
    polyipc_segment s = create("s"), other;
    EXPECT(polyipc_segment_open("s", NULL, &other), POLYIPC_OK);
    pthread_t t = run(waits, &s);
    until_sleeping(other, 1);
    EXPECT(polyipc_segment_store(other, 16, 8, 5), POLYIPC_OK);
    EXPECT(polyipc_segment_notify(other, 16), POLYIPC_OK);
    EXPECT(polyipc_segment_wait(other, 24, 4, 0, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    until_sleeping(other, 1);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
    pthread_join(t, NULL);
    EXPECT(polyipc_segment_close(other), POLYIPC_OK);
    EXPECT(polyipc_segment_unlink("s", NULL), POLYIPC_OK);
}

static void grows(void) {
    options.max_bytes = 1 << 20;
    const polyipc_segment a = create("g");
    polyipc_segment b;
    EXPECT(polyipc_segment_open("g", NULL, &b), POLYIPC_OK);
    char *const p = data(a, 64);
    memset(p, 1, 64);
    EXPECT(polyipc_segment_grow(b, 1 << 19), POLYIPC_OK);
    CHECK(data(a, 1 << 19) == p, "it moved");
    for (int i = 64; i < 1 << 19; i++)
        CHECK(p[i] == 0, "byte %d is %d", i, p[i]);
    EXPECT(polyipc_segment_grow(a, 10), POLYIPC_OK);
    EXPECT(polyipc_segment_grow(a, (1 << 20) + 1), POLYIPC_TOO_LARGE);
    EXPECT(polyipc_segment_grow(a, -1), POLYIPC_INVALID);
    EXPECT(polyipc_segment_close(a), POLYIPC_OK);
    EXPECT(polyipc_segment_close(b), POLYIPC_OK);
    EXPECT(polyipc_segment_unlink("g", NULL), POLYIPC_OK);
    options.max_bytes = 0;
}

static void truncates(void) {
    const polyipc_segment s = create("t");
    char path[200];
    snprintf(path, sizeof path, "%s/t", root);
    CHECK(truncate(path, 64 << 10) == 0, "truncate");
    uint64_t v;
    EXPECT(polyipc_segment_add(s, 8, 8, 1, &v), POLYIPC_CORRUPT);
    CHECK(truncate(path, 0) == 0, "truncate");
    EXPECT(polyipc_segment_add(s, 8, 8, 1, &v), POLYIPC_CORRUPT);
    EXPECT(polyipc_segment_wait(s, 8, 8, 0, POLYIPC_FOREVER, &v), POLYIPC_CORRUPT);
    EXPECT(polyipc_segment_notify(s, 8), POLYIPC_CORRUPT);
    EXPECT(polyipc_segment_lock(s, POLYIPC_FOREVER, NULL), POLYIPC_CORRUPT);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
    CHECK(unlink(path) == 0, "unlink");
}

enum { TURNS = 300, PING = 1000, PONG = 3000 };

static void *pongs(void *argument) {
    const polyipc_segment s = *(polyipc_segment *)argument;
    for (uint64_t i = 0; i < TURNS; i++) {
        EXPECT(polyipc_segment_wait(s, PING, 8, i, POLYIPC_FOREVER, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_add(s, PONG, 4, 1, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_notify(s, PONG), POLYIPC_OK);
    }
    return NULL;
}

/* Each turn is told of: by looking now and then alone it would take a minute. */
static void notifies(void) {
    options.bytes = 4096;
    polyipc_segment s = create(NULL);
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    pthread_t t = run(pongs, &s);
    for (uint64_t i = 0; i < TURNS; i++) {
        nap(); /* the other side sleeps by then, mostly */
        EXPECT(polyipc_segment_add(s, PING, 8, 1, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_notify(s, PING), POLYIPC_OK);
        EXPECT(polyipc_segment_wait(s, PONG, 4, i, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    }
    pthread_join(t, NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    CHECK(ended.tv_sec - began.tv_sec < 10, "%d turns took %ld s", TURNS,
          (long)(ended.tv_sec - began.tv_sec));
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
    options.bytes = 64;
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *counts(void *argument) {
    const polyipc_segment s = *(polyipc_segment *)argument;
    void *p;
    EXPECT(polyipc_segment_data(s, &p, NULL), POLYIPC_OK);
    volatile uint64_t *const plain = (volatile uint64_t *)p + 1;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT(polyipc_segment_add(s, 0, 8, 1, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_lock(s, POLYIPC_FOREVER, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_lock(s, POLYIPC_TRY, NULL), POLYIPC_OK); /* again */
        ++*plain;
        EXPECT(polyipc_segment_unlock(s), POLYIPC_OK);
        EXPECT(polyipc_segment_unlock(s), POLYIPC_OK);
    }
    return NULL;
}

/* Threads here and in a forked child, which uses the handle that it inherited. */
static void excludes(void) {
    polyipc_segment s = create(NULL);
    int died = 7;
    EXPECT(polyipc_segment_lock(s, POLYIPC_TRY, &died), POLYIPC_OK);
    CHECK(died == 0, "%d", died);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        EXPECT(polyipc_segment_unlock(s), POLYIPC_INVALID); /* it stays with the parent */
        EXPECT(polyipc_segment_lock(s, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
        EXPECT(polyipc_segment_store(s, 16, 8, 1), POLYIPC_OK);
        EXPECT(polyipc_segment_notify(s, 16), POLYIPC_OK);
        pthread_t t[THREADS];
        for (int i = 0; i < THREADS; i++)
            t[i] = run(counts, &s);
        for (int i = 0; i < THREADS; i++)
            pthread_join(t[i], NULL);
        EXPECT(polyipc_segment_wait(s, 24, 8, 0, POLYIPC_FOREVER, NULL), POLYIPC_OK);
        EXPECT(polyipc_segment_lock(s, POLYIPC_FOREVER, NULL), POLYIPC_OK);
        _exit(0); /* with the lock */
    }
    EXPECT(polyipc_segment_wait(s, 16, 8, 0, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_unlock(s), POLYIPC_OK);
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = run(counts, &s);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    EXPECT(polyipc_segment_store(s, 24, 8, 1), POLYIPC_OK);
    EXPECT(polyipc_segment_notify(s, 24), POLYIPC_OK);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
    EXPECT(polyipc_segment_lock(s, POLYIPC_FOREVER, &died), POLYIPC_OK);
    CHECK(died == 1, "the child's death was not told");
    polyipc_segment_stat_t st = {.size = sizeof st};
    EXPECT(polyipc_segment_stat(s, &st), POLYIPC_OK);
    CHECK(st.lock_pid == getpid() && st.take_overs == 1 && st.flags == POLYIPC_TRANSIENT && st.bytes == 64,
          "stat");
    EXPECT(polyipc_segment_unlock(s), POLYIPC_OK);
    const uint64_t *const n = (const uint64_t *)(const void *)data(s, 64);
    CHECK(n[0] == 2 * THREADS * ROUNDS && n[1] == n[0], "%llu and %llu", (unsigned long long)n[0],
          (unsigned long long)n[1]);
    EXPECT(polyipc_segment_close(s), POLYIPC_OK);
}

int main(void) {
    set_up();
    wild = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(wild != MAP_FAILED, "mmap");
    opens();
    refuses();
    cells();
    waiting_and_closing();
    notifies();
    grows();
    truncates();
    excludes();
    remove_root();
    return 0;
}
