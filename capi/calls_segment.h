/* calls_segment.h - the calls of polyipc/segment.h; see calls.h. */
#ifndef PI_CALLS_SEGMENT_H
#define PI_CALLS_SEGMENT_H

#define PI_SEGMENT_CALLS(PLAIN, GATED, QUICK)                                                              \
    GATED(segment_create,                                                                                  \
          (const char *name, const polyipc_segment_options *options, polyipc_segment *out_segment),        \
          ((char *)name, (polyipc_segment_options *)options, out_segment))                                 \
    GATED(segment_open,                                                                                    \
          (const char *name, const polyipc_segment_options *options, polyipc_segment *out_segment),        \
          ((char *)name, (polyipc_segment_options *)options, out_segment))                                 \
    GATED(segment_open_or_create,                                                                          \
          (const char *name, const polyipc_segment_options *options, polyipc_segment *out_segment),        \
          ((char *)name, (polyipc_segment_options *)options, out_segment))                                 \
    GATED(segment_close, (polyipc_segment segment), (segment))                                             \
    GATED(py_segment_leave, (polyipc_segment segment), (segment))                                          \
    GATED(segment_unlink, (const char *name, const char *root), ((char *)name, (char *)root))              \
    PLAIN(segment_name, (polyipc_segment segment, char *buffer, size_t capacity),                          \
          (segment, buffer, capacity))                                                                     \
    PLAIN(segment_data, (polyipc_segment segment, void **out_data, int64_t *out_bytes),                    \
          (segment, out_data, out_bytes))                                                                  \
    PLAIN(segment_grow, (polyipc_segment segment, int64_t bytes), (segment, bytes))                        \
    PLAIN(segment_describe, (polyipc_segment segment, polyipc_segment_type_t * out_type),                  \
          (segment, out_type))                                                                             \
    QUICK(segment_lock, (polyipc_segment segment, int64_t timeout_ns, int *out_owner_died),                \
          (segment, timeout_ns, out_owner_died))                                                           \
    QUICK(segment_unlock, (polyipc_segment segment), (segment))                                            \
    QUICK(segment_load, (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t *out_value),    \
          (segment, offset, width, out_value))                                                             \
    QUICK(segment_store, (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value),        \
          (segment, offset, width, value))                                                                 \
    QUICK(segment_exchange,                                                                                \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_add,                                                                                     \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_sub,                                                                                     \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_and,                                                                                     \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_or,                                                                                      \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_xor,                                                                                     \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t value, uint64_t *out_before), \
          (segment, offset, width, value, out_before))                                                     \
    QUICK(segment_compare_exchange,                                                                        \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t expected, uint64_t desired,   \
           uint64_t *out_before),                                                                          \
          (segment, offset, width, expected, desired, out_before))                                         \
    QUICK(segment_wait,                                                                                    \
          (polyipc_segment segment, int64_t offset, uint32_t width, uint64_t expected, int64_t timeout_ns, \
           uint64_t *out_value),                                                                           \
          (segment, offset, width, expected, timeout_ns, out_value))                                       \
    QUICK(segment_notify, (polyipc_segment segment, int64_t offset), (segment, offset))                    \
    PLAIN(segment_stat, (polyipc_segment segment, polyipc_segment_stat_t * out_stat), (segment, out_stat))

#endif
