/* Types that are written in C: by a table of functions, and by hand. */
#include "manager_test.h"

/* ---- the type --------------------------------------------------------------------------- */

typedef struct box {
    msgpack_sbuffer value;
} box;

static atomic_int boxes;

static void begin(polyipc_hosted *call) {
    const msgpack_object *value = polyipc_hosted_arg(call, 0, "value");
    msgpack_packer pk;
    if (value->type == MSGPACK_OBJECT_BOOLEAN) {
        polyipc_hosted_fail(call, "ValueError", "no %s, please", value->via.boolean ? "true" : "false");
        return;
    }
    box *b = calloc(1, sizeof *b);
    CHECK(b != NULL, "calloc");
    msgpack_packer_init(&pk, &b->value, msgpack_sbuffer_write);
    CHECK(msgpack_pack_object(&pk, *value) == 0, "pack");
    call->state = b;
    atomic_fetch_add(&boxes, 1);
}

static void end(polyipc_hosted *call) {
    box *b = call->state;
    msgpack_sbuffer_destroy(&b->value);
    free(b);
    atomic_fetch_sub(&boxes, 1);
}

static void get_value(polyipc_hosted *call) {
    const box *b = call->state;
    msgpack_sbuffer_write(call->result->data, b->value.data, b->value.size);
}

static void sum(polyipc_hosted *call) {
    double a, b;
    if (polyipc_msgpack_double(polyipc_hosted_arg(call, 0, "a"), &a) != POLYIPC_OK ||
        polyipc_msgpack_double(polyipc_hosted_arg(call, 1, "b"), &b) != POLYIPC_OK)
        polyipc_hosted_fail(call, "TypeError", "a and b must be numbers");
    else
        msgpack_pack_double(call->result, a + b);
}

static void two(polyipc_hosted *call) { /* which is wrong */
    msgpack_pack_nil(call->result);
    msgpack_pack_nil(call->result);
}

static void large(polyipc_hosted *call) {
    char *bytes = calloc(1, 100000);
    polyipc_msgpack_pack_bin(call->result, bytes, 100000);
    free(bytes);
}

static void who(polyipc_hosted *call) {
    msgpack_pack_array(call->result, 2);
    msgpack_pack_uint64(call->result, call->client);
    msgpack_pack_uint64(call->result, call->thread);
}

static void nothing(polyipc_hosted *call) { (void)call; }

static const polyipc_hosted_method methods[] = {
    {"Box", "__init__", begin}, {"Box", "__del__", end},       {"Box", "get", get_value},
    {"Box", "sum", sum},        {"Box", "two", two},           {"Box", "who", who},
    {"Box", "large", large},    {"Plain", "nothing", nothing},
};
enum { METHODS = sizeof methods / sizeof methods[0] };

/* ---- the host --------------------------------------------------------------------------- */

static polyipc_manager hosts; /* its connection */
static polyipc_host host;

static void *serves(void *unused) {
    polyipc_status s;
    while ((s = polyipc_host_serve(&host, POLYIPC_FOREVER)) == POLYIPC_OK) {
    }
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    polyipc_host_end(&host);
    return unused;
}

/* ---- its users -------------------------------------------------------------------------- */

static polyipc_manager m;
static msgpack_zone zone;

static polyipc_managed boxed(msgpack_object value) {
    polyipc_managed b;
    EXPECT(polyipc_managed_create(m, "Box", &value, 1, SOON, &b), POLYIPC_OK);
    return b;
}

