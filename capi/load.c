/* load.c - what happens when the library is loaded, at a fork, and on a forked child's first call.
 *
 *   load    first() -> Go's own initialiser, which starts Go in a thread of its own -> last()
 *   fork    before_fork() in the parent -> in_parent() there, in_child() in the child
 *   child   the table is now pi_slow: its first call goes through pi_reload(), which rewinds
 *           (image.c), starts Go again and puts pi_own back */
#include "quick.h"

#include <time.h>

static void before_fork(void) {
    struct pi_keep *keep = pi_now.keep;
    if (keep == NULL)
        return;
    pi_image_learn_key(keep);
    pi_gate_close(keep);
}

static void in_parent(void) {
    if (pi_now.keep != NULL)
        pi_gate_open(pi_now.keep);
}

/* The Go runtime is dead here. Nothing of it may be entered before pi_reload: no call, no signal
 * handler, no destructor of its thread key. */
static void in_child(void) {
    struct pi_keep *keep = pi_now.keep;
    if (keep == NULL) {
        atomic_store(&pi_now.table, &pi_dead);
        return;
    }
    keep->forks++;
    pi_host_in_child(keep);
    pi_descriptors_close(keep);
    pi_quick_in_child(keep);
    pi_gate_open_in_child(keep);
    atomic_store(&keep->started, 0);
    keep->reload = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (!keep->image.rewindable) {
        atomic_store(&pi_now.table, &pi_dead);
        return;
    }
    pi_image_forget_thread(keep);
    pi_me.entered = false;
    atomic_store(&pi_now.table, &pi_slow);
}

/* Runs before Go's initialiser: constructors with a priority come first. */
__attribute__((constructor(101))) static void first(int argc, char **argv, char **envp) {
    struct pi_keep *keep = pi_keep_make();
    if (keep != NULL) {
        pi_image_find(keep, argc, argv, envp);
        pi_go_signals(keep);
        pi_image_store(keep);
        pi_host_before_go(keep);
        pi_now.keep = keep;
    }
    /* Even now, before Go has started: another thread may fork before last() has run. */
    pthread_atfork(before_fork, in_parent, in_child);
}

/* Runs behind Go's initialiser, which has started Go in another thread. Waiting for that thread
 * costs the loading program a millisecond or two; without it the program would for as long find
 * its limit of open files changed. It is bounded, since that thread might need a lock of the
 * dynamic linker that the loading thread holds. */
__attribute__((constructor(65535))) static void last(void) {
    struct pi_keep *keep = pi_now.keep;
    if (keep == NULL)
        return;
    pi_host_after_go(keep);
    for (int i = 0; i < 10 && atomic_load(&keep->started) == 0; i++)
        pi_futex_wait(&keep->started, 0, 100000000);
}

/* Several threads of a child may make its first call at once: one rewinds, the others wait. A
 * thread that forks meanwhile leaves its child in the state before the first call. */
const struct pi_table *pi_reload(void) {
    struct pi_keep *keep = pi_now.keep;
    pthread_mutex_lock(&keep->reload);
    if (atomic_load(&pi_now.table) == &pi_slow) {
        pi_host_before_go(keep);
        pi_image_rewind(keep);
        const struct pi_image *image = &keep->image;
        for (size_t i = 0; i < image->inits; i++) {
            void (*const init)(int, char **, char **) = image->init[i];
            if (init != first && (void (*)(void))init != last)
                init(image->argc, image->argv, image->envp);
        }
        pi_host_after_go(keep);
        atomic_store(&pi_now.table, &pi_own);
    }
    pthread_mutex_unlock(&keep->reload);
    return &pi_own;
}
