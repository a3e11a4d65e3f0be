/* polyipc_manager.h - the objects of a manager in C, on top of polyipc/manager.h and polyipc_msgpack.h.
 *
 * polyipc/manager.h carries bytes: calls, and what they return. These functions pack the ones and read the
 * others. It is all inline: link with libpolyipc and with msgpack-c.
 *
 *     polyipc_managed scores;
 *     int64_t n;
 *     polyipc_managed_open(manager, "scores", "dict", NULL, 0, POLYIPC_FOREVER, &scores);
 *     polyipc_managed_dict_set(scores, "ada", polyipc_msgpack_of_int64(7), POLYIPC_FOREVER);
 *     polyipc_managed_dict_increment(scores, "ada", 1, POLYIPC_FOREVER, &n);
 *     polyipc_managed_release(scores);
 *
 * The objects and all their methods are in docs/spec/manager.md. Those used every day have functions here;
 * polyipc_managed_call() calls any.
 *
 * Results are msgpack_objects in the caller's zone. What a result refers to becomes an object by
 * polyipc_managed_of().
 *
 * Status. Each function is one call, and returns what polyipc_manager_call does. When a method fails, that is
 * REMOTE_ERROR, and polyipc_error_detail() has the sentence. The functions for a type's methods say NOT_FOUND
 * instead for KeyError and IndexError, and BROKEN for BrokenBarrierError. INTERRUPTED gives the call up; it
 * may have run. Out parameters of results may be NULL, and keep their values when a call fails.
 *
 * Timeouts are those of the call, as everywhere: nothing has happened for who gets TIMEOUT from a get or an
 * acquire. POLYIPC_TRY in a function that waits for something asks the server once, for which it has two
 * seconds; elsewhere it makes no sense.
 *
 * Threads. Any thread may call any function. Who owns a lock is the thread that called. */
#ifndef POLYIPC_MANAGER_HELPERS_H
#define POLYIPC_MANAGER_HELPERS_H

#include <polyipc/manager.h>
#include <polyipc/reference.h>
#include <polyipc_msgpack.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An object of a manager. */
typedef struct polyipc_managed {
    polyipc_manager manager;
    uint64_t object;
} polyipc_managed;

/* --- any object, any method --- */

/* Opens the object of that name, or makes it, with count arguments for its type. type NULL opens what there
 * is. The object is to be released. NOT_FOUND, WRONG_KIND. */
static inline polyipc_status polyipc_managed_open(polyipc_manager manager, const char *name, const char *type,
                                                  const msgpack_object *args, size_t count,
                                                  int64_t timeout_ns, polyipc_managed *out);

/* Makes an object without a name, likewise. */
static inline polyipc_status polyipc_managed_create(polyipc_manager manager, const char *type,
                                                    const msgpack_object *args, size_t count,
                                                    int64_t timeout_ns, polyipc_managed *out);

/* The manager itself, as an object. */
static inline polyipc_managed polyipc_managed_self(polyipc_manager manager);

/* The object that a value refers to, such as a list within a dict. Each time that a reference comes it
 * counts, in results, events and hosted calls, also if nobody reads it: release as many, or the object stays
 * as long as the connection. INVALID if value is no such reference, GONE if it is one to an object of another
 * server. */
static inline polyipc_status polyipc_managed_of(polyipc_manager manager, const msgpack_object *value,
                                                polyipc_managed *out);

/* Packs a reference to an object of that type, to be put into another one. */
static inline polyipc_status polyipc_managed_pack(msgpack_packer *pk, polyipc_managed object,
                                                  const char *type);

/* Gives a reference back: object is not to be used any more. */
static inline polyipc_status polyipc_managed_release(polyipc_managed object);

/* Calls a method. args is a packed array, named a packed map of text to values; either may be NULL.
 * *out_result lives in zone; both may be NULL. When it is REMOTE_ERROR, *out_result is an array of three
 * texts: the type of the exception, its message, and a traceback. */
static inline polyipc_status polyipc_managed_call(polyipc_managed object, const char *method,
                                                  const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                                  int64_t timeout_ns, msgpack_zone *zone,
                                                  msgpack_object *out_result);

/* Begins a call, and waits for its result, as polyipc_manager_start and polyipc_manager_finish. */
static inline polyipc_status polyipc_managed_start(polyipc_managed object, const char *method,
                                                   const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                                   int64_t timeout_ns, uint64_t *out_call);
static inline polyipc_status polyipc_managed_finish(polyipc_manager manager, uint64_t call,
                                                    int64_t timeout_ns, msgpack_zone *zone,
                                                    msgpack_object *out_result);

/* Whether the result of a REMOTE_ERROR is that exception. */
static inline bool polyipc_managed_raised(const msgpack_object *result, const char *type);

/* Subscribes to the changes of a dict, list or namespace, and waits for the next one: ["snapshot", value]
 * first. */
static inline polyipc_status polyipc_managed_watch(polyipc_managed object, int64_t timeout_ns,
                                                   uint64_t *out_subscription);
static inline polyipc_status polyipc_managed_next_event(polyipc_manager manager, uint64_t subscription,
                                                        int64_t timeout_ns, msgpack_zone *zone,
                                                        msgpack_object *out_event);