static void by_table(void) {
    msgpack_object value, out;
    polyipc_managed bad = {{0}, 0};
    const polyipc_managed text = boxed(polyipc_msgpack_of_str("text")),
                          number = boxed(polyipc_msgpack_of_int64(5));
    CHECK(atomic_load(&boxes) == 2, "%d boxes", atomic_load(&boxes));
    EXPECT(polyipc_managed_call(text, "get", NULL, NULL, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.str.size == 4, "another text");
    EXPECT(polyipc_managed_call(number, "get", NULL, NULL, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.u64 == 5, "another number");
    value = polyipc_msgpack_of_bool(true);
    EXPECT(polyipc_managed_create(m, "Box", &value, 1, SOON, &bad), POLYIPC_REMOTE_ERROR);
    char detail[300];
    polyipc_error_detail(detail, sizeof detail);
    CHECK(strstr(detail, "ValueError: no true, please") != NULL, "%s", detail);
    EXPECT(polyipc_managed_create(m, "Crate", &value, 1, SOON, &bad), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_managed_release(text), POLYIPC_OK);
    while (atomic_load(&boxes) != 1)
        figure(m, "objects"); /* the release goes with it, and the drop comes soon */
    EXPECT(polyipc_managed_call(number, "get", NULL, NULL, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.u64 == 5, "the other box has another number");
    EXPECT(polyipc_managed_release(number), POLYIPC_OK);
    while (atomic_load(&boxes) != 0)
        figure(m, "objects");
}

static void arguments(void) {
    const polyipc_managed b = boxed(polyipc_msgpack_of_nil());
    const msgpack_sbuffer both = PACKED("\x92\x01\x02"), one = PACKED("\x91\x01"),
                          b_is = PACKED("\x81\xa1"
                                        "b\x07");
    msgpack_object out;
    EXPECT(polyipc_managed_call(b, "sum", &both, NULL, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.f64 == 3, "%g", out.via.f64);
    EXPECT(polyipc_managed_call(b, "sum", &one, &b_is, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.f64 == 8, "%g", out.via.f64);
    EXPECT(polyipc_managed_call(b, "sum", &one, NULL, SOON, &zone, &out), POLYIPC_REMOTE_ERROR);
    CHECK(polyipc_managed_raised(&out, "TypeError"), "another failure");
    const msgpack_object_str traceback = out.via.array.ptr[2].via.str;
    CHECK(memmem(traceback.ptr, traceback.size, "test_manager_host.c", 19) != NULL &&
              memmem(traceback.ptr, traceback.size, "in sum", 6) != NULL,
          "%.*s", (int)traceback.size, traceback.ptr);
    EXPECT(polyipc_managed_call(b, "none", NULL, NULL, SOON, &zone, &out), POLYIPC_REMOTE_ERROR);
    CHECK(polyipc_managed_raised(&out, "AttributeError"), "another failure");
    EXPECT(polyipc_managed_call(b, "two", NULL, NULL, SOON, &zone, &out), POLYIPC_REMOTE_ERROR);
    CHECK(polyipc_managed_raised(&out, "TypeError"), "another failure");
    EXPECT(polyipc_managed_call(b, "large", NULL, NULL, SOON, &zone, &out), POLYIPC_OK);
    CHECK(out.via.bin.size == 100000, "%u bytes", out.via.bin.size);
    EXPECT(polyipc_managed_call(b, "who", NULL, NULL, SOON, &zone, &out), POLYIPC_OK);
    polyipc_manager_info_t i = {.size = sizeof i};
    EXPECT(polyipc_manager_info(m, &i), POLYIPC_OK);
    CHECK(out.via.array.ptr[0].via.u64 == i.client, "another client");
    CHECK(out.via.array.ptr[1].via.u64 == (uint64_t)pthread_self(), "another thread");
    char *bytes = calloc(1, 50000); /* more than the host's buffer had */
    const msgpack_object big = polyipc_msgpack_of_bin(bytes, 50000);
    EXPECT(polyipc_managed_release(boxed(big)), POLYIPC_OK);
    free(bytes);
    EXPECT(polyipc_managed_release(made(m, "Plain")), POLYIPC_OK);
    EXPECT(polyipc_managed_release(b), POLYIPC_OK);
    polyipc_host second;
    EXPECT(polyipc_host_begin(&second, m, methods, METHODS, SOON), POLYIPC_EXISTS);
    EXPECT(polyipc_host_begin(NULL, m, methods, METHODS, SOON), POLYIPC_INVALID);
    EXPECT(polyipc_host_begin(&second, m, methods, 0, SOON), POLYIPC_INVALID);
    EXPECT(polyipc_host_begin(&second, m, (polyipc_hosted_method[]){{"A", "b", NULL}}, 1, SOON),
           POLYIPC_INVALID);
}

/* A host that goes fails the calls that are with it, and its types are free. */
static void host_goes(pthread_t t) {
    const polyipc_managed b = boxed(polyipc_msgpack_of_nil());
    polyipc_managed c;
    EXPECT(polyipc_manager_close(hosts), POLYIPC_OK);
    pthread_join(t, NULL);
    CHECK(atomic_load(&boxes) == 0, "%d boxes", atomic_load(&boxes));
    until(m, "clients", 1);
    EXPECT(polyipc_managed_call(b, "get", NULL, NULL, SOON, NULL, NULL), POLYIPC_PEER_DIED);
    EXPECT(polyipc_managed_create(m, "Box", NULL, 0, SOON, &c), POLYIPC_NOT_FOUND);
}

/* ---- by hand ---------------------------------------------------------------------------- */

static polyipc_manager_hosted_t next(uint32_t what, char *body, size_t capacity) {
    polyipc_manager_hosted_t h = {.size = sizeof h};
    size_t size = 0;
    EXPECT(polyipc_manager_next_call(hosts, SOON, &h, body, capacity, &size), POLYIPC_OK);
    CHECK(h.what == what, "told of %u, not %u", h.what, what);
    return h;
}

static void by_hand(void) {
    polyipc_manager_hosted_t h = {.size = sizeof h};
    char body[200];
    size_t size = 0;
    uint64_t number;
    msgpack_object out;
    hosts = connected("mirror");
    const msgpack_sbuffer types = PACKED("\x92\xa4Hand\x91\xa4wait"), args = PACKED("\x91\xa4Hand");
    EXPECT(polyipc_manager_next_call(hosts, POLYIPC_TRY, &h, body, sizeof body, &size), POLYIPC_TIMEOUT);
    EXPECT(polyipc_managed_call(polyipc_managed_self(hosts), "register", &types, NULL, SOON, NULL, NULL),
           POLYIPC_OK);
    EXPECT(polyipc_managed_start(polyipc_managed_self(m), "create", &args, NULL, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_next_call(hosts, SOON, &h, body, 3, &size), POLYIPC_TOO_SMALL);
    CHECK(size > 3 && h.call == 0, "%zu bytes", size);
    EXPECT(polyipc_manager_next_call(hosts, SOON, NULL, body, sizeof body, &size), POLYIPC_INVALID);
    h.size--;
    EXPECT(polyipc_manager_next_call(hosts, SOON, &h, body, sizeof body, &size), POLYIPC_INVALID);
    h.size++;
    EXPECT(polyipc_manager_next_call(hosts, SOON, &h, body, sizeof body, NULL), POLYIPC_INVALID);
    h = next(POLYIPC_HOSTED_CALL, body, sizeof body);
    CHECK(memcmp(body, "\x94\xa4Hand\xa8__init__\x90\x80", 17) == 0, "another call");
    EXPECT(polyipc_manager_reply(hosts, h.call, "\xc1", 1), POLYIPC_INVALID);
    EXPECT(polyipc_manager_reply(hosts, h.call, "\x01\x02", 2), POLYIPC_INVALID);
    EXPECT(polyipc_manager_reply(hosts, h.call, NULL, 0), POLYIPC_OK);
    EXPECT(polyipc_manager_reply(hosts, h.call, NULL, 0), POLYIPC_INVALID); /* answered */
    EXPECT(polyipc_managed_finish(m, number, SOON, &zone, &out), POLYIPC_OK);
    polyipc_managed hand;
    EXPECT(polyipc_managed_of(m, &out, &hand), POLYIPC_OK);
    CHECK(hand.object == h.object, "another object");

    EXPECT(polyipc_managed_start(hand, "wait", NULL, NULL, SOON, &number), POLYIPC_OK);
    const uint64_t call = next(POLYIPC_HOSTED_CALL, body, sizeof body).call;
    EXPECT(polyipc_manager_cancel(m, number), POLYIPC_OK);
    h = next(POLYIPC_HOSTED_CANCEL, body, sizeof body);
    CHECK(h.call == call, "another call");
    EXPECT(polyipc_manager_fail(hosts, call, "KeyboardInterrupt", NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_managed_finish(m, number, SOON, &zone, &out), POLYIPC_CANCELLED);

    EXPECT(polyipc_managed_start(hand, "wait", NULL, NULL, SOON, &number), POLYIPC_OK);
    h = next(POLYIPC_HOSTED_CALL, body, sizeof body);
    EXPECT(polyipc_manager_fail(hosts, h.call, "KeyError", "k", "line 1\nline 2\n"), POLYIPC_OK);
    EXPECT(polyipc_managed_finish(m, number, SOON, &zone, &out), POLYIPC_REMOTE_ERROR);
    CHECK(polyipc_managed_raised(&out, "KeyError") && out.via.array.ptr[1].via.str.size == 1 &&
              out.via.array.ptr[2].via.str.size == 14,
          "another failure");

    /* Of a traceback that does not fit comes its end. */
    char text[100];
    memset(text, 'x', sizeof text - 2);
    text[sizeof text - 2] = '!';
    text[sizeof text - 1] = 0;
    const polyipc_manager_call_t wait = CALL(hand.object, "wait", "\x90");
    EXPECT(polyipc_manager_start(m, &wait, SOON, &number), POLYIPC_OK);
    h = next(POLYIPC_HOSTED_CALL, body, sizeof body);
    EXPECT(polyipc_manager_fail(hosts, h.call, "E", "m", text), POLYIPC_OK);
    EXPECT(polyipc_manager_finish(m, number, SOON, body, 50, &size), POLYIPC_REMOTE_ERROR);
    CHECK(size > 40 && size <= 50 && body[size - 1] == '!', "%zu bytes", size);
    EXPECT(polyipc_msgpack_read(body, size, &zone, &out), POLYIPC_OK);

    EXPECT(polyipc_managed_release(hand), POLYIPC_OK);
    figure(m, "objects"); /* the release goes with it */
    h = next(POLYIPC_HOSTED_DROP, body, sizeof body);
    CHECK(h.object == hand.object, "another object");
    EXPECT(polyipc_manager_close(hosts), POLYIPC_OK);
}

int main(int argc, char **argv) {
    begin_test(argc, argv, be_server);
    const polyipc_process p = start_server("mirror");
    m = connected("mirror");
    hosts = connected("mirror");
    msgpack_zone_init(&zone, 4096);
    EXPECT(polyipc_host_begin(&host, hosts, methods, METHODS, SOON), POLYIPC_OK);
    const pthread_t t = run(serves, NULL);
    by_table();
    arguments();
    host_goes(t);
    by_hand();
    msgpack_zone_destroy(&zone);
    stop_server(m, p);
    remove_root();
    return 0;
}
