/* pyshim_manager.c - the calls of a manager's client as builtin functions of Python; see pyshim.h. */
#include "pyshim_inner.h"

#include <polyipc/manager.h>
#include <pthread.h>

enum { AT_HAND = 16 << 10 }; /* bytes of a result that fit at once; larger ones are asked for again */

/* Asks again for what did not fit. */
typedef polyipc_status again(uint32_t id, uint64_t what, int64_t ns, void *to, size_t capacity, size_t *size);

static polyipc_status finish_one(uint32_t id, uint64_t call, int64_t ns, void *to, size_t capacity,
                                 size_t *size) {
    return polyipc_manager_finish((polyipc_manager){id}, call, ns, to, capacity, size);
}

static polyipc_status event_one(uint32_t id, uint64_t subscription, int64_t ns, void *to, size_t capacity,
                                size_t *size) {
    return polyipc_manager_next_event((polyipc_manager){id}, subscription, ns, to, capacity, size);
}

static pi_object *pair(pi_object *first, pi_object *second) {
    return tuple((pi_object *[]){first, second}, 2);
}

/* What is handed to Python: the bytes, the status, or the status with the bytes that explain it. It is in
 * small, or, after TOO_SMALL, still where it was. */
static pi_object *answer(uint32_t id, uint64_t what, again *again, int64_t ns, polyipc_status status,
                         const char *small, size_t size) {
    const struct pi_python *py = python();
    pi_object *bytes = NULL;
    for (size_t room = 0; status == POLYIPC_TOO_SMALL;) {
        char *to;
        ptrdiff_t unused;
        if (bytes != NULL)
            py->Py_DecRef(bytes);
        room = size;
        bytes = py->PyBytes_FromStringAndSize(NULL, (ptrdiff_t)room);
        if (bytes == NULL || py->PyBytes_AsStringAndSize(bytes, &to, &unused) != 0)
            return NULL;
        void *thread = py->PyEval_SaveThread();
        status = again(id, what, ns, to, room, &size);
        py->PyEval_RestoreThread(thread);
        if (status == POLYIPC_OK && size < room)
            py->_PyBytes_Resize(&bytes, (ptrdiff_t)size); /* NULL on failure */
        if (status == POLYIPC_OK)
            return bytes;
        if (status != POLYIPC_TOO_SMALL)
            py->Py_DecRef(bytes);
    }
    if (status == POLYIPC_OK)
        return py->PyBytes_FromStringAndSize(small, (ptrdiff_t)size);
    if (status == POLYIPC_REMOTE_ERROR && size <= AT_HAND)
        return pair(number((long)status), py->PyBytes_FromStringAndSize(small, (ptrdiff_t)size));
    return number((long)status);
}

static bool text(pi_object *bytes, const char **data, size_t *size) {
    char *at;
    ptrdiff_t n;
    if (python()->PyBytes_AsStringAndSize(bytes, &at, &n) != 0)
        return false;
    *data = at;
    *size = (size_t)n;
    return true;
}

/* call(object, method, args, named, ns) */
static pi_object *call(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    if (count != 5)
        return bad_argument();
    if (!told())
        return NULL;
    char small[AT_HAND];
    long ns;
    uint64_t begun = 0;
    size_t size = 0, unused;
    polyipc_manager_call_t c = {.thread = (uint64_t)pthread_self()}; /* as threading.get_ident */
    const char *args, *named;
    if (!text(arguments[1], &c.method, &unused) || !text(arguments[2], &args, &c.args_size) ||
        !text(arguments[3], &named, &c.named_size) || !integers(arguments + 4, 1, &ns))
        return NULL;
    c.object = py->PyLong_AsUnsignedLongLongMask(arguments[0]);
    c.args = args;
    c.named = c.named_size > 0 ? named : NULL;
    const uint32_t id = pi_py_bound(self);
    const polyipc_manager m = {id};
    struct limit limit = {.ns = ns};
    polyipc_status status;
    for (;;) {
        const int64_t wait = left(&limit);
        void *thread = py->PyEval_SaveThread();
        if (begun == 0)
            status = polyipc_manager_call(m, &c, wait, small, sizeof small, &size, &begun);
        else
            status = polyipc_manager_finish(m, begun, wait, small, sizeof small, &size);
        py->PyEval_RestoreThread(thread);
        if (status != POLYIPC_INTERRUPTED && (status != POLYIPC_TIMEOUT || begun == 0))
            break;
        /* Here, not once Python goes on: there a handler that raises would leave the call behind. */
        const bool raised = status == POLYIPC_INTERRUPTED && py->PyErr_CheckSignals() != 0;
        if ((raised || status == POLYIPC_TIMEOUT) && begun != 0)
            (void)polyipc_manager_forget(m, begun);
        if (raised)
            return NULL;
        if (status == POLYIPC_TIMEOUT)
            break;
    }
    return answer(id, begun, finish_one, ns, status, small, size);
}

