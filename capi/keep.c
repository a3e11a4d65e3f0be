/* keep.c - the memory that survives a rewind, the gate that fork waits at, and the tables of what
 * a child inherits. Made by load.c; the tables are filled by Go, handles.go. */
#include "quick.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct pi_now pi_now = {.table = &pi_own, .keep = NULL};

__thread struct pi_thread pi_me __attribute__((tls_model("initial-exec")));

/* Memory that costs nothing until it is touched. */
static void *map(size_t size, int protection) {
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

struct pi_keep *pi_keep_make(void) {
    const int rw = PROT_READ | PROT_WRITE;
    struct pi_keep *keep = map(sizeof *keep, rw);
    if (keep == NULL)
        return NULL;
    keep->entries = map(sizeof(struct pi_entry) * PI_MAX_HANDLES, PROT_NONE);
    keep->quick = map(sizeof(struct pi_quick) * PI_MAX_HANDLES, PROT_NONE);
    keep->roots = map((size_t)PI_MAX_ROOTS * PI_ROOT_BYTES, rw);
    keep->descriptors = map(PI_MAX_DESCRIPTORS / 8, rw);
    keep->files = map(sizeof(struct pi_file) * PI_MAX_DESCRIPTORS, rw);
    keep->reload = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    if (keep->entries == NULL || keep->quick == NULL || keep->roots == NULL || keep->descriptors == NULL ||
        keep->files == NULL)
        return NULL;
    if (pthread_key_create(&keep->detail_key, pi_detail_free) != 0)
        return NULL;
    pi_within_make(keep);
    return keep;
}

/* Entries are reserved without access and made accessible in steps, because where the kernel
 * does not overcommit it charges accessible memory, touched or not. */
bool pi_keep_commit(struct pi_keep *keep, size_t index) {
    enum { STEP = 1 << 10 }; /* entries, a multiple of a page whatever its size */
    if (index < keep->committed)
        return true;
    size_t upto = (index / STEP + 1) * STEP;
    if (upto > PI_MAX_HANDLES ||
        mprotect(keep->entries, upto * sizeof(struct pi_entry), PROT_READ | PROT_WRITE) != 0 ||
        mprotect(keep->quick, upto * sizeof(struct pi_quick), PROT_READ | PROT_WRITE) != 0)
        return false;
    keep->committed = upto;
    return true;
}

/* ---- futex ------------------------------------------------------------------------------ */

void pi_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t ns) {
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &t, NULL, 0);
    errno = saved;
}

void pi_futex_wake_all(_Atomic uint32_t *word) {
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
    errno = saved;
}

int pi_futex_sleep(_Atomic uint32_t *word, uint32_t value, int64_t ns) {
    const struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    const int saved = errno;
    const int e = syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0) == 0 ? 0 : errno;
    errno = saved;
    return e;
}

int pi_futex_wake(_Atomic uint32_t *word, int most) {
    const int saved = errno;
    const long woken = syscall(SYS_futex, word, FUTEX_WAKE, most, NULL, NULL, 0);
    errno = saved;
    return woken < 0 ? 0 : (int)woken;
}

/* ---- the gate ---------------------------------------------------------------------------
 *
 * gate  bits 0-19   how many threads are within
 *       bits 20-31  how many forks are under way; while there is one, nobody enters
 */

enum { WITHIN = 1, FORK = 1 << 20, WITHIN_MASK = FORK - 1 };

static const int64_t SECOND = 1000000000;

void pi_gate_enter(void) {
    if (pi_now.keep == NULL)
        return;
    _Atomic uint32_t *gate = &pi_now.keep->gate;
    uint32_t g = atomic_load(gate);
    for (;;) {
        if (g >= FORK) {
            pi_futex_wait(gate, g, SECOND);
            g = atomic_load(gate);
        } else if (atomic_compare_exchange_weak(gate, &g, g + WITHIN)) {
            return;
        }
    }
}

void pi_gate_leave(void) {
    if (pi_now.keep == NULL)
        return;
    _Atomic uint32_t *gate = &pi_now.keep->gate;
    if (atomic_fetch_sub(gate, WITHIN) > FORK)
        pi_futex_wake_all(gate);
}

/* A second is far more than any create or close takes that is not stuck behind a stopped process
 * or a full disk. After it the fork goes on: the worst is a child with a descriptor too many. */
void pi_gate_close(struct pi_keep *keep) {
    atomic_fetch_add(&keep->begun, 1);
    uint32_t g = atomic_fetch_add(&keep->gate, FORK) + FORK;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t deadline = now.tv_sec * SECOND + now.tv_nsec + SECOND;
    while ((g & WITHIN_MASK) != 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        const int64_t left = deadline - (now.tv_sec * SECOND + now.tv_nsec);
        if (left <= 0)
            return;
        pi_futex_wait(&keep->gate, g, left);
        g = atomic_load(&keep->gate);
    }
}

void pi_gate_open(struct pi_keep *keep) {
    atomic_fetch_sub(&keep->gate, FORK);
    pi_futex_wake_all(&keep->gate);
}

/* Who was within is not in the child. */
void pi_gate_open_in_child(struct pi_keep *keep) { atomic_store(&keep->gate, 0); }

/* ---- descriptors ------------------------------------------------------------------------ */

static bool is_file(int descriptor, const struct pi_file *file) {
    struct stat st;
    return fstat(descriptor, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode;
}

/* Only what still is the file it was: a program that became a daemon has closed all descriptors,
 * ours too, and given their numbers to files of its own. */
void pi_descriptors_close(struct pi_keep *keep) {
    const uint32_t top = atomic_load(&keep->descriptor_top);
    for (uint32_t word = 0; word < top; word++) {
        uint64_t bits = atomic_exchange(&keep->descriptors[word], 0);
        for (; bits != 0; bits &= bits - 1) {
            const uint32_t descriptor = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (is_file((int)descriptor, &keep->files[descriptor]))
                close((int)descriptor);
        }
    }
}
