/* threads.c - fork from threads other than the first: ones that have called, ones that have not, and
 * ones that end in the child before or after it calls. */
#include "fork_test.h"

static polyipc_queue q;

enum { CALLS_BEFORE = 1, CALLS_IN_CHILD = 2, ENDS_THREAD = 4, CASES = 8 };

static void child(int plan) {
    if (plan & CALLS_IN_CHILD)
        use(q);
    if (plan & ENDS_THREAD)
        pthread_exit(NULL); /* the process's last thread of its own: runs the destructors of its keys */
    _exit(0);
}

/* A thread's end ends the process only where Go has no threads, so this one helps. */
static void *ends_process(void *plan) {
    (void)plan;
    nap(300000);
    _exit(0);
}

static void *forks(void *argument) {
    const int plan = *(int *)argument;
    if (plan & CALLS_BEFORE)
        use(q);
    const pid_t pid = split();
    if (pid == 0) {
        if (plan & ENDS_THREAD)
            run(ends_process, NULL);
        child(plan);
    }
    const int status = await(pid, 20 * SECOND);
    CHECK(status == 0, "plan %d: wait status %#x", plan, (unsigned)status);
    return NULL;
}

static void *calls_once(void *unused) {
    use(q);
    return unused;
}

/* Threads that come and go give back what Go holds for them, in a child as well. */
static void threads_come_and_go(void *unused) {
    (void)unused;
    for (int i = 0; i < 300; i++)
        pthread_join(run(calls_once, NULL), NULL);
    CHECK(threads() < 32, "%d threads", threads());
}

int main(void) {
    q = anonymous();
    for (int round = 0; round < 2; round++)
        for (int plan = 0; plan < CASES; plan++)
            pthread_join(run(forks, &plan), NULL);
    threads_come_and_go(NULL);
    IN_CHILD(threads_come_and_go, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
