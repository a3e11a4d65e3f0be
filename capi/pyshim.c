/* pyshim.c - messages as Python objects; see pyshim.h. Everything goes through the exported
 * functions, so that it works in forked children as they do. */
#include "pyshim_messages.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128 };

int polyipc_py_init(const void *const *addresses, int count, pi_object *tell) {
    enum { FUNCTIONS = offsetof(struct pi_python, tell) / sizeof(void (*)(void)) };
    _Static_assert(sizeof(void *) == sizeof(void (*)(void)), "functions have addresses like data");
    if (addresses == NULL || tell == NULL || count != FUNCTIONS)
        return POLYIPC_INVALID;
    for (int i = 0; i < count; i++)
        if (addresses[i] == NULL)
            return POLYIPC_INVALID;
    struct pi_python *py = malloc(sizeof *py);
    if (py == NULL || pi_now.keep == NULL) {
        free(py);
        return POLYIPC_NO_MEMORY;
    }
    memcpy(py, addresses, FUNCTIONS * sizeof *addresses);
    py->tell = tell;
    pi_now.keep->python = py; /* never freed: another thread may be using the former one */
    return POLYIPC_OK;
}

/* The queue that a function is bound to. */
static polyipc_queue bound(pi_object *self) { return (polyipc_queue){pi_py_bound(self)}; }

/* ---- put -------------------------------------------------------------------------------- */

pi_object *pi_py_put(pi_object *self, pi_object *const *arguments, ptrdiff_t count,
                     polyipc_status (*put)(uint32_t, const void *, size_t, polyipc_format, int64_t)) {
    const struct pi_python *py = python();
    long n[2]; /* format, ns */
    char *data;
    ptrdiff_t size;
    if (count != 3)
        return bad_argument();
    if (!told())
        return NULL;
    if (py->PyBytes_AsStringAndSize(arguments[0], &data, &size) != 0 || !integers(arguments + 1, 2, n))
        return NULL;
    const uint32_t id = pi_py_bound(self);
    const polyipc_format f = (polyipc_format)n[0];
    polyipc_status status = POLYIPC_FULL;
    if (size <= QUICK)
        status = put(id, data, (size_t)size, f, POLYIPC_TRY);
    if (status == POLYIPC_FULL && (size > QUICK || n[1] != 0)) {
        void *thread = py->PyEval_SaveThread();
        status = put(id, data, (size_t)size, f, n[1]);
        py->PyEval_RestoreThread(thread);
    }
    return number((long)status);
}

static polyipc_status put_one(uint32_t id, const void *data, size_t size, polyipc_format format, int64_t ns) {
    return polyipc_queue_put((polyipc_queue){id}, data, size, format, ns);
}

static pi_object *put(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return pi_py_put(self, arguments, count, put_one);
}

/* Reads up to BATCH elements of a list into slices, counts their bytes, and takes a reference to
 * each: another thread may change the list while the GIL is released. Returns how many; -1, with
 * TypeError set and no reference taken, if one is not a bytes object. */
static int borrow(pi_object *messages, ptrdiff_t from, ptrdiff_t to, pi_object **held, polyipc_slice *slices,
                  size_t *bytes) {
    const struct pi_python *py = python();
    int n = 0;
    *bytes = 0;
    for (; from + n < to && n < BATCH; n++) {
        char *data;
        ptrdiff_t size;
        pi_object *item = py->PyList_GetItem(messages, from + n);
        if (item == NULL || py->PyBytes_AsStringAndSize(item, &data, &size) != 0) {
            while (n > 0)
                py->Py_DecRef(held[--n]);
            return -1;
        }
        py->Py_IncRef(item);
        held[n] = item;
        slices[n] = (polyipc_slice){data, (size_t)size};
        *bytes += (size_t)size;
    }
    return n;
}

