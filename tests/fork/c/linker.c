/* linker.c - fork while other threads are in the dynamic linker and in malloc: the child finds their
 * locks taken by nobody, and needs none of the linker's. */
#include "fork_test.h"
#include <dlfcn.h>

enum { FORKS = 150 };

static atomic_bool stop;
static atomic_long loaded;
static polyipc_queue q;

static void *loads_and_unloads(void *unused) {
    while (!stop) {
        void *handle = dlopen("libresolv.so.2", RTLD_NOW); /* glibc's own, and not loaded otherwise */
        CHECK(handle != NULL, "%s", dlerror());
        dlclose(handle);
        loaded++;
    }
    return unused;
}

static void *allocates(void *unused) {
    unsigned seed = 1;
    while (!stop)
        free(malloc(1 + (size_t)rand_r(&seed) % 5000));
    return unused;
}

static void child(void *unused) {
    (void)unused;
    use(q);
}

int main(void) {
    q = anonymous();
    pthread_t t[3] = {run(loads_and_unloads, NULL), run(loads_and_unloads, NULL), run(allocates, NULL)};
    for (int i = 0; i < FORKS; i++) {
        nap(i * 131 % 900);
        IN_CHILD(child, NULL);
    }
    stop = true;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    CHECK(loaded > FORKS, "the linker was hardly used: %ld loads", (long)loaded);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
