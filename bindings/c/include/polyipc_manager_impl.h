/* polyipc_manager_impl.h - the bodies of polyipc_manager.h, which is the one to include. */
#ifndef POLYIPC_MANAGER_IMPL_H
#define POLYIPC_MANAGER_IMPL_H

/* ---- arguments -------------------------------------------------------------------------- */

typedef struct polyipc_mg_args {
    msgpack_sbuffer buffer;
    msgpack_packer pk;
    polyipc_status status;
} polyipc_mg_args;

static inline void polyipc_mg_packed(polyipc_mg_args *a, polyipc_status status) {
    if (a->status == POLYIPC_OK)
        a->status = status;
}

static inline void polyipc_mg_begin(polyipc_mg_args *a, size_t count) {
    msgpack_sbuffer_init(&a->buffer);
    msgpack_packer_init(&a->pk, &a->buffer, msgpack_sbuffer_write);
    a->status = polyipc_mp_packed(msgpack_pack_array(&a->pk, count));
}

static inline void polyipc_mg_text(polyipc_mg_args *a, const char *text) {
    if (text == NULL)
        polyipc_mg_packed(a, POLYIPC_INVALID);
    else
        polyipc_mg_packed(a, polyipc_msgpack_pack_str(&a->pk, text, strlen(text)));
}

static inline void polyipc_mg_int(polyipc_mg_args *a, int64_t n) {
    polyipc_mg_packed(a, polyipc_mp_packed(msgpack_pack_int64(&a->pk, n)));
}

static inline void polyipc_mg_object(polyipc_mg_args *a, msgpack_object value) {
    polyipc_mg_packed(a, polyipc_mp_packed(msgpack_pack_object(&a->pk, value)));
}

static inline void polyipc_mg_bytes(polyipc_mg_args *a, const void *value, size_t size) {
    if (value == NULL || size == 0)
        polyipc_mg_packed(a, POLYIPC_INVALID);
    else
        polyipc_mg_packed(a, polyipc_mp_packed(msgpack_sbuffer_write(&a->buffer, (const char *)value, size)));
}

/* ---- answers ---------------------------------------------------------------------------- */

/* The bytes of an answer: in small, or, if that is too small, in the zone, or, without one, from malloc. */
typedef struct polyipc_mg_answer {
    char small[4096];
    char *large;
    size_t size;
    msgpack_zone *zone;
} polyipc_mg_answer;

static inline const char *polyipc_mg_data(const polyipc_mg_answer *a) {
    return a->large != NULL ? a->large : a->small;
}

static inline void polyipc_mg_drop(polyipc_mg_answer *a) {
    if (a->zone == NULL)
        free(a->large);
}

/* Room for size bytes. */
static inline bool polyipc_mg_grow(polyipc_mg_answer *a, size_t size) {
    polyipc_mg_drop(a);
    a->large = (char *)(a->zone != NULL ? msgpack_zone_malloc(a->zone, size) : malloc(size));
    a->size = size;
    return a->large != NULL;
}

/* Reads an answer into *out. What it points to is copied into the zone; without one it may be a single value
 * that points to nothing. */
static inline polyipc_status polyipc_mg_read(polyipc_mg_answer *a, msgpack_object *out) {
    polyipc_mp_reader r;
    msgpack_object single;
    polyipc_status status;
    if (a->zone == NULL) {
        r.at = (const uint8_t *)polyipc_mg_data(a);
        r.end = r.at + a->size;
        r.owed = 1;
        r.depth = 0;
        r.zone = NULL;
        status = polyipc_mp_value(&r, false, &single);
        if (status == POLYIPC_OK)
            *out = single;
        return status;
    }
    if (a->large == NULL) {
        const size_t size = a->size;
        if (!polyipc_mg_grow(a, size))
            return POLYIPC_NO_MEMORY;
        memcpy(a->large, a->small, size);
    }
    return polyipc_msgpack_read(a->large, a->size, a->zone, out);
}

/* ---- calls ------------------------------------------------------------------------------ */

static inline polyipc_status polyipc_mg_call_of(polyipc_managed object, const char *method,
                                                const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                                polyipc_manager_call_t *out) {
    if (method == NULL)
        return POLYIPC_INVALID;
    memset(out, 0, sizeof *out);
    out->object = object.object;
    out->method = method;
    out->args = args != NULL ? args->data : NULL;
    out->args_size = args != NULL ? args->size : 0;
    out->named = named != NULL ? named->data : NULL;
    out->named_size = named != NULL ? named->size : 0;
    out->thread = (uint64_t)(uintptr_t)pthread_self();
    return POLYIPC_OK;
}

