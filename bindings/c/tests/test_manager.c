/* Managers: servers and connections, calls by bytes, and what every function says to nonsense. */
#include "manager_test.h"

static polyipc_manager m;
static uint64_t list; /* an object to call */

/* ---- calls ------------------------------------------------------------------------------ */

static void info(void) {
    polyipc_manager_info_t i = {.size = sizeof i};
    EXPECT(polyipc_manager_info(m, &i), POLYIPC_OK);
    CHECK(i.epoch != 0 && i.frame == 64 << 20 && i.flags == 0, "frame %lld, flags %u", (long long)i.frame,
          i.flags);
    EXPECT(polyipc_manager_info(m, NULL), POLYIPC_INVALID);
    i.size--;
    EXPECT(polyipc_manager_info(m, &i), POLYIPC_INVALID);
    EXPECT(polyipc_manager_info((polyipc_manager){0}, &i), POLYIPC_BAD_HANDLE);
}

static void calls(void) {
    char buffer[64];
    size_t size = 0;
    uint64_t number = 77;
    const polyipc_manager_call_t append = CALL(list, "append", "\x91\xa3one"),
                                 get = CALL(list, "get", "\x91\x00");
    EXPECT(polyipc_manager_call(m, &append, SOON, buffer, sizeof buffer, &size, &number), POLYIPC_OK);
    CHECK(size == 1 && buffer[0] == 1, "the new length has %zu bytes", size);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
    CHECK(size == 4 && memcmp(buffer, "\xa3one", 4) == 0, "%zu bytes", size);
    CHECK(number == 77, "out_call was written by a call that is over");
    polyipc_manager_call_t named = CALL(list, "pop", "\x90");
    named.args = NULL;
    named.args_size = 0;
    named.named = "\x81\xa5index\x00";
    named.named_size = 8;
    EXPECT(polyipc_manager_call(m, &named, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
    CHECK(size == 4 && memcmp(buffer, "\xa3one", 4) == 0, "%zu bytes", size);
}

static void too_small(void) {
    char buffer[600];
    size_t size = 0;
    uint64_t number = 0;
    char args[304] = "\x91\xda\x01\x2c"; /* a text of 300 bytes */
    memset(args + 4, 'x', 300);
    const polyipc_manager_call_t append = call_of(list, "append", args, sizeof args),
                                 get = CALL(list, "get", "\x91\xff"), pop = CALL(list, "pop", "\x90");
    EXPECT(polyipc_manager_call(m, &append, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, 302, &size, &number), POLYIPC_TOO_SMALL);
    CHECK(size == 303 && number != 0, "%zu bytes", size);
    EXPECT(polyipc_manager_finish(m, number, SOON, NULL, 0, &size), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_manager_finish(m, number, POLYIPC_TRY, buffer, 303, &size), POLYIPC_OK);
    CHECK(size == 303 && buffer[302] == 'x', "%zu bytes", size);
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, 303, &size), POLYIPC_INVALID);
    size = 0;
    EXPECT(polyipc_manager_call(m, &get, SOON, NULL, 0, &size, NULL), POLYIPC_TOO_SMALL);
    CHECK(size == 303, "%zu bytes", size);
    for (int i = 0; i < 2000; i++) /* a lost result takes no place among those under way */
        EXPECT(polyipc_manager_call(m, &get, SOON, buffer, 1, &size, NULL), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_manager_call(m, &pop, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
}

/* What fits of a failure comes; its sentence always does. */
static void failures(void) {
    char buffer[600], detail[600];
    size_t size = 0;
    msgpack_zone zone;
    msgpack_object parts;
    const polyipc_manager_call_t get = CALL(list, "get", "\x91\x64");
    msgpack_zone_init(&zone, 1000);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_msgpack_read(buffer, size, &zone, &parts), POLYIPC_OK);
    CHECK(parts.via.array.size == 3 && polyipc_managed_raised(&parts, "IndexError"), "another failure");
    CHECK(!polyipc_managed_raised(&parts, "IndexErro") && !polyipc_managed_raised(&parts, "KeyError"),
          "both");
    polyipc_error_detail(detail, sizeof detail);
    CHECK(strstr(detail, "\"get\"") != NULL && strstr(detail, "IndexError: ") != NULL, "%s", detail);
    const size_t whole = size;
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, whole - 1, &size, NULL), POLYIPC_REMOTE_ERROR);
    CHECK(size == 0, "%zu bytes", size);
    EXPECT(polyipc_manager_call(m, &get, SOON, NULL, 0, &size, NULL), POLYIPC_REMOTE_ERROR);
    polyipc_error_detail(detail, sizeof detail);
    CHECK(strstr(detail, "IndexError: ") != NULL, "%s", detail);
    const polyipc_manager_call_t gone = CALL(list + 1000, "get", "\x91\x64"),
                                 none = CALL(list, "nothing", "\x90"), few = CALL(list, "get", "\x90"),
                                 unlink = CALL(0, "open", "\x92\xa4none\xc0");
    EXPECT(polyipc_manager_call(m, &gone, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_GONE);
    EXPECT(polyipc_manager_call(m, &none, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_manager_call(m, &few, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_REMOTE_ERROR);
    EXPECT(polyipc_manager_call(m, &unlink, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_NOT_FOUND);
    msgpack_zone_destroy(&zone);
}

static void futures(void) {
    enum { MOST = 1024 };
    static uint64_t numbers[MOST];
    char buffer[64];
    size_t size;
    uint64_t number;
    const polyipc_manager_call_t append = CALL(list, "append", "\x91\x05"),
                                 clear = CALL(list, "clear", "\x90");
    for (int i = 0; i < MOST; i++)
        EXPECT(polyipc_manager_start(m, &append, SOON, &numbers[i]), POLYIPC_OK);
    EXPECT(polyipc_manager_start(m, &append, SOON, &number), POLYIPC_LIMIT);
    for (int i = MOST - 1; i >= 0; i--) {
        EXPECT(polyipc_manager_finish(m, numbers[i], SOON, buffer, sizeof buffer, &size), POLYIPC_OK);
        const uint64_t len =
            size == 1 ? (uint64_t)buffer[0] : polyipc_mp_number((uint8_t *)buffer + 1, (unsigned)size - 1);
        CHECK(len == (uint64_t)i + 1, "call %d made it %llu", i, (unsigned long long)len);
    }
    EXPECT(polyipc_manager_start(m, &append, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_forget(m, number), POLYIPC_OK);
    EXPECT(polyipc_manager_forget(m, number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, sizeof buffer, &size), POLYIPC_INVALID);
    EXPECT(polyipc_manager_call(m, &clear, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
}

static void batches(void) {
    char calls[64], buffer[600];
    size_t size;
    uint64_t number;
    msgpack_zone zone;
    msgpack_object all;
    CHECK(list < 128, "object %llu", (unsigned long long)list);
    const int n = snprintf(calls, sizeof calls,
                           "\x92\x93%c\xa6"
                           "append\x91\x07\x93%c\xa3get\x91\x09",
                           (int)list, (int)list);
    msgpack_zone_init(&zone, 1000);
    EXPECT(polyipc_manager_batch(m, calls, (size_t)n, 1, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, sizeof buffer, &size), POLYIPC_OK);
    EXPECT(polyipc_msgpack_read(buffer, size, &zone, &all), POLYIPC_OK);
    CHECK(all.via.array.size == 2 && all.via.array.ptr[0].via.array.size == 2 &&
              all.via.array.ptr[0].via.array.ptr[1].via.u64 == 1 &&
              all.via.array.ptr[1].via.array.size == 5 &&
              all.via.array.ptr[1].via.array.ptr[1].via.u64 == POLYIPC_REMOTE_ERROR,
          "the batch came to something else");
    msgpack_zone_destroy(&zone);
    EXPECT(polyipc_manager_batch(m, "\x01", 1, 1, SOON, &number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_batch(m, calls, (size_t)n, 1, SOON, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_manager_batch(m, NULL, 3, 1, SOON, &number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_batch((polyipc_manager){0}, calls, (size_t)n, 1, SOON, &number),
           POLYIPC_BAD_HANDLE);
}

static void events(void) {
    const polyipc_managed dict = made(m, "dict");
    uint64_t subscription = 0;
    char buffer[64];
    size_t size;
    EXPECT(polyipc_managed_watch(dict, SOON, &subscription), POLYIPC_OK);
    EXPECT(polyipc_manager_next_event(m, subscription, SOON, buffer, sizeof buffer, &size), POLYIPC_OK);
    CHECK(size == 11 && memcmp(buffer, "\x92\xa8snapshot\x80", 11) == 0, "%zu bytes", size);
    EXPECT(polyipc_manager_next_event(m, subscription, POLYIPC_TRY, buffer, sizeof buffer, &size),
           POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_dict_set(dict, "k", polyipc_msgpack_of_int64(5), SOON), POLYIPC_OK);
    EXPECT(polyipc_manager_next_event(m, subscription, SOON, buffer, 7, &size), POLYIPC_TOO_SMALL);
    CHECK(size == 8, "%zu bytes", size);
    EXPECT(polyipc_manager_next_event(m, subscription, SOON, buffer, 8, &size), POLYIPC_OK);
    CHECK(memcmp(buffer, "\x93\xa3set\xa1k\x05", 8) == 0, "another event");
    EXPECT(polyipc_manager_next_event(m, subscription + 9, SOON, buffer, 8, &size), POLYIPC_INVALID);
    EXPECT(polyipc_manager_next_event(m, subscription, SOON, buffer, 8, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_manager_next_event((polyipc_manager){0}, subscription, SOON, buffer, 8, &size),
           POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_managed_release(dict), POLYIPC_OK);
}

/* ---- nonsense --------------------------------------------------------------------------- */

static void bad_calls(void) {
    char buffer[64], *nowhere = (char *)4096, name[300];
    size_t size = 99;
    uint64_t number = 99;
    const polyipc_manager closed = {m.id ^ 1u << 20}, none = {0}, made_up = {0x7fffffff};
    const polyipc_manager_call_t good = CALL(list, "len", "\x90");
    polyipc_manager_hosted_t hosted = {.size = sizeof hosted};
    for (int i = 0; i < 3; i++) {
        const polyipc_manager bad = i == 0 ? closed : i == 1 ? none : made_up;
        EXPECT(polyipc_manager_call(bad, &good, SOON, buffer, sizeof buffer, &size, &number),
               POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_start(bad, &good, SOON, &number), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_finish(bad, 1, SOON, buffer, sizeof buffer, &size), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_cancel(bad, 1), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_forget(bad, 1), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_release(bad, 1, 1), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_reconnect(bad, SOON), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_next_call(bad, SOON, &hosted, buffer, sizeof buffer, &size),
               POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_reply(bad, 1, NULL, 0), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_fail(bad, 1, "ValueError", NULL, NULL), POLYIPC_BAD_HANDLE);
        EXPECT(polyipc_manager_close(bad), POLYIPC_BAD_HANDLE);
    }
    EXPECT(polyipc_manager_call(m, NULL, SOON, buffer, sizeof buffer, &size, &number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_call(m, &good, SOON, buffer, sizeof buffer, NULL, &number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_call(m, &good, SOON, NULL, sizeof buffer, &size, &number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_call(m, &good, SOON, buffer, sizeof buffer, (size_t *)nowhere, &number),
           POLYIPC_INVALID);
    EXPECT(polyipc_manager_call(m, &good, SOON, buffer, sizeof buffer, &size, (uint64_t *)nowhere),
           POLYIPC_INVALID);
    EXPECT(polyipc_manager_start(m, &good, SOON, NULL), POLYIPC_INVALID);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    polyipc_manager_call_t bad[] = {
        CALL(list, NULL, "\x90"),          CALL(list, name, "\x90"),      CALL(list, "len", "\x01"),
        CALL(list, "len", "\x90\x90"),     CALL(list, "len", "\x91"),     CALL(list, "len", "\xc1"),
        CALL(list, "get", "\x91\xa1\xff"), call_of(list, "len", NULL, 1), call_of(list, "len", nowhere, 100),
        CALL(list, nowhere, "\x90"),       CALL(list, "pop", "\x90")};
    bad[sizeof bad / sizeof bad[0] - 1].named = "\x91\x00"; /* no map */
    bad[sizeof bad / sizeof bad[0] - 1].named_size = 2;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const polyipc_status s =
            polyipc_manager_call(m, &bad[i], SOON, buffer, sizeof buffer, &size, &number);
        CHECK(s == POLYIPC_INVALID, "bad[%zu]: %s", i, polyipc_status_name(s));
        EXPECT(polyipc_manager_start(m, &bad[i], SOON, &number), POLYIPC_INVALID);
    }
    CHECK(size == 99 && number == 99, "%zu, %llu", size, (unsigned long long)number);
    EXPECT(polyipc_manager_finish(m, 123456789, SOON, buffer, sizeof buffer, &size), POLYIPC_INVALID);
    EXPECT(polyipc_manager_finish(m, 0, SOON, buffer, sizeof buffer, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_manager_cancel(m, 123456789), POLYIPC_INVALID);
    EXPECT(polyipc_manager_forget(m, 0), POLYIPC_INVALID);
    EXPECT(polyipc_manager_release(m, 0, 1), POLYIPC_INVALID);
    EXPECT(polyipc_manager_release(m, list, 0), POLYIPC_INVALID);
    EXPECT(polyipc_manager_reply(m, 1, "\xc1", 1), POLYIPC_INVALID);
    EXPECT(polyipc_manager_fail(m, 1, NULL, "x", NULL), POLYIPC_INVALID);
    EXPECT(polyipc_manager_fail(m, 1, "", "x", NULL), POLYIPC_INVALID);
    /* After all that the connection is as good as before. */
    EXPECT(polyipc_manager_call(m, &good, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
}

static void bad_connections(void) {
    polyipc_manager x = {99};
    char detail[1024];
    polyipc_manager_options o = POLYIPC_MANAGER_OPTIONS_INIT;
    EXPECT(polyipc_manager_connect(NULL, NULL, SOON, &x), POLYIPC_INVALID);
    EXPECT(polyipc_manager_connect("", NULL, SOON, &x), POLYIPC_INVALID);
    EXPECT(polyipc_manager_connect("a/b", NULL, SOON, &x), POLYIPC_INVALID);
    EXPECT(polyipc_manager_connect("nobody", NULL, SOON, &x), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_manager_connect("mirror", NULL, SOON, NULL), POLYIPC_INVALID);
    polyipc_queue q;
    EXPECT(polyipc_queue_create("queue", NULL, &q), POLYIPC_OK);
    EXPECT(polyipc_manager_connect("queue", NULL, SOON, &x), POLYIPC_WRONG_KIND);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_unlink("queue", NULL), POLYIPC_OK);
    o.size--;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.size++;
    o.flags = POLYIPC_KEPT;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.flags = 0;
    o.key_size = 3;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.key = "secret";
    o.key_size = 1025;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.key_size = 0;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.key = NULL;
    o.listen = "localhost:0";
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    o.listen = NULL;
    o.tls_ca = "/none";
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID); /* TLS is for TCP */
    o.key = "secret";
    o.key_size = 6;
    EXPECT(polyipc_manager_connect("tcp://127.0.0.1:1", &o, SOON, &x), POLYIPC_INVALID);
    polyipc_error_detail(detail, sizeof detail);
    CHECK(strstr(detail, "the file with the CA, /none, cannot be opened") != NULL, "%s", detail);
    o.key = NULL;
    o.key_size = 0;
    o.tls_ca = NULL;
    o.frame = 1 << 20;
    EXPECT(polyipc_manager_connect("mirror", &o, SOON, &x), POLYIPC_INVALID);
    EXPECT(polyipc_manager_connect((char *)4096, NULL, SOON, &x), POLYIPC_INVALID);
    EXPECT(polyipc_manager_connect("mirror", (polyipc_manager_options *)4096, SOON, &x), POLYIPC_INVALID);
    CHECK(x.id == 99, "out_manager was written");
}

/* ---- servers ---------------------------------------------------------------------------- */

static void servers(void) {
    polyipc_manager_server s = {99}, other;
    polyipc_manager_options o = POLYIPC_MANAGER_OPTIONS_INIT;
    polyipc_manager c;
    char name[129], address[256];
    EXPECT(polyipc_manager_serve("mirror", NULL, &s), POLYIPC_EXISTS);
    EXPECT(polyipc_manager_serve("a/b", NULL, &s), POLYIPC_INVALID);
    EXPECT(polyipc_manager_serve("x", NULL, NULL), POLYIPC_INVALID);
    o.listen = "127.0.0.1:0";
    EXPECT(polyipc_manager_serve("x", &o, &s), POLYIPC_DENIED); /* no key */
    o.size = 8;
    EXPECT(polyipc_manager_serve("x", &o, &s), POLYIPC_INVALID);
    o = (polyipc_manager_options)POLYIPC_MANAGER_OPTIONS_INIT;
    o.frame = 1000;
    EXPECT(polyipc_manager_serve("x", &o, &s), POLYIPC_INVALID);
    o = (polyipc_manager_options)POLYIPC_MANAGER_OPTIONS_INIT;
    o.tls_cert = o.tls_key = "/none";
    EXPECT(polyipc_manager_serve("x", &o, &s), POLYIPC_INVALID); /* TLS without listen */
    o.key = "secret";
    o.key_size = 6;
    o.listen = "127.0.0.1:0";
    EXPECT(polyipc_manager_serve("x", &o, &s), POLYIPC_INVALID); /* no such file */
    CHECK(s.id == 99, "out_server was written");
    o = (polyipc_manager_options)POLYIPC_MANAGER_OPTIONS_INIT;
    o.key = "secret";
    o.key_size = 6;
    o.listen = "127.0.0.1:0";
    EXPECT(polyipc_manager_serve(NULL, &o, &s), POLYIPC_OK);
    EXPECT(polyipc_manager_server_name(s, name, sizeof name), POLYIPC_OK);
    EXPECT(polyipc_manager_server_name(s, name, 36), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_manager_server_name(s, NULL, 0), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_manager_server_address(s, address, sizeof address), POLYIPC_OK);
    CHECK(strncmp(address, "tcp://127.0.0.1:", 16) == 0, "%s", address);
    EXPECT(polyipc_manager_server_address(s, address, 10), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_manager_server_wait(s, POLYIPC_TRY), POLYIPC_TIMEOUT);
    EXPECT(polyipc_manager_connect(name, NULL, SOON, &c), POLYIPC_DENIED);
    EXPECT(polyipc_manager_connect(address, NULL, SOON, &c), POLYIPC_DENIED);
    o.listen = NULL;
    for (int i = 0; i < 2; i++) { /* by the name, and by TCP */
        msgpack_zone zone;
        msgpack_object names;
        msgpack_zone_init(&zone, 256);
        EXPECT(polyipc_manager_connect(i == 0 ? name : address, &o, SOON, &c), POLYIPC_OK);
        EXPECT(polyipc_managed_call(polyipc_managed_self(c), "names", NULL, NULL, SOON, &zone, &names),
               POLYIPC_OK);
        EXPECT(polyipc_manager_close(c), POLYIPC_OK);
        EXPECT(polyipc_manager_close(c), POLYIPC_BAD_HANDLE);
        msgpack_zone_destroy(&zone);
    }
    EXPECT(polyipc_manager_serve(NULL, NULL, &other), POLYIPC_OK);
    EXPECT(polyipc_manager_server_address(other, address, sizeof address), POLYIPC_OK);
    CHECK(address[0] == 0, "%s", address);
    EXPECT(polyipc_manager_server_close(other), POLYIPC_OK);
    EXPECT(polyipc_manager_server_close(s), POLYIPC_OK);
    EXPECT(polyipc_manager_server_close(s), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_wait(s, SOON), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_name(s, name, sizeof name), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_address(s, name, sizeof name), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_connect(name, &o, SOON, &c), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_manager_server_close((polyipc_manager_server){m.id}), POLYIPC_BAD_HANDLE);
    polyipc_reference r;
    EXPECT(polyipc_reference_of(m.id, &r), POLYIPC_INVALID); /* connections do not travel */
}

int main(int argc, char **argv) {
    begin_test(argc, argv, be_server);
    const polyipc_process p = start_server("mirror");
    m = connected("mirror");
    list = made(m, "list").object;
    info();
    calls();
    too_small();
    failures();
    futures();
    batches();
    events();
    bad_calls();
    bad_connections();
    servers();
    stop_server(m, p);
    remove_root();
    return 0;
}
