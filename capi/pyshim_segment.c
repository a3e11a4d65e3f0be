/* pyshim_segment.c - a segment's cells and its lock as builtin functions of Python; see pyshim.h. */
#include "pyshim_inner.h"
#include "quick_segment.h"

#include <string.h>

/* ---- the lock --------------------------------------------------------------------------- */

static polyipc_segment segment_of(pi_object *self) { return (polyipc_segment){pi_py_bound(self)}; }

/* What needs no waiting is tried without the detour through the exported function, which counts here. */
static pi_object *acquire(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    long ns;
    int died = 0;
    if (count != 1)
        return bad_argument();
    if (!told())
        return NULL;
    const polyipc_segment s = segment_of(self);
    if (__builtin_expect(pi_quick_segment_lock(s, POLYIPC_TRY, NULL) == POLYIPC_OK, 1))
        return number((long)POLYIPC_OK);
    if (!integers(arguments, 1, &ns))
        return NULL;
    polyipc_status status = polyipc_segment_lock(s, POLYIPC_TRY, &died);
    if (status == POLYIPC_TIMEOUT && ns != 0) {
        void *thread = py->PyEval_SaveThread();
        status = polyipc_segment_lock(s, ns, &died);
        py->PyEval_RestoreThread(thread);
    }
    return number(status == POLYIPC_OK && died ? (long)POLYIPC_OWNER_DIED : (long)status);
}

static pi_object *release(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    (void)arguments;
    if (count != 0)
        return bad_argument();
    if (!told())
        return NULL;
    const polyipc_segment s = segment_of(self);
    if (__builtin_expect(pi_quick_segment_unlock(s) == POLYIPC_OK, 1))
        return number((long)POLYIPC_OK);
    return number((long)polyipc_segment_unlock(s));
}

static const struct pi_method lock_methods[] = {
    {"acquire", acquire, PI_FASTCALL, NULL},
    {"release", release, PI_FASTCALL, NULL},
};

pi_object *polyipc_py_segment_lock(int segment) {
    return builtins(lock_methods, sizeof lock_methods / sizeof *lock_methods, (uint32_t)segment);
}

/* ---- cells ------------------------------------------------------------------------------ */

/* What a cell's functions are bound to: (a bytes object that holds this, what raises a status). */
struct cell {
    polyipc_segment segment;
    uint32_t width;
    int64_t offset;
    bool has_sign;
};

static bool cell_of(pi_object *self, struct cell *c) {
    char *data;
    ptrdiff_t size;
    if (python()->PyBytes_AsStringAndSize(python()->PyTuple_GetItem(self, 0), &data, &size) != 0)
        return false;
    memcpy(c, data, sizeof *c);
    return true;
}

/* Has the status raised, which is not OK. */
static pi_object *failed(pi_object *self, polyipc_status status) {
    const struct pi_python *py = python();
    pi_object *argument = number((long)status), *arguments = NULL, *result = NULL;
    if (argument != NULL)
        arguments = tuple(&argument, 1);
    if (arguments != NULL) {
        result = py->PyObject_CallObject(py->PyTuple_GetItem(self, 1), arguments);
        py->Py_DecRef(arguments);
    }
    return result;
}

/* The value of a cell as an int. */
static pi_object *value_of(const struct cell *c, uint64_t v) {
    if (!c->has_sign)
        return python()->PyLong_FromUnsignedLongLong(v);
    return python()->PyLong_FromLongLong(c->width == 4 ? (int32_t)v : (int64_t)v);
}

/* Reads ints, of whatever size: their low bits count. False, with the exception set, if one is not. */
static bool values(pi_object *const *arguments, int count, uint64_t *to) {
    const struct pi_python *py = python();
    for (int i = 0; i < count; i++) {
        to[i] = py->PyLong_AsUnsignedLongLongMask(arguments[i]);
        if (to[i] == UINT64_MAX && py->PyErr_Occurred() != NULL)
            return false;
    }
    return true;
}

static bool begin(pi_object *self, pi_object *const *arguments, ptrdiff_t count, int want, struct cell *c,
                  uint64_t *v) {
    if (count != want) {
        bad_argument();
        return false;
    }
    return told() && cell_of(self, c) && values(arguments, want, v);
}