/* Calls, and leaves the bytes of the result, or of the failure, in *a; 0 of them if there are none. */
static inline polyipc_status polyipc_mg_call(polyipc_managed object, const char *method,
                                             const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                             int64_t timeout_ns, msgpack_zone *zone, polyipc_mg_answer *a) {
    polyipc_manager_call_t call;
    uint64_t number = 0;
    polyipc_status status = polyipc_mg_call_of(object, method, args, named, &call);
    a->large = NULL;
    a->zone = zone;
    a->size = 0;
    if (status != POLYIPC_OK)
        return status;
    status =
        polyipc_manager_call(object.manager, &call, timeout_ns, a->small, sizeof a->small, &a->size, &number);
    if (status == POLYIPC_TOO_SMALL) {
        if (polyipc_mg_grow(a, a->size))
            return polyipc_manager_finish(object.manager, number, POLYIPC_FOREVER, a->large, a->size,
                                          &a->size);
        status = POLYIPC_NO_MEMORY;
    } else if (status != POLYIPC_INTERRUPTED) {
        return status;
    }
    if (number != 0)
        polyipc_manager_forget(object.manager, number);
    return status;
}

/* Whether *a is the failure of an exception, whose name has less than 32 bytes. */
static inline bool polyipc_mg_raised(const polyipc_mg_answer *a, const char *type) {
    const size_t n = strlen(type);
    const unsigned char *data = (const unsigned char *)polyipc_mg_data(a);
    return a->size >= n + 2 && data[0] == 0x93 && data[1] == (0xa0 | n) && memcmp(data + 2, type, n) == 0;
}

/* A call of the functions below: args are used up, and failures have statuses. */
static inline polyipc_status polyipc_mg_do(polyipc_managed object, const char *method, polyipc_mg_args *args,
                                           int64_t timeout_ns, msgpack_zone *zone, msgpack_object *out) {
    polyipc_mg_answer a;
    polyipc_status status = args->status;
    if (status == POLYIPC_OK) {
        status = polyipc_mg_call(object, method, &args->buffer, NULL, timeout_ns, zone, &a);
        if (status == POLYIPC_OK && out != NULL)
            status = polyipc_mg_read(&a, out);
        else if (status == POLYIPC_REMOTE_ERROR &&
                 (polyipc_mg_raised(&a, "KeyError") || polyipc_mg_raised(&a, "IndexError")))
            status = POLYIPC_NOT_FOUND;
        else if (status == POLYIPC_REMOTE_ERROR && polyipc_mg_raised(&a, "BrokenBarrierError"))
            status = POLYIPC_BROKEN;
        polyipc_mg_drop(&a);
    }
    msgpack_sbuffer_destroy(&args->buffer);
    return status;
}

/* The same for methods that return nothing to speak of, an integer, a bool, or any value. */
static inline polyipc_status polyipc_mg_do_plain(polyipc_managed object, const char *method,
                                                 polyipc_mg_args *args, int64_t timeout_ns) {
    return polyipc_mg_do(object, method, args, timeout_ns, NULL, NULL);
}

static inline polyipc_status polyipc_mg_do_int(polyipc_managed object, const char *method,
                                               polyipc_mg_args *args, int64_t timeout_ns, int64_t *out) {
    msgpack_object result;
    polyipc_status status = polyipc_mg_do(object, method, args, timeout_ns, NULL, &result);
    return status != POLYIPC_OK || out == NULL ? status : polyipc_msgpack_int64(&result, out);
}

static inline polyipc_status polyipc_mg_do_bool(polyipc_managed object, const char *method,
                                                polyipc_mg_args *args, int64_t timeout_ns, bool *out) {
    msgpack_object result;
    polyipc_status status = polyipc_mg_do(object, method, args, timeout_ns, NULL, &result);
    return status != POLYIPC_OK || out == NULL ? status : polyipc_msgpack_bool(&result, out);
}

static inline polyipc_status polyipc_mg_do_value(polyipc_managed object, const char *method,
                                                 polyipc_mg_args *args, int64_t timeout_ns,
                                                 msgpack_zone *zone, msgpack_object *out) {
    if (zone == NULL && out != NULL)
        args->status = POLYIPC_INVALID;
    return polyipc_mg_do(object, method, args, timeout_ns, zone, out);
}

/* ---- any object, any method ------------------------------------------------------------- */

