/* early.c - fork while a child's first call is just starting Go anew, and many first calls at once. */
#include "fork_test.h"

static polyipc_queue q;

static void *first_call(void *unused) {
    use(q);
    return unused;
}

static void grandchild(void *unused) {
    (void)unused;
    EXPECT(polyipc_queue_size(q, &(int64_t){0}), POLYIPC_OK);
    const polyipc_queue own = anonymous();
    use(own);
}

static void forks_in_the_middle(void *microseconds) {
    const pthread_t t = run(first_call, NULL);
    nap(*(int *)microseconds);
    const pid_t a = start(grandchild, NULL), b = start(grandchild, NULL);
    CHECK(await(a, 20 * SECOND) == 0 && await(b, 20 * SECOND) == 0, "after %d microseconds",
          *(int *)microseconds);
    pthread_join(t, NULL);
    use(q);
}

/* Eight threads make a child's first call at once. */
static void first_calls_at_once(void *unused) {
    (void)unused;
    pthread_t t[8];
    for (int i = 0; i < 8; i++)
        t[i] = run(first_call, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
}

int main(void) {
    q = anonymous();
    for (int i = 0; i < 60; i++) {
        int microseconds = i * 53 % 3000;
        IN_CHILD(forks_in_the_middle, &microseconds);
    }
    for (int i = 0; i < 20; i++)
        IN_CHILD(first_calls_at_once, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
