/* pyshim_inner.h - what the shims for Python have in common: Python's functions, its integers, the builtin
 * functions that they are. Each noun has a file of shims: pyshim.c the queue's, pyshim_pipe.c the pipe's,
 * pyshim_sync.c those of locks.
 */
#ifndef PI_PYSHIM_INNER_H
#define PI_PYSHIM_INNER_H

#include "keep.h"
#include "pyshim.h"

#include <time.h>

struct pi_python {
#define FIELD(name, result, parameters) result(*name) parameters;
    POLYIPC_PY_FUNCTIONS(FIELD)
#undef FIELD
    pi_object *tell;
};

/* In the keep, since a rewind would forget it: a forked child has the same Python. */
static inline const struct pi_python *python(void) { return pi_now.keep->python; }

/* ---- events ----------------------------------------------------------------------------- */

static inline bool tell(void) {
    const struct pi_python *py = python();
    pi_object *const none = py->PyObject_CallObject(py->tell, NULL);
    if (none != NULL)
        py->Py_DecRef(none);
    return none != NULL;
}

/* Every verb begins with it. False, with the exception set, if a log handler raised. */
static inline bool told(void) {
    const uint32_t events = atomic_load_explicit(&pi_now.keep->events, memory_order_relaxed);
    return __builtin_expect(events != PI_EVENTS_NEWS, 1) || tell();
}

/* ---- time ------------------------------------------------------------------------------- */

static inline int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A deadline that is computed only when somebody waits. */
struct limit {
    int64_t ns; /* as given */
    int64_t deadline;
};

static inline int64_t left(struct limit *limit) {
    if (limit->ns <= 0)
        return limit->ns;
    const int64_t t = now();
    if (limit->deadline == 0)
        limit->deadline = limit->ns < INT64_MAX - t ? t + limit->ns : INT64_MAX;
    return limit->deadline > t ? limit->deadline - t : 0;
}

/* ---- arguments and results --------------------------------------------------------------- */

/* Reads ints; false, with the exception set, if one is not. */
static inline bool integers(pi_object *const *arguments, int count, long *to) {
    const struct pi_python *py = python();
    for (int i = 0; i < count; i++) {
        to[i] = py->PyLong_AsLong(arguments[i]);
        if (to[i] == -1 && py->PyErr_Occurred() != NULL)
            return false;
    }
    return true;
}

/* The number of the handle that a function is bound to: it is what Python takes for the function's self. */
static inline uint32_t pi_py_bound(pi_object *self) { return (uint32_t)python()->PyLong_AsLong(self); }

static inline pi_object *number(long n) { return python()->PyLong_FromLong(n); }

static inline pi_object *none(void) { return python()->Py_BuildValue(""); }

static inline pi_object *bad_argument(void) {
    python()->PyErr_BadArgument();
    return NULL;
}

/* A tuple of the items, whose references it takes; NULL if one of them is NULL. */
static inline pi_object *tuple(pi_object **items, int count) {
    const struct pi_python *py = python();
    pi_object *t = py->PyTuple_New(count);
    for (int i = 0; i < count; i++) {
        if (t != NULL && items[i] != NULL) {
            py->PyTuple_SetItem(t, i, items[i]);
            continue;
        }
        for (; i < count; i++)
            if (items[i] != NULL)
                py->Py_DecRef(items[i]);
        if (t != NULL)
            py->Py_DecRef(t);
        return NULL;
    }
    return t;
}

/* ---- the functions ----------------------------------------------------------------------- */

enum { PI_FASTCALL = 0x0080, PI_MOST_METHODS = 16 };

/* A tuple of builtin functions, at most PI_MOST_METHODS, bound to self. */
static inline pi_object *builtins_of(const struct pi_method *methods, int count, pi_object *self) {
    pi_object *functions[PI_MOST_METHODS] = {NULL};
    for (int i = 0; i < count && self != NULL; i++)
        functions[i] = python()->PyCFunction_NewEx(&methods[i], self, NULL);
    return tuple(functions, count);
}

/* The same, bound to the handle with that number. */
static inline pi_object *builtins(const struct pi_method *methods, int count, uint32_t id) {
    pi_object *self = number((long)id);
    pi_object *functions = builtins_of(methods, count, self);
    if (self != NULL)
        python()->Py_DecRef(self);
    return functions;
}

#endif
