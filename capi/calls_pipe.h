/* calls_pipe.h - the calls of polyipc/pipe.h; see calls.h. */
#ifndef PI_CALLS_PIPE_H
#define PI_CALLS_PIPE_H

#define PI_PIPE_CALLS(PLAIN, GATED, QUICK)                                                               \
    GATED(pipe_create, (const char *name, const polyipc_pipe_options *options, polyipc_pipe *out_pipe),  \
          ((char *)name, (polyipc_pipe_options *)options, out_pipe))                                     \
    GATED(pipe_open, (const char *name, const polyipc_pipe_options *options, polyipc_pipe *out_pipe),    \
          ((char *)name, (polyipc_pipe_options *)options, out_pipe))                                     \
    GATED(pipe_open_or_create,                                                                           \
          (const char *name, const polyipc_pipe_options *options, polyipc_pipe *out_pipe),               \
          ((char *)name, (polyipc_pipe_options *)options, out_pipe))                                     \
    GATED(pipe_pair,                                                                                     \
          (const char *name, const polyipc_pipe_options *options, polyipc_pipe *out_first,               \
           polyipc_pipe *out_second),                                                                    \
          ((char *)name, (polyipc_pipe_options *)options, out_first, out_second))                        \
    GATED(pipe_close, (polyipc_pipe pipe), (pipe))                                                       \
    GATED(pipe_unlink, (const char *name, const char *root), ((char *)name, (char *)root))               \
    PLAIN(pipe_name, (polyipc_pipe pipe, char *buffer, size_t capacity), (pipe, buffer, capacity))       \
    PLAIN(pipe_send_referring,                                                                           \
          (polyipc_pipe pipe, const void *data, size_t size, polyipc_format format,                      \
           const polyipc_reference *references, size_t count, int64_t timeout_ns),                       \
          (pipe, (void *)data, size, format, (polyipc_reference *)references, count, timeout_ns))        \
    QUICK(pipe_send,                                                                                     \
          (polyipc_pipe pipe, const void *data, size_t size, polyipc_format format, int64_t timeout_ns), \
          (pipe, (void *)data, size, format, timeout_ns))                                                \
    QUICK(pipe_recv,                                                                                     \
          (polyipc_pipe pipe, void *buffer, size_t capacity, int64_t timeout_ns, size_t *out_size,       \
           polyipc_format *out_format),                                                                  \
          (pipe, buffer, capacity, timeout_ns, out_size, out_format))                                    \
    GATED(pipe_poll_fd, (polyipc_pipe pipe, uint32_t what, int *out_fd), (pipe, what, out_fd))           \
    PLAIN(pipe_poll, (polyipc_pipe pipe, int64_t timeout_ns), (pipe, timeout_ns))                        \
    PLAIN(pipe_stat, (polyipc_pipe pipe, polyipc_pipe_stat_t * out_stat), (pipe, out_stat))

#endif
