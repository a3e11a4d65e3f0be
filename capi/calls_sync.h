/* calls_sync.h - the calls of polyipc/sync.h; see calls.h.
 *
 * Go has one function for all types where they do the same: it takes the handle's kind (enum pi_kind)
 * and number. sync_forward.h has what stands between. */
#ifndef PI_CALLS_SYNC_H
#define PI_CALLS_SYNC_H

#define PI_SYNC_TYPE_CALLS(PLAIN, GATED, type)                                                             \
    GATED(type##_create, (const char *name, const polyipc_sync_options *options, polyipc_##type *out),     \
          (name, options, out))                                                                            \
    GATED(type##_open, (const char *name, const polyipc_sync_options *options, polyipc_##type *out),       \
          (name, options, out))                                                                            \
    GATED(type##_open_or_create,                                                                           \
          (const char *name, const polyipc_sync_options *options, polyipc_##type *out),                    \
          (name, options, out))                                                                            \
    GATED(type##_close, (polyipc_##type handle), (handle))                                                 \
    PLAIN(type##_name, (polyipc_##type handle, char *buffer, size_t capacity), (handle, buffer, capacity)) \
    PLAIN(type##_stat, (polyipc_##type handle, polyipc_sync_stat_t * out_stat), (handle, out_stat))

#define PI_SYNC_CALLS(PLAIN, GATED, QUICK)                                                               \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, lock)                                                               \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, rlock)                                                              \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, semaphore)                                                          \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, bounded_semaphore)                                                  \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, condition)                                                          \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, event)                                                              \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, barrier)                                                            \
    PI_SYNC_TYPE_CALLS(PLAIN, GATED, rwlock)                                                             \
    GATED(sync_unlink, (const char *name, const char *root), ((char *)name, (char *)root))               \
    QUICK(lock_acquire, (polyipc_lock lock, int64_t timeout_ns, int *out_owner_died),                    \
          (lock, timeout_ns, out_owner_died))                                                            \
    QUICK(lock_release, (polyipc_lock lock), (lock))                                                     \
    PLAIN(lock_locked, (polyipc_lock lock, int *out_locked), (lock, out_locked))                         \
    QUICK(rlock_acquire, (polyipc_rlock rlock, int64_t timeout_ns, int *out_owner_died),                 \
          (rlock, timeout_ns, out_owner_died))                                                           \
    QUICK(rlock_release, (polyipc_rlock rlock), (rlock))                                                 \
    PLAIN(rlock_owned, (polyipc_rlock rlock, int *out_owned), (rlock, out_owned))                        \
    QUICK(semaphore_acquire, (polyipc_semaphore semaphore, int64_t timeout_ns), (semaphore, timeout_ns)) \
    QUICK(semaphore_release, (polyipc_semaphore semaphore, uint32_t count), (semaphore, count))          \
    QUICK(semaphore_value, (polyipc_semaphore semaphore, int64_t *out_value), (semaphore, out_value))    \
    QUICK(bounded_semaphore_acquire, (polyipc_bounded_semaphore semaphore, int64_t timeout_ns),          \
          (semaphore, timeout_ns))                                                                       \
    QUICK(bounded_semaphore_release, (polyipc_bounded_semaphore semaphore, uint32_t count),              \
          (semaphore, count))                                                                            \
    QUICK(bounded_semaphore_value, (polyipc_bounded_semaphore semaphore, int64_t *out_value),            \
          (semaphore, out_value))                                                                        \
    QUICK(condition_acquire, (polyipc_condition condition, int64_t timeout_ns, int *out_owner_died),     \
          (condition, timeout_ns, out_owner_died))                                                       \
    QUICK(condition_release, (polyipc_condition condition), (condition))                                 \
    PLAIN(condition_owned, (polyipc_condition condition, int *out_owned), (condition, out_owned))        \
    PLAIN(condition_wait,                                                                                \
          (polyipc_condition condition, uint32_t lock, int64_t timeout_ns, polyipc_waiting *waiting,     \
           int *out_owner_died),                                                                         \
          (condition, lock, timeout_ns, waiting, out_owner_died))                                        \
    PLAIN(condition_notify, (polyipc_condition condition, uint32_t count), (condition, count))           \
    PLAIN(condition_notify_all, (polyipc_condition condition), (condition))                              \
    GATED(event_poll_fd, (polyipc_event event, uint32_t what, int *out_fd), (event, what, out_fd))       \
    QUICK(event_set, (polyipc_event event), (event))                                                     \
    QUICK(event_clear, (polyipc_event event), (event))                                                   \
    QUICK(event_is_set, (polyipc_event event, int *out_set), (event, out_set))                           \
    QUICK(event_wait, (polyipc_event event, int64_t timeout_ns), (event, timeout_ns))                    \
    PLAIN(barrier_wait,                                                                                  \
          (polyipc_barrier barrier, int64_t timeout_ns, int64_t *out_index, uint64_t *out_turn),         \
          (barrier, timeout_ns, out_index, out_turn))                                                    \
    PLAIN(barrier_pass, (polyipc_barrier barrier, uint64_t turn), (barrier, turn))                       \
    PLAIN(barrier_abort, (polyipc_barrier barrier), (barrier))                                           \
    PLAIN(barrier_reset, (polyipc_barrier barrier), (barrier))                                           \
    PLAIN(barrier_waiting, (polyipc_barrier barrier, int64_t *out_waiting, int *out_broken),             \
          (barrier, out_waiting, out_broken))                                                            \
    PLAIN(rwlock_read_lock, (polyipc_rwlock rwlock, int64_t timeout_ns), (rwlock, timeout_ns))           \
    PLAIN(rwlock_read_unlock, (polyipc_rwlock rwlock), (rwlock))                                         \
    PLAIN(rwlock_write_lock, (polyipc_rwlock rwlock, int64_t timeout_ns, int *out_owner_died),           \
          (rwlock, timeout_ns, out_owner_died))                                                          \
    PLAIN(rwlock_write_unlock, (polyipc_rwlock rwlock), (rwlock))                                        \
    PLAIN(py_owner, (uint32_t *out_owner), (out_owner))                                                  \
    PLAIN(py_acquire_as, (uint32_t object, uint32_t owner, int *out_owner_died),                         \
          (object, owner, out_owner_died))                                                               \
    PLAIN(py_release_as, (uint32_t object, uint32_t owner), (object, owner))                             \
    PLAIN(py_owned_by, (uint32_t object, uint32_t owner, int *out_owned), (object, owner, out_owned))    \
    PLAIN(py_event_mark, (polyipc_event event, uint32_t *out_mark), (event, out_mark))

#endif
