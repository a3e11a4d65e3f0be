/* pyshim.c - messages as Python objects; see pyshim.h. Everything goes through the exported
 * functions, so that it works in forked children as they do. */
#include "pyshim.h"
#include "keep.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SMALL = 16 << 10, /* bytes that a get has at hand; larger messages are asked for again */
    QUICK = 64 << 10, /* bytes that are copied with the GIL held */
    BATCH = 128,
};

static const int64_t MICROSECOND = 1000;

struct pi_python {
#define FIELD(name, result, parameters) result(*name) parameters;
    POLYIPC_PY_FUNCTIONS(FIELD)
#undef FIELD
};

/* In the keep, since a rewind would forget it: a forked child has the same Python. */
static const struct pi_python *python(void) { return pi_now.keep->python; }

int polyipc_py_init(const void *const *addresses, int count) {
    enum { FUNCTIONS = sizeof(struct pi_python) / sizeof(void (*)(void)) };
    _Static_assert(sizeof(void *) == sizeof(void (*)(void)), "functions have addresses like data");
    if (addresses == NULL || count != FUNCTIONS)
        return POLYIPC_INVALID;
    for (int i = 0; i < count; i++)
        if (addresses[i] == NULL)
            return POLYIPC_INVALID;
    struct pi_python *py = malloc(sizeof *py);
    if (py == NULL || pi_now.keep == NULL) {
        free(py);
        return POLYIPC_NO_MEMORY;
    }
    memcpy(py, addresses, sizeof *py);
    pi_now.keep->python = py; /* never freed: another thread may be using the former one */
    return POLYIPC_OK;
}

/* ---- time ------------------------------------------------------------------------------- */

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A deadline that is computed only when somebody waits. */
struct limit {
    int timeout_us;
    int64_t deadline;
};

static int64_t left(struct limit *limit) {
    if (limit->timeout_us <= 0)
        return limit->timeout_us;
    if (limit->deadline == 0)
        limit->deadline = now() + limit->timeout_us * MICROSECOND;
    const int64_t ns = limit->deadline - now();
    return ns > 0 ? ns : 0;
}

/* ---- put -------------------------------------------------------------------------------- */

