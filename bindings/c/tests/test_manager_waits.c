/* Calls of a manager that wait: beside other threads, with deadlines, given up, interrupted, and when
 * the connection or the server ends. */
#include "manager_test.h"

static polyipc_manager m;
static polyipc_managed queue; /* empty */

static const char NONE[] = "\x90";

static polyipc_manager_call_t get_call(void) { return call_of(queue.object, "get", NONE, 1); }

static void put_one(void) {
    EXPECT(polyipc_managed_queue_put(queue, polyipc_msgpack_of_int64(1), SOON), POLYIPC_OK);
}

/* ---- threads ---------------------------------------------------------------------------- */

enum { THREADS = 8, CALLS = 3000 };

static void *counts(void *argument) {
    const polyipc_managed counter = *(polyipc_managed *)argument;
    for (int i = 0; i < CALLS; i++)
        EXPECT(polyipc_managed_counter_increment(counter, 1, SOON, NULL), POLYIPC_OK);
    return NULL;
}

static void *gets(void *unused) {
    EXPECT(polyipc_managed_queue_get(queue, SOON, NULL, NULL), POLYIPC_OK);
    return unused;
}

/* One of them waits all the time, and holds nobody up. */
static void threads(void) {
    polyipc_managed counter = made(m, "counter");
    pthread_t t[THREADS];
    int64_t n = 0;
    t[0] = run(gets, NULL);
    for (int i = 1; i < THREADS; i++)
        t[i] = run(counts, &counter);
    for (int i = 1; i < THREADS; i++)
        pthread_join(t[i], NULL);
    EXPECT(polyipc_managed_counter_get(counter, SOON, &n), POLYIPC_OK);
    CHECK(n == (THREADS - 1) * CALLS, "%lld", (long long)n);
    put_one();
    pthread_join(t[0], NULL);
    EXPECT(polyipc_managed_release(counter), POLYIPC_OK);
}

/* ---- giving up -------------------------------------------------------------------------- */

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* Whoever gets TIMEOUT, or cancels, or forgets, has taken nothing, and waits no more. */
static void given_up(void) {
    const polyipc_manager_call_t get = get_call();
    char buffer[16];
    size_t size;
    uint64_t number;
    const int64_t begin = now();
    EXPECT(polyipc_manager_call(m, &get, 30000000, buffer, sizeof buffer, &size, NULL), POLYIPC_TIMEOUT);
    CHECK(now() - begin < 2 * SECOND, "it took %lld ms", (long long)((now() - begin) / 1000000));
    EXPECT(polyipc_manager_call(m, &get, POLYIPC_TRY, buffer, sizeof buffer, &size, &number),
           POLYIPC_TIMEOUT);
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_finish(m, number, POLYIPC_TRY, buffer, sizeof buffer, &size), POLYIPC_TIMEOUT);
    EXPECT(polyipc_manager_finish(m, number, 1000000, buffer, sizeof buffer, &size), POLYIPC_TIMEOUT);
    EXPECT(polyipc_manager_cancel(m, number), POLYIPC_OK);
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, sizeof buffer, &size), POLYIPC_CANCELLED);
    EXPECT(polyipc_manager_cancel(m, number), POLYIPC_INVALID);
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_forget(m, number), POLYIPC_OK);
    until(m, "parked", 0);
    put_one();
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
    /* What came and was not fetched goes back. */
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_OK);
    put_one();
    EXPECT(polyipc_manager_forget(m, number), POLYIPC_OK);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_OK);
}

static void *puts_later(void *unused) {
    until(m, "parked", 1);
    put_one();
    return unused;
}

static void in_time(void) {
    const pthread_t t = run(puts_later, NULL);
    EXPECT(polyipc_managed_queue_get(queue, SOON, NULL, NULL), POLYIPC_OK);
    pthread_join(t, NULL);
}

/* ---- signals ---------------------------------------------------------------------------- */

static void nothing(int signal) { (void)signal; }

