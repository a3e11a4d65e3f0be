/* host.c - loading the library changes nothing of its host: not its limits, signal mask,
 * dispositions, environment, locale, working directory, umask, standard streams or priority;
 * neither when it is loaded and called, nor in a forked child, before and after its first call
 * there.
 *
 * Go needs handlers for five signals (go_signals below). For those the test shows that the host
 * still gets what it had asked for. */
#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <polyipc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Memory faults become errors or panics, SIGURG preempts goroutines, and SIGPIPE is sorted by
 * which thread raised it. */
static const int go_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGPIPE, SIGURG};

#define LIBRARY_LIMITS 16 /* RLIM_NLIMITS of glibc's headers on Linux */
#define MAX_SIGNAL 64

/* What a host may count on. */
struct host {
    struct rlimit limits[LIBRARY_LIMITS];
    sigset_t mask;
    struct sigaction actions[MAX_SIGNAL + 1];
    char environment[65536]; /* all variables, in their order, each with its NUL */
    size_t environment_size;
    char locale[1024];
    char directory[4096];
    mode_t umask;
    int stream_flags[3];
    int priority;
};

static struct host before, after;
static int failures;

static void fail(const char *when, const char *what) {
    fprintf(stderr, "%s: %s changed\n", when, what);
    failures++;
}

static void must(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static void look(struct host *h) {
    memset(h, 0, sizeof *h);
    for (int i = 0; i < LIBRARY_LIMITS; i++)
        must(getrlimit((__rlimit_resource_t)i, &h->limits[i]) == 0, "getrlimit");
    must(pthread_sigmask(SIG_BLOCK, NULL, &h->mask) == 0, "pthread_sigmask");
    for (int s = 1; s <= MAX_SIGNAL; s++)
        sigaction(s, NULL, &h->actions[s]); /* two of them are glibc's own and refused */
    for (char **e = environ; *e != NULL; e++) {
        const size_t n = strlen(*e) + 1;
        must(h->environment_size + n <= sizeof h->environment, "room for the environment");
        memcpy(h->environment + h->environment_size, *e, n);
        h->environment_size += n;
    }
    snprintf(h->locale, sizeof h->locale, "%s", setlocale(LC_ALL, NULL));
    must(getcwd(h->directory, sizeof h->directory) != NULL, "getcwd");
    h->umask = umask(0);
    umask(h->umask);
    for (int fd = 0; fd < 3; fd++)
        h->stream_flags[fd] = fcntl(fd, F_GETFL);
    h->priority = getpriority(PRIO_PROCESS, 0);
}

static int is_go_signal(int s) {
    for (size_t i = 0; i < sizeof go_signals / sizeof *go_signals; i++)
        if (go_signals[i] == s)
            return 1;
    return 0;
}

/* Go may add SA_ONSTACK to a handler of the host, since its threads have small stacks. */
static int same_action(const struct sigaction *a, const struct sigaction *b) {
    return a->sa_sigaction == b->sa_sigaction && (a->sa_flags | SA_ONSTACK) == (b->sa_flags | SA_ONSTACK) &&
           memcmp(&a->sa_mask, &b->sa_mask, MAX_SIGNAL / 8) == 0;
}

static void compare(const char *when) {
    look(&after);
    char what[64];
    for (int i = 0; i < LIBRARY_LIMITS; i++)
        if (memcmp(&before.limits[i], &after.limits[i], sizeof before.limits[i]) != 0) {
            snprintf(what, sizeof what, "resource limit %d", i);
            fail(when, what);
        }
    for (int s = 1; s <= MAX_SIGNAL; s++)
        if (!is_go_signal(s) && !same_action(&before.actions[s], &after.actions[s])) {
            snprintf(what, sizeof what, "the disposition of signal %d", s);
            fail(when, what);
        }
    if (memcmp(&before.mask, &after.mask, MAX_SIGNAL / 8) != 0)
        fail(when, "the signal mask");
    if (before.environment_size != after.environment_size ||
        memcmp(before.environment, after.environment, before.environment_size) != 0)
        fail(when, "the environment");
    if (strcmp(before.locale, after.locale) != 0)
        fail(when, "the locale");
    if (strcmp(before.directory, after.directory) != 0)
        fail(when, "the working directory");
    if (before.umask != after.umask)
        fail(when, "the umask");
    if (memcmp(before.stream_flags, after.stream_flags, sizeof before.stream_flags) != 0)
        fail(when, "the flags of a standard stream");
    if (before.priority != after.priority)
        fail(when, "the priority");
}

/* ---- what the host had asked for, for Go's own signals -------------------------------------- */

static volatile sig_atomic_t handled;

static void handler(int s) { handled = s; }

/* A handler that the host installed before the load runs, also for the signals Go has taken. */
static void expect_handlers(const char *when) {
    static const int raised[] = {SIGUSR1, SIGINT, SIGURG, SIGBUS, SIGFPE, SIGSEGV};
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
        handled = 0;
        raise(raised[i]);
        if (handled != raised[i]) {
            fprintf(stderr, "%s: the host's handler for signal %d did not run\n", when, raised[i]);
            failures++;
        }
    }
}

