/* daemon.c - a program that becomes a daemon after it has used the library: two forks, a new session,
 * and, if it is thorough, every descriptor closed. */
#include "fork_test.h"
#include <fcntl.h>

static polyipc_queue kept, reply;
static char name[64];

static void report(const char *text) {
    polyipc_queue r;
    EXPECT(polyipc_queue_open(name, NULL, &r), POLYIPC_OK);
    put(r, text);
}

static bool all_open(const int *fds, int n) {
    for (int i = 0; i < n; i++)
        if (fcntl(fds[i], F_GETFD) < 0)
            return false;
    return true;
}

/* Without the close, all goes on; with it, the old handles say so, and new ones work. */
static void daemon_of(bool closes) {
    if (!closes) {
        get(kept, "to the daemon");
        put(reply, "from the daemon");
        return;
    }
    syscall(SYS_close_range, 3, ~0u, 0);
    int fds[32]; /* our descriptors' numbers are now the program's */
    for (int i = 0; i < 32; i++)
        fds[i] = open("/dev/null", O_RDONLY);
    EXPECT(polyipc_queue_size(kept, &(int64_t){0}), POLYIPC_GONE);
    EXPECT(polyipc_queue_close(kept), POLYIPC_OK);
    CHECK(all_open(fds, 32), "closing the handle took a descriptor of the program");
    polyipc_queue q;
    EXPECT(polyipc_queue_open(name, NULL, &q), POLYIPC_OK);
    /* And once more while the registry is joined, so that the fork handler has something to close. */
    syscall(SYS_close_range, 3 + 32, ~0u, 0);
    int more[32];
    for (int i = 0; i < 32; i++)
        more[i] = open("/dev/null", O_RDONLY);
    const pid_t child = split();
    if (child == 0)
        _exit(all_open(fds, 32) && all_open(more, 32) ? 0 : 1);
    CHECK(await(child, 20 * SECOND) == 0, "the fork handler closed a descriptor of the program");
    report("from the daemon");
}

static void daemonises(void *closes) {
    CHECK(setsid() >= 0, "setsid");
    const pid_t daemon = fork(); /* outlives us */
    CHECK(daemon >= 0, "fork");
    if (daemon > 0)
        _exit(0);
    daemon_of(closes != NULL);
    _exit(0);
}

int main(void) {
    snprintf(name, sizeof name, "fork-daemon-%d", (int)getpid());
    EXPECT(polyipc_queue_create(name, NULL, &reply), POLYIPC_OK);
    kept = anonymous();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* daemons become our children, so that we can wait for them */
    for (int closes = 0; closes < 2; closes++) {
        put(kept, "to the daemon");
        IN_CHILD(daemonises, closes ? "closes" : NULL);
        get(reply, "from the daemon");
        int status;
        CHECK(wait(&status) > 0 && status == 0, "the daemon: %#x", (unsigned)status);
    }
    EXPECT(polyipc_queue_unlink(name, NULL), POLYIPC_OK);
    EXPECT(polyipc_queue_close(reply), POLYIPC_OK);
    EXPECT(polyipc_queue_close(kept), POLYIPC_OK);
    return 0;
}