static void interrupts(void) {
    struct sigaction action = {.sa_handler = nothing};
    const polyipc_manager_call_t get = get_call();
    char buffer[16];
    size_t size;
    uint64_t number = 0;
    sigaction(SIGUSR1, &action, NULL);
    polyipc_thread_interruptible(1);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, &number), POLYIPC_INTERRUPTED);
    CHECK(number != 0, "the call is lost");
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, sizeof buffer, &size), POLYIPC_INTERRUPTED);
    put_one();
    polyipc_thread_interruptible(0);
    EXPECT(polyipc_manager_finish(m, number, SOON, buffer, sizeof buffer, &size), POLYIPC_OK);
    polyipc_thread_interruptible(1);
    EXPECT(polyipc_managed_queue_get(queue, SOON, NULL, NULL), POLYIPC_INTERRUPTED); /* given up */
    EXPECT(polyipc_manager_call(m, &get, 500000000, buffer, sizeof buffer, &size, NULL), POLYIPC_TIMEOUT);
    polyipc_thread_interruptible(0);
    until(m, "parked", 0);
}

/* ---- ends ------------------------------------------------------------------------------- */

static void *is_ended(void *want) {
    const polyipc_manager_call_t get = get_call();
    char buffer[16];
    size_t size;
    const polyipc_status s = polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL);
    CHECK(s == *(polyipc_status *)want, "%s", polyipc_status_name(s));
    return NULL;
}

static void *hosting_is_ended(void *want) {
    polyipc_manager_hosted_t what = {.size = sizeof what};
    char buffer[16];
    size_t size;
    const polyipc_status s = polyipc_manager_next_call(m, SOON, &what, buffer, sizeof buffer, &size);
    /* It may not have come as far as the call: then its handle is a bad one. */
    CHECK(s == *(polyipc_status *)want || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    return NULL;
}

/* Three that wait in calls, one that hosts: all of them end with that status. */
static void all_end(polyipc_status want, void (*how)(void *), void *argument) {
    const polyipc_manager other = connected("mirror");
    pthread_t t[4];
    for (int i = 0; i < 3; i++)
        t[i] = run(is_ended, &want);
    t[3] = run(hosting_is_ended, &want);
    until(other, "parked", 3);
    how(argument);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    polyipc_manager_close(other);
}

static void closes(void *unused) {
    (void)unused;
    EXPECT(polyipc_manager_close(m), POLYIPC_OK);
}

static void kills(void *server) { kill_server(*(polyipc_process *)server); }

static void server_ends(polyipc_process p) {
    char buffer[16];
    size_t size;
    uint64_t number, later;
    const polyipc_manager_call_t get = get_call();
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_OK);
    EXPECT(polyipc_manager_forget(m, number), POLYIPC_OK);
    until(m, "parked", 0);
    EXPECT(polyipc_manager_start(m, &get, SOON, &later), POLYIPC_OK);
    until(m, "parked", 1);
    EXPECT(polyipc_manager_cancel(m, later), POLYIPC_OK);
    EXPECT(polyipc_manager_finish(m, later, SOON, buffer, sizeof buffer, &size), POLYIPC_CANCELLED);
    all_end(POLYIPC_PEER_DIED, kills, &p);
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_PEER_DIED);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_PEER_DIED);
    EXPECT(polyipc_manager_release(m, queue.object, 1), POLYIPC_PEER_DIED);
    EXPECT(polyipc_manager_reconnect(m, SOON), POLYIPC_NOT_FOUND);
    p = start_server("mirror");
    polyipc_status s;
    while ((s = polyipc_manager_reconnect(m, SOON)) == POLYIPC_NOT_FOUND)
        nap();
    EXPECT(s, POLYIPC_OK);
    EXPECT(polyipc_manager_call(m, &get, SOON, buffer, sizeof buffer, &size, NULL), POLYIPC_GONE);
    queue = made(m, "queue");
    in_time();
    const polyipc_manager second = connected("mirror");
    all_end(POLYIPC_CLOSED, closes, NULL);
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_BAD_HANDLE);
    until(second, "clients", 1);
    stop_server(second, p);
}

int main(int argc, char **argv) {
    begin_test(argc, argv, be_server);
    const polyipc_process p = start_server("mirror");
    m = connected("mirror");
    queue = made(m, "queue");
    threads();
    given_up();
    in_time();
    interrupts();
    server_ends(p);
    remove_root();
    return 0;
}
