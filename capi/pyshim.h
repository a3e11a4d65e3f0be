/* pyshim.h - functions for the Python binding, and its manual. Not installed; C programs have no
 * use for it.
 *
 * They exist because of what ctypes costs: a call through it takes longer than a put or get itself,
 * and a message would be copied once more. So the verbs that move messages are made into builtin
 * functions of Python, which it calls directly, and which make the objects they return. This needs
 * no Python headers and fits every Python from 3.9 on: the binding passes the addresses of the few
 * functions of Python's stable ABI that are used here, and of that ABI are also the struct and the
 * signature of a builtin function.
 *
 *   shims = ctypes.PyDLL(path)                     entered with the GIL held; all else through CDLL
 *   names = ("PyBytes_FromStringAndSize", ...)     the order of POLYIPC_PY_FUNCTIONS
 *   table = (ctypes.c_void_p * len(names))(
 *       *(ctypes.cast(getattr(ctypes.pythonapi, n), ctypes.c_void_p) for n in names))
 *   shims.polyipc_py_init(table, len(names), ctypes.py_object(tell))    0, or a status; once a process,
 *                                                  children inherit it; tell must stay, see Events
 *   shims.polyipc_py_queue.restype = ctypes.py_object
 *   put, put_many, get, get_many, lease, ack, nack = shims.polyipc_py_queue(id)
 *
 * The functions belong to the queue whose handle has that id; when it is closed they fail. They take
 * what is listed here, by position; ints of other sizes and other types raise.
 *
 *   put(body, format, ns)              the status of putting a bytes object
 *   put_many(bodies, start, format, ns)  puts bodies[start:] of a list of bytes objects: how many, at
 *                                      least 1, and less than all when the time was over or the queue
 *                                      is shut down; minus the status if it was none; 0 of none
 *   get(ns)                            a message
 *   get_many(most, ns)                 waits for one message and takes what else is there: a list of
 *                                      1 to most of them
 *   lease(ns)                          (body, format, lease, deliveries); lease is a bytes object that
 *                                      holds a polyipc_lease
 *   ack(lease), nack(lease)            the status
 *
 * format is POLYIPC_RAW or POLYIPC_MSGPACK. ns is a timeout as in polyipc/queue.h: 0 tries, negative
 * waits for ever.
 *
 * A message comes as
 *   bytes                     if its format is POLYIPC_MSGPACK
 *   (bytes, format)           if it is another, POLYIPC_RAW at present
 * and a failure as an int, the status; polyipc_error_detail has the text, in the same thread. So
 * the quick path of a get is one test: type(result) is bytes.
 *
 * Signals: Python runs its handlers in the main thread alone. The main thread must call
 * polyipc_thread_interruptible(1) before its first wait, and other threads need not; then a wait ends
 * with POLYIPC_INTERRUPTED when a signal came, and at least every 200 ms. The binding has handlers
 * run and goes on with the time that is left. The setting survives a fork in the thread that forks,
 * which is the child's main thread: call it there too if the forking thread was not the parent's main
 * thread (os.register_at_fork).
 *
 * Events (docs/howto/watching.md) reach Python's logging without a callback at a bad moment:
 * polyipc_py_events is called once to begin with, and then takes what was collected since. The
 * functions above call tell, if there are events to take, before they do anything else: what a log
 * handler raises loses no message, and nothing of it is on the quick path but one load.
 *
 * The GIL is held while a try that needs no waiting copies at most 64 KiB, and in ack and nack; it is
 * released for all else. Held up by a lock whose owner is stopped, a try takes up to 100 ms.
 *
 * When Python cannot allocate, they raise MemoryError; a message of up to 16 KiB that was just taken
 * is then lost, as with any plain get by a process that dies. */
#ifndef PI_PYSHIM_H
#define PI_PYSHIM_H

#include <polyipc.h>

typedef struct pi_object pi_object; /* a Python object, opaque */

/* PyMethodDef, and what METH_FASTCALL has Python call. */
struct pi_method {
    const char *name;
    pi_object *(*call)(pi_object *self, pi_object *const *arguments, ptrdiff_t count);
    int flags;
    const char *doc;
};

