/* Locks and their kin in C: what each verb does and refuses, threads, deaths, forks, and bad input. */
#include "quick_test.h"

static polyipc_sync_options made(uint32_t flags, int64_t value) {
    polyipc_sync_options o = POLYIPC_SYNC_OPTIONS_INIT;
    o.flags = flags;
    o.value = value;
    o.root = root;
    return o;
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* Has a child do it and be killed. */
static void killed(void (*what)(void)) {
    const pid_t child = fork();
    if (child == 0) {
        what();
        kill(getpid(), SIGKILL);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child ended by itself");
}

static polyipc_lock lock;
static polyipc_rlock rlock;
static polyipc_semaphore semaphore;
static polyipc_condition condition;
static polyipc_barrier barrier;
static polyipc_rwlock rwlock;
static polyipc_event event;

static void take_lock(void) { EXPECT(polyipc_lock_acquire(lock, POLYIPC_FOREVER, NULL), POLYIPC_OK); }
static void take_rlock(void) { EXPECT(polyipc_rlock_acquire(rlock, POLYIPC_FOREVER, NULL), POLYIPC_OK); }
static void take_permit(void) { EXPECT(polyipc_semaphore_acquire(semaphore, POLYIPC_FOREVER), POLYIPC_OK); }
static void write_lock(void) { EXPECT(polyipc_rwlock_write_lock(rwlock, POLYIPC_FOREVER, NULL), POLYIPC_OK); }

static void locks(void) {
    polyipc_sync_options o = made(0, 0);
    EXPECT(polyipc_lock_create(NULL, &o, &lock), POLYIPC_OK);
    EXPECT(polyipc_rlock_create(NULL, &o, &rlock), POLYIPC_OK);
    int is = 7;
    EXPECT(polyipc_lock_release(lock), POLYIPC_INVALID);
    EXPECT(polyipc_lock_acquire(lock, POLYIPC_TRY, &is), POLYIPC_OK);
    CHECK(is == 0, "owner died: %d", is);
    is = 7;
    EXPECT(polyipc_lock_acquire(lock, POLYIPC_TRY, &is), POLYIPC_TIMEOUT);
    EXPECT(polyipc_lock_acquire(lock, SECOND / 100, &is), POLYIPC_TIMEOUT);
    CHECK(is == 7, "written on failure: %d", is);
    EXPECT(polyipc_lock_locked(lock, &is), POLYIPC_OK);
    CHECK(is == 1, "locked: %d", is);
    polyipc_sync_stat_t st = {.size = sizeof st};
    EXPECT(polyipc_lock_stat(lock, &st), POLYIPC_OK);
    CHECK(st.type == POLYIPC_LOCK && st.holder == getpid() && st.held_ns > 0 && strcmp(st.language, "c") == 0,
          "type %u, holder %lld", st.type, (long long)st.holder);
    EXPECT(polyipc_lock_release(lock), POLYIPC_OK);
    EXPECT(polyipc_lock_release(lock), POLYIPC_INVALID);

    for (int i = 0; i < 3; i++)
        EXPECT(polyipc_rlock_acquire(rlock, POLYIPC_FOREVER, &is), POLYIPC_OK);
    EXPECT(polyipc_rlock_owned(rlock, &is), POLYIPC_OK);
    CHECK(is == 1, "owned: %d", is);
    for (int i = 0; i < 3; i++)
        EXPECT(polyipc_rlock_release(rlock), POLYIPC_OK);
    EXPECT(polyipc_rlock_release(rlock), POLYIPC_INVALID);

    for (int round = 0; round < 2; round++) {
        killed(round == 0 ? take_lock : take_rlock);
        const int64_t began = now();
        is = 0;
        EXPECT(round == 0 ? polyipc_lock_acquire(lock, 10 * SECOND, &is)
                          : polyipc_rlock_acquire(rlock, 10 * SECOND, &is),
               POLYIPC_OK);
        CHECK(is == 1 && now() - began < SECOND, "owner died: %d", is);
        EXPECT(round == 0 ? polyipc_lock_release(lock) : polyipc_rlock_release(rlock), POLYIPC_OK);
    }
}

/* A forked child's main thread has the variables of the one that forked, and is another owner. */
static void forked(void) {
    take_rlock();
    const pid_t child = fork();
    if (child == 0) {
        EXPECT(polyipc_rlock_acquire(rlock, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
        EXPECT(polyipc_rlock_release(rlock), POLYIPC_INVALID);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child failed");
    EXPECT(polyipc_rlock_release(rlock), POLYIPC_OK);
}

static volatile uint64_t counter;

static void *counts(void *how) {
    for (int i = 0; i < 20000; i++) {
        if (how == NULL)
            take_lock();
        else
            take_rlock();
        counter = counter + 1;
        EXPECT(how == NULL ? polyipc_lock_release(lock) : polyipc_rlock_release(rlock), POLYIPC_OK);
    }
    return NULL;
}

static _Atomic int64_t got;

static void *takes(void *unused) {
    (void)unused;
    take_lock();
    atomic_store(&got, now());
    EXPECT(polyipc_lock_release(lock), POLYIPC_OK);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Who waits is woken: else it would sleep on for a slice of 50 ms. */
static void wakes(void) {
    enum { ROUNDS = 15 };
    int64_t took[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        take_lock();
        const pthread_t t = run(takes, NULL);
        polyipc_sync_stat_t st = {.size = sizeof st};
        do
            EXPECT(polyipc_lock_stat(lock, &st), POLYIPC_OK);
        while (st.waiters == 0);
        usleep(25000); /* the first slice, of 20 ms, is over */
        const int64_t began = now();
        EXPECT(polyipc_lock_release(lock), POLYIPC_OK);
        pthread_join(t, NULL);
        took[i] = atomic_load(&got) - began;
    }
    qsort(took, ROUNDS, sizeof *took, by_size);
    CHECK(took[ROUNDS / 2] < 10000000, "the median is %lld us", (long long)took[ROUNDS / 2] / 1000);
}

static void threads(void) {
    pthread_t t[4];
    for (int how = 0; how < 2; how++) {
        counter = 0;
        for (int i = 0; i < 4; i++)
            t[i] = run(counts, how == 0 ? NULL : root);
        for (int i = 0; i < 4; i++)
            pthread_join(t[i], NULL);
        CHECK(counter == 80000, "%llu of 80000", (unsigned long long)counter);
    }
    wakes();
}

static void semaphores(void) {
    polyipc_sync_options o = made(POLYIPC_RECLAIM, 2);
    EXPECT(polyipc_semaphore_create(NULL, &o, &semaphore), POLYIPC_OK);
    killed(take_permit);
    EXPECT(polyipc_semaphore_acquire(semaphore, 10 * SECOND), POLYIPC_OK);
    EXPECT(polyipc_semaphore_acquire(semaphore, 10 * SECOND), POLYIPC_OK);
    EXPECT(polyipc_semaphore_acquire(semaphore, POLYIPC_TRY), POLYIPC_TIMEOUT);
    EXPECT(polyipc_semaphore_close(semaphore), POLYIPC_OK);

    polyipc_bounded_semaphore b;
    for (int reclaim = 0; reclaim < 2; reclaim++) {
        o = made(reclaim ? POLYIPC_RECLAIM : 0, 1);
        EXPECT(polyipc_bounded_semaphore_create(NULL, &o, &b), POLYIPC_OK);
        EXPECT(polyipc_bounded_semaphore_release(b, 1), POLYIPC_INVALID);
        EXPECT(polyipc_bounded_semaphore_release(b, 0), POLYIPC_INVALID);
        EXPECT(polyipc_bounded_semaphore_acquire(b, POLYIPC_TRY), POLYIPC_OK);
        EXPECT(polyipc_bounded_semaphore_acquire(b, SECOND / 100), POLYIPC_TIMEOUT);
        EXPECT(polyipc_bounded_semaphore_release(b, 2), POLYIPC_INVALID);
        EXPECT(polyipc_bounded_semaphore_release(b, 1), POLYIPC_OK);
        int64_t n = 0;
        EXPECT(polyipc_bounded_semaphore_value(b, &n), POLYIPC_OK);
        CHECK(n == 1, "%lld permits", (long long)n);
        EXPECT(polyipc_bounded_semaphore_close(b), POLYIPC_OK);
    }
    o = made(0, 0);
    EXPECT(polyipc_semaphore_create(NULL, &o, &semaphore), POLYIPC_OK);
    EXPECT(polyipc_semaphore_release(semaphore, INT32_MAX), POLYIPC_OK);
    EXPECT(polyipc_semaphore_release(semaphore, 1), POLYIPC_INVALID);
    EXPECT(polyipc_semaphore_close(semaphore), POLYIPC_OK);
}

static void *notifies(void *unused) {
    (void)unused;
    EXPECT(polyipc_condition_acquire(condition, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_condition_notify(condition, 1), POLYIPC_OK);
    EXPECT(polyipc_condition_release(condition), POLYIPC_OK);
    return NULL;
}

/* A segment's lock, which is free while somebody waits, and as deep again afterwards. */
static polyipc_segment segment;

static void *notifies_segment(void *unused) {
    (void)unused;
    EXPECT(polyipc_segment_lock(segment, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_condition_notify(condition, 1), POLYIPC_OK);
    EXPECT(polyipc_segment_unlock(segment), POLYIPC_OK);
    return NULL;
}

static void condition_with_a_segment(void) {
    polyipc_segment_options o = POLYIPC_SEGMENT_OPTIONS_INIT;
    o.bytes = 8;
    EXPECT(polyipc_segment_create(NULL, &o, &segment), POLYIPC_OK);
    EXPECT(polyipc_condition_wait(condition, segment.id, POLYIPC_TRY, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_segment_lock(segment, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_segment_lock(segment, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    const pthread_t t = run(notifies_segment, NULL);
    EXPECT(polyipc_condition_wait(condition, segment.id, 10 * SECOND, NULL, NULL), POLYIPC_OK);
    pthread_join(t, NULL);
    for (int i = 0; i < 2; i++)
        EXPECT(polyipc_segment_unlock(segment), POLYIPC_OK);
    EXPECT(polyipc_segment_unlock(segment), POLYIPC_INVALID);
    EXPECT(polyipc_segment_close(segment), POLYIPC_OK);
}

static void conditions(void) {
    polyipc_sync_options o = made(0, 0);
    EXPECT(polyipc_condition_create(NULL, &o, &condition), POLYIPC_OK);
    EXPECT(polyipc_condition_wait(condition, 0, POLYIPC_TRY, NULL, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_condition_wait(condition, 12345, POLYIPC_TRY, NULL, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_condition_acquire(condition, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_condition_acquire(condition, POLYIPC_FOREVER, NULL), POLYIPC_OK);
    EXPECT(polyipc_condition_wait(condition, 0, SECOND / 100, NULL, NULL), POLYIPC_TIMEOUT);
    const pthread_t t = run(notifies, NULL);
    int died = 7;
    EXPECT(polyipc_condition_wait(condition, 0, 10 * SECOND, NULL, &died), POLYIPC_OK);
    pthread_join(t, NULL);
    CHECK(died == 0, "owner died: %d", died);
    polyipc_sync_stat_t st = {.size = sizeof st};
    EXPECT(polyipc_condition_stat(condition, &st), POLYIPC_OK);
    CHECK(st.depth == 2 && st.waiters == 0, "depth %u, %u wait", st.depth, st.waiters);

    /* What a caller hands in as a wait under way is looked at. */
    polyipc_waiting w = {.ticket = 99, .place = 1u << 30, .depth = 1, .phase = 1};
    EXPECT(polyipc_condition_wait(condition, 0, POLYIPC_TRY, &w, NULL), POLYIPC_INVALID);
    w.phase = 2;
    EXPECT(polyipc_condition_wait(condition, 0, POLYIPC_TRY, &w, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_condition_release(condition), POLYIPC_OK);
    EXPECT(polyipc_condition_release(condition), POLYIPC_OK);

    take_lock();
    EXPECT(polyipc_condition_wait(condition, lock.id, SECOND / 100, NULL, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_lock_release(lock), POLYIPC_OK);
    condition_with_a_segment();
}

static void *arrives(void *unused) {
    (void)unused;
    EXPECT(polyipc_barrier_wait(barrier, 10 * SECOND, NULL, NULL), POLYIPC_OK);
    return NULL;
}

static void meetings(void) {
    polyipc_sync_options o = made(0, 2);
    EXPECT(polyipc_barrier_create(NULL, &o, &barrier), POLYIPC_OK);
    const pthread_t t = run(arrives, NULL);
    int64_t index = -1, n = 0;
    uint64_t turn = 0;
    do
        EXPECT(polyipc_barrier_waiting(barrier, &n, NULL), POLYIPC_OK);
    while (n == 0);
    EXPECT(polyipc_barrier_wait(barrier, 10 * SECOND, &index, &turn), POLYIPC_OK);
    CHECK(index == 1 && turn != 0, "index %lld, turn %llu", (long long)index, (unsigned long long)turn);
    EXPECT(polyipc_barrier_pass(barrier, turn + 1), POLYIPC_BROKEN);
    EXPECT(polyipc_barrier_pass(barrier, 0), POLYIPC_INVALID);
    EXPECT(polyipc_barrier_pass(barrier, turn), POLYIPC_OK);
    pthread_join(t, NULL);
    EXPECT(polyipc_barrier_wait(barrier, SECOND / 100, NULL, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_barrier_wait(barrier, SECOND / 100, NULL, NULL), POLYIPC_BROKEN);
    EXPECT(polyipc_barrier_reset(barrier), POLYIPC_OK);

    o = made(0, 0);
    EXPECT(polyipc_event_create(NULL, &o, &event), POLYIPC_OK);
    EXPECT(polyipc_event_wait(event, POLYIPC_TRY), POLYIPC_TIMEOUT);
    EXPECT(polyipc_event_wait(event, SECOND / 100), POLYIPC_TIMEOUT);
    EXPECT(polyipc_event_set(event), POLYIPC_OK);
    EXPECT(polyipc_event_wait(event, POLYIPC_FOREVER), POLYIPC_OK);

    EXPECT(polyipc_rwlock_create(NULL, &o, &rwlock), POLYIPC_OK);
    EXPECT(polyipc_rwlock_read_lock(rwlock, POLYIPC_TRY), POLYIPC_OK);
    EXPECT(polyipc_rwlock_write_lock(rwlock, POLYIPC_TRY, NULL), POLYIPC_TIMEOUT);
    EXPECT(polyipc_rwlock_read_unlock(rwlock), POLYIPC_OK);
    EXPECT(polyipc_rwlock_read_unlock(rwlock), POLYIPC_INVALID);
    EXPECT(polyipc_rwlock_write_unlock(rwlock), POLYIPC_INVALID);
    killed(write_lock);
    int died = 0;
    EXPECT(polyipc_rwlock_write_lock(rwlock, 10 * SECOND, &died), POLYIPC_OK);
    CHECK(died == 1, "owner died: %d", died);
    EXPECT(polyipc_rwlock_write_unlock(rwlock), POLYIPC_OK);
}

/* Handles that close and open while threads, some of them short-lived, are at them: a call ends with OK or
 * BAD_HANDLE, and touches nothing that has gone. */
static _Atomic uint32_t current;
static atomic_bool stop;

static void *uses(void *brief) {
    for (int i = 0; brief != NULL ? i < 50 : !atomic_load(&stop); i++) {
        const polyipc_semaphore s = {atomic_load(&current)};
        const polyipc_status status = polyipc_semaphore_acquire(s, POLYIPC_TRY);
        CHECK(status == POLYIPC_OK || status == POLYIPC_TIMEOUT || status == POLYIPC_BAD_HANDLE ||
                  status == POLYIPC_CLOSED,
              "%s", polyipc_status_name(status));
        if (status == POLYIPC_OK)
            polyipc_semaphore_release(s, 1);
    }
    return NULL;
}

static void closes(void) {
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        t[i] = run(uses, NULL);
    for (int round = 0; round < 1000; round++) {
        polyipc_sync_options o = made(0, 1000);
        polyipc_semaphore s;
        EXPECT(polyipc_semaphore_create(NULL, &o, &s), POLYIPC_OK);
        atomic_store(&current, s.id);
        if (round % 10 == 0)
            pthread_join(run(uses, root), NULL);
        else
            nap();
        EXPECT(polyipc_semaphore_close(s), POLYIPC_OK);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void bad_input(void) {
    polyipc_sync_options o = made(1u << 20, 0);
    polyipc_event e;
    EXPECT(polyipc_event_create(NULL, &o, &e), POLYIPC_INVALID);
    o = made(0, 0);
    o.size--;
    EXPECT(polyipc_event_create(NULL, &o, &e), POLYIPC_INVALID);
    o = made(0, 5);
    EXPECT(polyipc_event_create(NULL, &o, &e), POLYIPC_INVALID);
    o = made(POLYIPC_RECLAIM, 0);
    EXPECT(polyipc_event_create(NULL, &o, &e), POLYIPC_INVALID);
    o = made(0, 0);
    EXPECT(polyipc_event_create(NULL, &o, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_event_create("", &o, &e), POLYIPC_INVALID);
    EXPECT(polyipc_event_open(NULL, &o, &e), POLYIPC_INVALID);
    EXPECT(polyipc_event_open("none", &o, &e), POLYIPC_NOT_FOUND);
    EXPECT(polyipc_event_set((polyipc_event){0}), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_event_set((polyipc_event){lock.id}), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_event_close((polyipc_event){lock.id}), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_event_is_set(event, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_lock_locked(lock, NULL), POLYIPC_INVALID);
    EXPECT(polyipc_lock_stat(lock, NULL), POLYIPC_INVALID);
    polyipc_sync_stat_t st = {.size = 8};
    EXPECT(polyipc_lock_stat(lock, &st), POLYIPC_INVALID);
    EXPECT(polyipc_sync_unlink(NULL, root), POLYIPC_INVALID);
    /* A wrong pointer does not take the lock. */
    int *nowhere = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(polyipc_lock_acquire(lock, POLYIPC_TRY, nowhere), POLYIPC_INVALID);
    munmap(nowhere, 4096);
    EXPECT(polyipc_lock_acquire(lock, POLYIPC_TRY, NULL), POLYIPC_OK);
    EXPECT(polyipc_lock_release(lock), POLYIPC_OK);
}

int main(void) {
    set_up();
    locks();
    forked();
    threads();
    semaphores();
    conditions();
    meetings();
    closes();
    bad_input();
    EXPECT(polyipc_lock_close(lock), POLYIPC_OK);
    EXPECT(polyipc_lock_close(lock), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_lock_acquire(lock, POLYIPC_TRY, NULL), POLYIPC_BAD_HANDLE);
    EXPECT(polyipc_rlock_close(rlock), POLYIPC_OK);
    EXPECT(polyipc_condition_close(condition), POLYIPC_OK);
    EXPECT(polyipc_barrier_close(barrier), POLYIPC_OK);
    EXPECT(polyipc_event_close(event), POLYIPC_OK);
    EXPECT(polyipc_rwlock_close(rwlock), POLYIPC_OK);
    remove_root();
    return 0;
}
