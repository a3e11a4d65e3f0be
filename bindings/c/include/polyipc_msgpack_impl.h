/* polyipc_msgpack_impl.h - the bodies of polyipc_msgpack.h, which is the one to include.
 *
 * The reader never looks beyond end and never trusts a count: owed is how many values all open
 * containers still ask for, each of which takes at least a byte, so a count that the rest of the
 * message cannot meet is refused before anything is allocated for it. */
#ifndef POLYIPC_MSGPACK_IMPL_H
#define POLYIPC_MSGPACK_IMPL_H

typedef struct polyipc_mp_reader {
    const uint8_t *at;
    const uint8_t *end;
    size_t owed;
    unsigned depth;
    msgpack_zone *zone; /* NULL: check only, out is not written */
} polyipc_mp_reader;

static inline polyipc_status polyipc_mp_value(polyipc_mp_reader *r, bool key, msgpack_object *out);

static inline bool polyipc_msgpack_is_utf8(const void *text, size_t size) {
    const uint8_t *p = (const uint8_t *)text, *end = p + size;
    while (p < end) {
        uint8_t c = *p++;
        unsigned more, low = 0x80, high = 0xbf; /* of the second byte */
        if (c < 0x80)
            continue;
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            low = c == 0xe0 ? 0xa0 : 0x80;
            high = c == 0xed ? 0x9f : 0xbf;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            low = c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xf4 ? 0x8f : 0xbf;
        } else {
            return false;
        }
        for (; more > 0; more--) {
            if (p == end || *p < low || *p > high)
                return false;
            p++;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

static inline uint64_t polyipc_mp_number(const uint8_t *p, unsigned width) {
    uint64_t n = 0;
    while (width-- > 0)
        n = n << 8 | *p++;
    return n;
}

/* How many bytes of number follow the first byte c >= 0xc0; 255 for the byte that is never used. */
static inline unsigned polyipc_mp_width(uint8_t c) {
    static const uint8_t widths[32] = {0, 255, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8,
                                       1, 2,   4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4};
    return widths[c - 0xc0];
}

/* Elements of an array (n) or a map (2n); objects is NULL when only checking. */
static inline polyipc_status polyipc_mp_container(polyipc_mp_reader *r, bool map, uint64_t n, bool key,
                                                  msgpack_object *out) {
    uint64_t values = map ? 2 * n : n, i;
    msgpack_object *items = NULL;
    if (map && key)
        return POLYIPC_INVALID; /* Python cannot hash it */
    if (r->depth >= POLYIPC_MSGPACK_MAX_DEPTH)
        return POLYIPC_TOO_LARGE;
    r->owed += values;
    if (r->owed > (size_t)(r->end - r->at))
        return POLYIPC_INVALID;
    if (r->zone != NULL && values > 0) {
        /* A msgpack_object_kv is two objects, key first. */
        items = (msgpack_object *)msgpack_zone_malloc(r->zone, (size_t)values * sizeof(msgpack_object));
        if (items == NULL)
            return POLYIPC_NO_MEMORY;
    }
    r->depth++;
    for (i = 0; i < values; i++) {
        polyipc_status status = polyipc_mp_value(r, map ? i % 2 == 0 : key, items != NULL ? &items[i] : NULL);
        if (status != POLYIPC_OK)
            return status;
    }
    r->depth--;
    if (out != NULL && map) {
        out->type = MSGPACK_OBJECT_MAP;
        out->via.map.size = (uint32_t)n;
        out->via.map.ptr = (msgpack_object_kv *)(void *)items;
    } else if (out != NULL) {
        out->type = MSGPACK_OBJECT_ARRAY;
        out->via.array.size = (uint32_t)n;
        out->via.array.ptr = items;
    }
    return POLYIPC_OK;
}

static inline size_t polyipc_mp_item_size(const char *dtype, size_t n) {
    size_t size;
    if (n == 4 && memcmp(dtype + 1, "c16", 3) == 0)
        size = 16;
    else if (n == 3 && (dtype[2] == '1' || dtype[2] == '2' || dtype[2] == '4' || dtype[2] == '8'))
        size = (size_t)(dtype[2] - '0');
    else
        return 0;
    switch (dtype[1]) {
    case 'b':
        if (size != 1)
            return 0;
        break;
    case 'i':
    case 'u':
        break;
    case 'f':
        if (size == 1)
            return 0;
        break;
    case 'c':
        if (size < 8)
            return 0;
        break;
    default:
        return 0;
    }
    if (size == 1)
        return dtype[0] == '|' ? 1 : 0;
    return dtype[0] == '<' || dtype[0] == '>' ? size : 0;
}

/* The length of a dtype, at most 5. */
static inline size_t polyipc_mp_dtype_size(const char dtype[5]) {
    const char *nul = (const char *)memchr(dtype, 0, 5);
    return nul == NULL ? 5 : (size_t)(nul - dtype);
}

static inline polyipc_status polyipc_mp_check_ndarray(const polyipc_msgpack_ndarray_t *a) {
    uint64_t want = polyipc_mp_item_size(a->dtype, polyipc_mp_dtype_size(a->dtype));
    uint32_t i;
    bool empty = false;
    if (want == 0 || a->dimensions > POLYIPC_MSGPACK_MAX_DIMENSIONS)
        return POLYIPC_INVALID;
    for (i = 0; i < a->dimensions; i++)
        empty = empty || a->shape[i] == 0;
    for (i = 0; i < a->dimensions && !empty; i++) {
        want *= a->shape[i]; /* both below 2^32 */
        if (want > POLYIPC_MSGPACK_MAX_SIZE)
            return POLYIPC_INVALID;
    }
    return a->size == (empty ? 0 : want) ? POLYIPC_OK : POLYIPC_INVALID;
}

/* The head of a str, array, integer or bin in an array's body, in any of its forms. */
static inline bool polyipc_mp_part(polyipc_mp_reader *r, unsigned fix, unsigned fixes, unsigned first_sized,
                                   unsigned last_sized, uint64_t *n) {
    unsigned c, width;
    if (r->at == r->end)
        return false;
    c = *r->at++;
    if (c >= fix && c - fix < fixes) {
        *n = c - fix;
        return true;
    }
    if (c < first_sized || c > last_sized)
        return false;
    width = polyipc_mp_width((uint8_t)c);
    if ((size_t)(r->end - r->at) < width)
        return false;
    *n = polyipc_mp_number(r->at, width);
    r->at += width;
    return true;
}

static inline polyipc_status polyipc_mp_read_ndarray(const void *body, size_t size,
                                                     polyipc_msgpack_ndarray_t *out) {
    polyipc_msgpack_ndarray_t a;
    polyipc_mp_reader r;
    uint64_t n, i;
    memset(&a, 0, sizeof a);
    memset(&r, 0, sizeof r);
    r.at = (const uint8_t *)body;
    r.end = r.at + size;
    if (!polyipc_mp_part(&r, 0xa0, 32, 0xd9, 0xdb, &n) || n >= sizeof a.dtype || n > (size_t)(r.end - r.at))
        return POLYIPC_INVALID;
    memcpy(a.dtype, r.at, (size_t)n);
    r.at += n;
    if (polyipc_mp_dtype_size(a.dtype) != n || !polyipc_mp_part(&r, 0x90, 16, 0xdc, 0xdd, &n) ||
        n > POLYIPC_MSGPACK_MAX_DIMENSIONS)
        return POLYIPC_INVALID;
    a.dimensions = (uint32_t)n;
    for (i = 0; i < a.dimensions; i++) {
        bool is_signed = r.at < r.end && *r.at >= 0xd0 && *r.at <= 0xd3;
        unsigned bits = is_signed ? 8u << (*r.at - 0xd0) : 64;
        if (!polyipc_mp_part(&r, 0, 128, 0xcc, 0xd3, &n) || n > POLYIPC_MSGPACK_MAX_SIZE ||
            (is_signed && n >> (bits - 1) != 0))
            return POLYIPC_INVALID;
        a.shape[i] = (uint32_t)n;
    }
    if (!polyipc_mp_part(&r, 0, 0, 0xc4, 0xc6, &n) || n != (uint64_t)(r.end - r.at))
        return POLYIPC_INVALID;
    a.data = r.at;
    a.size = (size_t)n;
    if (polyipc_mp_check_ndarray(&a) != POLYIPC_OK)
        return POLYIPC_INVALID;
    *out = a;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_mp_check_ref(const polyipc_msgpack_ref_t *ref) {
    size_t i;
    if (ref->kind == 0 || ref->name_size > 128)
        return POLYIPC_INVALID;
    for (i = 0; i < ref->name_size; i++) {
        char c = ref->name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
              c == '_' || c == '-'))
            return POLYIPC_INVALID;
    }
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_mp_read_ref(const uint8_t *body, size_t size,
                                                 polyipc_msgpack_ref_t *out) {
    polyipc_msgpack_ref_t ref;
    if (size < 17)
        return POLYIPC_INVALID;
    ref.kind = body[0];
    memcpy(ref.uuid, body + 1, 16);
    ref.name = (const char *)body + 17;
    ref.name_size = size - 17;
    if (polyipc_mp_check_ref(&ref) != POLYIPC_OK)
        return POLYIPC_INVALID;
    *out = ref;
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_mp_check_time(int64_t seconds, uint64_t nanoseconds) {
    return nanoseconds < 1000000000 && seconds >= POLYIPC_MSGPACK_MIN_TIME &&
                   seconds <= POLYIPC_MSGPACK_MAX_TIME
               ? POLYIPC_OK
               : POLYIPC_INVALID;
}

static inline polyipc_status polyipc_mp_read_time(const uint8_t *body, size_t size, int64_t *seconds,
                                                  uint32_t *nanoseconds) {
    uint64_t n, ns = 0;
    int64_t s;
    if (size == 4) {
        s = (int64_t)polyipc_mp_number(body, 4);
    } else if (size == 8) {
        n = polyipc_mp_number(body, 8);
        s = (int64_t)(n & 0x3ffffffffu);
        ns = n >> 34;
    } else if (size == 12) {
        ns = polyipc_mp_number(body, 4);
        s = (int64_t)polyipc_mp_number(body + 4, 8);
    } else {
        return POLYIPC_INVALID;
    }
    if (polyipc_mp_check_time(s, ns) != POLYIPC_OK)
        return POLYIPC_INVALID;
    *seconds = s;
    *nanoseconds = (uint32_t)ns;
    return POLYIPC_OK;
}

/* Sign and magnitude: at least 8 bytes, the first not 0, and beyond what 64 bits hold. */
static inline bool polyipc_mp_is_big(bool negative, const uint8_t *magnitude, size_t size) {
    if (size != 8)
        return size > 8;
    return negative && polyipc_mp_number(magnitude, 8) > (uint64_t)1 << 63;
}

static inline polyipc_status polyipc_mp_ext(polyipc_mp_reader *r, uint64_t size, bool key,
                                            msgpack_object *out) {
    const uint8_t *body;
    int8_t type;
    polyipc_status status = POLYIPC_OK;
    if (size + 1 > (uint64_t)(r->end - r->at))
        return POLYIPC_INVALID;
    type = (int8_t)*r->at;
    body = r->at + 1;
    r->at = body + size;
    if (type == POLYIPC_EXT_TUPLE || type == POLYIPC_EXT_SET || type == POLYIPC_EXT_FROZENSET) {
        polyipc_mp_reader in;
        in.at = body;
        in.end = body + size;
        in.owed = 1;
        in.depth = r->depth;
        in.zone = NULL;
        if ((type == POLYIPC_EXT_SET && key) || size == 0 ||
            !((*body & 0xf0) == 0x90 || *body == 0xdc || *body == 0xdd))
            return POLYIPC_INVALID;
        status = polyipc_mp_value(&in, key || type != POLYIPC_EXT_TUPLE, NULL);
        if (status == POLYIPC_OK && in.at != in.end)
            status = POLYIPC_INVALID;
    } else if (type == POLYIPC_EXT_TIMESTAMP) {
        int64_t s;
        uint32_t ns;
        status = polyipc_mp_read_time(body, (size_t)size, &s, &ns);
    } else if (type == POLYIPC_EXT_UUID) {
        status = size == 16 ? POLYIPC_OK : POLYIPC_INVALID;
    } else if (type == POLYIPC_EXT_BIGINT) {
        if (size < 9 || body[0] > 1 || body[1] == 0 ||
            !polyipc_mp_is_big(body[0] != 0, body + 1, (size_t)size - 1))
            return POLYIPC_INVALID;
    } else if (type == POLYIPC_EXT_REF) {
        polyipc_msgpack_ref_t ref;
        status = polyipc_mp_read_ref(body, (size_t)size, &ref);
    } else if (type == POLYIPC_EXT_NDARRAY) {
        polyipc_msgpack_ndarray_t array;
        status = key ? POLYIPC_INVALID : polyipc_mp_read_ndarray(body, (size_t)size, &array);
    } else if (type == POLYIPC_EXT_PICKLE) {
        status = r->depth == 0 ? POLYIPC_OK : POLYIPC_INVALID;
    } else if (type < 0 || type >= POLYIPC_EXT_RESERVED) {
        return POLYIPC_INVALID;
    }
    if (out != NULL) {
        out->type = MSGPACK_OBJECT_EXT;
        out->via.ext.type = type;
        out->via.ext.size = (uint32_t)size;
        out->via.ext.ptr = (const char *)body;
    }
    return status;
}

static inline void polyipc_mp_integer(msgpack_object *out, bool is_signed, uint64_t n) {
    if (out == NULL)
        return;
    if (is_signed && n >> 63 != 0) {
        out->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        out->via.i64 = (int64_t)n;
    } else {
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = n;
    }
}

static inline polyipc_status polyipc_mp_sized(polyipc_mp_reader *r, bool text, uint64_t n,
                                              msgpack_object *out) {
    if (n > (uint64_t)(r->end - r->at) || (text && !polyipc_msgpack_is_utf8(r->at, (size_t)n)))
        return POLYIPC_INVALID;
    if (out != NULL && text) {
        out->type = MSGPACK_OBJECT_STR;
        out->via.str.size = (uint32_t)n;
        out->via.str.ptr = (const char *)r->at;
    } else if (out != NULL) {
        out->type = MSGPACK_OBJECT_BIN;
        out->via.bin.size = (uint32_t)n;
        out->via.bin.ptr = (const char *)r->at;
    }
    r->at += n;
    return POLYIPC_OK;
}

static inline void polyipc_mp_float(msgpack_object *out, unsigned width, uint64_t bits) {
    uint32_t bits32 = (uint32_t)bits;
    float f;
    if (out == NULL)
        return;
    out->type = MSGPACK_OBJECT_FLOAT64;
    if (width == 8) {
        memcpy(&out->via.f64, &bits, 8);
    } else {
        memcpy(&f, &bits32, 4);
        out->via.f64 = (double)f;
    }
}

/* One value; key: it is a map's key or a set's member, or inside one. */
static inline polyipc_status polyipc_mp_value(polyipc_mp_reader *r, bool key, msgpack_object *out) {
    uint8_t c;
    unsigned width;
    uint64_t n;
    if (r->at == r->end)
        return POLYIPC_INVALID;
    c = *r->at++;
    r->owed--;
    if (c < 0x80 || c >= 0xe0) {
        polyipc_mp_integer(out, true, (uint64_t)(int64_t)(int8_t)c);
        return POLYIPC_OK;
    }
    if (c < 0xa0)
        return polyipc_mp_container(r, c < 0x90, c & 0xf, key, out);
    if (c < 0xc0)
        return polyipc_mp_sized(r, true, c & 0x1f, out);
    if (c >= 0xd4 && c <= 0xd8)
        return polyipc_mp_ext(r, (uint64_t)1 << (c - 0xd4), key, out);
    width = polyipc_mp_width(c);
    if (width > (size_t)(r->end - r->at))
        return POLYIPC_INVALID; /* also 0xc1, unless 255 bytes follow */
    if (c == 0xc1)
        return POLYIPC_INVALID;
    n = polyipc_mp_number(r->at, width);
    r->at += width;
    if (c >= 0xdc)
        return polyipc_mp_container(r, c >= 0xde, n, key, out);
    if (c >= 0xd9 || (c >= 0xc4 && c <= 0xc6))
        return polyipc_mp_sized(r, c >= 0xd9, n, out);
    if (c >= 0xd0) {
        unsigned shift = 64 - 8 * width; /* extend the sign */
        uint64_t sign = shift == 0 ? 0 : (uint64_t)1 << (8 * width - 1);
        polyipc_mp_integer(out, true, shift == 0 ? n : (n ^ sign) - sign);
    } else if (c >= 0xcc) {
        polyipc_mp_integer(out, false, n);
    } else if (c >= 0xca) {
        polyipc_mp_float(out, width, n);
    } else if (c >= 0xc7) {
        return polyipc_mp_ext(r, n, key, out);
    } else if (out != NULL) { /* nil, false, true */
        out->type = c == 0xc0 ? MSGPACK_OBJECT_NIL : MSGPACK_OBJECT_BOOLEAN;
        out->via.boolean = c == 0xc3;
    }
    return POLYIPC_OK;
}

static inline polyipc_status polyipc_mp_whole(const void *data, size_t size, msgpack_zone *zone,
                                              msgpack_object *out) {
    polyipc_mp_reader r;
    polyipc_status status;
    if (size > POLYIPC_MSGPACK_MAX_SIZE)
        return POLYIPC_TOO_LARGE;
    if (data == NULL || size == 0)
        return POLYIPC_INVALID;
    r.at = (const uint8_t *)data;
    r.end = r.at + size;
    r.owed = 1;
    r.depth = 0;
    r.zone = zone;
    status = polyipc_mp_value(&r, false, out);
    return status == POLYIPC_OK && r.at != r.end ? POLYIPC_INVALID : status;
}

static inline polyipc_status polyipc_msgpack_read(const void *data, size_t size, msgpack_zone *zone,
                                                  msgpack_object *out) {
    msgpack_object object;
    polyipc_status status;
    if (zone == NULL || out == NULL)
        return POLYIPC_INVALID;
    status = polyipc_mp_whole(data, size, zone, &object);
    if (status == POLYIPC_OK)
        *out = object;
    return status;
}

static inline polyipc_status polyipc_msgpack_check(const void *data, size_t size) {
    return polyipc_mp_whole(data, size, NULL, NULL);
}

#include "polyipc_msgpack_values.h"

#endif
