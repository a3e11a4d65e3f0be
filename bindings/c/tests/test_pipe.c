/* The pipe in C: each verb, quick and slow, and the end of the other side. tests/fork/c/pipe.c has deaths and
 * children. */
#include "quick_test.h"

static void pair(polyipc_pipe *first, polyipc_pipe *second, uint32_t flags) {
    polyipc_pipe_options o = POLYIPC_PIPE_OPTIONS_INIT;
    o.flags = flags;
    EXPECT(polyipc_pipe_pair(NULL, &o, first, second), POLYIPC_OK);
}

static void send_text(polyipc_pipe p, const char *text) {
    EXPECT(polyipc_pipe_send(p, text, strlen(text), POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
}

static void recv_text(polyipc_pipe p, const char *want) {
    char text[64] = "";
    size_t n;
    polyipc_format f;
    EXPECT(polyipc_pipe_recv(p, text, sizeof text - 1, 60 * SECOND, &n, &f), POLYIPC_OK);
    CHECK(n == strlen(want) && memcmp(text, want, n) == 0 && f == POLYIPC_RAW, "got \"%s\"", text);
}

static void both_ways(void) {
    static char big[200000], got[200000];
    polyipc_pipe a, b;
    pair(&a, &b, 0);
    char c = 'x';
    size_t n = 77;
    EXPECT(polyipc_pipe_recv(a, &c, 1, POLYIPC_TRY, &n, NULL), POLYIPC_EMPTY);
    EXPECT(polyipc_pipe_recv(a, &c, 1, SECOND / 100, &n, NULL), POLYIPC_TIMEOUT);
    CHECK(n == 77, "a failed call wrote %zu", n);
    EXPECT(polyipc_pipe_poll(a, POLYIPC_TRY), POLYIPC_EMPTY);
    EXPECT(polyipc_pipe_poll(a, SECOND / 100), POLYIPC_TIMEOUT);
    send_text(a, "there");
    send_text(b, "back");
    send_text(b, "");
    EXPECT(polyipc_pipe_poll(a, POLYIPC_TRY), POLYIPC_OK);
    EXPECT(polyipc_pipe_poll(b, POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_pipe_recv(a, NULL, 0, POLYIPC_TRY, &n, NULL), POLYIPC_TOO_SMALL);
    CHECK(n == 4, "%zu bytes", n);
    recv_text(a, "back");
    recv_text(a, "");
    recv_text(b, "there");
    for (size_t size = 1000; size <= sizeof big; size *= 5) {
        memset(big, (int)size, size);
        EXPECT(polyipc_pipe_send(a, big, size, POLYIPC_MSGPACK, POLYIPC_TRY), POLYIPC_OK);
        polyipc_format f;
        EXPECT(polyipc_pipe_recv(b, got, sizeof got, POLYIPC_TRY, &n, &f), POLYIPC_OK);
        CHECK(n == size && f == POLYIPC_MSGPACK && memcmp(big, got, n) == 0, "%zu bytes", n);
    }
    while (polyipc_pipe_send(a, big, 1000, POLYIPC_RAW, POLYIPC_TRY) == POLYIPC_OK)
        continue;
    EXPECT(polyipc_pipe_send(a, big, 1000, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_FULL);
    EXPECT(polyipc_pipe_send(a, big, 1000, POLYIPC_RAW, SECOND / 100), POLYIPC_TIMEOUT);
    polyipc_pipe_stat_t s = {.size = sizeof s};
    EXPECT(polyipc_pipe_stat(a, &s), POLYIPC_OK);
    CHECK(s.flags == POLYIPC_TRANSIENT && s.capacity == 65536 && s.end == POLYIPC_END_FIRST && s.other == 1,
          "%x %ld %u %u", s.flags, (long)s.capacity, s.end, s.other);
    CHECK(s.in.received == 2 && s.in.messages == 0 && s.out.messages == 64 && s.out.bytes == 65536, "%ld",
          (long)s.out.messages);
    EXPECT(polyipc_pipe_close(a), POLYIPC_OK);
    EXPECT(polyipc_pipe_close(b), POLYIPC_OK);
    EXPECT(polyipc_pipe_close(b), POLYIPC_BAD_HANDLE);
}

static void one_way(void) {
    polyipc_pipe in, out;
    pair(&in, &out, POLYIPC_ONE_WAY);
    send_text(out, "x");
    recv_text(in, "x");
    char c;
    EXPECT(polyipc_pipe_send(in, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_recv(out, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_poll(out, POLYIPC_FOREVER), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_close(out), POLYIPC_OK);
    EXPECT(polyipc_pipe_poll(in, POLYIPC_TRY), POLYIPC_OK);
    EXPECT(polyipc_pipe_recv(in, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_END_OF_FILE);
    EXPECT(polyipc_pipe_recv(in, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_END_OF_FILE);
    EXPECT(polyipc_pipe_close(in), POLYIPC_OK);
}

static void wrong_arguments(void) {
    polyipc_pipe a, b, none = {0};
    polyipc_queue q;
    char c, name[129];
    pair(&a, &b, 0);
    EXPECT(polyipc_queue_create(NULL, NULL, &q), POLYIPC_OK);
    send_text(a, "x");
    /* A handle of another kind, also where C does the work. */
    EXPECT(polyipc_queue_get((polyipc_queue){b.id}, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_queue_put((polyipc_queue){a.id}, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_pipe_send((polyipc_pipe){q.id}, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_pipe_recv((polyipc_pipe){q.id}, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_pipe_close((polyipc_pipe){q.id}), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_pipe_send(none, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_pipe_poll(none, POLYIPC_TRY), POLYIPC_BAD_HANDLE);

    EXPECT(polyipc_pipe_send(a, NULL, 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_send(a, (char *)70000, 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_send(a, "x", 1, 9, POLYIPC_TRY), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_recv(b, NULL, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_recv(b, (char *)70000, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_name(a, name, 36), POLYIPC_TOO_SMALL);
    EXPECT(polyipc_pipe_stat(a, NULL), POLYIPC_INVALID);
    polyipc_pipe_stat_t s = {.size = 1};
    EXPECT(polyipc_pipe_stat(a, &s), POLYIPC_INVALID);
    recv_text(b, "x");

    polyipc_pipe_options o = POLYIPC_PIPE_OPTIONS_INIT;
    polyipc_pipe p = {5};
    o.end = 3;
    EXPECT(polyipc_pipe_create("p", &o, &p), POLYIPC_INVALID);
    o.end = POLYIPC_END_SECOND;
    EXPECT(polyipc_pipe_pair("p", &o, &p, &p), POLYIPC_INVALID);
    o = (polyipc_pipe_options)POLYIPC_PIPE_OPTIONS_INIT;
    o.flags = 32;
    EXPECT(polyipc_pipe_create("p", &o, &p), POLYIPC_INVALID);
    o.flags = 0, o.reserved = 1;
    EXPECT(polyipc_pipe_create("p", &o, &p), POLYIPC_INVALID);
    o.reserved = 0, o.size = 8;
    EXPECT(polyipc_pipe_create("p", &o, &p), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_create("", NULL, &p), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_create("p", NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_pair("p", NULL, &p, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_pipe_open("p", NULL, &p), POLYIPC_NOT_FOUND);
    CHECK(p.id == 5, "a failed call wrote a handle");
    EXPECT(polyipc_pipe_close(a), POLYIPC_OK);
    EXPECT(polyipc_pipe_close(b), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

static void named(void) {
    polyipc_pipe a, b, c;
    EXPECT(polyipc_pipe_create("p", NULL, &a), POLYIPC_OK);
    send_text(a, "early");
    char none;
    EXPECT(polyipc_pipe_recv(a, &none, 1, SECOND / 100, NULL, NULL),
           POLYIPC_TIMEOUT); /* not gone: not there yet */
    EXPECT(polyipc_pipe_open("p", NULL, &b), POLYIPC_OK);
    recv_text(b, "early");
    polyipc_pipe_options o = POLYIPC_PIPE_OPTIONS_INIT;
    o.end = POLYIPC_END_FIRST;
    EXPECT(polyipc_pipe_open_or_create("p", &o, &c), POLYIPC_OK);
    EXPECT(polyipc_pipe_close(a), POLYIPC_OK);
    send_text(c, "by another holder");
    recv_text(b, "by another holder");
    EXPECT(polyipc_pipe_close(c), POLYIPC_OK);
    EXPECT(polyipc_pipe_recv(b, &none, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_END_OF_FILE);
    EXPECT(polyipc_pipe_close(b), POLYIPC_OK);
    EXPECT(polyipc_pipe_unlink("p", NULL), POLYIPC_OK);
    EXPECT(polyipc_pipe_unlink("p", NULL), POLYIPC_OK);
}

/* ---- the end of the other side ----------------------------------------------------------- */

static polyipc_pipe ours;

static void *sleeps_receiving(void *unused) {
    char c;
    EXPECT(polyipc_pipe_recv(ours, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_END_OF_FILE);
    return unused;
}

static void *sleeps_sending(void *unused) {
    static char text[4000];
    polyipc_status s;
    do
        s = polyipc_pipe_send(ours, text, sizeof text, POLYIPC_RAW, POLYIPC_FOREVER);
    while (s == POLYIPC_OK);
    EXPECT(s, POLYIPC_BROKEN);
    return unused;
}

static void *sleeps_polling(void *unused) {
    EXPECT(polyipc_pipe_poll(ours, POLYIPC_FOREVER), POLYIPC_OK);
    return unused;
}

static void *is_closed(void *unused) {
    char c;
    const polyipc_status s = polyipc_pipe_recv(ours, &c, 1, POLYIPC_FOREVER, NULL, NULL);
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s)); /* not begun yet */
    return unused;
}

static void rest(void) { nanosleep(&(struct timespec){0, 5000000}, NULL); } /* mostly asleep by then */

static void close_wakes(void) {
    void *(*const works[])(void *) = {sleeps_receiving, sleeps_sending, sleeps_polling};
    for (int i = 0; i < 3; i++) {
        polyipc_pipe theirs;
        pair(&ours, &theirs, 0);
        pthread_t t = run(works[i], NULL);
        rest();
        EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
        pthread_join(t, NULL);
        EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    }
    polyipc_pipe theirs;
    pair(&ours, &theirs, 0);
    pthread_t t = run(is_closed, NULL);
    rest();
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    pthread_join(t, NULL);
    EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
}

int main(void) {
    set_up();
    both_ways();
    one_way();
    wrong_arguments();
    named();
    close_wakes();
    remove_root();
    return 0;
}