/* finish(call, ns), next_event(subscription, ns) */
static pi_object *wait_for(pi_object *self, pi_object *const *arguments, ptrdiff_t count, again *again) {
    const struct pi_python *py = python();
    long ns;
    if (count != 2)
        return bad_argument();
    if (!told() || !integers(arguments + 1, 1, &ns))
        return NULL;
    char small[AT_HAND];
    size_t size = 0;
    const uint32_t id = pi_py_bound(self);
    const uint64_t what = py->PyLong_AsUnsignedLongLongMask(arguments[0]);
    void *thread = py->PyEval_SaveThread();
    const polyipc_status status = again(id, what, ns, small, sizeof small, &size);
    py->PyEval_RestoreThread(thread);
    return answer(id, what, again, ns, status, small, size);
}

static pi_object *finish(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return wait_for(self, arguments, count, finish_one);
}

static pi_object *next_event(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return wait_for(self, arguments, count, event_one);
}

/* next_call(ns) */
static pi_object *next_call(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    long ns;
    if (count != 1)
        return bad_argument();
    if (!told() || !integers(arguments, 1, &ns))
        return NULL;
    char small[AT_HAND], *to = small;
    size_t size = 0, room = sizeof small;
    pi_object *bytes = NULL;
    polyipc_manager_hosted_t h = {.size = sizeof h};
    const polyipc_manager m = {pi_py_bound(self)};
    polyipc_status status;
    for (;;) {
        void *thread = py->PyEval_SaveThread();
        status = polyipc_manager_next_call(m, ns, &h, to, room, &size);
        py->PyEval_RestoreThread(thread);
        if (status != POLYIPC_TOO_SMALL)
            break;
        if (bytes != NULL)
            py->Py_DecRef(bytes);
        ptrdiff_t unused;
        room = size;
        bytes = py->PyBytes_FromStringAndSize(NULL, (ptrdiff_t)room);
        if (bytes == NULL || py->PyBytes_AsStringAndSize(bytes, &to, &unused) != 0)
            return NULL;
    }
    /* Another thread may have taken the large one, and this be a small one. */
    pi_object *body = NULL;
    if (status == POLYIPC_OK)
        body = py->PyBytes_FromStringAndSize(to, (ptrdiff_t)size);
    if (bytes != NULL)
        py->Py_DecRef(bytes);
    if (status != POLYIPC_OK)
        return number((long)status);
    const uint64_t numbers[] = {h.what, h.call, h.object, h.client, h.thread};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    pi_object *items[NUMBERS + 1];
    for (int i = 0; i < NUMBERS; i++)
        items[i] = py->PyLong_FromUnsignedLongLong(numbers[i]);
    items[NUMBERS] = body;
    return tuple(items, NUMBERS + 1);
}

/* reply(call, result) */
static pi_object *reply(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    const char *data;
    size_t size;
    if (count != 2)
        return bad_argument();
    if (!told() || !text(arguments[1], &data, &size))
        return NULL;
    const polyipc_manager m = {pi_py_bound(self)};
    const uint64_t what = py->PyLong_AsUnsignedLongLongMask(arguments[0]);
    void *thread = py->PyEval_SaveThread();
    const polyipc_status status = polyipc_manager_reply(m, what, data, size);
    py->PyEval_RestoreThread(thread);
    return number((long)status);
}

/* release(object, count): also while Python collects garbage, so it tells of no events. */
static pi_object *release(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    if (count != 2)
        return bad_argument();
    const polyipc_manager m = {pi_py_bound(self)};
    return number((long)polyipc_manager_release(m, py->PyLong_AsUnsignedLongLongMask(arguments[0]),
                                                py->PyLong_AsUnsignedLongLongMask(arguments[1])));
}

static const struct pi_method methods[] = {
    {"call", call, PI_FASTCALL, NULL},
    {"finish", finish, PI_FASTCALL, NULL},
    {"next_event", next_event, PI_FASTCALL, NULL},
    {"next_call", next_call, PI_FASTCALL, NULL},
    {"reply", reply, PI_FASTCALL, NULL},
    {"release", release, PI_FASTCALL, NULL},
};

pi_object *polyipc_py_manager(int manager) {
    return builtins(methods, sizeof methods / sizeof *methods, (uint32_t)manager);
}