/* X(name, result, parameters): what the shims need of Python, in the order of polyipc_py_init. */
#define POLYIPC_PY_FUNCTIONS(X)                                                             \
    X(PyBytes_FromStringAndSize, pi_object *, (const char *, ptrdiff_t))                    \
    X(PyBytes_AsStringAndSize, int, (pi_object *, char **, ptrdiff_t *))                    \
    X(_PyBytes_Resize, int, (pi_object **, ptrdiff_t))                                      \
    X(PyLong_FromLong, pi_object *, (long))                                                 \
    X(PyLong_AsLong, long, (pi_object *))                                                   \
    X(PyLong_FromLongLong, pi_object *, (long long))                                        \
    X(PyLong_FromUnsignedLongLong, pi_object *, (unsigned long long))                       \
    X(PyLong_AsUnsignedLongLongMask, unsigned long long, (pi_object *))                     \
    X(Py_BuildValue, pi_object *, (const char *, ...))                                      \
    X(PyTuple_GetItem, pi_object *, (pi_object *, ptrdiff_t))                               \
    X(PyTuple_New, pi_object *, (ptrdiff_t))                                                \
    X(PyTuple_SetItem, int, (pi_object *, ptrdiff_t, pi_object *))                          \
    X(PyList_New, pi_object *, (ptrdiff_t))                                                 \
    X(PyList_Append, int, (pi_object *, pi_object *))                                       \
    X(PyList_Size, ptrdiff_t, (pi_object *))                                                \
    X(PyList_GetItem, pi_object *, (pi_object *, ptrdiff_t))                                \
    X(Py_IncRef, void, (pi_object *))                                                       \
    X(Py_DecRef, void, (pi_object *))                                                       \
    X(PyErr_Occurred, pi_object *, (void))                                                  \
    X(PyErr_BadArgument, int, (void))                                                       \
    X(PyErr_CheckSignals, int, (void))                                                      \
    X(PyCFunction_NewEx, pi_object *, (const struct pi_method *, pi_object *, pi_object *)) \
    X(PyObject_CallObject, pi_object *, (pi_object *, pi_object *))                         \
    X(PyObject_Call, pi_object *, (pi_object *, pi_object *, pi_object *))                  \
    X(PyDict_New, pi_object *, (void))                                                      \
    X(PyDict_SetItem, int, (pi_object *, pi_object *, pi_object *))                         \
    X(PyTuple_Size, ptrdiff_t, (pi_object *))                                               \
    X(PyDict_Next, int, (pi_object *, ptrdiff_t *, pi_object **, pi_object **))             \
    X(PyObject_Type, pi_object *, (pi_object *))                                            \
    X(PyObject_Size, ptrdiff_t, (pi_object *))                                              \
    X(PyCapsule_New, pi_object *, (void *, const char *, void (*)(pi_object *)))            \
    X(PyCapsule_GetPointer, void *, (pi_object *, const char *))                            \
    X(PyEval_SaveThread, void *, (void))                                                    \
    X(PyEval_RestoreThread, void, (void *))

/* Takes the addresses, and what is called when there are events, without arguments. INVALID when count is
 * not that of POLYIPC_PY_FUNCTIONS or a pointer is NULL. */
POLYIPC_API int polyipc_py_init(const void *const *addresses, int count, pi_object *tell);

/* Takes the oldest events that fit into buffer, each a line of at most 4096 bytes: the level as a number
 * (-4 debug, 0 info, 4 warn, 8 error), a blank, and the text. *out_size is 0 when there are none.
 * INVALID for a NULL, or less than 4096 bytes. Begins the collecting when it is called first. */
POLYIPC_API polyipc_status polyipc_py_events(char *buffer, size_t capacity, size_t *out_size);

/* polyipc_process_spawn in two halves, for Python's subprocess: the value of POLYIPC_OBJECTS, without a NUL,
 * for a child that inherits the count descriptors in out_fds under these numbers. They are close-on-exec, and
 * closed by polyipc_py_let_go once the child is started. TOO_SMALL, with *out_size, leaves none open. */
POLYIPC_API polyipc_status polyipc_py_hand_over(const polyipc_process_object *objects, size_t count,
                                                char *buffer, size_t capacity, size_t *out_size,
                                                int32_t *out_fds);
POLYIPC_API polyipc_status polyipc_py_let_go(const int32_t *fds, size_t count);

/* polyipc_queue_put_referring and polyipc_pipe_send_referring for a message in pieces, 1 to 1,024 of them,
 * which it has one behind the other; it may refer to nothing. What is large is copied once, into the queue.
 */
