/* handles.c - handles made before a fork go on working in the child, under its own identity. */
#include "fork_test.h"

#include <sys/resource.h>

static polyipc_queue q, other;
static uint32_t closed;

static void uses_old_and_new_handles(void *unused) {
    (void)unused;
    get(q, "before");
    put(q, "from the child");
    const polyipc_queue own = anonymous();
    CHECK(own.id != q.id && own.id != other.id && own.id != closed, "handle %u is given out twice", own.id);
    use(own);
    EXPECT(polyipc_queue_close((polyipc_queue){closed}), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_queue_close(own), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_BAD_HANDLE);
}

static void closes_without_using(void *unused) {
    (void)unused;
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(q), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_queue_size(q, &(int64_t){0}), POLYIPC_BAD_HANDLE);
}

static void grandchild(void *unused) {
    (void)unused;
    use(q);
    use(other);
}

static void child_with_grandchild(void *use_it_first) {
    if (use_it_first != NULL)
        use(q);
    IN_CHILD(grandchild, NULL);
    use(q);
}

/* ---- identity --------------------------------------------------------------------------- */

static void takes_a_lease_and_dies(void *unused) {
    (void)unused;
    char text[16];
    polyipc_lease lease;
    EXPECT(polyipc_queue_lease(q, text, sizeof text, POLYIPC_FOREVER, &lease, NULL, NULL), POLYIPC_OK);
    CHECK(lease.deliveries == 1, "%u", lease.deliveries);
    kill(getpid(), SIGKILL);
}

static void does_nothing(void *unused) { (void)unused; }

/* Whose lease it is shows when its holder dies: the child is not its parent. */
static void leases(void) {
    char text[16];
    polyipc_lease lease;
    put(q, "work");
    EXPECT(polyipc_queue_lease(q, text, sizeof text, POLYIPC_FOREVER, &lease, NULL, NULL), POLYIPC_OK);
    IN_CHILD(grandchild, NULL); /* joins under its own identity, and ends */
    IN_CHILD(does_nothing, NULL);
    EXPECT(polyipc_queue_ack(q, &lease), POLYIPC_OK);

    put(q, "dangerous");
    const int status = await(start(takes_a_lease_and_dies, NULL), 30 * SECOND);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%#x", (unsigned)status);
    EXPECT(polyipc_queue_lease(q, text, sizeof text, 10 * INT64_C(1000000000), &lease, NULL, NULL),
           POLYIPC_OK);
    CHECK(lease.deliveries == 2, "delivered %u times", lease.deliveries);
    EXPECT(polyipc_queue_ack(q, &lease), POLYIPC_OK);
}

/* ---- lifetime --------------------------------------------------------------------------- */

static int gate[2];

static void holds(void *unused) {
    (void)unused;
    char c;
    close(gate[1]);
    CHECK(read(gate[0], &c, 1) == 0, "the parent closes the pipe");
}

/* A transient queue lives as long as a child that inherited it, though the child never calls. */
static void transient_queue(void) {
    polyipc_queue_options options = POLYIPC_QUEUE_OPTIONS_INIT;
    options.flags = POLYIPC_TRANSIENT;
    polyipc_queue t;
    char name[64];
    snprintf(name, sizeof name, "fork-transient-%d", (int)getpid());
    EXPECT(polyipc_queue_create(name, &options, &t), POLYIPC_OK);
    put(t, "kept");
    CHECK(pipe(gate) == 0, "pipe");
    const pid_t holder = start(holds, NULL);
    close(gate[0]);
    EXPECT(polyipc_queue_close(t), POLYIPC_OK);
    EXPECT(polyipc_queue_open(name, NULL, &t), POLYIPC_OK);
    get(t, "kept");
    close(gate[1]);
    CHECK(await(holder, 30 * SECOND) == 0, "the holder");
    EXPECT(polyipc_queue_close(t), POLYIPC_OK);
    EXPECT(polyipc_queue_open(name, NULL, &t), POLYIPC_NOT_FOUND);
}

/* ---- many ------------------------------------------------------------------------------- */

enum { MANY = 2000 };
static polyipc_queue many[MANY];

static void uses_each(void *unused) {
    (void)unused;
    for (int i = 0; i < MANY; i += 7)
        use(many[i]);
    for (int i = 0; i < MANY; i++)
        EXPECT(polyipc_queue_close(many[i]), POLYIPC_OK);
    CHECK(descriptors() < 64, "%d descriptors are left", descriptors());
}

static void many_handles(void) {
    struct rlimit files; /* a user's is often 1,024 */
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");

    polyipc_queue_options options = POLYIPC_QUEUE_OPTIONS_INIT;
    options.capacity = 1; /* the least there is */
    for (int i = 0; i < MANY; i++)
        EXPECT(polyipc_queue_create(NULL, &options, &many[i]), POLYIPC_OK);
    IN_CHILD(uses_each, NULL);
    for (int i = 0; i < MANY; i++)
        EXPECT(polyipc_queue_close(many[i]), POLYIPC_OK);
}

int main(void) {
    q = anonymous();
    other = anonymous();
    const polyipc_queue gone = anonymous();
    closed = gone.id;
    EXPECT(polyipc_queue_close(gone), POLYIPC_OK);

    put(q, "before");
    IN_CHILD(uses_old_and_new_handles, NULL);
    get(q, "from the child");
    IN_CHILD(closes_without_using, NULL);
    use(q);
    IN_CHILD(child_with_grandchild, NULL);
    IN_CHILD(child_with_grandchild, "use it first");
    leases();
    transient_queue();
    many_handles();
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(other), POLYIPC_OK);
    return 0;
}
