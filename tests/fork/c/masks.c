/* masks.c - signals that a program blocks in its threads and picks up with sigtimedwait stay its own:
 * no call unblocks them, and no thread of Go takes them, also not in children and grandchildren. */
#include "fork_test.h"

enum { ROUNDS = 100 };

/* SIGCHLD, SIGPROF and SIGRTMIN are those that Go would unblock; see capi/gosignals.c. */
static int blocked[] = {SIGCHLD, SIGPROF, 0 /* SIGRTMIN */, SIGUSR1, SIGTERM, SIGALRM};
enum { BLOCKED = sizeof blocked / sizeof *blocked };

static polyipc_queue q;
static sigset_t set;

static void same_mask(const char *where) {
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    for (int s = 1; s < 64; s++)
        CHECK(sigismember(&now, s) == sigismember(&set, s), "%s: signal %d", where, s);
}

/* Signals to the whole process, each taken by us and by nobody else. */
static void take_all(const char *where) {
    const struct timespec limit = {10, 0};
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < BLOCKED; i++) {
            CHECK(kill(getpid(), blocked[i]) == 0, "kill");
            use(q);
            int s;
            while ((s = sigtimedwait(&set, NULL, &limit)) < 0)
                CHECK(false, "%s: signal %d was taken by another thread", where, blocked[i]);
            CHECK(s == blocked[i], "%s: signal %d, not %d", where, s, blocked[i]);
        }
}

/* The masks of Go's threads, as the kernel shows them. */
static void masks_of_threads(const char *where) {
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL, "/proc/self/task");
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300], line[256];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (f != NULL && fgets(line, sizeof line, f) != NULL) {
            unsigned long long mask;
            if (sscanf(line, "SigBlk: %llx", &mask) != 1)
                continue;
            for (int i = 0; i < BLOCKED; i++)
                CHECK(mask >> (blocked[i] - 1) & 1, "%s: thread %s does not block signal %d", where,
                      e->d_name, blocked[i]);
        }
        if (f != NULL)
            fclose(f);
    }
    closedir(d);
}

static void all(const char *where) {
    use(q);
    same_mask(where);
    masks_of_threads(where);
    take_all(where);
}

static void *in_thread(void *where) {
    all(where);
    return NULL;
}

static void grandchild(void *unused) {
    (void)unused;
    same_mask("in the grandchild, before its first call");
    all("in the grandchild");
}

static void child(void *unused) {
    (void)unused;
    same_mask("in the child, before its first call");
    all("in the child");
    IN_CHILD(grandchild, NULL);
    const struct timespec none = {0, 0};
    while (sigtimedwait(&set, NULL, &none) > 0)
        continue; /* the grandchild's SIGCHLD */
    pthread_join(run(in_thread, "in a thread of the child"), NULL);
}

int main(void) {
    blocked[2] = SIGRTMIN;
    sigemptyset(&set);
    for (int i = 0; i < BLOCKED; i++)
        sigaddset(&set, blocked[i]);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    q = anonymous();
    all("in the parent");
    pthread_join(run(in_thread, "in a thread"), NULL);
    IN_CHILD(child, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