static inline polyipc_managed polyipc_managed_self(polyipc_manager manager) {
    polyipc_managed self;
    self.manager = manager;
    self.object = POLYIPC_MANAGER_SELF;
    return self;
}

/* Object numbers are the second half of a reference's UUID, the server's epoch is the first. */
static inline polyipc_status polyipc_managed_of(polyipc_manager manager, const msgpack_object *value,
                                                polyipc_managed *out) {
    polyipc_msgpack_ref_t ref;
    polyipc_manager_info_t info;
    uint64_t number;
    polyipc_status status;
    if (value == NULL || out == NULL || polyipc_msgpack_ref(value, &ref) != POLYIPC_OK ||
        ref.kind != POLYIPC_KIND_MANAGED)
        return POLYIPC_INVALID;
    memset(&info, 0, sizeof info);
    info.size = (uint32_t)sizeof info;
    status = polyipc_manager_info(manager, &info);
    if (status != POLYIPC_OK)
        return status;
    number = polyipc_mp_number(ref.uuid + 8, 8);
    if (polyipc_mp_number(ref.uuid, 8) != info.epoch || number == 0)
        return POLYIPC_GONE;
    out->manager = manager;
    out->object = number;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_managed_pack(msgpack_packer *pk, polyipc_managed object,
                                                  const char *type) {
    polyipc_msgpack_ref_t ref;
    polyipc_manager_info_t info;
    polyipc_status status;
    int i;
    if (type == NULL || object.object == POLYIPC_MANAGER_SELF)
        return POLYIPC_INVALID;
    memset(&info, 0, sizeof info);
    info.size = (uint32_t)sizeof info;
    status = polyipc_manager_info(object.manager, &info);
    if (status != POLYIPC_OK)
        return status;
    ref.kind = POLYIPC_KIND_MANAGED;
    for (i = 0; i < 8; i++) {
        ref.uuid[i] = (uint8_t)(info.epoch >> (56 - 8 * i));
        ref.uuid[8 + i] = (uint8_t)(object.object >> (56 - 8 * i));
    }
    ref.name = type;
    ref.name_size = strlen(type);
    return polyipc_msgpack_pack_ref(pk, &ref);
}

static inline polyipc_status polyipc_managed_release(polyipc_managed object) {
    return polyipc_manager_release(object.manager, object.object, 1);
}

/* open and create. */
static inline polyipc_status polyipc_mg_make(polyipc_manager manager, const char *method,
                                             polyipc_mg_args *args, const msgpack_object *more, size_t count,
                                             int64_t timeout_ns, polyipc_managed *out) {
    msgpack_object reference;
    msgpack_zone zone;
    polyipc_status status;
    size_t i;
    if (out == NULL || (more == NULL && count > 0))
        args->status = POLYIPC_INVALID;
    for (i = 0; i < count && args->status == POLYIPC_OK; i++)
        polyipc_mg_object(args, more[i]);
    if (!msgpack_zone_init(&zone, 256)) {
        msgpack_sbuffer_destroy(&args->buffer);
        return POLYIPC_NO_MEMORY;
    }
    status = polyipc_mg_do_value(polyipc_managed_self(manager), method, args, timeout_ns, &zone, &reference);
    if (status == POLYIPC_OK)
        status = polyipc_managed_of(manager, &reference, out);
    msgpack_zone_destroy(&zone);
    return status;
}

static inline polyipc_status polyipc_managed_open(polyipc_manager manager, const char *name, const char *type,
                                                  const msgpack_object *args, size_t count,
                                                  int64_t timeout_ns, polyipc_managed *out) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, count + 2);
    polyipc_mg_text(&a, name);
    if (type != NULL)
        polyipc_mg_text(&a, type);
    else
        polyipc_mg_object(&a, polyipc_msgpack_of_nil());
    return polyipc_mg_make(manager, "open", &a, args, count, timeout_ns, out);
}

static inline polyipc_status polyipc_managed_create(polyipc_manager manager, const char *type,
                                                    const msgpack_object *args, size_t count,
                                                    int64_t timeout_ns, polyipc_managed *out) {
    polyipc_mg_args a;
    polyipc_mg_begin(&a, count + 1);
    polyipc_mg_text(&a, type);
    return polyipc_mg_make(manager, "create", &a, args, count, timeout_ns, out);
}

