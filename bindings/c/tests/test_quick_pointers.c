/* Wrong pointers given to put and get are INVALID, wherever in the call they are wrong. Afterwards the
 * locks are free, and no message was lost or put by a call that says so. */
#include "quick_test.h"

static char *wild;                  /* a page that is not there */
static char *edge;                  /* so many bytes before it are there */
static char *const low = (char *)8; /* what a NULL with an offset is */
static const size_t PAGE = 4096;

static polyipc_queue q;
static char *file;

static void nothing_held(const char *after) {
    CHECK(*word(file, AT_PRODUCERS) == 0, "after %s", after);
    CHECK(*word(file, AT_CONSUMERS) == 0, "after %s", after);
}

static void puts_wild(void) {
    EXPECT(polyipc_queue_put(q, wild, 10, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_INVALID);
    nothing_held("a put of nothing there");
    EXPECT(polyipc_queue_put(q, edge - 5, 10, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_INVALID);
    nothing_held("a put of what is half there");
    EXPECT(polyipc_queue_put(q, low, 10, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_INVALID);
    EXPECT(polyipc_queue_put(q, low, 10000, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_INVALID);
    EXPECT(polyipc_queue_put_many(q, &(polyipc_slice){low, 10}, 1, POLYIPC_RAW, POLYIPC_TRY, &(size_t){0}),
           POLYIPC_INVALID);
    nothing_held("puts of the first page");
    is_empty(q);

    size_t n = 77;
    const polyipc_slice some[] = {{"one", 3}, {"two", 3}, {wild, 3}};
    EXPECT(polyipc_queue_put_many(q, (const polyipc_slice *)(void *)wild, 3, POLYIPC_RAW, POLYIPC_TRY, &n),
           POLYIPC_INVALID);
    nothing_held("a put of many that are not there");
    EXPECT(polyipc_queue_put_many(q, some, 3, POLYIPC_RAW, POLYIPC_TRY, &n), POLYIPC_INVALID);
    nothing_held("a put of many with one that is not there");
    is_empty(q);
    put(q, "after");
    get(q, "after");
    EXPECT(polyipc_queue_put_many(q, some, 2, POLYIPC_RAW, POLYIPC_TRY, (size_t *)(void *)wild),
           POLYIPC_INVALID);
    nothing_held("a put of many whose number has no place");
    while (polyipc_queue_get(q, edge - 5, 5, POLYIPC_TRY, NULL, NULL) == POLYIPC_OK)
        continue;
    is_empty(q);
}

static void gets_wild(void) {
    polyipc_message m[4];
    size_t n;
    put(q, "message");
    EXPECT(polyipc_queue_get(q, wild, 10, POLYIPC_TRY, &n, NULL), POLYIPC_INVALID);
    nothing_held("a get to nothing there");
    EXPECT(polyipc_queue_get(q, low, 10, POLYIPC_TRY, &n, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_queue_get(q, low, 10, POLYIPC_FOREVER, &n, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_queue_get_many(q, low, 10, m, 4, POLYIPC_TRY, &n), POLYIPC_INVALID);
    polyipc_lease lease;
    EXPECT(polyipc_queue_lease(q, low, 10, POLYIPC_TRY, &lease, &n, NULL), POLYIPC_INVALID);
    nothing_held("gets to the first page");
    char buffer[64];
    while (polyipc_queue_get(q, buffer, sizeof buffer, POLYIPC_TRY, NULL, NULL) == POLYIPC_OK)
        continue;
    put(q, "message");
    EXPECT(polyipc_queue_get(q, buffer, sizeof buffer, POLYIPC_TRY, (size_t *)(void *)wild, NULL),
           POLYIPC_INVALID);
    nothing_held("a get whose size has no place");
    put(q, "message");
    EXPECT(polyipc_queue_get(q, buffer, sizeof buffer, POLYIPC_FOREVER, NULL, (polyipc_format *)(void *)wild),
           POLYIPC_INVALID);
    nothing_held("a get whose format has no place");
    put(q, "message");
    EXPECT(polyipc_queue_get_many(q, buffer, sizeof buffer, m, 4, POLYIPC_TRY, (size_t *)(void *)wild),
           POLYIPC_INVALID);
    nothing_held("a get of many whose number has no place");
    put(q, "message");
    EXPECT(
        polyipc_queue_get_many(q, buffer, sizeof buffer, (polyipc_message *)(void *)wild, 4, POLYIPC_TRY, &n),
        POLYIPC_INVALID);
    nothing_held("a get of many to places that are not there");
    while (polyipc_queue_get(q, buffer, sizeof buffer, POLYIPC_TRY, NULL, NULL) == POLYIPC_OK)
        continue;
}

/* What was taken before the fault is the caller's; what was not is still there. */
static void gets_half_wild(void) {
    size_t n = 0;
    polyipc_message m[4], *const half = (polyipc_message *)(void *)edge - 1;
    put(q, "12345678");
    put(q, "second");
    EXPECT(polyipc_queue_get_many(q, edge - 8, 100, m, 4, POLYIPC_TRY, &n), POLYIPC_OK);
    CHECK(n == 1 && m[0].size == 8 && memcmp(edge - 8, "12345678", 8) == 0, "%zu messages", n);
    nothing_held("a get of many to a buffer that is half there");
    get(q, "second");

    char buffer[64];
    put(q, "first");
    put(q, "second");
    EXPECT(polyipc_queue_get_many(q, buffer, sizeof buffer, half, 4, POLYIPC_TRY, &n), POLYIPC_OK);
    CHECK(n == 1 && half[0].size == 5, "%zu messages", n);
    nothing_held("a get of many to places of which half are there");
    get(q, "second");
    is_empty(q);
}

/* The room that a get broken off by a fault has made is made known: a putter waits for it. */
static void *puts_one(void *handle) {
    put(*(polyipc_queue *)handle, "third");
    return NULL;
}

enum { WAITS_FOR_ROOM = 2 };

static void until_waiting_for_room(char *of) {
    for (;;) {
        for (int i = 0; i < 64; i++)
            if (*(_Atomic uint64_t *)(void *)(of + AT_SEATS + 16 * i) >> 32 == WAITS_FOR_ROOM)
                return;
        nap();
    }
}

static void half_wild_get_wakes(void) {
    polyipc_queue_options two = POLYIPC_QUEUE_OPTIONS_INIT;
    two.max_size = 2;
    polyipc_queue full;
    EXPECT(polyipc_queue_create(NULL, &two, &full), POLYIPC_OK);
    char *const its = map_file(full);
    _Atomic uint32_t *const writable = word(its, 128 + 768);
    put(full, "12345678");
    put(full, "second");
    const pthread_t t = run(puts_one, &full);
    until_waiting_for_room(its);
    while ((*writable & 1) == 0) /* armed, so about to sleep */
        nap();
    const uint32_t before = *writable >> 1;
    size_t n = 0;
    polyipc_message m[4];
    EXPECT(polyipc_queue_get_many(full, edge - 8, 100, m, 4, POLYIPC_TRY, &n), POLYIPC_OK);
    CHECK(n == 1, "%zu messages", n);
    CHECK(*writable >> 1 != before, "who waits for room was not told");
    pthread_join(t, NULL);
    get(full, "second");
    get(full, "third");
    EXPECT(polyipc_queue_close(full), POLYIPC_OK);
    munmap(its, PAGE);
}

int main(void) {
    set_up();
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(two != MAP_FAILED && mprotect(two + PAGE, PAGE, PROT_NONE) == 0, "mmap");
    edge = two + PAGE;
    wild = edge + 64;
    q = anonymous();
    file = map_file(q);
    puts_wild();
    gets_wild();
    gets_half_wild();
    half_wild_get_wakes();
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    munmap(file, PAGE);
    munmap(two, 2 * PAGE);
    remove_root();
    return 0;
}
