/* calls_manager.h - the calls of polyipc/manager.h; see calls.h. */
#ifndef PI_CALLS_MANAGER_H
#define PI_CALLS_MANAGER_H

#define PI_MANAGER_CALLS(PLAIN, GATED, QUICK)                                                               \
    GATED(manager_serve,                                                                                    \
          (const char *name, const polyipc_manager_options *options, polyipc_manager_server *out_server),   \
          ((char *)name, (polyipc_manager_options *)options, out_server))                                   \
    PLAIN(manager_server_wait, (polyipc_manager_server server, int64_t timeout_ns), (server, timeout_ns))   \
    PLAIN(manager_server_name, (polyipc_manager_server server, char *buffer, size_t capacity),              \
          (server, buffer, capacity))                                                                       \
    PLAIN(manager_server_address, (polyipc_manager_server server, char *buffer, size_t capacity),           \
          (server, buffer, capacity))                                                                       \
    GATED(manager_server_close, (polyipc_manager_server server), (server))                                  \
    GATED(manager_connect,                                                                                  \
          (const char *name, const polyipc_manager_options *options, int64_t timeout_ns,                    \
           polyipc_manager *out_manager),                                                                   \
          ((char *)name, (polyipc_manager_options *)options, timeout_ns, out_manager))                      \
    GATED(manager_reconnect, (polyipc_manager manager, int64_t timeout_ns), (manager, timeout_ns))          \
    GATED(manager_close, (polyipc_manager manager), (manager))                                              \
    PLAIN(manager_info, (polyipc_manager manager, polyipc_manager_info_t * out_info), (manager, out_info))  \
    PLAIN(manager_call,                                                                                     \
          (polyipc_manager manager, const polyipc_manager_call_t *call, int64_t timeout_ns, void *buffer,   \
           size_t capacity, size_t *out_size, uint64_t *out_call),                                          \
          (manager, (polyipc_manager_call_t *)call, timeout_ns, buffer, capacity, out_size, out_call))      \
    PLAIN(manager_start,                                                                                    \
          (polyipc_manager manager, const polyipc_manager_call_t *call, int64_t timeout_ns,                 \
           uint64_t *out_call),                                                                             \
          (manager, (polyipc_manager_call_t *)call, timeout_ns, out_call))                                  \
    PLAIN(manager_finish,                                                                                   \
          (polyipc_manager manager, uint64_t call, int64_t timeout_ns, void *buffer, size_t capacity,       \
           size_t *out_size),                                                                               \
          (manager, call, timeout_ns, buffer, capacity, out_size))                                          \
    PLAIN(manager_cancel, (polyipc_manager manager, uint64_t call), (manager, call))                        \
    PLAIN(manager_forget, (polyipc_manager manager, uint64_t call), (manager, call))                        \
    PLAIN(manager_batch,                                                                                    \
          (polyipc_manager manager, const void *calls, size_t size, uint64_t thread, int64_t timeout_ns,    \
           uint64_t *out_call),                                                                             \
          (manager, (void *)calls, size, thread, timeout_ns, out_call))                                     \
    PLAIN(manager_release, (polyipc_manager manager, uint64_t object, uint64_t count),                      \
          (manager, object, count))                                                                         \
    PLAIN(manager_next_event,                                                                               \
          (polyipc_manager manager, uint64_t subscription, int64_t timeout_ns, void *buffer,                \
           size_t capacity, size_t *out_size),                                                              \
          (manager, subscription, timeout_ns, buffer, capacity, out_size))                                  \
    PLAIN(manager_next_call,                                                                                \
          (polyipc_manager manager, int64_t timeout_ns, polyipc_manager_hosted_t *out_hosted, void *buffer, \
           size_t capacity, size_t *out_size),                                                              \
          (manager, timeout_ns, out_hosted, buffer, capacity, out_size))                                    \
    PLAIN(manager_reply, (polyipc_manager manager, uint64_t call, const void *result, size_t size),         \
          (manager, call, (void *)result, size))                                                            \
    PLAIN(manager_fail,                                                                                     \
          (polyipc_manager manager, uint64_t call, const char *type, const char *message,                   \
           const char *traceback),                                                                          \
          (manager, call, (char *)type, (char *)message, (char *)traceback))

#endif