/* --- dict, by keys that are text --- */

static inline polyipc_status polyipc_managed_dict_set(polyipc_managed dict, const char *key,
                                                      msgpack_object value, int64_t timeout_ns);
/* The value is packed already: size bytes. */
static inline polyipc_status polyipc_managed_dict_set_packed(polyipc_managed dict, const char *key,
                                                             const void *value, size_t size,
                                                             int64_t timeout_ns);
static inline polyipc_status polyipc_managed_dict_get(polyipc_managed dict, const char *key,
                                                      int64_t timeout_ns, msgpack_zone *zone,
                                                      msgpack_object *out_value);
static inline polyipc_status polyipc_managed_dict_delete(polyipc_managed dict, const char *key,
                                                         int64_t timeout_ns);
static inline polyipc_status polyipc_managed_dict_contains(polyipc_managed dict, const char *key,
                                                           int64_t timeout_ns, bool *out);
static inline polyipc_status polyipc_managed_dict_len(polyipc_managed dict, int64_t timeout_ns,
                                                      int64_t *out_len);
/* A missing value counts as 0. */
static inline polyipc_status polyipc_managed_dict_increment(polyipc_managed dict, const char *key, int64_t by,
                                                            int64_t timeout_ns, int64_t *out_value);
static inline polyipc_status polyipc_managed_dict_compare_and_set(polyipc_managed dict, const char *key,
                                                                  msgpack_object expected,
                                                                  msgpack_object value, int64_t timeout_ns,
                                                                  bool *out_set);

/* --- list --- */

static inline polyipc_status polyipc_managed_list_append(polyipc_managed list, msgpack_object value,
                                                         int64_t timeout_ns, int64_t *out_len);
static inline polyipc_status polyipc_managed_list_append_packed(polyipc_managed list, const void *value,
                                                                size_t size, int64_t timeout_ns,
                                                                int64_t *out_len);
/* Negative indices count from the end. */
static inline polyipc_status polyipc_managed_list_get(polyipc_managed list, int64_t index, int64_t timeout_ns,
                                                      msgpack_zone *zone, msgpack_object *out_value);
static inline polyipc_status polyipc_managed_list_pop(polyipc_managed list, int64_t index, int64_t timeout_ns,
                                                      msgpack_zone *zone, msgpack_object *out_value);
static inline polyipc_status polyipc_managed_list_len(polyipc_managed list, int64_t timeout_ns,
                                                      int64_t *out_len);

/* --- counter, value --- */

static inline polyipc_status polyipc_managed_counter_increment(polyipc_managed counter, int64_t by,
                                                               int64_t timeout_ns, int64_t *out_value);
static inline polyipc_status polyipc_managed_counter_get(polyipc_managed counter, int64_t timeout_ns,
                                                         int64_t *out_value);
static inline polyipc_status polyipc_managed_value_set(polyipc_managed value, msgpack_object to,
                                                       int64_t timeout_ns);
static inline polyipc_status polyipc_managed_value_get(polyipc_managed value, int64_t timeout_ns,
                                                       msgpack_zone *zone, msgpack_object *out_value);

/* --- queue --- */

/* FULL after POLYIPC_TRY, TIMEOUT, SHUTDOWN. */
static inline polyipc_status polyipc_managed_queue_put(polyipc_managed queue, msgpack_object item,
                                                       int64_t timeout_ns);
static inline polyipc_status polyipc_managed_queue_put_packed(polyipc_managed queue, const void *item,
                                                              size_t size, int64_t timeout_ns);
/* EMPTY after POLYIPC_TRY, TIMEOUT, SHUTDOWN. */
static inline polyipc_status polyipc_managed_queue_get(polyipc_managed queue, int64_t timeout_ns,
                                                       msgpack_zone *zone, msgpack_object *out_item);

/* --- locks and their kin --- */

/* Of a lock, rlock, semaphore or condition. *out_owner_died: the former owner of the lock died with it. */
static inline polyipc_status polyipc_managed_acquire(polyipc_managed object, int64_t timeout_ns,
                                                     bool *out_owner_died);
static inline polyipc_status polyipc_managed_release_lock(polyipc_managed object, int64_t timeout_ns);
static inline polyipc_status polyipc_managed_release_permits(polyipc_managed semaphore, int64_t count,
                                                             int64_t timeout_ns);
static inline polyipc_status polyipc_managed_event_set(polyipc_managed event, int64_t timeout_ns);
static inline polyipc_status polyipc_managed_event_clear(polyipc_managed event, int64_t timeout_ns);
static inline polyipc_status polyipc_managed_event_is_set(polyipc_managed event, int64_t timeout_ns,
                                                          bool *out);
static inline polyipc_status polyipc_managed_event_wait(polyipc_managed event, int64_t timeout_ns);
/* TIMEOUT takes the arrival back. */
static inline polyipc_status polyipc_managed_barrier_wait(polyipc_managed barrier, int64_t timeout_ns,
                                                          int64_t *out_index);

/* Here ends the manual, but for hosting: polyipc_manager_host.h. */

#include "polyipc_manager_impl.h"

#ifdef __cplusplus
}
#endif

#include "polyipc_manager_host.h"

#endif
