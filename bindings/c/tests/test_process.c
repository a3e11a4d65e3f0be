/* Programs that are started, what is handed over to them, and how they end. The child is this program. */
#include "quick_test.h"

#include <dirent.h>
#include <poll.h>

static char self[4096];

static polyipc_process spawn(const char *act, const polyipc_process_object *objects, size_t count,
                             const polyipc_process_options *options) {
    char *argv[] = {self, (char *)act, NULL};
    polyipc_process p;
    EXPECT(polyipc_process_spawn(argv, objects, count, options, &p), POLYIPC_OK);
    return p;
}

static void ends_with(polyipc_process p, int want) {
    for (int i = 0; i < 2; i++) {
        int status = 12345;
        EXPECT(polyipc_process_wait(p, 60 * SECOND, &status), POLYIPC_OK);
        CHECK(status == want, "it ended with %d, not %d", status, want);
    }
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
    EXPECT(polyipc_process_wait(p, POLYIPC_TRY, NULL), POLYIPC_BAD_HANDLE);
}

/* ---- the child -------------------------------------------------------------------------- */

static polyipc_queue inherited(const char *role) {
    polyipc_queue q;
    EXPECT(polyipc_inherited(role, POLYIPC_KIND_QUEUE, 0, &q.id), POLYIPC_OK);
    return q;
}

static int carried(void) {
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char to[4096] = "";
        if (readlinkat(dirfd(d), e->d_name, to, sizeof to - 1) > 0 && strstr(to, "/polyipc-quick-") != NULL &&
            strstr(to, "members") == NULL)
            n++;
    }
    closedir(d);
    return n;
}

static int echo(void) {
    CHECK(carried() == 2, "%d descriptors came", carried());
    const polyipc_queue in = inherited("in"), out = inherited("out");
    CHECK(carried() == 2, "%d descriptors with two queues open", carried());
    get(in, "hello");
    put(out, "hello!");
    int later[8]; /* the numbers that the descriptors had are these files' now */
    for (int i = 0; i < 8; i++)
        CHECK((later[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0, "open: %s", strerror(errno));
    const polyipc_queue twice = inherited("in");
    for (int i = 0; i < 8; i++)
        CHECK(close(later[i]) == 0, "taking again closed descriptor %d", later[i]);
    EXPECT(polyipc_queue_close(twice), POLYIPC_OK);
    EXPECT(polyipc_queue_close(in), POLYIPC_OK);
    EXPECT(polyipc_queue_close(out), POLYIPC_OK);
    return 7;
}

static void in_fork(void (*does)(void)) {
    const pid_t pid = fork();
    if (pid == 0) {
        does();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    CHECK(status == 0, "a forked child: %#x", (unsigned)status);
}

static void takes_in_fork(void) {
    const polyipc_queue q = inherited("in");
    put(q, "x");
    get(q, "x");
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

/* A role is taken in the process that asked first, in forked children, and again. */
static int forks(void) {
    in_fork(takes_in_fork);
    const polyipc_queue q = inherited("in");
    in_fork(takes_in_fork);
    put(q, "y"); /* its lock was not let go of */
    get(q, "y");
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}

static int roles(void) {
    polyipc_queue q = {99};
    char text[300];
    EXPECT(polyipc_inherited("none", POLYIPC_KIND_QUEUE, 0, &q.id), POLYIPC_NOT_FOUND);
    polyipc_error_detail(text, sizeof text);
    CHECK(strstr(text, "a, b") != NULL, "%s", text);
    EXPECT(polyipc_inherited(NULL, POLYIPC_KIND_QUEUE, 0, &q.id), POLYIPC_INVALID);
    EXPECT(polyipc_inherited("a", 4, 0, &q.id), POLYIPC_INVALID);
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_QUEUE, POLYIPC_KEPT, &q.id), POLYIPC_INVALID);
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_LOCK, 0, &q.id), POLYIPC_WRONG_KIND);
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_QUEUE, POLYIPC_PICKLE, &q.id), POLYIPC_MISMATCH);
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_QUEUE, 0, NULL), POLYIPC_INVALID);
    CHECK(q.id == 99, "out_queue was written");
    setenv("POLYIPC_OBJECTS", "nonsense", 1);
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_QUEUE, 0, &q.id), POLYIPC_INVALID);
    unsetenv("POLYIPC_OBJECTS");
    EXPECT(polyipc_inherited("a", POLYIPC_KIND_QUEUE, 0, &q.id), POLYIPC_NOT_FOUND);
    return 0;
}

