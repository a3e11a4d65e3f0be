/* polyipc_manager_types.h - the functions of polyipc_manager.h for each type; that is the one to include. */
#ifndef POLYIPC_MANAGER_TYPES_H
#define POLYIPC_MANAGER_TYPES_H

/* ---- dict ------------------------------------------------------------------------------- */

static inline polyipc_status polyipc_managed_dict_set(polyipc_managed dict, const char *key,
                                                      msgpack_object value, int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 2);
    polyipc_mg_text(&a, key);
    polyipc_mg_object(&a, value);
    return polyipc_mg_do_plain(dict, "set", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_dict_set_packed(polyipc_managed dict, const char *key,
                                                             const void *value, size_t size,
                                                             int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 2);
    polyipc_mg_text(&a, key);
    polyipc_mg_bytes(&a, value, size);
    return polyipc_mg_do_plain(dict, "set", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_dict_get(polyipc_managed dict, const char *key,
                                                      int64_t timeout_ns, msgpack_zone *zone,
                                                      msgpack_object *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_text(&a, key);
    return polyipc_mg_do_value(dict, "getitem", &a, timeout_ns, zone, out_value);
}

static inline polyipc_status polyipc_managed_dict_delete(polyipc_managed dict, const char *key,
                                                         int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_text(&a, key);
    return polyipc_mg_do_plain(dict, "delete", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_dict_contains(polyipc_managed dict, const char *key,
                                                           int64_t timeout_ns, bool *out) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_text(&a, key);
    return polyipc_mg_do_bool(dict, "contains", &a, timeout_ns, out);
}

static inline polyipc_status polyipc_managed_dict_len(polyipc_managed dict, int64_t timeout_ns,
                                                      int64_t *out_len) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_int(dict, "len", &a, timeout_ns, out_len);
}

static inline polyipc_status polyipc_managed_dict_increment(polyipc_managed dict, const char *key, int64_t by,
                                                            int64_t timeout_ns, int64_t *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 2);
    polyipc_mg_text(&a, key);
    polyipc_mg_int(&a, by);
    return polyipc_mg_do_int(dict, "increment", &a, timeout_ns, out_value);
}

static inline polyipc_status polyipc_managed_dict_compare_and_set(polyipc_managed dict, const char *key,
                                                                  msgpack_object expected,
                                                                  msgpack_object value, int64_t timeout_ns,
                                                                  bool *out_set) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 3);
    polyipc_mg_text(&a, key);
    polyipc_mg_object(&a, expected);
    polyipc_mg_object(&a, value);
    return polyipc_mg_do_bool(dict, "compare_and_set", &a, timeout_ns, out_set);
}

/* ---- list ------------------------------------------------------------------------------- */

static inline polyipc_status polyipc_managed_list_append(polyipc_managed list, msgpack_object value,
                                                         int64_t timeout_ns, int64_t *out_len) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_object(&a, value);
    return polyipc_mg_do_int(list, "append", &a, timeout_ns, out_len);
}

static inline polyipc_status polyipc_managed_list_append_packed(polyipc_managed list, const void *value,
                                                                size_t size, int64_t timeout_ns,
                                                                int64_t *out_len) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_bytes(&a, value, size);
    return polyipc_mg_do_int(list, "append", &a, timeout_ns, out_len);
}

static inline polyipc_status polyipc_managed_list_get(polyipc_managed list, int64_t index, int64_t timeout_ns,
                                                      msgpack_zone *zone, msgpack_object *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_int(&a, index);
    return polyipc_mg_do_value(list, "get", &a, timeout_ns, zone, out_value);
}

static inline polyipc_status polyipc_managed_list_pop(polyipc_managed list, int64_t index, int64_t timeout_ns,
                                                      msgpack_zone *zone, msgpack_object *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_int(&a, index);
    return polyipc_mg_do_value(list, "pop", &a, timeout_ns, zone, out_value);
}

static inline polyipc_status polyipc_managed_list_len(polyipc_managed list, int64_t timeout_ns,
                                                      int64_t *out_len) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_int(list, "len", &a, timeout_ns, out_len);
}

/* ---- counter, value --------------------------------------------------------------------- */

static inline polyipc_status polyipc_managed_counter_increment(polyipc_managed counter, int64_t by,
                                                               int64_t timeout_ns, int64_t *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_int(&a, by);
    return polyipc_mg_do_int(counter, "increment", &a, timeout_ns, out_value);
}

static inline polyipc_status polyipc_managed_counter_get(polyipc_managed counter, int64_t timeout_ns,
                                                         int64_t *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_int(counter, "get", &a, timeout_ns, out_value);
}

