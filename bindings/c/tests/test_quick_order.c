/* Messages that C carries and such that Go does, mixed: small, large, in parts of their own, in a queue that
 * grows, taken out of order by leases that come back. Each arrives once, whole, and those of one producer
 * in order. */
#include "quick_test.h"

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 4000, MOST = 100000 };

struct head {
    uint32_t producer, number, size;
};

static polyipc_queue q;
static atomic_uint left;
static int phase;
static _Atomic uint8_t seen[PRODUCERS][EACH];

static uint32_t size_of(uint32_t producer, uint32_t number) {
    const uint32_t n = number * 7 + producer;
    if (n % 499 == 0)
        return 70000 + n % 1000; /* a part */
    if (n % 61 == 0)
        return 4097 + n % 9000; /* reserved, copied outside of the lock */
    if (n % 13 == 0)
        return 4096;
    return (uint32_t)sizeof(struct head) + n % 300;
}

static void fill(char *m, uint32_t producer, uint32_t number) {
    const struct head h = {producer, number, size_of(producer, number)};
    memset(m, (int)(producer + number), h.size);
    memcpy(m, &h, sizeof h);
}

static void *produces(void *number) {
    const uint32_t me = *(uint32_t *)number;
    static char room[PRODUCERS][4][MOST];
    for (uint32_t i = 0; i < EACH;) {
        polyipc_slice s[4];
        size_t n = 1, done = 0;
        if (i % 5 == 0 && i + 4 <= EACH)
            n = 4;
        for (size_t k = 0; k < n; k++) {
            fill(room[me][k], me, i + (uint32_t)k);
            s[k] = (polyipc_slice){room[me][k], size_of(me, i + (uint32_t)k)};
        }
        if (n == 1) {
            EXPECT(polyipc_queue_put(q, s->data, s->size, i & 1, POLYIPC_FOREVER), POLYIPC_OK);
            i++;
        } else {
            EXPECT(polyipc_queue_put_many(q, s, n, POLYIPC_RAW, POLYIPC_FOREVER, &done), POLYIPC_OK);
            CHECK(done == n, "%zu of %zu put, with time without end", done, n);
            i += (uint32_t)n;
        }
    }
    return NULL;
}

/* next[p]: the number of the producer's message that this consumer may see at the earliest. */
static void arrives(const char *m, size_t size, int64_t *next) {
    struct head h;
    CHECK(size >= sizeof h, "%zu bytes", size);
    memcpy(&h, m, sizeof h);
    CHECK(h.producer < PRODUCERS && h.number < EACH && h.size == size &&
              size == size_of(h.producer, h.number),
          "%zu bytes of %u from %u", size, h.number, h.producer);
    for (size_t i = sizeof h; i < size; i++)
        CHECK(m[i] == (char)(h.producer + h.number), "byte %zu of %u from %u", i, h.number, h.producer);
    CHECK(seen[h.producer][h.number]++ == 0, "%u from %u again", h.number, h.producer);
    if (next != NULL) {
        CHECK(h.number >= next[h.producer], "%u from %u behind a later one (phase %d) next %d", h.number,
              h.producer, phase, (int)next[h.producer]);
        next[h.producer] = h.number + 1;
    }
    left--;
}

/* Whoever takes the last message tells the others. */
static bool over(void) {
    if (left != 0)
        return false;
    EXPECT(polyipc_queue_shutdown(q, 0), POLYIPC_OK);
    return true;
}

static bool ended(polyipc_status s) {
    if (s == POLYIPC_SHUTDOWN)
        return true;
    EXPECT(s, POLYIPC_OK);
    return false;
}

static void *gets(void *first_in_first_out) {
    int64_t next[PRODUCERS] = {0};
    char *m = malloc(MOST);
    size_t n;
    while (!ended(polyipc_queue_get(q, m, MOST, POLYIPC_FOREVER, &n, NULL))) {
        arrives(m, n, first_in_first_out != NULL ? next : NULL);
        if (over())
            break;
    }
    free(m);
    return NULL;
}

static void *gets_many(void *first_in_first_out) {
    int64_t next[PRODUCERS] = {0};
    char *m = malloc(MOST);
    polyipc_message places[9];
    size_t n;
    while (!ended(polyipc_queue_get_many(q, m, MOST, places, 9, POLYIPC_FOREVER, &n))) {
        for (size_t i = 0; i < n; i++)
            arrives(m + places[i].offset, places[i].size, first_in_first_out != NULL ? next : NULL);
        if (over())
            break;
    }
    free(m);
    return NULL;
}

static void *leases(void *unused) {
    char *m = malloc(MOST);
    polyipc_lease l;
    size_t n;
    while (!ended(polyipc_queue_lease(q, m, MOST, POLYIPC_FOREVER, &l, &n, NULL))) {
        if (l.deliveries == 1 && n % 3 == 0) {
            EXPECT(polyipc_queue_nack(q, &l), POLYIPC_OK);
            continue;
        }
        arrives(m, n, NULL);
        EXPECT(polyipc_queue_ack(q, &l), POLYIPC_OK);
        if (over())
            break;
    }
    free(m);
    return unused;
}

static void moves(const polyipc_queue_options *o, void *(*const *consumers)(void *), bool in_order) {
    uint32_t numbers[PRODUCERS];
    pthread_t p[PRODUCERS], c[CONSUMERS];
    EXPECT(polyipc_queue_create(NULL, o, &q), POLYIPC_OK);
    memset((void *)seen, 0, sizeof seen);
    phase++;
    left = PRODUCERS * EACH;
    for (int i = 0; i < CONSUMERS; i++)
        c[i] = run(consumers[i], in_order ? &left : NULL);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        numbers[i] = i;
        p[i] = run(produces, &numbers[i]);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(p[i], NULL);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(c[i], NULL);
    for (int i = 0; i < PRODUCERS; i++)
        for (int k = 0; k < EACH; k++)
            CHECK(seen[i][k] == 1, "%d from %d: %d times", k, i, seen[i][k]);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

int main(void) {
    set_up();
    static void *(*const plainly[])(void *) = {gets, gets_many, gets},
                                         *(*const all[])(void *) = {gets, gets_many, leases};
    polyipc_queue_options any = POLYIPC_QUEUE_OPTIONS_INIT, few = any, small = any;
    few.max_size = 7;
    small.capacity = 1 << 17;
    moves(&any, plainly, true);
    moves(&any, all, false);
    moves(&few, plainly, true);
    moves(&few, all, false);
    moves(&small, plainly, true);
    moves(&small, all, false);
    remove_root();
    return 0;
}
