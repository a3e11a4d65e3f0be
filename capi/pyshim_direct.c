/* pyshim_direct.c - acquire and release as Python programs call them, without a function of Python in
 * between; see pyshim.h. What cannot be done at once, and every error, is left to such functions. */
#include "pyshim_inner.h"

#include <pthread.h>
#include <stdlib.h>

/* What the functions of one object share; a capsule owns it. The GIL guards it. */
struct direct {
    uint32_t id;
    int died;
    uint32_t forks;   /* of the process that count is of: a forked child holds nothing */
    int64_t count;    /* acquired through this object by this process, less what it released */
    pthread_t thread; /* that acquired last */
    polyipc_status (*acquire)(uint32_t id, int *died); /* a try */
    polyipc_status (*release)(uint32_t id);
    pi_object *slow_acquire, *slow_release;
    pi_object *yes, *none;
};

#define DIRECT(type, take, give)                                                  \
    static polyipc_status type##_acquire(uint32_t id, int *died) { return take; } \
    static polyipc_status type##_release(uint32_t id) { return give; }

DIRECT(lock, polyipc_lock_acquire((polyipc_lock){id}, POLYIPC_TRY, died),
       polyipc_lock_release((polyipc_lock){id}))
DIRECT(rlock, polyipc_rlock_acquire((polyipc_rlock){id}, POLYIPC_TRY, died),
       polyipc_rlock_release((polyipc_rlock){id}))
DIRECT(semaphore, ((void)died, polyipc_semaphore_acquire((polyipc_semaphore){id}, POLYIPC_TRY)),
       polyipc_semaphore_release((polyipc_semaphore){id}, 1))
DIRECT(bounded, ((void)died, polyipc_bounded_semaphore_acquire((polyipc_bounded_semaphore){id}, POLYIPC_TRY)),
       polyipc_bounded_semaphore_release((polyipc_bounded_semaphore){id}, 1))
DIRECT(condition, polyipc_condition_acquire((polyipc_condition){id}, POLYIPC_TRY, died),
       polyipc_condition_release((polyipc_condition){id}))

DIRECT(segment, polyipc_segment_lock((polyipc_segment){id}, POLYIPC_TRY, died),
       polyipc_segment_unlock((polyipc_segment){id}))

static const struct {
    polyipc_status (*acquire)(uint32_t id, int *died);
    polyipc_status (*release)(uint32_t id);
} verbs[] = {
    [0] = {segment_acquire, segment_release},
    [POLYIPC_LOCK] = {lock_acquire, lock_release},
    [POLYIPC_RLOCK] = {rlock_acquire, rlock_release},
    [POLYIPC_SEMAPHORE] = {semaphore_acquire, semaphore_release},
    [POLYIPC_BOUNDED_SEMAPHORE] = {bounded_acquire, bounded_release},
    [POLYIPC_CONDITION] = {condition_acquire, condition_release},
};

static struct direct *direct(pi_object *self) { return python()->PyCapsule_GetPointer(self, NULL); }

/* Counts what was acquired, or released: negative. */
static void count(struct direct *d, int64_t by) {
    const uint32_t forks = pi_now.keep->forks;
    if (d->forks != forks) {
        d->forks = forks;
        d->count = 0;
    }
    d->count += by;
    if (by > 0)
        d->thread = pthread_self();
}

static pi_object *kept(pi_object *o) {
    python()->Py_IncRef(o);
    return o;
}

static void drop(pi_object *capsule) {
    const struct pi_python *py = python();
    struct direct *d = direct(capsule);
    py->Py_DecRef(d->slow_acquire);
    py->Py_DecRef(d->slow_release);
    free(d);
}

