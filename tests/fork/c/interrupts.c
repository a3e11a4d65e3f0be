/* interrupts.c - what a signal does to a wait: nothing, unless the thread asked to be told. */
#include "fork_test.h"
#include <sys/time.h>

static polyipc_queue q;

static void handler(int s) { (void)s; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ring(long microseconds) {
    const struct itimerval once = {{0, 0}, {0, microseconds}};
    CHECK(setitimer(ITIMER_REAL, &once, NULL) == 0, "setitimer");
}

static polyipc_status waited(int64_t ns, double *seconds) {
    char text[16];
    const double began = now();
    const polyipc_status s = polyipc_queue_get(q, text, sizeof text, ns, NULL, NULL);
    *seconds = now() - began;
    return s;
}

static void all(void *unused) {
    (void)unused;
    double seconds;
    CHECK(polyipc_thread_interruptible(0) == 0, "nobody asked yet");
    ring(20000);
    CHECK(waited(150000000, &seconds) == POLYIPC_TIMEOUT, "a wait that was interrupted");
    CHECK(seconds >= 0.149, "%f s, not 0.15", seconds);

    CHECK(polyipc_thread_interruptible(1) == 0 && polyipc_thread_interruptible(1) == 1, "the former setting");
    ring(20000);
    CHECK(waited(POLYIPC_FOREVER, &seconds) == POLYIPC_INTERRUPTED, "a wait for ever");
    CHECK(waited(POLYIPC_FOREVER, &seconds) == POLYIPC_INTERRUPTED,
          "without a signal, for one that came too early");
    CHECK(seconds >= 0.15, "after %f s", seconds);
    CHECK(waited(20000000, &seconds) == POLYIPC_TIMEOUT, "a short wait");
    EXPECT(polyipc_queue_join(q, 0), POLYIPC_OK);
    polyipc_thread_interruptible(0);
}

static void child_of_an_interruptible_thread(void *unused) {
    (void)unused;
    double seconds;
    ring(20000);
    CHECK(waited(POLYIPC_FOREVER, &seconds) == POLYIPC_INTERRUPTED, "the child's thread keeps the setting");
    CHECK(polyipc_thread_interruptible(0) == 1, "the child's thread keeps the setting");
    all(NULL);
}

/* The extremes are timeouts like others. */
static void extremes(void) {
    char text[16];
    put(q, "x");
    EXPECT(polyipc_queue_get(q, text, sizeof text, INT64_MAX, NULL, NULL), POLYIPC_OK);
    put(q, "x");
    EXPECT(polyipc_queue_get(q, text, sizeof text, INT64_MIN, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_queue_get(q, text, sizeof text, 1, NULL, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_queue_get(q, text, sizeof text, 0, NULL, NULL), POLYIPC_EMPTY);
    EXPECT(polyipc_queue_join(q, 0), POLYIPC_TIMEOUT);
    EXPECT(polyipc_queue_task_done(q), POLYIPC_OK);
    EXPECT(polyipc_queue_task_done(q), POLYIPC_OK);
}

int main(void) {
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    q = anonymous();
    extremes();
    all(NULL);
    polyipc_thread_interruptible(1);
    IN_CHILD(child_of_an_interruptible_thread, NULL);
    CHECK(polyipc_thread_interruptible(0) == 1, "the parent's setting");
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
