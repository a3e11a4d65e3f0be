/* quick_test.h - what the tests of the quick ways share (capi/quick.h): checks, threads, and a root of
 * the test's own. They wait for events; a watchdog ends what hangs. */
#ifndef QUICK_TEST_H
#define QUICK_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <polyipc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                   \
            fprintf(stderr, "\n");                                          \
            give_up();                                                      \
        }                                                                   \
    } while (0)

/* expect(call, POLYIPC_OK) */
#define EXPECT(call, status) expect_status((call), (status), #call, __FILE__, __LINE__)

static const int64_t SECOND = 1000000000;

static char root[] = "/dev/shm/polyipc-quick-XXXXXX";
static pid_t owner_of_root;

static inline void remove_root(void) {
    char path[100];
    if (getpid() != owner_of_root)
        return;
    snprintf(path, sizeof path, "%s/members", root);
    unlink(path);
    if (rmdir(root) != 0) {
        fprintf(stderr, "something is left in %s\n", root);
        _exit(1);
    }
}

static inline void give_up(void) {
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", root);
    if (getpid() == owner_of_root && system(command) != 0)
        fprintf(stderr, "%s stays\n", root);
    _exit(1);
}

static inline void expect_status(polyipc_status got, polyipc_status want, const char *call, const char *file,
                                 int line) {
    if (got == want)
        return;
    char detail[512];
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s:%d: %s: %s, not %s: %s\n", file, line, call, polyipc_status_name(got),
            polyipc_status_name(want), detail);
    give_up();
}

static inline void hangs(int signal) {
    (void)signal;
    static const char text[] = "hangs\n";
    if (write(2, text, sizeof text - 1) < 0)
        _exit(1);
    give_up();
}

static inline void set_up(void) {
    owner_of_root = getpid();
    if (mkdtemp(root) == NULL || setenv("POLYIPC_ROOT", root, 1) != 0) {
        perror(root);
        _exit(1);
    }
    signal(SIGALRM, hangs);
    alarm(100);
}

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

/* A second handle of the same queue. */
static inline polyipc_queue again(polyipc_queue q) {
    char name[129];
    polyipc_queue other;
    EXPECT(polyipc_queue_name(q, name, sizeof name), POLYIPC_OK);
    EXPECT(polyipc_queue_open(name, NULL, &other), POLYIPC_OK);
    return other;
}

static inline void put(polyipc_queue q, const char *text) {
    EXPECT(polyipc_queue_put(q, text, strlen(text), POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
}

static inline void get(polyipc_queue q, const char *want) {
    char text[64];
    size_t n;
    EXPECT(polyipc_queue_get(q, text, sizeof text - 1, 60 * SECOND, &n, NULL), POLYIPC_OK);
    text[n] = 0;
    CHECK(strcmp(text, want) == 0, "got \"%s\", not \"%s\"", text, want);
}

static inline void is_empty(polyipc_queue q) {
    char c;
    EXPECT(polyipc_queue_get(q, &c, 1, POLYIPC_TRY, NULL, NULL), POLYIPC_EMPTY);
}

/* ---- the queue's file ------------------------------------------------------------------- */

/* Offsets from the start of the file, as docs/spec/queue.md has them. */
enum { AT_PRODUCERS = 128 + 384, AT_CONSUMERS = 128 + 512, AT_READABLE = 128 + 640, AT_SEATS = 128 + 1152 };

static inline int open_file(polyipc_queue q) {
    char name[129], path[200];
    EXPECT(polyipc_queue_name(q, name, sizeof name), POLYIPC_OK);
    snprintf(path, sizeof path, "%s/%s", root, name);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0, "%s: %m", path);
    return fd;
}

static inline char *map_file(polyipc_queue q) {
    const int fd = open_file(q);
    char *file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(file != MAP_FAILED, "mmap");
    close(fd);
    return file;
}

static inline _Atomic uint32_t *word(char *file, int offset) {
    return (_Atomic uint32_t *)(void *)(file + offset);
}

/* How many sit and wait for a message. */
static inline int waiting(char *file) {
    int n = 0;
    for (int i = 0; i < 64; i++)
        n += *(_Atomic uint64_t *)(void *)(file + AT_SEATS + 16 * i) >> 32 == 1;
    return n;
}

static inline void nap(void) { nanosleep(&(struct timespec){0, 200000}, NULL); }

static inline void until_waiting(char *file, int n) {
    while (waiting(file) < n)
        nap();
}

#endif
