/* polyipc_msgpack_values.h - getters and packers of polyipc_msgpack.h, which is the one to include. */
#ifndef POLYIPC_MSGPACK_VALUES_H
#define POLYIPC_MSGPACK_VALUES_H

static inline polyipc_status polyipc_msgpack_members(const msgpack_object *object, int8_t type,
                                                     msgpack_zone *zone, msgpack_object *out_array) {
    if (object->type != MSGPACK_OBJECT_EXT || object->via.ext.type != type ||
        (type != POLYIPC_EXT_TUPLE && type != POLYIPC_EXT_SET && type != POLYIPC_EXT_FROZENSET))
        return POLYIPC_INVALID;
    return polyipc_msgpack_read(object->via.ext.ptr, object->via.ext.size, zone, out_array);
}

static inline polyipc_status polyipc_msgpack_get(const msgpack_object *map, const char *key,
                                                 msgpack_object *out) {
    size_t size = strlen(key);
    uint32_t i;
    if (map->type != MSGPACK_OBJECT_MAP)
        return POLYIPC_INVALID;
    for (i = map->via.map.size; i-- > 0;) {
        const msgpack_object_kv *entry = &map->via.map.ptr[i];
        if (entry->key.type == MSGPACK_OBJECT_STR && entry->key.via.str.size == size &&
            memcmp(entry->key.via.str.ptr, key, size) == 0) {
            *out = entry->val;
            return POLYIPC_OK;
        }
    }
    return POLYIPC_NOT_FOUND;
}

