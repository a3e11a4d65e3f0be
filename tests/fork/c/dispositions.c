/* dispositions.c - fifteen signals do to a child that runs Go anew what they do to a program without
 * Go: in a child that never calls, in one that does, and in its child. */
#include "fork_test.h"
#include <fcntl.h>
#include <sys/mman.h>

static polyipc_queue q;
static volatile sig_atomic_t handled;

static void handler(int s) { handled = s; }

static void raises(int s) {
    kill(getpid(), s);
    nap(200000); /* never slept through where the signal ends the process */
}

static void writes_to_nobody(int s) {
    (void)s;
    int ends[2];
    CHECK(pipe(ends) == 0, "pipe");
    close(ends[0]);
    const ssize_t n = write(ends[1], "x", 1);
    CHECK(n < 0, "written");
}

static void reads_null(int s) {
    (void)s;
    *(volatile char *)sysconf(_SC_PAGESIZE) = 1; /* nothing is mapped there */
}

/* Reads behind the end of a file. */
static void reads_nothing(int s) {
    (void)s;
    const int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    volatile char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(fd >= 0 && p != MAP_FAILED, "mmap");
    (void)*p;
}

static void aborts(int s) {
    (void)s;
    abort();
}

static void handles(int s) {
    signal(s, handler);
    raises(s);
    CHECK(handled == s, "signal %d was not handled", s);
    _exit(0);
}

static void ignores(int s) {
    signal(s, SIG_IGN);
    raises(s);
    _exit(0);
}

static const struct {
    const char *what;
    int signal;
    void (*act)(int);
    int ends_by; /* the signal, or 0 for exit code 0 */
} cases[] = {
    {"interrupt", SIGINT, raises, SIGINT},
    {"terminate", SIGTERM, raises, SIGTERM},
    {"hang up", SIGHUP, raises, SIGHUP},
    {"quit", SIGQUIT, raises, SIGQUIT},
    {"user signal", SIGUSR1, raises, SIGUSR1},
    {"alarm", SIGALRM, raises, SIGALRM},
    {"broken pipe", SIGPIPE, writes_to_nobody, SIGPIPE},
    {"null pointer", SIGSEGV, reads_null, SIGSEGV},
    {"truncated file", SIGBUS, reads_nothing, SIGBUS},
    {"abort", SIGABRT, aborts, SIGABRT},
    {"sent fault", SIGSEGV, raises, SIGSEGV},
    {"floating point, sent", SIGFPE, raises, SIGFPE},
    {"urgent, which is ignored", SIGURG, raises, 0},
    {"child ended, handled", SIGCHLD, handles, 0},
    {"interrupt, ignored", SIGINT, ignores, 0},
};

struct trial {
    int number;
    int calls; /* 0: never, 1: before, 2: in its parent too */
};

static void acts(void *argument) {
    const struct trial *t = argument;
    if (t->calls > 0)
        use(q);
    cases[t->number].act(cases[t->number].signal);
}

static void judge(const struct trial *t) {
    static const char *const who[] = {"a child that never calls", "a child", "a grandchild"};
    const int status = await(start(acts, (void *)t), 20 * SECOND);
    const int want = cases[t->number].ends_by;
    const bool right =
        want == 0 ? status == 0 : status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == want;
    CHECK(right, "%s, in %s: wait status %#x", cases[t->number].what, who[t->calls], (unsigned)status);
}

static void judges(void *t) {
    use(q);
    judge(t);
}

int main(void) {
    q = anonymous();
    const int null = open("/dev/null", O_WRONLY);
    CHECK(null >= 0, "/dev/null");
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        struct trial t = {.number = i, .calls = 0};
        judge(&t);
        t.calls = 1;
        judge(&t);
        t.calls = 2;
        IN_CHILD(judges, &t);
    }
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
