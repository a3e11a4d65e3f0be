/* within.c - which object this thread is in, in C, without an atomic operation; see quick.h.
 *
 * A call that is in an object keeps its mapping: whoever closes it waits. To count calls in and out takes two
 * atomic operations, which is more than a lock does. So a thread only notes where it is, and the one who
 * closes, who has time, does the rest: membarrier(2) makes every thread of the process pass a full fence.
 *
 *     caller                           closer
 *     notes the entry                  zeroes the handle
 *     (compiler barrier)               membarrier
 *     looks at the handle              looks at the notes of all threads
 *
 * Either the note was made before the caller's fence, and the closer sees it, or the caller looks at the
 * handle behind it, and finds it closed. Where the kernel does not offer this, calls are counted. */
#include "quick.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

static long barrier(int command) { return syscall(SYS_membarrier, command, 0, 0); }

static void unlist(void *thread) {
    struct pi_keep *keep = pi_now.keep;
    struct pi_thread *const t = thread;
    t->within_state = PI_WITHIN_ENDED; /* what calls in further destructors do is counted */
    if (t->link == NULL)
        return; /* forked, and not in the child's list */
    pthread_mutex_lock(&keep->within_lock);
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    pthread_mutex_unlock(&keep->within_lock);
}

void pi_within_make(struct pi_keep *keep) {
    keep->within_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    keep->within = barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
                   pthread_key_create(&keep->within_key, unlist) == 0;
}

void pi_within_in_child(struct pi_keep *keep) {
    keep->within_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    keep->threads = NULL;
    keep->within = keep->within && barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
    pi_me.within_state = PI_WITHIN_NEW;
    pi_me.within = NULL;
    pi_me.link = NULL; /* the parent's list is not the child's */
    pi_me.counted = 0;
}

/* A signal handler that calls meanwhile is counted: one that has listed this thread before the swap leaves
 * nothing to do here, and one over a closer that has the list's lock must not wait for it. */
bool pi_within_list(void) {
    struct pi_keep *keep = pi_now.keep;
    int state = PI_WITHIN_NEW;
    if (!keep->within || !atomic_compare_exchange_strong(&pi_me.within_state, &state, PI_WITHIN_ENDED))
        return false;
    if (pthread_setspecific(keep->within_key, &pi_me) != 0)
        return false;
    if (pthread_mutex_trylock(&keep->within_lock) != 0) {
        atomic_store(&pi_me.within_state, PI_WITHIN_NEW); /* the next call tries again */
        return false;
    }
    pi_me.next = keep->threads;
    pi_me.link = &keep->threads;
    if (pi_me.next != NULL)
        pi_me.next->link = &pi_me.next;
    keep->threads = &pi_me;
    pthread_mutex_unlock(&keep->within_lock);
    atomic_store(&pi_me.within_state, PI_WITHIN_LISTED);
    return true;
}

static bool anybody(struct pi_keep *keep, const struct pi_quick *k) {
    bool is = false;
    pthread_mutex_lock(&keep->within_lock);
    for (const struct pi_thread *t = keep->threads; t != NULL; t = t->next)
        is = is || (t != &pi_me && atomic_load(&t->within) == k);
    pthread_mutex_unlock(&keep->within_lock);
    return is;
}

void pi_within_wait(struct pi_quick *k) {
    struct pi_keep *keep = pi_now.keep;
    if (!keep->within)
        return;
    if (barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)
        pi_quick_nap(k, 1000000); /* forbidden since: what was noted shows soon all the same */
    for (int round = 0; anybody(keep, k); round++)
        pi_quick_yield(k, round);
}