POLYIPC_API polyipc_status polyipc_py_put_pieces(polyipc_queue queue, const polyipc_slice *pieces,
                                                 size_t pieces_count, polyipc_format format,
                                                 const polyipc_reference *references, size_t count,
                                                 int64_t timeout_ns);
POLYIPC_API polyipc_status polyipc_py_send_pieces(polyipc_pipe pipe, const polyipc_slice *pieces,
                                                  size_t pieces_count, polyipc_format format,
                                                  const polyipc_reference *references, size_t count,
                                                  int64_t timeout_ns);

/* The descriptor that an open handle has the object's file open with, -1 if the handle is not open. The
 * object has a user, and a pipe's end a holder, as long as a duplicate of it is open. */
POLYIPC_API int polyipc_py_descriptor(int handle);

/* The functions of a queue, bound to its handle: a tuple of (put, put_many, get, get_many, lease, ack,
 * nack). restype py_object. */
POLYIPC_API pi_object *polyipc_py_queue(int queue);

/* The functions of a pipe that was just opened, likewise, and what it is: ((send, recv), end, receives,
 * sends), the last three as ints. send and recv are put(body, format, ns) and get(ns) of a queue. */
POLYIPC_API pi_object *polyipc_py_pipe(int pipe);

/* The functions of a connection to a manager, bound to its handle: a tuple of
 *
 *   call(object, method, args, named, ns)   as polyipc_manager_call, of the calling thread; method, args and
 *                                           named are bytes objects, named may be empty
 *   finish(call, ns)
 *   next_event(subscription, ns)
 *   next_call(ns)                           (what, call, object, client, thread, body)
 *   reply(call, result)                     the status
 *   release(object, count)                  the status; may be called while garbage is collected
 *
 * The first three return a bytes object or the status, but (status, details) for REMOTE_ERROR, whose details
 * are a bytes object and may be empty. call has signal handlers run by itself, and gives the call up if one
 * raises or the time is over. The GIL is released throughout, but in release. restype py_object. */
POLYIPC_API pi_object *polyipc_py_manager(int manager);

/* The functions of an object of polyipc/sync.h, bound to its handle; type is an enum polyipc_sync_type.
 * restype py_object. A tuple of
 *
 *   (acquire, release)    of locks, rlocks and conditions
 *   (acquire, release, value)    of semaphores
 *   (wait, set, clear)    of events
 *   (read_lock, read_unlock, write_lock, write_unlock)
 *   ()                    of barriers
 *
 * acquire, wait and the locks take ns, the others nothing. All return the status, but
 * POLYIPC_OWNER_DIED for a lock that was acquired and whose former owner died; value how many
 * permits are free, or -status. */
POLYIPC_API pi_object *polyipc_py_sync(int type, int handle);

/* acquire and release as a program calls them, of a type that has them, or of a segment's lock: 0. yes and
 * none are True and None. restype py_object. A tuple of
 *
 *   acquire(block=True, timeout=None)   True if that was possible at once; else what slow_acquire
 *                                       returns, which gets the same arguments
 *   release(...)                        None; slow_release with what has arguments, or fails
 *   died()                              whether the former owner died, as the last acquire found;
 *                                       died(is) sets it
 *   held()                              (count, mine): how often this process acquired it through
 *                                       these functions, less what it released, and whether this
 *                                       thread was the last; held(by) counts by as well
 *
 * The functions own a reference to slow_acquire and slow_release. */
POLYIPC_API pi_object *polyipc_py_direct(int type, int handle, pi_object *slow_acquire,
                                         pi_object *slow_release, pi_object *yes, pi_object *none);

/* A function tree(object): 1 if the object is made of the given types alone, exactly, and holds none of them
 * that holds others twice, but for empty tuples; else 0. types is a tuple of at most 16: dict, list, tuple,
 * and then types that hold nothing, which alone may be keys. 0 also for more than 64 levels. It calls nothing
 * of Python's, so the object stays as it is meanwhile. restype py_object. */
POLYIPC_API pi_object *polyipc_py_tree(pi_object *types);

/* The functions of a segment's lock, bound to the segment's handle: (acquire, release). acquire takes ns,
 * an int, at which it looks only if it can't have the lock at once. Both return the status, but
 * POLYIPC_OWNER_DIED for a lock whose former owner died. restype py_object. */
POLYIPC_API pi_object *polyipc_py_segment_lock(int segment);