static pi_object *load(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    struct cell c;
    uint64_t v = 0;
    if (!begin(self, arguments, count, 0, &c, NULL))
        return NULL;
    const polyipc_status status = polyipc_segment_load(c.segment, c.offset, c.width, &v);
    return status == POLYIPC_OK ? value_of(&c, v) : failed(self, status);
}

static pi_object *store(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    struct cell c;
    uint64_t v;
    if (!begin(self, arguments, count, 1, &c, &v))
        return NULL;
    const polyipc_status status = polyipc_segment_store(c.segment, c.offset, c.width, v);
    return status == POLYIPC_OK ? none() : failed(self, status);
}

#define CHANGE(verb)                                                                                    \
    static pi_object *do_##verb(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {        \
        struct cell c;                                                                                  \
        uint64_t v, before = 0;                                                                         \
        if (!begin(self, arguments, count, 1, &c, &v))                                                  \
            return NULL;                                                                                \
        const polyipc_status status = polyipc_segment_##verb(c.segment, c.offset, c.width, v, &before); \
        return status == POLYIPC_OK ? value_of(&c, before) : failed(self, status);                      \
    }
CHANGE(exchange)
CHANGE(add)
CHANGE(sub)
CHANGE(and)
CHANGE(or)
CHANGE(xor)

static pi_object *compare_exchange(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    struct cell c;
    uint64_t v[2], before = 0;
    if (!begin(self, arguments, count, 2, &c, v))
        return NULL;
    const polyipc_status status =
        polyipc_segment_compare_exchange(c.segment, c.offset, c.width, v[0], v[1], &before);
    return status == POLYIPC_OK ? value_of(&c, before) : failed(self, status);
}

/* Looks with the GIL held; waits without it. */
static pi_object *wait_for(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    struct cell c;
    uint64_t v[2], now = 0;
    if (!begin(self, arguments, count, 2, &c, v))
        return NULL;
    const int64_t ns = (int64_t)v[1];
    polyipc_status status = polyipc_segment_wait(c.segment, c.offset, c.width, v[0], POLYIPC_TRY, &now);
    if (status == POLYIPC_TIMEOUT && ns != 0) {
        void *thread = py->PyEval_SaveThread();
        status = polyipc_segment_wait(c.segment, c.offset, c.width, v[0], ns, &now);
        py->PyEval_RestoreThread(thread);
    }
    if (status != POLYIPC_OK)
        return number((long)status);
    pi_object *value = value_of(&c, now);
    return tuple(&value, 1);
}

static pi_object *notify(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    struct cell c;
    if (!begin(self, arguments, count, 0, &c, NULL))
        return NULL;
    const polyipc_status status = polyipc_segment_notify(c.segment, c.offset);
    return status == POLYIPC_OK ? none() : failed(self, status);
}

static const struct pi_method cell_methods[] = {
    {"load", load, PI_FASTCALL, NULL},
    {"store", store, PI_FASTCALL, NULL},
    {"exchange", do_exchange, PI_FASTCALL, NULL},
    {"add", do_add, PI_FASTCALL, NULL},
    {"sub", do_sub, PI_FASTCALL, NULL},
    {"and_", do_and, PI_FASTCALL, NULL},
    {"or_", do_or, PI_FASTCALL, NULL},
    {"xor", do_xor, PI_FASTCALL, NULL},
    {"compare_exchange", compare_exchange, PI_FASTCALL, NULL},
    {"wait", wait_for, PI_FASTCALL, NULL},
    {"notify", notify, PI_FASTCALL, NULL},
};

pi_object *polyipc_py_segment_cell(int segment, long long offset, int width, int has_sign, pi_object *fail) {
    const struct pi_python *py = python();
    const struct cell c = {{(uint32_t)segment}, (uint32_t)width, offset, has_sign != 0};
    py->Py_IncRef(fail);
    pi_object *items[] = {py->PyBytes_FromStringAndSize((const char *)&c, sizeof c), fail};
    pi_object *self = tuple(items, 2);
    if (self == NULL)
        return NULL;
    pi_object *functions = builtins_of(cell_methods, sizeof cell_methods / sizeof *cell_methods, self);
    py->Py_DecRef(self);
    return functions;
}