static pi_object *put_many(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    long n[3]; /* start, format, ns */
    if (count != 4)
        return bad_argument();
    if (!told())
        return NULL;
    pi_object *bodies = arguments[0];
    const ptrdiff_t end = py->PyList_Size(bodies);
    if (end < 0 || !integers(arguments + 1, 3, n))
        return NULL;
    if (n[0] < 0)
        return bad_argument();
    const polyipc_queue q = bound(self);
    const polyipc_format f = (polyipc_format)n[1];
    struct limit limit = {n[2], 0};
    polyipc_slice slices[BATCH];
    pi_object *held[BATCH];
    ptrdiff_t at = n[0];
    polyipc_status status = POLYIPC_OK;
    while (status == POLYIPC_OK && at < end) {
        size_t bytes, done = 0;
        const int borrowed = borrow(bodies, at, end, held, slices, &bytes);
        if (borrowed < 0)
            return NULL;
        status = POLYIPC_FULL;
        if (bytes <= QUICK)
            status = polyipc_queue_put_many(q, slices, (size_t)borrowed, f, POLYIPC_TRY, &done);
        if (status == POLYIPC_FULL && (bytes > QUICK || limit.ns != 0)) {
            const int64_t ns = left(&limit);
            void *thread = py->PyEval_SaveThread();
            status = polyipc_queue_put_many(q, slices, (size_t)borrowed, f, ns, &done);
            py->PyEval_RestoreThread(thread);
        }
        for (int i = 0; i < borrowed; i++)
            py->Py_DecRef(held[i]);
        if (status == POLYIPC_OK)
            at += (ptrdiff_t)done;
    }
    return number(at > n[0] || status == POLYIPC_OK ? (long)(at - n[0]) : -(long)status);
}

/* ---- get -------------------------------------------------------------------------------- */

static polyipc_status get_one(uint32_t id, void *to, size_t capacity, int64_t ns, struct pi_taken *t) {
    return polyipc_queue_get((polyipc_queue){id}, to, capacity, ns, &t->size, &t->format);
}

static polyipc_status lease_one(uint32_t id, void *to, size_t capacity, int64_t ns, struct pi_taken *t) {
    return polyipc_queue_lease((polyipc_queue){id}, to, capacity, ns, t->lease, &t->size, &t->format);
}

polyipc_status pi_py_take(uint32_t id, struct pi_taken *t, char *small, int64_t timeout) {
    const struct pi_python *py = python();
    struct limit limit = {timeout, 0};
    t->patient = timeout != 0;
    char *to = small;
    size_t capacity = SMALL;
    polyipc_status status = t->take(id, to, capacity, POLYIPC_TRY, t);
    for (;;) {
        if (status == POLYIPC_EMPTY && timeout != 0) {
            const int64_t ns = left(&limit);
            void *thread = py->PyEval_SaveThread();
            status = t->take(id, to, capacity, ns, t);
            py->PyEval_RestoreThread(thread);
            if (status == POLYIPC_EMPTY) /* the time was over before the try */
                status = POLYIPC_TIMEOUT;
        } else if (status == POLYIPC_TOO_SMALL) {
            ptrdiff_t size;
            capacity = t->size;
            if (t->bytes != NULL)
                py->Py_DecRef(t->bytes);
            t->bytes = py->PyBytes_FromStringAndSize(NULL, (ptrdiff_t)capacity);
            if (t->bytes == NULL || py->PyBytes_AsStringAndSize(t->bytes, &to, &size) != 0)
                return POLYIPC_NO_MEMORY;
            void *thread = capacity > QUICK ? py->PyEval_SaveThread() : NULL;
            status = t->take(id, to, capacity, POLYIPC_TRY, t);
            if (thread != NULL)
                py->PyEval_RestoreThread(thread);
        } else {
            break;
        }
    }
    if (status != POLYIPC_OK && t->bytes != NULL) {
        py->Py_DecRef(t->bytes);
        t->bytes = NULL;
    }
    if (status != POLYIPC_OK)
        return status;
    if (t->bytes == NULL)
        t->bytes = py->PyBytes_FromStringAndSize(small, (ptrdiff_t)t->size);
    else if (t->size < capacity)
        py->_PyBytes_Resize(&t->bytes, (ptrdiff_t)t->size); /* NULL on failure */
    return t->bytes != NULL ? POLYIPC_OK : POLYIPC_NO_MEMORY;
}

pi_object *pi_py_message(pi_object *bytes, polyipc_format format) {
    if (format == POLYIPC_MSGPACK || bytes == NULL)
        return bytes;
    return tuple((pi_object *[]){bytes, python()->PyLong_FromLong((long)format)}, 2);
}

pi_object *pi_py_get(pi_object *self, pi_object *const *arguments, ptrdiff_t count, pi_taker *take) {
    long ns;
    if (count != 1)
        return bad_argument();
    if (!told() || !integers(arguments, 1, &ns))
        return NULL;
    char small[SMALL];
    struct pi_taken t = {.take = take};
    const polyipc_status status = pi_py_take(pi_py_bound(self), &t, small, ns);
    if (status == POLYIPC_OK)
        return pi_py_message(t.bytes, t.format);
    return number((long)status);
}

static pi_object *get(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return pi_py_get(self, arguments, count, get_one);
}

