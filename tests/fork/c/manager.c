/* manager.c - a forked child has no part in its parent's servers and connections: it can close their handles,
 * which the parent does not notice, and connect anew. Nor does it keep its parent's connections alive. */
#include "fork_test.h"

#include <polyipc_manager.h>

static const int64_t SOON = INT64_C(60000000000);

static char root[] = "/dev/shm/polyipc-fork-manager-XXXXXX";
static polyipc_manager_server server;
static polyipc_manager m;
static polyipc_managed counter;

static polyipc_manager connected(void) {
    polyipc_manager c;
    EXPECT(polyipc_manager_connect("mirror", NULL, SOON, &c), POLYIPC_OK);
    return c;
}

static void increments(polyipc_manager c) {
    EXPECT(polyipc_managed_counter_increment((polyipc_managed){c, counter.object}, 1, SOON, NULL),
           POLYIPC_OK);
}

static int64_t clients(void) {
    msgpack_zone zone;
    msgpack_object all, one;
    int64_t n = -1;
    msgpack_zone_init(&zone, 4096);
    EXPECT(polyipc_managed_call(polyipc_managed_self(m), "stat", NULL, NULL, SOON, &zone, &all), POLYIPC_OK);
    EXPECT(polyipc_msgpack_get(&all, "clients", &one), POLYIPC_OK);
    EXPECT(polyipc_msgpack_int64(&one, &n), POLYIPC_OK);
    msgpack_zone_destroy(&zone);
    return n;
}

static void is_foreign(void) {
    char name[129];
    uint64_t number;
    size_t size;
    polyipc_manager_info_t info = {.size = sizeof info};
    const polyipc_manager_call_t get = {.object = counter.object, .method = "get"};
    EXPECT(polyipc_manager_info(m, &info), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_call(m, &get, SOON, name, sizeof name, &size, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_start(m, &get, SOON, &number), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_release(m, counter.object, 1), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_reconnect(m, SOON), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_name(server, name, sizeof name), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_wait(server, SOON), POLYIPC_BAD_HANDLE);
}

static void child(void *unused) {
    (void)unused;
    is_foreign();
    const polyipc_manager own = connected();
    increments(own);
    is_foreign();
    EXPECT(polyipc_manager_close(m), POLYIPC_OK);
    EXPECT(polyipc_manager_close(m), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_manager_server_close(server), POLYIPC_OK);
    EXPECT(polyipc_manager_server_close(server), POLYIPC_BAD_HANDLE);
    increments(own);
    EXPECT(polyipc_manager_close(own), POLYIPC_OK);
}

/* A child that only lives on. */
static void sleeps(void *unused) {
    (void)unused;
    for (;;)
        pause();
}

/* Connects, forks a child that goes on living, says who that is, and waits to be killed. */
static void leaves_a_child(void *to) {
    const polyipc_manager own = connected();
    increments(own);
    const pid_t grandchild = fork(); /* not by split: it outlives this process */
    if (grandchild == 0)
        sleeps(NULL);
    CHECK(write(*(int *)to, &grandchild, sizeof grandchild) == sizeof grandchild, "write");
    sleeps(NULL);
}

/* The server sees a client's death although a child of it lives. */
static void death(void) {
    int ends[2];
    pid_t grandchild = 0;
    CHECK(pipe(ends) == 0, "pipe");
    const int64_t before = clients();
    const pid_t middle = start(leaves_a_child, &ends[1]);
    CHECK(read(ends[0], &grandchild, sizeof grandchild) == sizeof grandchild, "read");
    CHECK(clients() == before + 1, "%lld clients", (long long)clients());
    kill(middle, SIGKILL);
    CHECK(await(middle, 10 * SECOND) == SIGKILL, "it was not killed");
    for (int i = 0; clients() != before; i++) {
        CHECK(i < 10000, "the dead client stays");
        nap(1000);
    }
    CHECK(kill(grandchild, SIGKILL) == 0, "the grandchild is gone");
    close(ends[0]);
    close(ends[1]);
}

/* Descriptors but those of Go's poller, which may come at any time. */
static int ours(void) {
    char link[64], to[100];
    int n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const ssize_t size = readlink(link, to, sizeof to - 1);
        to[size > 0 ? size : 0] = 0;
        n += size > 0 && strstr(to, "[event") == NULL;
    }
    return n;
}

static atomic_bool stop;

static void *calls(void *unused) {
    while (!atomic_load(&stop))
        increments(m);
    return unused;
}

static void *connects(void *unused) {
    while (!atomic_load(&stop)) {
        const polyipc_manager c = connected();
        increments(c);
        EXPECT(polyipc_manager_close(c), POLYIPC_OK);
    }
    return unused;
}

/* Forks in the middle of calls and of connecting, in the server's process too. */
static void busy(void) {
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        t[i] = run(i == 0 ? connects : calls, NULL);
    for (int i = 0; i < 30; i++)
        IN_CHILD(child, NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

int main(void) {
    CHECK(mkdtemp(root) != NULL && setenv("POLYIPC_ROOT", root, 1) == 0, "%s", root);
    EXPECT(polyipc_manager_serve("mirror", NULL, &server), POLYIPC_OK);
    m = connected();
    EXPECT(polyipc_managed_create(m, "counter", NULL, 0, SOON, &counter), POLYIPC_OK);
    increments(m);
    const int before = ours();
    IN_CHILD(child, NULL);
    increments(m);
    int64_t n = 0;
    EXPECT(polyipc_managed_counter_get(counter, SOON, &n), POLYIPC_OK);
    CHECK(n == 4, "%lld", (long long)n);
    death();
    busy();
    for (int i = 0; clients() != 1 || ours() > before; i++) {
        CHECK(i < 10000, "%lld clients, %d descriptors more", (long long)clients(), ours() - before);
        nap(1000);
    }
    EXPECT(polyipc_manager_close(m), POLYIPC_OK);
    EXPECT(polyipc_manager_server_close(server), POLYIPC_OK);
    char members[100];
    snprintf(members, sizeof members, "%s/members", root);
    CHECK(unlink(members) == 0 && rmdir(root) == 0, "something is left in %s", root);
    return 0;
}
