/* pyshim.h - functions for the Python binding, and its manual. Not installed; C programs have no
 * use for it.
 *
 * They exist because of what ctypes costs: a call whose result is a fresh bytes object, made in C
 * with one copy, is several times quicker than a get into a ctypes buffer that is then sliced.
 * They need no Python headers and fit every Python: the binding passes the addresses of the few
 * functions of Python's stable ABI that they call.
 *
 * Load the library with PyDLL for the functions here (they are entered with the GIL held and
 * release it themselves) and with CDLL for everything else. Leave argtypes unset except where said:
 * converting by argtypes costs more than the call itself. ctypes then passes an int as a C int and
 * a bytes object as a char pointer, which is why everything here is an int. The binding must see to
 * it that ints fit: others are cut without a word.
 *
 *   shims = ctypes.PyDLL(path)
 *   names = ("PyBytes_FromStringAndSize", ...)    the order of POLYIPC_PY_FUNCTIONS
 *   table = (ctypes.c_void_p * len(names))(
 *       *(ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p) for n in names))
 *   shims.polyipc_py_init(table, len(names))      0, or a status; once a process, children inherit it
 *   get = shims.polyipc_py_queue_get
 *   get.restype = ctypes.py_object
 *
 * queue is the id of a polyipc_queue. format is POLYIPC_RAW or POLYIPC_MSGPACK.
 *
 * timeout_us is in microseconds: 0 tries, negative waits for ever, positive waits so long. A longer
 * wait than 2^31 microseconds (36 minutes) is several calls.
 *
 * A message comes as
 *   bytes                     if its format is POLYIPC_MSGPACK
 *   (bytes, format)           if it is another, POLYIPC_RAW at present
 * and a failure as an int, the status; polyipc_error_detail has the text, in the same thread. So
 * the quick path of a get is one test: type(result) is bytes.
 *
 * Signals: Python runs its handlers in the main thread alone, and only between bytecodes. The main
 * thread must call polyipc_thread_interruptible(1) before its first wait, and other threads need not;
 * then a wait ends with POLYIPC_INTERRUPTED when a signal came, and at least every 200 ms. The
 * binding goes round a loop with the time that is left, and Python runs handlers in between. The
 * setting survives a fork in the thread that forks, which is the child's main thread: call it there
 * too if the forking thread was not the parent's main thread (os.register_at_fork).
 *
 * The GIL is held while a try that needs no waiting copies at most 64 KiB, and released for all
 * else. Held up by a lock whose owner is stopped, a try takes up to 100 ms.
 *
 * When Python cannot allocate, they return NULL with MemoryError set; a message of up to 16 KiB that
 * was just taken is then lost, as with any plain get by a process that dies. */
#ifndef PI_PYSHIM_H
#define PI_PYSHIM_H

#include <polyipc.h>

typedef struct pi_object pi_object; /* a Python object, opaque */

/* X(name, result, parameters): what the shims need of Python, in the order of polyipc_py_init. */
#define POLYIPC_PY_FUNCTIONS(X)                                          \
    X(PyBytes_FromStringAndSize, pi_object *, (const char *, ptrdiff_t)) \
    X(PyBytes_AsStringAndSize, int, (pi_object *, char **, ptrdiff_t *)) \
    X(_PyBytes_Resize, int, (pi_object **, ptrdiff_t))                   \
    X(PyLong_FromLong, pi_object *, (long))                              \
    X(PyTuple_New, pi_object *, (ptrdiff_t))                             \
    X(PyTuple_SetItem, int, (pi_object *, ptrdiff_t, pi_object *))       \
    X(PyList_New, pi_object *, (ptrdiff_t))                              \
    X(PyList_Append, int, (pi_object *, pi_object *))                    \
    X(PyList_Size, ptrdiff_t, (pi_object *))                             \
    X(PyList_GetItem, pi_object *, (pi_object *, ptrdiff_t))             \
    X(Py_IncRef, void, (pi_object *))                                    \
    X(Py_DecRef, void, (pi_object *))                                    \
    X(PyEval_SaveThread, void *, (void))                                 \
    X(PyEval_RestoreThread, void, (void *))

/* Takes the addresses. INVALID when count is not that of POLYIPC_PY_FUNCTIONS or one is NULL. */
POLYIPC_API int polyipc_py_init(const void *const *addresses, int count);

/* Puts one message: put(queue, data, len(data), format, timeout_us) with bytes data. Returns the
 * status. restype: none needed. */
POLYIPC_API int polyipc_py_queue_put(int queue, const char *data, int size, int format, int timeout_us);

/* Puts the bytes objects messages[start:]. Returns how many were put, at least 1; less than all
 * when the time was over or the queue is shut down; or minus the status if none was. TypeError for
 * an element that is not bytes. argtypes: c_int, py_object, c_int, c_int, c_int. */
POLYIPC_API int polyipc_py_queue_put_many(int queue, pi_object *messages, int start, int format,
                                          int timeout_us);

/* Gets one message. restype py_object. */
POLYIPC_API pi_object *polyipc_py_queue_get(int queue, int timeout_us);

/* Waits for one message and takes what else is there: a list of 1 to max_count messages.
 * restype py_object. */
POLYIPC_API pi_object *polyipc_py_queue_get_many(int queue, int max_count, int timeout_us);

/* Leases one message: (body, format, lease, deliveries). lease is a bytes object that holds a
 * polyipc_lease: polyipc_queue_ack(queue, lease) through CDLL. restype py_object. */
POLYIPC_API pi_object *polyipc_py_queue_lease(int queue, int timeout_us);

#endif
