/* fork_test.h - what the fork tests share. A test is a program that exits with 0, or says what is
 * wrong and exits with 1. Children are waited for with a limit: to hang is the failure that these
 * tests are about. */
#ifndef FORK_TEST_H
#define FORK_TEST_H

#include <dirent.h>
#include <poll.h>
#include <polyipc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                   \
            fprintf(stderr, "\n");                                          \
            _exit(1);                                                       \
        }                                                                   \
    } while (0)

/* expect(call, POLYIPC_OK) */
#define EXPECT(call, status) expect_status((call), (status), #call, __FILE__, __LINE__)

static inline void expect_status(polyipc_status got, polyipc_status want, const char *call, const char *file,
                                 int line) {
    if (got == want)
        return;
    char detail[512];
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s:%d: %s: %s, not %s: %s\n", file, line, call, polyipc_status_name(got),
            polyipc_status_name(want), detail);
    _exit(1);
}

enum { SECOND = 1000 }; /* milliseconds */

static inline void nap(long microseconds) {
    const struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* Waits for a child; returns its wait status, or -1 if it had to be killed. */
static inline int await(pid_t child, int milliseconds) {
    const int fd = (int)syscall(SYS_pidfd_open, child, 0);
    CHECK(fd >= 0, "pidfd_open");
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    while ((n = poll(&p, 1, milliseconds)) < 0)
        continue; /* EINTR */
    close(fd);
    if (n == 0)
        kill(child, SIGKILL);
    int status;
    while (waitpid(child, &status, 0) != child)
        continue;
    return n == 0 ? -1 : status;
}

/* fork; the child ends if its parent does. */
static inline pid_t split(void) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
    }
    return child;
}

typedef void (*part)(void *);

static inline pid_t start(part f, void *argument) {
    const pid_t child = split();
    if (child == 0) {
        f(argument);
        _exit(0);
    }
    return child;
}

#define IN_CHILD(f, argument)                                                                              \
    do {                                                                                                   \
        const int status_ = await(start((f), (argument)), 30 * SECOND);                                    \
        CHECK(status_ == 0, "in the child: %s, wait status %#x", status_ == -1 ? "it hangs" : "it failed", \
              (unsigned)status_);                                                                          \
    } while (0)

static inline pthread_t run(void *(*f)(void *), void *argument) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, f, argument) == 0, "pthread_create");
    return t;
}

/* ---- queues ----------------------------------------------------------------------------- */

static inline polyipc_queue anonymous(void) {
    polyipc_queue q;
    EXPECT(polyipc_queue_create(NULL, NULL, &q), POLYIPC_OK);
    return q;
}

static inline void put(polyipc_queue q, const char *text) {
    EXPECT(polyipc_queue_put(q, text, strlen(text), POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
}

static inline void get(polyipc_queue q, const char *want) {
    char text[64];
    size_t n;
    EXPECT(polyipc_queue_get(q, text, sizeof text - 1, 10 * INT64_C(1000000000), &n, NULL), POLYIPC_OK);
    text[n] = 0;
    CHECK(strcmp(text, want) == 0, "got \"%s\", not \"%s\"", text, want);
}

/* A message through the queue, and nothing else in it. */
static inline void use(polyipc_queue q) {
    char text[32];
    snprintf(text, sizeof text, "hello from %d", (int)getpid());
    put(q, text);
    get(q, text);
}

/* ---- what a process has ----------------------------------------------------------------- */

static inline int count(const char *directory) {
    DIR *d = opendir(directory);
    CHECK(d != NULL, "%s", directory);
    int n = -3; /* ., .. and the descriptor of d, or in task: the thread itself, which is no growth */
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static inline int descriptors(void) { return count("/proc/self/fd"); }
static inline int threads(void) { return count("/proc/self/task"); }

/* A field of /proc/self/status in KiB, such as "VmRSS:". */
static inline long kibibytes(const char *field) {
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f != NULL, "/proc/self/status");
    char line[256];
    long n = -1;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            n = atol(line + strlen(field));
    fclose(f);
    return n;
}

#endif