/* A default SIGPIPE still ends the process that writes into a pipe nobody reads. */
static void expect_pipe_death(const char *when) {
    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        int ends[2];
        must(pipe(ends) == 0, "pipe");
        close(ends[0]);
        const ssize_t n = write(ends[1], "x", 1);
        _exit(n < 0 ? 1 : 2);
    }
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGPIPE) {
        fprintf(stderr, "%s: SIGPIPE did not end the process: wait status %#x\n", when, (unsigned)status);
        failures++;
    }
}

/* ---- the library ---------------------------------------------------------------------------- */

static polyipc_status (*queue_open)(const char *, const polyipc_queue_options *, polyipc_queue *);

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&queue_open = dlsym(library, "polyipc_queue_open");
    must(queue_open != NULL, "polyipc_queue_open");
}

/* A call that runs Go, looks at the filesystem, and leaves nothing. */
static void call(const char *when) {
    polyipc_queue queue;
    const polyipc_status status = queue_open("no-such-queue", NULL, &queue);
    if (status != POLYIPC_NOT_FOUND) {
        fprintf(stderr, "%s: opening a queue that does not exist gave %d\n", when, (int)status);
        failures++;
    }
}

static void in_child(void) {
    compare("in a forked child before its first call");
    call("in a forked child");
    compare("in a forked child after its first call");
    expect_handlers("in a forked child");
    expect_pipe_death("in a forked child");
    _exit(failures == 0 ? 0 : 1);
}

int main(void) {
    const char *library = getenv("POLYIPC_LIBRARY"); /* ctest sets it */
    must(library != NULL, "POLYIPC_LIBRARY, the path of libpolyipc.so,");
    /* A host with wishes of its own: it blocks a signal, handles others, lowers a limit. */
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    must(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0, "pthread_sigmask");
    const struct sigaction action = {.sa_handler = handler};
    static const int wanted[] = {SIGUSR1, SIGINT, SIGURG, SIGBUS, SIGFPE, SIGSEGV};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        must(sigaction(wanted[i], &action, NULL) == 0, "sigaction");
    struct rlimit files;
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
    files.rlim_cur = files.rlim_max > 1024 ? 1024 : files.rlim_max / 2;
    must(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
    setlocale(LC_ALL, "C.UTF-8");
    setenv("POLYIPC_HOST_TEST", "kept", 1);

    look(&before);
    load(library);
    compare("after the load");
    call("after the load");
    compare("after a call");
    expect_handlers("after a call");
    expect_pipe_death("after a call");

    const pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0)
        in_child();
    int status;
    must(waitpid(child, &status, 0) == child, "waitpid");
    if (status != 0) {
        fprintf(stderr, "the forked child ended with wait status %#x\n", (unsigned)status);
        failures++;
    }
    compare("after the child");
    return failures == 0 ? 0 : 1;
}