/* What a call came to. */
static inline polyipc_status polyipc_mg_result(polyipc_status status, polyipc_mg_answer *a,
                                               msgpack_object *out) {
    if ((status == POLYIPC_OK || (status == POLYIPC_REMOTE_ERROR && a->size > 0)) && out != NULL) {
        const polyipc_status read = polyipc_mg_read(a, out);
        if (read != POLYIPC_OK)
            status = read;
    } else if (status == POLYIPC_REMOTE_ERROR && out != NULL) {
        *out = polyipc_msgpack_of_nil();
    }
    polyipc_mg_drop(a);
    return status;
}

static inline polyipc_status polyipc_managed_call(polyipc_managed object, const char *method,
                                                  const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                                  int64_t timeout_ns, msgpack_zone *zone,
                                                  msgpack_object *out_result) {
    polyipc_mg_answer a;
    polyipc_status status;
    if (zone == NULL && out_result != NULL)
        return POLYIPC_INVALID;
    status = polyipc_mg_call(object, method, args, named, timeout_ns, zone, &a);
    return polyipc_mg_result(status, &a, out_result);
}

static inline polyipc_status polyipc_managed_start(polyipc_managed object, const char *method,
                                                   const msgpack_sbuffer *args, const msgpack_sbuffer *named,
                                                   int64_t timeout_ns, uint64_t *out_call) {
    polyipc_manager_call_t call;
    polyipc_status status = polyipc_mg_call_of(object, method, args, named, &call);
    return status != POLYIPC_OK ? status : polyipc_manager_start(object.manager, &call, timeout_ns, out_call);
}

static inline polyipc_status polyipc_managed_finish(polyipc_manager manager, uint64_t call,
                                                    int64_t timeout_ns, msgpack_zone *zone,
                                                    msgpack_object *out_result) {
    polyipc_mg_answer a;
    polyipc_status status;
    if (zone == NULL && out_result != NULL)
        return POLYIPC_INVALID;
    a.large = NULL;
    a.zone = zone;
    a.size = 0;
    status = polyipc_manager_finish(manager, call, timeout_ns, a.small, sizeof a.small, &a.size);
    if (status == POLYIPC_TOO_SMALL)
        status = polyipc_mg_grow(&a, a.size)
                     ? polyipc_manager_finish(manager, call, POLYIPC_FOREVER, a.large, a.size, &a.size)
                     : POLYIPC_NO_MEMORY;
    return polyipc_mg_result(status, &a, out_result);
}

static inline bool polyipc_managed_raised(const msgpack_object *result, const char *type) {
    const msgpack_object *of;
    if (result == NULL || type == NULL || result->type != MSGPACK_OBJECT_ARRAY ||
        result->via.array.size != 3 || result->via.array.ptr[0].type != MSGPACK_OBJECT_STR)
        return false;
    of = &result->via.array.ptr[0];
    return of->via.str.size == strlen(type) && memcmp(of->via.str.ptr, type, of->via.str.size) == 0;
}

static inline polyipc_status polyipc_managed_watch(polyipc_managed object, int64_t timeout_ns,
                                                   uint64_t *out_subscription) {
    polyipc_mg_args a;
    msgpack_object result;
    polyipc_status status;
    polyipc_mg_begin(&a, 1);
    polyipc_mg_packed(&a, polyipc_mp_packed(msgpack_pack_uint64(&a.pk, object.object)));
    status = polyipc_mg_do(polyipc_managed_self(object.manager), "watch", &a, timeout_ns, NULL, &result);
    return status != POLYIPC_OK || out_subscription == NULL
               ? status
               : polyipc_msgpack_uint64(&result, out_subscription);
}

static inline polyipc_status polyipc_managed_next_event(polyipc_manager manager, uint64_t subscription,
                                                        int64_t timeout_ns, msgpack_zone *zone,
                                                        msgpack_object *out_event) {
    polyipc_mg_answer a;
    polyipc_status status;
    if (zone == NULL && out_event != NULL)
        return POLYIPC_INVALID;
    a.large = NULL;
    a.zone = zone;
    a.size = 0;
    status = polyipc_manager_next_event(manager, subscription, timeout_ns, a.small, sizeof a.small, &a.size);
    while (status == POLYIPC_TOO_SMALL) /* another thread may take it, and leave a larger one */
        status = polyipc_mg_grow(&a, a.size)
                     ? polyipc_manager_next_event(manager, subscription, timeout_ns, a.large, a.size, &a.size)
                     : POLYIPC_NO_MEMORY;
    return polyipc_mg_result(status, &a, out_event);
}

#include "polyipc_manager_types.h"

#endif
