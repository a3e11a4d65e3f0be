/* calls_wait.h - the calls of polyipc/wait.h and polyipc/process.h; see calls.h. */
#ifndef PI_CALLS_WAIT_H
#define PI_CALLS_WAIT_H

#define PI_WAIT_CALLS(PLAIN, GATED, QUICK)                                                                   \
    PLAIN(wait, (polyipc_wait_item * items, size_t count, int64_t timeout_ns, size_t *out_ready),            \
          (items, count, timeout_ns, out_ready))                                                             \
    GATED(process_spawn,                                                                                     \
          (char *const *argv, const polyipc_process_object *objects, size_t count,                           \
           const polyipc_process_options *options, polyipc_process *out_process),                            \
          ((char **)argv, (polyipc_process_object *)objects, count, (polyipc_process_options *)options,      \
           out_process))                                                                                     \
    GATED(inherited, (const char *role, polyipc_kind kind, uint32_t flags, uint32_t *out_object),            \
          ((char *)role, kind, flags, out_object))                                                           \
    PLAIN(process_wait, (polyipc_process process, int64_t timeout_ns, int *out_status),                      \
          (process, timeout_ns, out_status))                                                                 \
    PLAIN(process_pid, (polyipc_process process, int *out_pid), (process, out_pid))                          \
    PLAIN(process_poll_fd, (polyipc_process process, int *out_fd), (process, out_fd))                        \
    PLAIN(process_kill, (polyipc_process process, int signal), (process, signal))                            \
    GATED(process_close, (polyipc_process process), (process))                                               \
    GATED(py_hand_over,                                                                                      \
          (const polyipc_process_object *objects, size_t count, char *buffer, size_t capacity,               \
           size_t *out_size, int32_t *out_fds),                                                              \
          ((polyipc_process_object *)objects, count, buffer, capacity, out_size, out_fds))                   \
    GATED(py_let_go, (const int32_t *fds, size_t count), ((int32_t *)fds, count))                            \
    GATED(py_loop_open, (uint32_t *out_loop, int *out_fd), (out_loop, out_fd))                               \
    GATED(py_loop_close, (uint32_t loop), (loop))                                                            \
    PLAIN(py_loop_begin,                                                                                     \
          (uint32_t loop, uint32_t verb, uint32_t object, uint32_t lock, uint32_t owner, int64_t timeout_ns, \
           uint64_t *out_wait),                                                                              \
          (loop, verb, object, lock, owner, timeout_ns, out_wait))                                           \
    PLAIN(                                                                                                   \
        py_loop_next,                                                                                        \
        (uint32_t loop, uint64_t *out_wait, int32_t *out_status, uint64_t *out_first, uint64_t *out_second), \
        (loop, out_wait, out_status, out_first, out_second))                                                 \
    PLAIN(py_loop_cancel, (uint32_t loop, uint64_t wait), (loop, wait))                                      \
    PLAIN(py_loop_interrupt, (uint32_t loop, uint64_t wait), (loop, wait))                                   \
    PLAIN(py_manager_mind, (polyipc_manager manager, uint64_t number, int events),                           \
          (manager, number, events))                                                                         \
    PLAIN(py_manager_news, (polyipc_manager manager, uint64_t *to, size_t capacity, size_t *out_count),      \
          (manager, to, capacity, out_count))

#endif
