/* calls_queue.h - the calls of polyipc/queue.h; see calls.h. */
#ifndef PI_CALLS_QUEUE_H
#define PI_CALLS_QUEUE_H

#define PI_QUEUE_CALLS(PLAIN, GATED, QUICK)                                                                  \
    GATED(queue_create, (const char *name, const polyipc_queue_options *options, polyipc_queue *out_queue),  \
          ((char *)name, (polyipc_queue_options *)options, out_queue))                                       \
    GATED(queue_open, (const char *name, const polyipc_queue_options *options, polyipc_queue *out_queue),    \
          ((char *)name, (polyipc_queue_options *)options, out_queue))                                       \
    GATED(queue_open_or_create,                                                                              \
          (const char *name, const polyipc_queue_options *options, polyipc_queue *out_queue),                \
          ((char *)name, (polyipc_queue_options *)options, out_queue))                                       \
    GATED(queue_poll_fd, (polyipc_queue queue, uint32_t what, int *out_fd), (queue, what, out_fd))           \
    GATED(queue_close, (polyipc_queue queue), (queue))                                                       \
    GATED(queue_unlink, (const char *name, const char *root), ((char *)name, (char *)root))                  \
    PLAIN(queue_name, (polyipc_queue queue, char *buffer, size_t capacity), (queue, buffer, capacity))       \
    QUICK(queue_put,                                                                                         \
          (polyipc_queue queue, const void *data, size_t size, polyipc_format format, int64_t timeout_ns),   \
          (queue, (void *)data, size, format, timeout_ns))                                                   \
    PLAIN(queue_put_referring,                                                                               \
          (polyipc_queue queue, const void *data, size_t size, polyipc_format format,                        \
           const polyipc_reference *references, size_t count, int64_t timeout_ns),                           \
          (queue, (void *)data, size, format, (polyipc_reference *)references, count, timeout_ns))           \
    QUICK(queue_put_many,                                                                                    \
          (polyipc_queue queue, const polyipc_slice *messages, size_t count, polyipc_format format,          \
           int64_t timeout_ns, size_t *out_count),                                                           \
          (queue, (polyipc_slice *)messages, count, format, timeout_ns, out_count))                          \
    QUICK(queue_get,                                                                                         \
          (polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout_ns, size_t *out_size,         \
           polyipc_format *out_format),                                                                      \
          (queue, buffer, capacity, timeout_ns, out_size, out_format))                                       \
    QUICK(queue_get_many,                                                                                    \
          (polyipc_queue queue, void *buffer, size_t capacity, polyipc_message *out_messages,                \
           size_t max_count, int64_t timeout_ns, size_t *out_count),                                         \
          (queue, buffer, capacity, out_messages, max_count, timeout_ns, out_count))                         \
    QUICK(queue_lease,                                                                                       \
          (polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout_ns, polyipc_lease *out_lease, \
           size_t *out_size, polyipc_format *out_format),                                                    \
          (queue, buffer, capacity, timeout_ns, out_lease, out_size, out_format))                            \
    PLAIN(queue_ack, (polyipc_queue queue, const polyipc_lease *lease), (queue, (polyipc_lease *)lease))     \
    PLAIN(queue_nack, (polyipc_queue queue, const polyipc_lease *lease), (queue, (polyipc_lease *)lease))    \
    PLAIN(queue_task_done, (polyipc_queue queue), (queue))                                                   \
    PLAIN(queue_join, (polyipc_queue queue, int64_t timeout_ns), (queue, timeout_ns))                        \
    PLAIN(queue_shutdown, (polyipc_queue queue, int immediate), (queue, immediate))                          \
    PLAIN(queue_size, (polyipc_queue queue, int64_t *out_size), (queue, out_size))                           \
    PLAIN(queue_stat, (polyipc_queue queue, polyipc_queue_stat_t * out_stat), (queue, out_stat))

#endif