static inline polyipc_status polyipc_msgpack_int64(const msgpack_object *object, int64_t *out) {
    if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *out = object->via.i64;
        return POLYIPC_OK;
    }
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return POLYIPC_INVALID;
    if (object->via.u64 > INT64_MAX)
        return POLYIPC_TOO_LARGE;
    *out = (int64_t)object->via.u64;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_uint64(const msgpack_object *object, uint64_t *out) {
    if (object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return POLYIPC_TOO_LARGE;
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return POLYIPC_INVALID;
    *out = object->via.u64;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_double(const msgpack_object *object, double *out) {
    const int64_t limit = (int64_t)1 << 53;
    int64_t n;
    polyipc_status status;
    if (object->type == MSGPACK_OBJECT_FLOAT64 || object->type == MSGPACK_OBJECT_FLOAT32) {
        *out = object->via.f64;
        return POLYIPC_OK;
    }
    status = polyipc_msgpack_int64(object, &n);
    if (status != POLYIPC_OK)
        return status;
    if (n > limit || n < -limit)
        return POLYIPC_TOO_LARGE;
    *out = (double)n;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_bool(const msgpack_object *object, bool *out) {
    if (object->type != MSGPACK_OBJECT_BOOLEAN)
        return POLYIPC_INVALID;
    *out = object->via.boolean;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_str(const msgpack_object *object, const char **out,
                                                 size_t *out_size) {
    if (object->type != MSGPACK_OBJECT_STR)
        return POLYIPC_INVALID;
    *out = object->via.str.ptr;
    *out_size = object->via.str.size;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_bin(const msgpack_object *object, const void **out,
                                                 size_t *out_size) {
    if (object->type != MSGPACK_OBJECT_BIN)
        return POLYIPC_INVALID;
    *out = object->via.bin.ptr;
    *out_size = object->via.bin.size;
    return POLYIPC_OK;
}

/* The body of an extension of that type, or NULL. */
static inline const uint8_t *polyipc_mp_body(const msgpack_object *object, int type) {
    if (object->type != MSGPACK_OBJECT_EXT || object->via.ext.type != type)
        return NULL;
    return (const uint8_t *)object->via.ext.ptr;
}

static inline polyipc_status polyipc_msgpack_time(const msgpack_object *object, int64_t *out_seconds,
                                                  uint32_t *out_nanoseconds) {
    const uint8_t *body = polyipc_mp_body(object, POLYIPC_EXT_TIMESTAMP);
    if (body == NULL)
        return POLYIPC_INVALID;
    return polyipc_mp_read_time(body, object->via.ext.size, out_seconds, out_nanoseconds);
}

static inline polyipc_status polyipc_msgpack_uuid(const msgpack_object *object, uint8_t out[16]) {
    const uint8_t *body = polyipc_mp_body(object, POLYIPC_EXT_UUID);
    if (body == NULL || object->via.ext.size != 16)
        return POLYIPC_INVALID;
    memcpy(out, body, 16);
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_ref(const msgpack_object *object, polyipc_msgpack_ref_t *out) {
    const uint8_t *body = polyipc_mp_body(object, POLYIPC_EXT_REF);
    return body == NULL ? POLYIPC_INVALID : polyipc_mp_read_ref(body, object->via.ext.size, out);
}

static inline polyipc_status polyipc_msgpack_bigint(const msgpack_object *object,
                                                    polyipc_msgpack_bigint_t *out) {
    const uint8_t *body = polyipc_mp_body(object, POLYIPC_EXT_BIGINT);
    if (body == NULL || object->via.ext.size < 9)
        return POLYIPC_INVALID;
    out->negative = body[0] != 0;
    out->magnitude = body + 1;
    out->size = object->via.ext.size - 1;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_msgpack_ndarray(const msgpack_object *object,
                                                     polyipc_msgpack_ndarray_t *out) {
    const uint8_t *body = polyipc_mp_body(object, POLYIPC_EXT_NDARRAY);
    return body == NULL ? POLYIPC_INVALID : polyipc_mp_read_ndarray(body, object->via.ext.size, out);
}

static inline msgpack_object polyipc_msgpack_of_nil(void) {
    msgpack_object o;
    memset(&o, 0, sizeof o);
    o.type = MSGPACK_OBJECT_NIL;
    return o;
}

static inline msgpack_object polyipc_msgpack_of_bool(bool value) {
    msgpack_object o = polyipc_msgpack_of_nil();
    o.type = MSGPACK_OBJECT_BOOLEAN;
    o.via.boolean = value;
    return o;
}

static inline msgpack_object polyipc_msgpack_of_int64(int64_t value) {
    msgpack_object o = polyipc_msgpack_of_nil();
    polyipc_mp_integer(&o, true, (uint64_t)value);
    return o;
}

static inline msgpack_object polyipc_msgpack_of_double(double value) {
    msgpack_object o = polyipc_msgpack_of_nil();
    o.type = MSGPACK_OBJECT_FLOAT64;
    o.via.f64 = value;
    return o;
}

static inline msgpack_object polyipc_msgpack_of_str(const char *text) {
    msgpack_object o = polyipc_msgpack_of_nil();
    o.type = MSGPACK_OBJECT_STR;
    o.via.str.ptr = text;
    o.via.str.size = (uint32_t)strlen(text);
    return o;
}

static inline msgpack_object polyipc_msgpack_of_bin(const void *data, size_t size) {
    msgpack_object o = polyipc_msgpack_of_nil();
    o.type = MSGPACK_OBJECT_BIN;
    o.via.bin.ptr = (const char *)data;
    o.via.bin.size = (uint32_t)size;
    return o;
}

/* A packer's functions return 0, or what its write returned. */
static inline polyipc_status polyipc_mp_packed(int result) {
    return result == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
}

static inline polyipc_status polyipc_msgpack_pack_str(msgpack_packer *pk, const char *text, size_t size) {
    if (size > UINT32_MAX)
        return POLYIPC_TOO_LARGE;
    if (!polyipc_msgpack_is_utf8(text, size))
        return POLYIPC_INVALID;
    if (msgpack_pack_str(pk, size) != 0)
        return POLYIPC_NO_MEMORY;
    return size == 0 ? POLYIPC_OK : polyipc_mp_packed(msgpack_pack_str_body(pk, text, size));
}

static inline polyipc_status polyipc_msgpack_pack_bin(msgpack_packer *pk, const void *data, size_t size) {
    if (size > UINT32_MAX)
        return POLYIPC_TOO_LARGE;
    if (msgpack_pack_bin(pk, size) != 0)
        return POLYIPC_NO_MEMORY;
    return size == 0 ? POLYIPC_OK : polyipc_mp_packed(msgpack_pack_bin_body(pk, data, size));
}

static inline void polyipc_mp_store(uint8_t *p, unsigned width, uint64_t n) {
    while (width-- > 0) {
        p[width] = (uint8_t)n;
        n >>= 8;
    }
}

static inline polyipc_status polyipc_mp_pack_ext(msgpack_packer *pk, int type, const void *body,
                                                 size_t size) {
    if (msgpack_pack_ext(pk, size, (int8_t)type) != 0)
        return POLYIPC_NO_MEMORY;
    return polyipc_mp_packed(msgpack_pack_ext_body(pk, body, size));
}

static inline polyipc_status polyipc_msgpack_pack_time(msgpack_packer *pk, int64_t seconds,
                                                       uint32_t nanoseconds) {
    uint8_t body[12];
    if (polyipc_mp_check_time(seconds, nanoseconds) != POLYIPC_OK)
        return POLYIPC_INVALID;
    if (nanoseconds == 0 && seconds >= 0 && seconds <= UINT32_MAX) {
        polyipc_mp_store(body, 4, (uint64_t)seconds);
        return polyipc_mp_pack_ext(pk, POLYIPC_EXT_TIMESTAMP, body, 4);
    }
    if (seconds >= 0 && seconds < (int64_t)1 << 34) {
        polyipc_mp_store(body, 8, (uint64_t)nanoseconds << 34 | (uint64_t)seconds);
        return polyipc_mp_pack_ext(pk, POLYIPC_EXT_TIMESTAMP, body, 8);
    }
    polyipc_mp_store(body, 4, nanoseconds);
    polyipc_mp_store(body + 4, 8, (uint64_t)seconds);
    return polyipc_mp_pack_ext(pk, POLYIPC_EXT_TIMESTAMP, body, 12);
}

static inline polyipc_status polyipc_msgpack_pack_uuid(msgpack_packer *pk, const uint8_t uuid[16]) {
    return polyipc_mp_pack_ext(pk, POLYIPC_EXT_UUID, uuid, 16);
}

static inline polyipc_status polyipc_msgpack_pack_ref(msgpack_packer *pk, const polyipc_msgpack_ref_t *ref) {
    uint8_t body[17 + 128];
    if (polyipc_mp_check_ref(ref) != POLYIPC_OK)
        return POLYIPC_INVALID;
    body[0] = ref->kind;
    memcpy(body + 1, ref->uuid, 16);
    if (ref->name_size > 0)
        memcpy(body + 17, ref->name, ref->name_size);
    return polyipc_mp_pack_ext(pk, POLYIPC_EXT_REF, body, 17 + ref->name_size);
}

static inline polyipc_status polyipc_msgpack_pack_bigint(msgpack_packer *pk,
                                                         const polyipc_msgpack_bigint_t *n) {
    const uint8_t *magnitude = n->magnitude;
    size_t size = n->size;
    uint8_t sign = n->negative ? 1 : 0;
    for (; size > 0 && *magnitude == 0; size--)
        magnitude++;
    if (!polyipc_mp_is_big(n->negative, magnitude, size)) {
        uint64_t small = polyipc_mp_number(magnitude, (unsigned)size);
        /* Negated without passing through -INT64_MIN. */
        if (n->negative && small > 0)
            return polyipc_mp_packed(msgpack_pack_int64(pk, -1 - (int64_t)(small - 1)));
        return polyipc_mp_packed(msgpack_pack_uint64(pk, small));
    }
    if (size >= UINT32_MAX)
        return POLYIPC_TOO_LARGE;
    if (msgpack_pack_ext(pk, 1 + size, POLYIPC_EXT_BIGINT) != 0 || msgpack_pack_ext_body(pk, &sign, 1) != 0)
        return POLYIPC_NO_MEMORY;
    return polyipc_mp_packed(msgpack_pack_ext_body(pk, magnitude, size));
}

static inline polyipc_status polyipc_msgpack_pack_ndarray(msgpack_packer *pk,
                                                          const polyipc_msgpack_ndarray_t *array) {
    msgpack_sbuffer head; /* its size must be known before the extension's */
    msgpack_packer head_pk;
    polyipc_status status = POLYIPC_OK;
    size_t dtype_size = polyipc_mp_dtype_size(array->dtype);
    uint32_t i;
    int failed;
    if (polyipc_mp_check_ndarray(array) != POLYIPC_OK)
        return POLYIPC_INVALID;
    msgpack_sbuffer_init(&head);
    msgpack_packer_init(&head_pk, &head, msgpack_sbuffer_write);
    failed = msgpack_pack_str(&head_pk, dtype_size) != 0 ||
             msgpack_pack_str_body(&head_pk, array->dtype, dtype_size) != 0 ||
             msgpack_pack_array(&head_pk, array->dimensions) != 0;
    for (i = 0; i < array->dimensions && !failed; i++)
        failed = msgpack_pack_uint32(&head_pk, array->shape[i]) != 0;
    failed = failed || msgpack_pack_bin(&head_pk, array->size) != 0;
    if (!failed && head.size + array->size > UINT32_MAX)
        status = POLYIPC_TOO_LARGE;
    else if (failed || msgpack_pack_ext(pk, head.size + array->size, POLYIPC_EXT_NDARRAY) != 0 ||
             msgpack_pack_ext_body(pk, head.data, head.size) != 0 ||
             (array->size > 0 && msgpack_pack_ext_body(pk, array->data, array->size) != 0))
        status = POLYIPC_NO_MEMORY;
    msgpack_sbuffer_destroy(&head);
    return status;
}

static inline polyipc_status polyipc_msgpack_pack_members(msgpack_packer *pk, int8_t type, const void *body,
                                                          size_t size) {
    const uint8_t *first = (const uint8_t *)body;
    polyipc_mp_reader r;
    polyipc_status status;
    if ((type != POLYIPC_EXT_TUPLE && type != POLYIPC_EXT_SET && type != POLYIPC_EXT_FROZENSET) ||
        body == NULL || size == 0 || !((*first & 0xf0) == 0x90 || *first == 0xdc || *first == 0xdd))
        return POLYIPC_INVALID;
    if (size > UINT32_MAX)
        return POLYIPC_TOO_LARGE;
    r.at = first;
    r.end = first + size;
    r.owed = 1;
    r.depth = 0;
    r.zone = NULL;
    status = polyipc_mp_value(&r, type != POLYIPC_EXT_TUPLE, NULL);
    if (status != POLYIPC_OK || r.at != r.end)
        return status != POLYIPC_OK ? status : POLYIPC_INVALID;
    return polyipc_mp_pack_ext(pk, type, body, size);
}

#endif