/* Objects of all sorts, of which the parent has let go. */
static int kinds(void) {
    polyipc_pipe p;
    polyipc_segment g;
    polyipc_rlock l;
    EXPECT(polyipc_inherited("pipe", POLYIPC_KIND_PIPE, 0, &p.id), POLYIPC_OK);
    EXPECT(polyipc_inherited("segment", POLYIPC_KIND_SEGMENT, 0, &g.id), POLYIPC_OK);
    EXPECT(polyipc_inherited("lock", POLYIPC_KIND_RLOCK, 0, &l.id), POLYIPC_OK);
    EXPECT(polyipc_rlock_acquire(l, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_rlock_release(l), POLYIPC_OK);
    EXPECT(polyipc_rlock_close(l), POLYIPC_OK);
    EXPECT(polyipc_segment_close(g), POLYIPC_OK);
    EXPECT(polyipc_pipe_send(p, "hello", 5, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_pipe_close(p), POLYIPC_OK);
    return 0;
}

static int clean(void) {
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int s = 1; s < 32; s++) {
        struct sigaction now;
        CHECK(sigismember(&mask, s) == 0, "signal %d is blocked", s);
        CHECK(sigaction(s, NULL, &now) == 0 && (now.sa_handler == SIG_DFL || s == SIGALRM || s == SIGSEGV ||
                                                s == SIGBUS || s == SIGFPE || s == SIGPIPE || s == SIGURG),
              "signal %d is not as it was", s); /* those are the library's and the test's own by now */
    }
    char directory[4096];
    CHECK(getcwd(directory, sizeof directory) != NULL && strcmp(directory, "/dev/shm") == 0, "%s", directory);
    CHECK(getenv("POLYIPC_OBJECTS") == NULL && strcmp(getenv("ONLY"), "this") == 0, "the environment");
    CHECK(getenv("PATH") == NULL, "more of the environment");
    fprintf(stderr, "to stderr");
    printf("to stdout");
    char text[16] = "";
    CHECK(read(0, text, sizeof text) == 5 && strcmp(text, "input") == 0, "%s", text);
    return 0;
}

static int act(const char *what) {
    signal(SIGALRM, hangs);
    alarm(100);
    if (strcmp(what, "echo") == 0)
        return echo();
    if (strcmp(what, "forks") == 0)
        return forks();
    if (strcmp(what, "roles") == 0)
        return roles();
    if (strcmp(what, "kinds") == 0)
        return kinds();
    if (strcmp(what, "clean") == 0)
        return clean();
    pause();
    return 0;
}

/* ---- the parent ------------------------------------------------------------------------- */

static void hands_over(void) {
    const polyipc_queue in = anonymous(), out = anonymous();
    const polyipc_process_object objects[] = {{"in", in.id, 0}, {"out", out.id, 0}};
    put(in, "hello");
    const polyipc_process p = spawn("echo", objects, 2, NULL);
    EXPECT(polyipc_queue_close(in), POLYIPC_OK); /* before the child can have opened it */
    get(out, "hello!");
    ends_with(p, 7);
    EXPECT(polyipc_queue_close(out), POLYIPC_OK);
    const polyipc_queue q = anonymous();
    ends_with(spawn("forks", (polyipc_process_object[]){{"in", q.id, 0}}, 1, NULL), 0);
    ends_with(spawn("roles", (polyipc_process_object[]){{"b", q.id, 0}, {"a", q.id, 0}}, 2, NULL), 0);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

static void all_kinds(void) {
    polyipc_pipe first, second;
    polyipc_segment g;
    polyipc_rlock l;
    polyipc_segment_options options = POLYIPC_SEGMENT_OPTIONS_INIT;
    options.bytes = 100;
    EXPECT(polyipc_pipe_pair(NULL, NULL, &first, &second), POLYIPC_OK);
    EXPECT(polyipc_segment_create(NULL, &options, &g), POLYIPC_OK);
    EXPECT(polyipc_rlock_create(NULL, NULL, &l), POLYIPC_OK);
    const polyipc_process_object objects[] = {
        {"pipe", second.id, 0}, {"segment", g.id, 0}, {"lock", l.id, 0}};
    const polyipc_process p = spawn("kinds", objects, 3, NULL);
    EXPECT(polyipc_pipe_close(second),
           POLYIPC_OK); /* the child holds this end from the start: no end of file */
    EXPECT(polyipc_segment_close(g), POLYIPC_OK);
    EXPECT(polyipc_rlock_close(l), POLYIPC_OK);
    char text[8] = "";
    EXPECT(polyipc_pipe_recv(first, text, sizeof text, 60 * SECOND, NULL, NULL), POLYIPC_OK);
    CHECK(strcmp(text, "hello") == 0, "%s", text);
    EXPECT(polyipc_pipe_recv(first, text, sizeof text, 60 * SECOND, NULL, NULL), POLYIPC_END_OF_FILE);
    ends_with(p, 0);
    EXPECT(polyipc_pipe_close(first), POLYIPC_OK);
}

/* What is never asked for is held until the child ends. */
static void holds(void) {
    const polyipc_queue q = anonymous();
    char name[129];
    EXPECT(polyipc_queue_name(q, name, sizeof name), POLYIPC_OK);
    put(q, "kept");
    const polyipc_process p = spawn("pause", (polyipc_process_object[]){{"q", q.id, 0}}, 1, NULL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    polyipc_queue back;
    EXPECT(polyipc_queue_open(name, NULL, &back), POLYIPC_OK);
    get(back, "kept");
    EXPECT(polyipc_queue_close(back), POLYIPC_OK);
    EXPECT(polyipc_process_kill(p, SIGKILL), POLYIPC_OK);
    ends_with(p, -SIGKILL);
    EXPECT(polyipc_queue_open(name, NULL, &back), POLYIPC_NOT_FOUND);
}

static void waits(void) {
    const polyipc_queue q = anonymous();
    const polyipc_process p = spawn("pause", NULL, 0, NULL);
    int fd, pid;
    EXPECT(polyipc_process_poll_fd(p, &fd), POLYIPC_OK);
    EXPECT(polyipc_process_pid(p, &pid), POLYIPC_OK);
    CHECK(kill(pid, 0) == 0, "pid %d", pid);
    EXPECT(polyipc_process_wait(p, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_process_wait(p, 1000000, NULL), POLYIPC_TIMEOUT);
    polyipc_wait_item items[] = {{q.id, 0, POLYIPC_READABLE, 0}, {p.id, 0, POLYIPC_READABLE, 0}};
    EXPECT(polyipc_wait(items, 2, 1000000, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_process_kill(p, SIGTERM), POLYIPC_OK);
    EXPECT(polyipc_wait(items, 2, 60 * SECOND, NULL), POLYIPC_OK);
    CHECK(items[0].ready == 0 && items[1].ready == POLYIPC_READABLE, "%u", items[1].ready);
    struct pollfd p1 = {.fd = fd, .events = POLLIN};
    CHECK(poll(&p1, 1, 0) == 1 && (p1.revents & POLLIN) != 0, "%#x", (unsigned)p1.revents);
    EXPECT(polyipc_process_kill(p, SIGTERM), POLYIPC_OK); /* gone, and still nobody else */
    ends_with(p, -SIGTERM);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

static void *waits_in_thread(void *argument) {
    const polyipc_status s = polyipc_process_wait(*(polyipc_process *)argument, POLYIPC_FOREVER, NULL);
    /* It may not have come as far as the call: then its handle is a bad one. */
    CHECK(s == POLYIPC_CLOSED || s == POLYIPC_BAD_HANDLE, "%s", polyipc_status_name(s));
    return NULL;
}

static void close_ends_waits(void) {
    polyipc_process p = spawn("pause", NULL, 0, NULL);
    int pid;
    EXPECT(polyipc_process_pid(p, &pid), POLYIPC_OK);
    const pthread_t t = run(waits_in_thread, &p);
    usleep(50000);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
    pthread_join(t, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void read_all(int fd, const char *want) {
    char text[64] = "";
    const ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n == (ssize_t)strlen(want) && strcmp(text, want) == 0, "\"%s\", not \"%s\"", text, want);
    close(fd);
}

/* Signals blocked and ignored here are neither there; input, output, directory and environment are as told.
 */
static void options(void) {
    sigset_t blocked, was;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGALRM);
    signal(SIGUSR2, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &blocked, &was);
    int in[2], out[2], error[2];
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(error, O_CLOEXEC) == 0, "pipe");
    CHECK(write(in[1], "input", 5) == 5, "write");
    polyipc_process_options o = POLYIPC_PROCESS_OPTIONS_INIT;
    char *env[] = {"ONLY=this", "POLYIPC_OBJECTS=of somebody else", NULL};
    o.env = env;
    o.directory = "/dev/shm";
    o.standard[0] = in[0];
    o.standard[1] = out[1];
    o.standard[2] = error[1];
    const polyipc_process p = spawn("clean", NULL, 0, &o);
    close(out[1]);
    close(error[1]);
    read_all(error[0], "to stderr");
    read_all(out[0], "to stdout");
    ends_with(p, 0);
    close(in[0]);
    close(in[1]);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    signal(SIGUSR2, SIG_DFL);
}

static void bad_input(void) {
    const polyipc_queue q = anonymous();
    polyipc_process p = {99};
    char *argv[] = {self, "pause", NULL};
    char *none[] = {"/nonexistent/program", NULL}, *empty[] = {NULL};
    EXPECT(polyipc_process_spawn(NULL, NULL, 0, NULL, &p), POLYIPC_INVALID);
    EXPECT(polyipc_process_spawn(empty, NULL, 0, NULL, &p), POLYIPC_INVALID);
    EXPECT(polyipc_process_spawn(argv, NULL, 0, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_process_spawn(argv, NULL, 1, NULL, &p), POLYIPC_INVALID);
    EXPECT(polyipc_process_spawn(none, NULL, 0, NULL, &p), POLYIPC_NOT_FOUND);
    none[0] = "/dev/shm";
    EXPECT(polyipc_process_spawn(none, NULL, 0, NULL, &p), POLYIPC_DENIED);
    const polyipc_process_object bad_role = {"a b", q.id, 0}, bad_handle = {"a", 12345, 0};
    const polyipc_process_object twice[] = {{"a", q.id, 0}, {"a", q.id, 0}};
    EXPECT(polyipc_process_spawn(argv, &bad_role, 1, NULL, &p), POLYIPC_INVALID);
    EXPECT(polyipc_process_spawn(argv, &bad_handle, 1, NULL, &p), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_process_spawn(argv, twice, 2, NULL, &p), POLYIPC_INVALID);
    polyipc_process_options o = POLYIPC_PROCESS_OPTIONS_INIT;
    o.size--;
    EXPECT(polyipc_process_spawn(argv, NULL, 0, &o, &p), POLYIPC_INVALID);
    o.size++;
    o.flags = 1;
    EXPECT(polyipc_process_spawn(argv, NULL, 0, &o, &p), POLYIPC_INVALID);
    o.flags = 0;
    o.directory = "/proc/self/nowhere";
    EXPECT(polyipc_process_spawn(argv, NULL, 0, &o, &p), POLYIPC_NOT_FOUND);
    o.directory = NULL;
    o.standard[1] = 99999;
    EXPECT(polyipc_process_spawn(argv, NULL, 0, &o, &p), POLYIPC_INVALID);
    CHECK(p.id == 99, "out_process was written");
    EXPECT(polyipc_process_kill(p, SIGTERM), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_process_kill((polyipc_process){q.id}, SIGTERM), POLYIPC_BAD_HANDLE);
    p = spawn("pause", NULL, 0, NULL);
    EXPECT(polyipc_process_kill(p, 1000), POLYIPC_INVALID);
    const polyipc_process_object process = {"p", p.id, 0};
    polyipc_process other;
    EXPECT(polyipc_process_spawn(argv, &process, 1, NULL, &other), POLYIPC_INVALID);
    EXPECT(polyipc_process_kill(p, SIGKILL), POLYIPC_OK);
    ends_with(p, -SIGKILL);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return act(argv[1]);
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0, "readlink: %m");
    set_up();
    hands_over();
    all_kinds();
    holds();
    waits();
    close_ends_waits();
    options();
    bad_input();
    remove_root();
    return 0;
}