/* Calls a function of Python with what this one was called with. */
static pi_object *pass(pi_object *function, pi_object *const *arguments, ptrdiff_t given, pi_object *names) {
    const struct pi_python *py = python();
    pi_object *positional = py->PyTuple_New(given);
    pi_object *keywords = names != NULL ? py->PyDict_New() : NULL;
    pi_object *result = NULL;
    bool ready = positional != NULL && (names == NULL || keywords != NULL);
    for (ptrdiff_t i = 0; ready && i < given; i++)
        ready = py->PyTuple_SetItem(positional, i, kept(arguments[i])) == 0;
    for (ptrdiff_t i = 0; ready && names != NULL && i < py->PyTuple_Size(names); i++)
        ready = py->PyDict_SetItem(keywords, py->PyTuple_GetItem(names, i), arguments[given + i]) == 0;
    if (ready)
        result = py->PyObject_Call(function, positional, keywords);
    if (positional != NULL)
        py->Py_DecRef(positional);
    if (keywords != NULL)
        py->Py_DecRef(keywords);
    return result;
}

static pi_object *acquire(pi_object *self, pi_object *const *arguments, ptrdiff_t given, pi_object *names) {
    struct direct *d = direct(self);
    if (!told())
        return NULL;
    /* acquire(), acquire(True) and, as CPython's queues have it, acquire(True, None). */
    const bool plain = given == 0 || (given <= 2 && arguments[0] == d->yes);
    if (names == NULL && plain && (given < 2 || arguments[1] == d->none) &&
        d->acquire(d->id, &d->died) == POLYIPC_OK) {
        count(d, 1);
        return kept(d->yes);
    }
    return pass(d->slow_acquire, arguments, given, names);
}

static pi_object *release(pi_object *self, pi_object *const *arguments, ptrdiff_t given, pi_object *names) {
    struct direct *d = direct(self);
    if (!told())
        return NULL;
    if (names == NULL && given == 0 && d->release(d->id) == POLYIPC_OK) {
        count(d, -1);
        return kept(d->none);
    }
    return pass(d->slow_release, arguments, given, names);
}

static pi_object *died(pi_object *self, pi_object *const *arguments, ptrdiff_t given, pi_object *names) {
    struct direct *d = direct(self);
    long is;
    if (names != NULL || given > 1)
        return bad_argument();
    if (given == 1) {
        if (!integers(arguments, 1, &is))
            return NULL;
        d->died = is != 0;
    }
    return number(d->died);
}

static pi_object *held(pi_object *self, pi_object *const *arguments, ptrdiff_t given, pi_object *names) {
    struct direct *d = direct(self);
    long by = 0;
    if (names != NULL || given > 1)
        return bad_argument();
    if (given == 1 && !integers(arguments, 1, &by))
        return NULL;
    count(d, by);
    pi_object *two[] = {number(d->count), number(d->count > 0 && pthread_equal(d->thread, pthread_self()))};
    return tuple(two, 2);
}

/* With METH_KEYWORDS Python passes the names, too; a function pointer of another type, as Python's own are.
 */
typedef pi_object *with_names(pi_object *, pi_object *const *, ptrdiff_t, pi_object *);
typedef pi_object *without_names(pi_object *, pi_object *const *, ptrdiff_t);
#define METHOD(f) {#f, (without_names *)(void (*)(void))(f), PI_FASTCALL | 0x0002, NULL}
static const struct pi_method methods[] = {METHOD(acquire), METHOD(release), METHOD(died), METHOD(held)};
enum { METHODS = sizeof methods / sizeof *methods };

pi_object *polyipc_py_direct(int type, int handle, pi_object *slow_acquire, pi_object *slow_release,
                             pi_object *yes, pi_object *none) {
    const struct pi_python *py = python();
    if (type < 0 || type > POLYIPC_CONDITION)
        return bad_argument();
    struct direct *d = malloc(sizeof *d);
    pi_object *capsule = d != NULL ? py->PyCapsule_New(d, NULL, drop) : NULL;
    if (capsule == NULL) {
        free(d);
        return d != NULL ? NULL : bad_argument();
    }
    *d = (struct direct){
        .id = (uint32_t)handle,
        .acquire = verbs[type].acquire,
        .release = verbs[type].release,
        .slow_acquire = kept(slow_acquire),
        .slow_release = kept(slow_release),
        .yes = yes, /* these two live as long as Python */
        .none = none,
    };
    pi_object *functions[METHODS];
    for (int i = 0; i < METHODS; i++)
        functions[i] = py->PyCFunction_NewEx(&methods[i], capsule, NULL);
    py->Py_DecRef(capsule);
    return tuple(functions, METHODS);
}