static inline polyipc_status polyipc_managed_value_set(polyipc_managed value, msgpack_object to,
                                                       int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_object(&a, to);
    return polyipc_mg_do_plain(value, "set", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_value_get(polyipc_managed value, int64_t timeout_ns,
                                                       msgpack_zone *zone, msgpack_object *out_value) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_value(value, "get", &a, timeout_ns, zone, out_value);
}

/* ---- what waits ------------------------------------------------------------------------- */

/* How long the server may take to say that there is nothing. */
#define POLYIPC_MG_GRACE ((int64_t)2000000000)

static inline int64_t polyipc_mg_patience(int64_t timeout_ns) {
    return timeout_ns == POLYIPC_TRY ? POLYIPC_MG_GRACE : timeout_ns;
}

/* A method's argument block, false for a try. Else there is none: the call's own timeout ends the wait, and
 * what was given too late goes back. */
static inline void polyipc_mg_block(polyipc_mg_args *a, int64_t timeout_ns) {
    if (timeout_ns == POLYIPC_TRY)
        polyipc_mg_object(a, polyipc_msgpack_of_bool(false));
}

/* A put gives up where it waits, in the server: then the caller knows that nothing was put. */
static inline polyipc_status polyipc_mg_put(polyipc_managed queue, polyipc_mg_args *a, int64_t timeout_ns) {
    polyipc_status status;
    polyipc_mg_object(a, polyipc_msgpack_of_bool(timeout_ns != POLYIPC_TRY));
    polyipc_mg_object(a, timeout_ns < 0 ? polyipc_msgpack_of_nil()
                                        : polyipc_msgpack_of_double((double)timeout_ns / 1e9));
    status = polyipc_mg_do_plain(queue, "put", a,
                                 timeout_ns < 0 || timeout_ns > INT64_MAX - POLYIPC_MG_GRACE
                                     ? POLYIPC_FOREVER
                                     : timeout_ns + POLYIPC_MG_GRACE);
    return status == POLYIPC_FULL && timeout_ns != POLYIPC_TRY ? POLYIPC_TIMEOUT : status;
}

static inline polyipc_status polyipc_managed_queue_put(polyipc_managed queue, msgpack_object item,
                                                       int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 3);
    polyipc_mg_object(&a, item);
    return polyipc_mg_put(queue, &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_queue_put_packed(polyipc_managed queue, const void *item,
                                                              size_t size, int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 3);
    polyipc_mg_bytes(&a, item, size);
    return polyipc_mg_put(queue, &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_queue_get(polyipc_managed queue, int64_t timeout_ns,
                                                       msgpack_zone *zone, msgpack_object *out_item) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, timeout_ns == POLYIPC_TRY ? 1 : 0);
    polyipc_mg_block(&a, timeout_ns);
    return polyipc_mg_do_value(queue, "get", &a, polyipc_mg_patience(timeout_ns), zone, out_item);
}

static inline polyipc_status polyipc_managed_acquire(polyipc_managed object, int64_t timeout_ns,
                                                     bool *out_owner_died) {
    polyipc_mg_args a;
    int64_t acquired = 0;
    polyipc_status status;
    polyipc_mg_begin(&a, timeout_ns == POLYIPC_TRY ? 1 : 0);
    polyipc_mg_block(&a, timeout_ns);
    status = polyipc_mg_do_int(object, "acquire", &a, polyipc_mg_patience(timeout_ns), &acquired);
    if (status == POLYIPC_OK && acquired == 0)
        return POLYIPC_TIMEOUT;
    if (status == POLYIPC_OK && out_owner_died != NULL)
        *out_owner_died = acquired == 2;
    return status;
}

static inline polyipc_status polyipc_managed_release_lock(polyipc_managed object, int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_plain(object, "release", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_release_permits(polyipc_managed semaphore, int64_t count,
                                                             int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_int(&a, count);
    return polyipc_mg_do_plain(semaphore, "release", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_event_set(polyipc_managed event, int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_plain(event, "set", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_event_clear(polyipc_managed event, int64_t timeout_ns) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_plain(event, "clear", &a, timeout_ns);
}

static inline polyipc_status polyipc_managed_event_is_set(polyipc_managed event, int64_t timeout_ns,
                                                          bool *out) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_bool(event, "is_set", &a, timeout_ns, out);
}

static inline polyipc_status polyipc_managed_event_wait(polyipc_managed event, int64_t timeout_ns) {
    polyipc_mg_args a;
    bool is = true;
    polyipc_status status;
    polyipc_mg_begin(&a, 0);
    if (timeout_ns == POLYIPC_TRY)
        status = polyipc_mg_do_bool(event, "is_set", &a, polyipc_mg_patience(timeout_ns), &is);
    else
        status = polyipc_mg_do_plain(event, "wait", &a, timeout_ns);
    return status == POLYIPC_OK && !is ? POLYIPC_TIMEOUT : status;
}

static inline polyipc_status polyipc_managed_barrier_wait(polyipc_managed barrier, int64_t timeout_ns,
                                                          int64_t *out_index) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, 0);
    return polyipc_mg_do_int(barrier, "wait", &a, timeout_ns, out_index);
}

#endif