static pi_object *lease(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    const struct pi_python *py = python();
    long ns;
    if (count != 1)
        return bad_argument();
    if (!told() || !integers(arguments, 1, &ns))
        return NULL;
    char small[SMALL];
    polyipc_lease held;
    struct pi_taken t = {.take = lease_one, .lease = &held};
    const polyipc_status status = pi_py_take(pi_py_bound(self), &t, small, ns);
    if (status != POLYIPC_OK)
        return number((long)status);
    pi_object *items[] = {t.bytes, number((long)t.format),
                          py->PyBytes_FromStringAndSize((const char *)&held, sizeof held),
                          number((long)held.deliveries)};
    return tuple(items, 4);
}

static pi_object *end(pi_object *self, pi_object *const *arguments, ptrdiff_t count,
                      polyipc_status (*how)(polyipc_queue, const polyipc_lease *)) {
    char *data;
    ptrdiff_t size;
    polyipc_lease held;
    if (count != 1)
        return bad_argument();
    if (!told())
        return NULL;
    if (python()->PyBytes_AsStringAndSize(arguments[0], &data, &size) != 0)
        return NULL;
    if (size != sizeof held)
        return bad_argument();
    memcpy(&held, data, sizeof held);
    return number((long)how(bound(self), &held));
}

static pi_object *ack(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return end(self, arguments, count, polyipc_queue_ack);
}

static pi_object *nack(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return end(self, arguments, count, polyipc_queue_nack);
}

/* Appends to a list, which takes the reference to item. False, with the exception set, if that
 * failed or item is NULL. */
static bool append(pi_object *list, pi_object *item) {
    const struct pi_python *py = python();
    if (item == NULL)
        return false;
    const bool appended = py->PyList_Append(list, item) == 0;
    py->Py_DecRef(item);
    return appended;
}

static pi_object *get_many(pi_object *self, pi_object *const *arguments, ptrdiff_t arguments_count) {
    const struct pi_python *py = python();
    long n[2]; /* most, ns */
    if (arguments_count != 2)
        return bad_argument();
    if (!told() || !integers(arguments, 2, n))
        return NULL;
    const polyipc_queue q = bound(self);
    const long most = n[0];
    const int64_t timeout = n[1];
    char buffer[QUICK];
    polyipc_message messages[BATCH];
    pi_object *list = py->PyList_New(0);
    polyipc_status status = POLYIPC_OK;
    long count = 0;
    while (list != NULL && count < most) {
        const size_t want = most - count < BATCH ? (size_t)(most - count) : BATCH;
        size_t found = 0;
        status = polyipc_queue_get_many(q, buffer, sizeof buffer, messages, want, POLYIPC_TRY, &found);
        if (status == POLYIPC_EMPTY && count == 0 && timeout != 0) {
            void *thread = py->PyEval_SaveThread();
            status = polyipc_queue_get_many(q, buffer, sizeof buffer, messages, want, timeout, &found);
            py->PyEval_RestoreThread(thread);
        }
        bool failed = false;
        if (status == POLYIPC_TOO_SMALL) { /* even one: it gets a place of its own */
            struct pi_taken t = {.take = get_one};
            status = pi_py_take(q.id, &t, buffer, count == 0 ? timeout : 0);
            if (status == POLYIPC_OK)
                failed = !append(list, pi_py_message(t.bytes, t.format));
            count++;
        }
        for (size_t i = 0; i < found && !failed; i++)
            failed = !append(list, pi_py_message(py->PyBytes_FromStringAndSize(buffer + messages[i].offset,
                                                                               (ptrdiff_t)messages[i].size),
                                                 messages[i].format));
        count += (long)found;
        if (failed) {
            py->Py_DecRef(list);
            return NULL;
        }
        if (status != POLYIPC_OK)
            break;
    }
    if (list == NULL || py->PyList_Size(list) > 0 || most <= 0)
        return list;
    py->Py_DecRef(list);
    return number((long)status);
}

/* ---- the functions ----------------------------------------------------------------------- */

static const struct pi_method methods[] = {
    {"put", put, PI_FASTCALL, NULL},     {"put_many", put_many, PI_FASTCALL, NULL},
    {"get", get, PI_FASTCALL, NULL},     {"get_many", get_many, PI_FASTCALL, NULL},
    {"lease", lease, PI_FASTCALL, NULL}, {"ack", ack, PI_FASTCALL, NULL},
    {"nack", nack, PI_FASTCALL, NULL},
};

pi_object *polyipc_py_queue(int queue) {
    return builtins(methods, sizeof methods / sizeof *methods, (uint32_t)queue);
}
