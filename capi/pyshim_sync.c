/* pyshim_sync.c - the verbs of locks and their kin as builtin functions of Python; see pyshim.h. */
#include "pyshim_inner.h"

typedef polyipc_status taker(uint32_t id, int64_t ns, int *died);
typedef polyipc_status giver(uint32_t id);

/* Takes with the GIL held if that needs no waiting, else without it. */
static pi_object *take(pi_object *self, pi_object *const *arguments, ptrdiff_t count, taker *how) {
    const struct pi_python *py = python();
    long ns;
    int died = 0;
    if (count != 1)
        return bad_argument();
    if (!told() || !integers(arguments, 1, &ns))
        return NULL;
    const uint32_t id = pi_py_bound(self);
    polyipc_status status = how(id, POLYIPC_TRY, &died);
    if (status == POLYIPC_TIMEOUT && ns != 0) {
        void *thread = py->PyEval_SaveThread();
        status = how(id, ns, &died);
        py->PyEval_RestoreThread(thread);
    }
    return number(status == POLYIPC_OK && died ? (long)POLYIPC_OWNER_DIED : (long)status);
}

static pi_object *give(pi_object *self, ptrdiff_t count, giver *how) {
    if (count != 0)
        return bad_argument();
    if (!told())
        return NULL;
    return number((long)how(pi_py_bound(self)));
}

#define TAKE(verb, call)                                                                    \
    static polyipc_status do_##verb(uint32_t id, int64_t ns, int *died) {                   \
        (void)died;                                                                         \
        return call;                                                                        \
    }                                                                                       \
    static pi_object *verb(pi_object *self, pi_object *const *arguments, ptrdiff_t count) { \
        return take(self, arguments, count, do_##verb);                                     \
    }
#define GIVE(verb, call)                                                                    \
    static polyipc_status do_##verb(uint32_t id) { return call; }                           \
    static pi_object *verb(pi_object *self, pi_object *const *arguments, ptrdiff_t count) { \
        (void)arguments;                                                                    \
        return give(self, count, do_##verb);                                                \
    }

#define VALUE(verb, call)                                                                   \
    static pi_object *verb(pi_object *self, pi_object *const *arguments, ptrdiff_t count) { \
        (void)arguments;                                                                    \
        int64_t value = 0;                                                                  \
        if (count != 0)                                                                     \
            return bad_argument();                                                          \
        if (!told())                                                                        \
            return NULL;                                                                    \
        const uint32_t id = pi_py_bound(self);                                              \
        const polyipc_status status = call;                                                 \
        return number(status == POLYIPC_OK ? (long)value : -(long)status);                  \
    }

TAKE(lock_acquire, polyipc_lock_acquire((polyipc_lock){id}, ns, died))
TAKE(rlock_acquire, polyipc_rlock_acquire((polyipc_rlock){id}, ns, died))
TAKE(condition_acquire, polyipc_condition_acquire((polyipc_condition){id}, ns, died))
TAKE(semaphore_acquire, polyipc_semaphore_acquire((polyipc_semaphore){id}, ns))
TAKE(bounded_acquire, polyipc_bounded_semaphore_acquire((polyipc_bounded_semaphore){id}, ns))
TAKE(event_wait, polyipc_event_wait((polyipc_event){id}, ns))
TAKE(read_lock, polyipc_rwlock_read_lock((polyipc_rwlock){id}, ns))
TAKE(write_lock, polyipc_rwlock_write_lock((polyipc_rwlock){id}, ns, died))
GIVE(lock_release, polyipc_lock_release((polyipc_lock){id}))
GIVE(rlock_release, polyipc_rlock_release((polyipc_rlock){id}))
GIVE(condition_release, polyipc_condition_release((polyipc_condition){id}))
GIVE(semaphore_release, polyipc_semaphore_release((polyipc_semaphore){id}, 1))
GIVE(bounded_release, polyipc_bounded_semaphore_release((polyipc_bounded_semaphore){id}, 1))
VALUE(semaphore_value, polyipc_semaphore_value((polyipc_semaphore){id}, &value))
VALUE(bounded_value, polyipc_bounded_semaphore_value((polyipc_bounded_semaphore){id}, &value))
GIVE(event_set, polyipc_event_set((polyipc_event){id}))
GIVE(event_clear, polyipc_event_clear((polyipc_event){id}))
GIVE(read_unlock, polyipc_rwlock_read_unlock((polyipc_rwlock){id}))
GIVE(write_unlock, polyipc_rwlock_write_unlock((polyipc_rwlock){id}))

static const struct pi_method methods[] = {
    {"acquire", lock_acquire, PI_FASTCALL, NULL},      {"release", lock_release, PI_FASTCALL, NULL},
    {"acquire", rlock_acquire, PI_FASTCALL, NULL},     {"release", rlock_release, PI_FASTCALL, NULL},
    {"acquire", semaphore_acquire, PI_FASTCALL, NULL}, {"release", semaphore_release, PI_FASTCALL, NULL},
    {"value", semaphore_value, PI_FASTCALL, NULL},     {"acquire", bounded_acquire, PI_FASTCALL, NULL},
    {"release", bounded_release, PI_FASTCALL, NULL},   {"value", bounded_value, PI_FASTCALL, NULL},
    {"acquire", condition_acquire, PI_FASTCALL, NULL}, {"release", condition_release, PI_FASTCALL, NULL},
    {"wait", event_wait, PI_FASTCALL, NULL},           {"set", event_set, PI_FASTCALL, NULL},
    {"clear", event_clear, PI_FASTCALL, NULL},         {"read_lock", read_lock, PI_FASTCALL, NULL},
    {"read_unlock", read_unlock, PI_FASTCALL, NULL},   {"write_lock", write_lock, PI_FASTCALL, NULL},
    {"write_unlock", write_unlock, PI_FASTCALL, NULL},
};

/* Where a type's functions begin, and how many there are. */
static const struct {
    int first, count;
} of_type[] = {
    [POLYIPC_LOCK] = {0, 2},       [POLYIPC_RLOCK] = {2, 2},
    [POLYIPC_SEMAPHORE] = {4, 3},  [POLYIPC_BOUNDED_SEMAPHORE] = {7, 3},
    [POLYIPC_CONDITION] = {10, 2}, [POLYIPC_EVENT] = {12, 3},
    [POLYIPC_BARRIER] = {0, 0},    [POLYIPC_RWLOCK] = {15, 4},
};

pi_object *polyipc_py_sync(int type, int handle) {
    if (type < POLYIPC_LOCK || type > POLYIPC_RWLOCK)
        return bad_argument();
    return builtins(&methods[of_type[type].first], of_type[type].count, (uint32_t)handle);
}
