/* The functions of polyipc_manager.h: each type's methods, references, and what they say to nonsense. */
#include "manager_test.h"

static polyipc_manager m;
static msgpack_zone zone;

static int64_t integer(msgpack_object o) {
    int64_t n = INT64_MIN;
    EXPECT(polyipc_msgpack_int64(&o, &n), POLYIPC_OK);
    return n;
}

static polyipc_managed with(const char *type, int64_t n) {
    const msgpack_object arg = polyipc_msgpack_of_int64(n);
    polyipc_managed o;
    EXPECT(polyipc_managed_create(m, type, &arg, 1, SOON, &o), POLYIPC_OK);
    return o;
}

/* ---- any object ------------------------------------------------------------------------- */

static void objects(void) {
    polyipc_managed a = {{0}, 99}, b;
    EXPECT(polyipc_managed_open(m, "a", NULL, NULL, 0, SOON, &a), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_managed_open(m, "a", "dict", NULL, 0, SOON, &a), POLYIPC_OK);
    EXPECT(polyipc_managed_open(m, "a", NULL, NULL, 0, SOON, &b), POLYIPC_OK);
    CHECK(a.object == b.object, "two objects");
    EXPECT(polyipc_managed_open(m, "a", "list", NULL, 0, SOON, &b), POLYIPC_WRONG_KIND);
    EXPECT(polyipc_managed_open(m, "a/b", "list", NULL, 0, SOON, &b), POLYIPC_INVALID);
    EXPECT(polyipc_managed_open(m, NULL, "list", NULL, 0, SOON, &b), POLYIPC_INVALID);
    EXPECT(polyipc_managed_open(m, "a", "dict", NULL, 0, SOON, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_managed_open(m, "a", "dict", NULL, 1, SOON, &b), POLYIPC_INVALID);
    EXPECT(polyipc_managed_create(m, NULL, NULL, 0, SOON, &b), POLYIPC_INVALID);
    EXPECT(polyipc_managed_create((polyipc_manager){0}, "dict", NULL, 0, SOON, &b), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_managed_call(a, NULL, NULL, NULL, SOON, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_managed_call(a, "len", NULL, NULL, SOON, NULL, &(msgpack_object){0}), POLYIPC_INVALID);
    EXPECT(polyipc_managed_release(a), POLYIPC_OK);
    EXPECT(polyipc_managed_release(a), POLYIPC_OK); /* both that came */
}

/* A list within a dict is live, and gone when nobody has it. */
static void references(void) {
    const int64_t before = figure(m, "objects");
    const polyipc_managed dict = made(m, "dict"), list = made(m, "list");
    msgpack_sbuffer packed;
    msgpack_packer pk;
    msgpack_object value;
    polyipc_managed inner = {{0}, 0}, again;
    int64_t n = 0;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&pk, &packed, msgpack_sbuffer_write);
    EXPECT(polyipc_managed_pack(&pk, list, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_managed_pack(&pk, polyipc_managed_self(m), "list"), POLYIPC_INVALID);
    EXPECT(polyipc_managed_pack(&pk, list, "list"), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_set_packed(dict, "inner", packed.data, packed.size, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_release(list), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_get(dict, "inner", SOON, &zone, &value), POLYIPC_OK);
    EXPECT(polyipc_managed_of(m, &value, &inner), POLYIPC_OK);
    CHECK(inner.object == list.object, "another list");
    EXPECT(polyipc_managed_list_append(inner, polyipc_msgpack_of_int64(1), SOON, &n), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_delete(dict, "inner", SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_list_append(inner, polyipc_msgpack_of_int64(1), SOON, &n), POLYIPC_OK);
    CHECK(n == 2, "%lld items", (long long)n);
    EXPECT(polyipc_managed_release(inner), POLYIPC_OK);
    until(m, "objects", before + 1);
    EXPECT(polyipc_managed_list_len(inner, SOON, &n), POLYIPC_GONE);
    EXPECT(polyipc_managed_release(dict), POLYIPC_OK);
    until(m, "objects", before);
    value = polyipc_msgpack_of_int64(3);
    EXPECT(polyipc_managed_of(m, &value, &again), POLYIPC_INVALID);
    EXPECT(polyipc_managed_of(m, NULL, &again), POLYIPC_INVALID);
    char *other = packed.data + packed.size - strlen("list") - 16; /* the epoch */
    other[0]++;
    EXPECT(polyipc_msgpack_read(packed.data, packed.size, &zone, &value), POLYIPC_OK);
    EXPECT(polyipc_managed_of(m, &value, &again), POLYIPC_GONE);
    msgpack_sbuffer_destroy(&packed);
}

/* Results larger than what is on the stack. */
static void large(void) {
    enum { SIZE = 3000000 };
    char *bytes = calloc(1, SIZE);
    const polyipc_managed list = made(m, "list");
    msgpack_object value;
    const void *back = NULL;
    size_t size = 0;
    uint64_t number;
    CHECK(bytes != NULL, "calloc");
    bytes[SIZE - 1] = 7;
    EXPECT(polyipc_managed_list_append(list, polyipc_msgpack_of_bin(bytes, SIZE), SOON, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_list_get(list, 0, SOON, &zone, &value), POLYIPC_OK);
    EXPECT(polyipc_msgpack_bin(&value, &back, &size), POLYIPC_OK);
    CHECK(size == SIZE && memcmp(back, bytes, SIZE) == 0, "%zu bytes", size);
    EXPECT(polyipc_managed_start(list, "copy", NULL, NULL, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_managed_finish(m, number, SOON, &zone, &value), POLYIPC_OK);
    CHECK(value.via.array.size == 1 && value.via.array.ptr[0].via.bin.size == SIZE, "another list");
    EXPECT(polyipc_managed_list_pop(list, -1, SOON, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_release(list), POLYIPC_OK);
    free(bytes);
}

/* ---- each type -------------------------------------------------------------------------- */

static void dicts(void) {
    const polyipc_managed d = made(m, "dict");
    msgpack_object value;
    bool is = false;
    int64_t n = 0;
    EXPECT(polyipc_managed_dict_set(d, "k", polyipc_msgpack_of_str("text"), SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_get(d, "k", SOON, &zone, &value), POLYIPC_OK);
    CHECK(value.via.str.size == 4 && memcmp(value.via.str.ptr, "text", 4) == 0, "another text");
    EXPECT(polyipc_managed_dict_get(d, "none", SOON, &zone, &value), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_managed_dict_get(d, "k", SOON, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_get(d, "k", SOON, NULL, &value), POLYIPC_INVALID);
    EXPECT(polyipc_managed_dict_contains(d, "k", SOON, &is), POLYIPC_OK);
    CHECK(is, "k is not there");
    EXPECT(polyipc_managed_dict_len(d, SOON, &n), POLYIPC_OK);
    CHECK(n == 1, "%lld entries", (long long)n);
    EXPECT(polyipc_managed_dict_increment(d, "n", 5, SOON, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_increment(d, "n", -7, SOON, &n), POLYIPC_OK);
    CHECK(n == -2, "%lld", (long long)n);
    EXPECT(polyipc_managed_dict_increment(d, "k", 1, SOON, &n), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_managed_dict_compare_and_set(d, "n", polyipc_msgpack_of_int64(-2),
                                                polyipc_msgpack_of_double(0.5), SOON, &is),
           POLYIPC_OK);
    CHECK(is, "it was not set");
    EXPECT(polyipc_managed_dict_compare_and_set(d, "n", polyipc_msgpack_of_nil(),
                                                polyipc_msgpack_of_bool(true), SOON, &is),
           POLYIPC_OK);
    CHECK(!is, "it was set");
    EXPECT(polyipc_managed_dict_delete(d, "n", SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_delete(d, "n", SOON), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_managed_dict_set(d, NULL, polyipc_msgpack_of_nil(), SOON), POLYIPC_INVALID);
    EXPECT(polyipc_managed_dict_set(d, "\xff", polyipc_msgpack_of_nil(), SOON), POLYIPC_INVALID);
    EXPECT(polyipc_managed_dict_set(d, "t", polyipc_msgpack_of_str("\xff"), SOON), POLYIPC_INVALID);
    EXPECT(polyipc_managed_dict_set_packed(d, "t", "\xc1", 1, SOON), POLYIPC_INVALID);
    EXPECT(polyipc_managed_dict_set_packed(d, "t", NULL, 1, SOON), POLYIPC_INVALID);
    EXPECT(polyipc_managed_release(d), POLYIPC_OK);
}

static void lists(void) {
    const polyipc_managed l = made(m, "list");
    msgpack_object value;
    int64_t n = 0;
    EXPECT(polyipc_managed_list_append(l, polyipc_msgpack_of_int64(-5), SOON, &n), POLYIPC_OK);
    EXPECT(polyipc_managed_list_append_packed(l, "\x06", 1, SOON, &n), POLYIPC_OK);
    CHECK(n == 2, "%lld items", (long long)n);
    EXPECT(polyipc_managed_list_get(l, -1, SOON, &zone, &value), POLYIPC_OK);
    CHECK(integer(value) == 6, "%lld", (long long)integer(value));
    EXPECT(polyipc_managed_list_get(l, 2, SOON, &zone, &value), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_managed_list_pop(l, 0, SOON, &zone, &value), POLYIPC_OK);
    CHECK(integer(value) == -5, "%lld", (long long)integer(value));
    EXPECT(polyipc_managed_list_len(l, SOON, &n), POLYIPC_OK);
    CHECK(n == 1, "%lld items", (long long)n);
    EXPECT(polyipc_managed_release(l), POLYIPC_OK);
}

static void numbers(void) {
    const polyipc_managed c = with("counter", 40), v = made(m, "value");
    msgpack_object value;
    int64_t n = 0;
    EXPECT(polyipc_managed_counter_increment(c, 2, SOON, &n), POLYIPC_OK);
    CHECK(n == 42, "%lld", (long long)n);
    EXPECT(polyipc_managed_counter_get(c, SOON, &n), POLYIPC_OK);
    CHECK(n == 42, "%lld", (long long)n);
    EXPECT(polyipc_managed_value_set(v, polyipc_msgpack_of_bin("\0\1", 2), SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_value_get(v, SOON, &zone, &value), POLYIPC_OK);
    CHECK(value.type == MSGPACK_OBJECT_BIN && value.via.bin.size == 2, "another value");
    EXPECT(polyipc_managed_release(c), POLYIPC_OK);
    EXPECT(polyipc_managed_release(v), POLYIPC_OK);
}

static void queues(void) {
    const polyipc_managed q = with("queue", 1);
    msgpack_object value;
    EXPECT(polyipc_managed_queue_get(q, POLYIPC_TRY, &zone, &value), POLYIPC_EMPTY);
    EXPECT(polyipc_managed_queue_get(q, 1000000, &zone, &value), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_queue_put(q, polyipc_msgpack_of_int64(1), POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_managed_queue_put(q, polyipc_msgpack_of_int64(2), POLYIPC_TRY), POLYIPC_FULL);
    EXPECT(polyipc_managed_queue_put_packed(q, "\x02", 1, 1000000), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_queue_get(q, POLYIPC_TRY, &zone, &value), POLYIPC_OK);
    CHECK(integer(value) == 1, "%lld", (long long)integer(value));
    EXPECT(polyipc_managed_queue_put_packed(q, "\x03", 1, POLYIPC_TRY), POLYIPC_OK);
    EXPECT(polyipc_managed_queue_get(q, POLYIPC_FOREVER, &zone, &value), POLYIPC_OK);
    CHECK(integer(value) == 3, "%lld", (long long)integer(value));
    EXPECT(polyipc_managed_call(q, "shutdown", NULL, NULL, SOON, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_queue_get(q, POLYIPC_FOREVER, &zone, &value), POLYIPC_SHUTDOWN);
    EXPECT(polyipc_managed_queue_put(q, polyipc_msgpack_of_nil(), POLYIPC_TRY), POLYIPC_SHUTDOWN);
    EXPECT(polyipc_managed_release(q), POLYIPC_OK);
}

static void locks(void) {
    const polyipc_managed l = made(m, "lock"), r = made(m, "rlock"), s = with("semaphore", 2);
    bool died = true;
    EXPECT(polyipc_managed_acquire(l, POLYIPC_FOREVER, &died), POLYIPC_OK);
    CHECK(!died, "nobody died");
    EXPECT(polyipc_managed_acquire(l, POLYIPC_TRY, &died), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_acquire(l, 1000000, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_release_lock(l, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_release_lock(l, SOON), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_managed_acquire(r, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(r, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_release_lock(r, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_release_lock(r, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(s, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(s, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(s, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_release_permits(s, 2, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(s, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_release(l), POLYIPC_OK);
    EXPECT(polyipc_managed_release(r), POLYIPC_OK);
    EXPECT(polyipc_managed_release(s), POLYIPC_OK);
}

/* An rlock is its owner's: another thread of this client cannot release it. */
static void *is_not_mine(void *argument) {
    polyipc_managed r = *(polyipc_managed *)argument;
    EXPECT(polyipc_managed_acquire(r, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_release_lock(r, SOON), POLYIPC_REMOTE_ERROR);
    return NULL;
}

static void owners(void) {
    polyipc_managed r = made(m, "rlock");
    bool died = false;
    EXPECT(polyipc_managed_acquire(r, POLYIPC_TRY, NULL), POLYIPC_OK);
    pthread_join(run(is_not_mine, &r), NULL);
    EXPECT(polyipc_managed_release_lock(r, SOON), POLYIPC_OK);
    const polyipc_manager other = connected("mirror");
    const polyipc_managed theirs = {other, r.object};
    EXPECT(polyipc_managed_acquire(theirs, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(r, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_manager_close(other), POLYIPC_OK);
    EXPECT(polyipc_managed_acquire(r, SOON, &died), POLYIPC_OK);
    CHECK(died, "its owner went with it");
    EXPECT(polyipc_managed_release(r), POLYIPC_OK);
}

static void *arrives(void *argument) {
    int64_t index = -1;
    EXPECT(polyipc_managed_barrier_wait(*(polyipc_managed *)argument, SOON, &index), POLYIPC_OK);
    CHECK(index == 0 || index == 1, "%lld", (long long)index);
    return NULL;
}

static void events(void) {
    const polyipc_managed e = made(m, "event");
    polyipc_managed b = with("barrier", 2);
    bool is = true;
    EXPECT(polyipc_managed_event_is_set(e, SOON, &is), POLYIPC_OK);
    CHECK(!is, "it is set");
    EXPECT(polyipc_managed_event_wait(e, POLYIPC_TRY), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_event_wait(e, 1000000), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_event_set(e, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_event_wait(e, POLYIPC_TRY), POLYIPC_OK);
    EXPECT(polyipc_managed_event_wait(e, POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_managed_event_clear(e, SOON), POLYIPC_OK);
    EXPECT(polyipc_managed_event_wait(e, POLYIPC_TRY), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_barrier_wait(b, 1000000, NULL), POLYIPC_TIMEOUT);
    const pthread_t t = run(arrives, &b);
    arrives(&b);
    pthread_join(t, NULL);
    EXPECT(polyipc_managed_call(b, "abort", NULL, NULL, SOON, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_barrier_wait(b, SOON, NULL), POLYIPC_BROKEN);
    EXPECT(polyipc_managed_release(e), POLYIPC_OK);
    EXPECT(polyipc_managed_release(b), POLYIPC_OK);
}

/* Changes in order, and a snapshot first. */
static void watching(void) {
    const polyipc_managed d = made(m, "dict");
    uint64_t subscription;
    msgpack_object event;
    EXPECT(polyipc_managed_watch(d, SOON, &subscription), POLYIPC_OK);
    EXPECT(polyipc_managed_dict_set(d, "k", polyipc_msgpack_of_int64(1), SOON), POLYIPC_OK);
    for (int i = 0; i < 2; i++) {
        EXPECT(polyipc_managed_next_event(m, subscription, SOON, &zone, &event), POLYIPC_OK);
        CHECK(event.via.array.size == (i == 0 ? 2 : 3) &&
                  memcmp(event.via.array.ptr[0].via.str.ptr, i == 0 ? "snapshot" : "set", i == 0 ? 8 : 3) ==
                      0,
              "event %d", i);
    }
    EXPECT(polyipc_managed_next_event(m, subscription, POLYIPC_TRY, &zone, &event), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_next_event(m, subscription, SOON, NULL, &event), POLYIPC_INVALID);
    EXPECT(polyipc_managed_watch(made(m, "lock"), SOON, &subscription), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_managed_release(d), POLYIPC_OK);
}

int main(int argc, char **argv) {
    begin_test(argc, argv, be_server);
    const polyipc_process p = start_server("mirror");
    m = connected("mirror");
    msgpack_zone_init(&zone, 4096);
    objects();
    references();
    large();
    dicts();
    lists();
    numbers();
    queues();
    locks();
    owners();
    events();
    watching();
    msgpack_zone_destroy(&zone);
    stop_server(m, p);
    remove_root();
    return 0;
}
