/* loading.c - fork while another thread loads the library, and right after. The program itself is not
 * linked with it: each trial is a process of its own that loads it for the first time. */
#include "fork_test.h"
#include <dlfcn.h>

enum { TRIALS = 60 };

static void *loads(void *library) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    CHECK(handle != NULL, "%s", dlerror());
    return handle;
}

static void does_nothing(void *unused) { (void)unused; }

typedef polyipc_status (*sizer)(polyipc_queue, int64_t *);

static void calls(void *size) {
    CHECK((*(sizer *)size)((polyipc_queue){0}, NULL) == POLYIPC_BAD_HANDLE, "size");
}

static void trial(void *microseconds) {
    const pthread_t t = run(loads, getenv("POLYIPC_LIBRARY"));
    nap(*(int *)microseconds);
    for (int i = 0; i < 4; i++)
        IN_CHILD(does_nothing, NULL); /* the fork handlers run in a half-loaded library */
    void *handle;
    pthread_join(t, &handle);
    sizer size;
    *(void **)&size = dlsym(handle, "polyipc_queue_size");
    CHECK(size != NULL, "%s", dlerror());
    IN_CHILD(calls, &size);
    calls(&size);
    IN_CHILD(calls, &size);
}

int main(void) {
    CHECK(getenv("POLYIPC_LIBRARY") != NULL, "set it to the path of libpolyipc.so");
    for (int i = 0; i < TRIALS; i++) {
        int microseconds = i * 97 % 6000;
        IN_CHILD(trial, &microseconds);
    }
    return 0;
}
