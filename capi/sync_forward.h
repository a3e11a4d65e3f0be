/* sync_forward.h - the functions behind trampoline.c that are the same for several types of sync.h: they
 * tell Go which type it is. Included by trampoline.c alone. */
#ifndef PI_SYNC_FORWARD_H
#define PI_SYNC_FORWARD_H

#include "go.h"

#define PI_SYNC_TYPE(type, kind)                                                                             \
    static inline polyipc_status pg_##type##_create(const char *name, const polyipc_sync_options *options,   \
                                                    polyipc_##type *out) {                                   \
        return pg_sync_create(kind, (char *)name, (polyipc_sync_options *)options, (uint32_t *)out);         \
    }                                                                                                        \
    static inline polyipc_status pg_##type##_open(const char *name, const polyipc_sync_options *options,     \
                                                  polyipc_##type *out) {                                     \
        return pg_sync_open(kind, (char *)name, (polyipc_sync_options *)options, (uint32_t *)out);           \
    }                                                                                                        \
    static inline polyipc_status pg_##type##_open_or_create(                                                 \
        const char *name, const polyipc_sync_options *options, polyipc_##type *out) {                        \
        return pg_sync_open_or_create(kind, (char *)name, (polyipc_sync_options *)options, (uint32_t *)out); \
    }                                                                                                        \
    static inline polyipc_status pg_##type##_close(polyipc_##type handle) {                                  \
        return pg_sync_close(kind, handle.id);                                                               \
    }                                                                                                        \
    static inline polyipc_status pg_##type##_name(polyipc_##type handle, char *buffer, size_t capacity) {    \
        return pg_sync_name(kind, handle.id, buffer, capacity);                                              \
    }                                                                                                        \
    static inline polyipc_status pg_##type##_stat(polyipc_##type handle, polyipc_sync_stat_t *out_stat) {    \
        return pg_sync_stat(kind, handle.id, out_stat);                                                      \
    }

PI_SYNC_TYPE(lock, PI_LOCK)
PI_SYNC_TYPE(rlock, PI_RLOCK)
PI_SYNC_TYPE(semaphore, PI_SEMAPHORE)
PI_SYNC_TYPE(bounded_semaphore, PI_BOUNDED_SEMAPHORE)
PI_SYNC_TYPE(condition, PI_CONDITION)
PI_SYNC_TYPE(event, PI_EVENT)
PI_SYNC_TYPE(barrier, PI_BARRIER)
PI_SYNC_TYPE(rwlock, PI_RWLOCK)

/* Those that are acquired. */
#define PI_SYNC_LOCK(type, kind)                                                                \
    static inline polyipc_status pg_##type##_acquire(polyipc_##type handle, int64_t timeout_ns, \
                                                     int *out_owner_died) {                     \
        return pg_sync_acquire(kind, handle.id, timeout_ns, out_owner_died);                    \
    }                                                                                           \
    static inline polyipc_status pg_##type##_release(polyipc_##type handle) {                   \
        return pg_sync_release(kind, handle.id, 1);                                             \
    }

PI_SYNC_LOCK(lock, PI_LOCK)
PI_SYNC_LOCK(rlock, PI_RLOCK)
PI_SYNC_LOCK(condition, PI_CONDITION)

#define PI_SYNC_OWNED(type, kind)                                                           \
    static inline polyipc_status pg_##type##_owned(polyipc_##type handle, int *out_owned) { \
        return pg_sync_owned(kind, handle.id, out_owned);                                   \
    }

PI_SYNC_OWNED(rlock, PI_RLOCK)
PI_SYNC_OWNED(condition, PI_CONDITION)

#define PI_SYNC_SEMAPHORE(type, kind)                                                             \
    static inline polyipc_status pg_##type##_acquire(polyipc_##type handle, int64_t timeout_ns) { \
        return pg_sync_acquire(kind, handle.id, timeout_ns, NULL);                                \
    }                                                                                             \
    static inline polyipc_status pg_##type##_release(polyipc_##type handle, uint32_t count) {     \
        return pg_sync_release(kind, handle.id, count);                                           \
    }                                                                                             \
    static inline polyipc_status pg_##type##_value(polyipc_##type handle, int64_t *out_value) {   \
        return pg_sync_value(kind, handle.id, out_value);                                         \
    }

PI_SYNC_SEMAPHORE(semaphore, PI_SEMAPHORE)
PI_SYNC_SEMAPHORE(bounded_semaphore, PI_BOUNDED_SEMAPHORE)

#endif