int polyipc_py_queue_put(int queue, const char *data, int size, int format, int timeout_us) {
    const polyipc_queue q = {(uint32_t)queue};
    const polyipc_format f = (polyipc_format)format;
    if (size < 0) {
        static const char why[] = "put to queue: a negative size: give len(data), below 2^31";
        pi_fail_text(why, sizeof why - 1);
        return POLYIPC_INVALID;
    }
    polyipc_status status = POLYIPC_FULL;
    if (size <= QUICK)
        status = polyipc_queue_put(q, data, (size_t)size, f, POLYIPC_TRY);
    if (status != POLYIPC_FULL || (size <= QUICK && timeout_us == 0))
        return status;
    void *thread = python()->PyEval_SaveThread();
    status = polyipc_queue_put(q, data, (size_t)size, f, timeout_us * MICROSECOND);
    python()->PyEval_RestoreThread(thread);
    return status;
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

int polyipc_py_queue_put_many(int queue, pi_object *messages, int start, int format, int timeout_us) {
    const struct pi_python *py = python();
    const polyipc_queue q = {(uint32_t)queue};
    const polyipc_format f = (polyipc_format)format;
    const ptrdiff_t count = py->PyList_Size(messages);
    struct limit limit = {timeout_us, 0};
    polyipc_slice slices[BATCH];
    pi_object *held[BATCH];
    ptrdiff_t at = start;
    polyipc_status status = count < 0 || start < 0 ? POLYIPC_INVALID : POLYIPC_OK;
    while (status == POLYIPC_OK && at < count && at - start < INT32_MAX - BATCH) {
        size_t bytes, put = 0;
        const int n = borrow(messages, at, count, held, slices, &bytes);
        if (n < 0)
            return -POLYIPC_INVALID;
        status = POLYIPC_FULL;
        if (bytes <= QUICK)
            status = polyipc_queue_put_many(q, slices, (size_t)n, f, POLYIPC_TRY, &put);
        if (status == POLYIPC_FULL && (bytes > QUICK || timeout_us != 0)) {
            void *thread = py->PyEval_SaveThread();
            status = polyipc_queue_put_many(q, slices, (size_t)n, f, left(&limit), &put);
            py->PyEval_RestoreThread(thread);
        }
        for (int i = 0; i < n; i++)
            py->Py_DecRef(held[i]);
        if (status == POLYIPC_OK)
            at += (ptrdiff_t)put;
    }
    return at > start || status == POLYIPC_OK ? (int)(at - start) : -(int)status;
}

/* ---- get -------------------------------------------------------------------------------- */

/* One message on its way to Python. */
struct taken {
    pi_object *bytes; /* NULL: it is in small */
    size_t size;
    polyipc_format format;
    polyipc_lease *lease; /* NULL: a plain get */
};

static polyipc_status take(polyipc_queue queue, void *to, size_t capacity, int64_t ns, struct taken *t) {
    if (t->lease != NULL)
        return polyipc_queue_lease(queue, to, capacity, ns, t->lease, &t->size, &t->format);
    return polyipc_queue_get(queue, to, capacity, ns, &t->size, &t->format);
}

/* Tries with the GIL held; waits, and copies what is large, without it. A message that does not fit
 * stays in the queue, and may be another's by the time there is a place for it: then the wait
 * goes on. NO_MEMORY means that a Python exception is set. */
static polyipc_status take_or_wait(polyipc_queue queue, struct taken *t, char *small, int timeout_us) {
    const struct pi_python *py = python();
    struct limit limit = {timeout_us, 0};
    char *to = small;
    size_t capacity = SMALL;
    polyipc_status status = take(queue, to, capacity, POLYIPC_TRY, t);
    for (;;) {
        if (status == POLYIPC_EMPTY && timeout_us != 0) {
            const int64_t ns = left(&limit);
            void *thread = py->PyEval_SaveThread();
            status = take(queue, to, capacity, ns, t);
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
            status = take(queue, to, capacity, POLYIPC_TRY, t);
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

/* A tuple of the items, whose references it takes; NULL if one of them is. */
static pi_object *tuple(pi_object **items, int count) {
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

/* A message as Python gets it; takes the reference to bytes, which may be NULL. */
static pi_object *message(pi_object *bytes, polyipc_format format) {
    if (format == POLYIPC_MSGPACK || bytes == NULL)
        return bytes;
    return tuple((pi_object *[]){bytes, python()->PyLong_FromLong((long)format)}, 2);
}

/* The failure as an int. An exception is set for NO_MEMORY of Python's own, not of ours. */
static pi_object *failure(polyipc_status status) { return python()->PyLong_FromLong((long)status); }

pi_object *polyipc_py_queue_get(int queue, int timeout_us) {
    char small[SMALL];
    struct taken t = {.bytes = NULL};
    const polyipc_status status = take_or_wait((polyipc_queue){(uint32_t)queue}, &t, small, timeout_us);
    if (status == POLYIPC_OK)
        return message(t.bytes, t.format);
    return failure(status);
}

pi_object *polyipc_py_queue_lease(int queue, int timeout_us) {
    const struct pi_python *py = python();
    char small[SMALL];
    polyipc_lease lease;
    struct taken t = {.bytes = NULL, .lease = &lease};
    const polyipc_status status = take_or_wait((polyipc_queue){(uint32_t)queue}, &t, small, timeout_us);
    if (status != POLYIPC_OK)
        return failure(status);
    pi_object *items[] = {t.bytes, py->PyLong_FromLong((long)t.format),
                          py->PyBytes_FromStringAndSize((const char *)&lease, sizeof lease),
                          py->PyLong_FromLong((long)lease.deliveries)};
    return tuple(items, 4);
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

pi_object *polyipc_py_queue_get_many(int queue, int max_count, int timeout_us) {
    const struct pi_python *py = python();
    const polyipc_queue q = {(uint32_t)queue};
    char buffer[QUICK];
    polyipc_message messages[BATCH];
    pi_object *list = py->PyList_New(0);
    polyipc_status status = POLYIPC_OK;
    int count = 0;
    while (list != NULL && count < max_count) {
        const int want = max_count - count < BATCH ? max_count - count : BATCH;
        size_t n = 0;
        status = polyipc_queue_get_many(q, buffer, sizeof buffer, messages, (size_t)want, POLYIPC_TRY, &n);
        if (status == POLYIPC_EMPTY && count == 0 && timeout_us != 0) {
            void *thread = py->PyEval_SaveThread();
            status = polyipc_queue_get_many(q, buffer, sizeof buffer, messages, (size_t)want,
                                            timeout_us * MICROSECOND, &n);
            py->PyEval_RestoreThread(thread);
        }
        bool failed = false;
        if (status == POLYIPC_TOO_SMALL) { /* even one: it gets a place of its own */
            struct taken t = {.bytes = NULL};
            status = take_or_wait(q, &t, buffer, count == 0 ? timeout_us : 0);
            if (status == POLYIPC_OK)
                failed = !append(list, message(t.bytes, t.format));
            count++;
        }
        for (size_t i = 0; i < n && !failed; i++)
            failed = !append(list, message(py->PyBytes_FromStringAndSize(buffer + messages[i].offset,
                                                                         (ptrdiff_t)messages[i].size),
                                           messages[i].format));
        count += (int)n;
        if (failed) {
            py->Py_DecRef(list);
            return NULL;
        }
        if (status != POLYIPC_OK)
            break;
    }
    if (list == NULL || py->PyList_Size(list) > 0 || max_count <= 0)
        return list;
    py->Py_DecRef(list);
    return failure(status);
}