/* Closes a segment's handle, as polyipc_segment_close, but leaves its memory mapped until the process ends.
 */
POLYIPC_API polyipc_status polyipc_py_segment_leave(polyipc_segment segment);

/* The functions of a cell, bound to it: a tuple of
 *
 *   (load, store, exchange, add, sub, and_, or_, xor, compare_exchange, wait, notify)
 *
 * They take and return ints, with a sign or without one; of ints that are too large the low bits count. What
 * is changed gives the value from before. wait takes the expected value and ns: (value,), or the status. A
 * failure of the others calls fail with the status, which has to raise. restype py_object. */
POLYIPC_API pi_object *polyipc_py_segment_cell(int segment, long long offset, int width, int has_sign,
                                               pi_object *fail);

/* Waits of an event loop for what has no descriptor of its own. Each has a thread of the library while it
 * waits.
 *
 * loop_open makes a set of them and a descriptor, the library's, that is readable while loop_next has news.
 * loop_begin begins a wait of a verb for an object, with the lock of a condition's wait, 0 for its own, and
 * the owner that an rlock is to have. loop_next tells of one that ended: its status, of which the detail
 * tells, and two numbers; EMPTY if there is none. loop_cancel returns when nothing is left of a wait, of
 * which nobody is told then; what it had gotten it gives back. loop_interrupt ends the wait of a condition,
 * of which loop_next tells when it has the lock again. loop_close cancels all. A forked child's loops are its
 * own. LIMIT for more than a thousand waits in a process. */
enum pi_py_verb {
    PI_PY_ACQUIRED = 1, /* a lock, rlock, condition's lock or semaphore: whether the former owner died */
    PI_PY_READ_LOCKED,
    PI_PY_WRITE_LOCKED, /* whether a writer died */
    PI_PY_NOTIFIED, /* whether it was; whether the former owner of the lock died. Begun with the lock held */
    PI_PY_PASSED,   /* a barrier: the party's number */
    PI_PY_TURN,     /* the same; the turn of who came last, who has to pass or abort */
    PI_PY_JOINED,   /* a queue */
    PI_PY_TOLD,     /* a manager's connection: there is news */
};
POLYIPC_API polyipc_status polyipc_py_loop_open(uint32_t *out_loop, int *out_fd);
POLYIPC_API polyipc_status polyipc_py_loop_close(uint32_t loop);
POLYIPC_API polyipc_status polyipc_py_loop_begin(uint32_t loop, uint32_t verb, uint32_t object, uint32_t lock,
                                                 uint32_t owner, int64_t timeout_ns, uint64_t *out_wait);
POLYIPC_API polyipc_status polyipc_py_loop_next(uint32_t loop, uint64_t *out_wait, int32_t *out_status,
                                                uint64_t *out_first, uint64_t *out_second);
POLYIPC_API polyipc_status polyipc_py_loop_cancel(uint32_t loop, uint64_t wait);
POLYIPC_API polyipc_status polyipc_py_loop_interrupt(uint32_t loop, uint64_t wait);

/* News of a manager's connection. mind has it tell once when a call has ended, or with events when a
 * subscription has an event. news tells up to capacity numbers: that of a call, twice; that of a
 * subscription, twice and one more. */
POLYIPC_API polyipc_status polyipc_py_manager_mind(polyipc_manager manager, uint64_t number, int events);
POLYIPC_API polyipc_status polyipc_py_manager_news(polyipc_manager manager, uint64_t *to, size_t capacity,
                                                   size_t *out_count);

/* Owners besides threads, for tasks: a number that no thread of this process and no other owner has. An rlock
 * or condition is acquired as one if that needs no waiting, TIMEOUT if it does; the others are as those of
 * the calling thread. */
POLYIPC_API polyipc_status polyipc_py_owner(uint32_t *out_owner);
POLYIPC_API polyipc_status polyipc_py_acquire_as(uint32_t object, uint32_t owner, int *out_owner_died);
POLYIPC_API polyipc_status polyipc_py_release_as(uint32_t object, uint32_t owner);
POLYIPC_API polyipc_status polyipc_py_owned_by(uint32_t object, uint32_t owner, int *out_owned);

/* Odd while the event is set, and another number after each time that it was. */
POLYIPC_API polyipc_status polyipc_py_event_mark(polyipc_event event, uint32_t *out_mark);

#endif
