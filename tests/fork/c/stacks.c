/* stacks.c - signal handlers that a program installed in the usual way, without SA_ONSTACK, and that
 * use much stack, interrupt calls at every moment: nothing is overwritten.
 *
 * On arm64 that holds for handlers from before the library was loaded; later ones need SA_ONSTACK there
 * and have to do with Go's 32 KiB (docs/limits.md). */
#include "fork_test.h"
#include <sys/time.h>

#ifdef __aarch64__
enum { LATE_DEPTH = 16 << 10, LATE_FLAGS = SA_RESTART | SA_ONSTACK };
#else
enum { LATE_DEPTH = 40 << 10, LATE_FLAGS = SA_RESTART };
#endif
enum { EARLY_DEPTH = 16 << 10, ROUNDS = 10000, THREADS = 3 };

static polyipc_queue q, idle;
static atomic_long interrupts;

static void early(int s) {
    volatile char deep[EARLY_DEPTH];
    for (int i = 0; i < EARLY_DEPTH; i += 64)
        deep[i] = (char)s;
    interrupts += deep[64] == s;
}

static void late(int s) {
    volatile char deep[LATE_DEPTH];
    for (int i = 0; i < LATE_DEPTH; i += 64)
        deep[i] = (char)s;
    interrupts += deep[64] == s;
}

/* Runs before the libraries are initialised. */
static void install_early(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    const struct sigaction action = {.sa_handler = early, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
}
__attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **,
                                                                            char **) = install_early;

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
    interrupts = 0;
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
    const struct sigaction action = {.sa_handler = late, .sa_flags = LATE_FLAGS};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "sigaction");
    storm(NULL);
    IN_CHILD(storm, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    EXPECT(polyipc_queue_close(idle), POLYIPC_OK);
    return 0;
}
