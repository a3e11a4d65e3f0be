/* stacks.c - signal handlers that a program installed in the usual way, without SA_ONSTACK, and that
 * use much stack, interrupt calls at every moment: nothing is overwritten. */
#include "fork_test.h"
#include <sys/time.h>

enum { DEPTH = 40 << 10, ROUNDS = 20000, THREADS = 3 };

static polyipc_queue q, idle;
static atomic_long interrupts;

static void handler(int s) {
    volatile char deep[DEPTH];
    for (int i = 0; i < DEPTH; i += 64)
        deep[i] = (char)s;
    interrupts += deep[64] == s;
}

static void *moves(void *unused) {
    char in[256], out[256];
    memset(in, 'x', sizeof in);
    for (int i = 0; i < ROUNDS; i++) {
        size_t n = 0;
        EXPECT(polyipc_queue_put(q, in, sizeof in, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
        EXPECT(polyipc_queue_get(q, out, sizeof out, POLYIPC_FOREVER, &n, NULL), POLYIPC_OK);
        CHECK(n == sizeof in && memcmp(in, out, n) == 0, "the message changed");
    }
    return unused;
}

/* Waits that are interrupted go on: they are not the thread's business. */
static void *waits(void *unused) {
    char text[16];
    for (int i = 0; i < 100; i++) {
        const polyipc_status s = polyipc_queue_get(idle, text, sizeof text, 10000000, NULL, NULL);
        CHECK(s == POLYIPC_TIMEOUT, "%s", polyipc_status_name(s));
    }
    return unused;
}

static void storm(void *unused) {
    (void)unused;
    const struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    const struct itimerval often = {{0, 200}, {0, 200}};
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        t[i] = run(i == 0 ? waits : moves, NULL);
    moves(NULL);
    for (int i = 0; i < THREADS; i++)
        while (pthread_join(t[i], NULL) != 0)
            continue;
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(interrupts > 100, "%ld interrupts", (long)interrupts);
}

int main(void) {
    q = anonymous();
    idle = anonymous();
    storm(NULL);
    IN_CHILD(storm, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    return 0;
}
