/* events.c - $POLYIPC_LOG in a C program: as it is when the library is first used, in a forked child, and
 * after every descriptor was closed. */
#include "fork_test.h"
#include <fcntl.h>
#include <sys/stat.h>

static char file[64];
static polyipc_queue jobs;

static const char *contents(void) {
    static char text[1 << 16];
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0, "%s", file);
    const ssize_t n = read(fd, text, sizeof text - 1);
    CHECK(n >= 0, "read");
    text[n] = 0;
    close(fd);
    return text;
}

static void said(const char *form, int pid) {
    char line[200];
    snprintf(line, sizeof line, form, pid);
    CHECK(strstr(contents(), line) != NULL, "\"%s\" is missing in:\n%s", line, contents());
}

/* A child takes the message on lease and dies, and we get it. */
static void lose_a_lease(void) {
    put(jobs, "job");
    const pid_t child = split();
    if (child == 0) {
        char body[10];
        size_t size;
        polyipc_lease lease;
        EXPECT(polyipc_queue_lease(jobs, body, sizeof body, POLYIPC_TRY, &lease, &size, NULL), POLYIPC_OK);
        _exit(0);
    }
    CHECK(await(child, 20 * SECOND) == 0, "the child");
    said("level=DEBUG msg=reload pid=%d object=libpolyipc.so forks=", (int)child);
    get(jobs, "job");
    said("messages=1 from=%d\n", (int)child);
}

/* As a daemon does; the numbers are the program's now, and no event goes to one of them. */
static void without_descriptors(void *unused) {
    (void)unused;
    syscall(SYS_close_range, 0, ~0u, 0);
    int fds[32];
    char other[100];
    snprintf(other, sizeof other, "%s.other", file);
    for (int i = 0; i < 32; i++)
        fds[i] = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    jobs = anonymous();
    lose_a_lease();
    struct stat st;
    CHECK(fds[0] == 0 && stat(other, &st) == 0 && st.st_size == 0, "something was written into it");
    unlink(other);
    _exit(0);
}

int main(void) {
    snprintf(file, sizeof file, "/dev/shm/polyipc-test-events-%d", (int)getpid());
    char variable[100];
    snprintf(variable, sizeof variable, "debug:%s", file);
    CHECK(setenv("POLYIPC_LOG", variable, 1) == 0, "setenv");
    jobs = anonymous();
    lose_a_lease();
    IN_CHILD(without_descriptors, NULL);
    EXPECT(polyipc_queue_close(jobs), POLYIPC_OK);
    unlink(file); /* now: leaving the root may be an event */
    return 0;
}
