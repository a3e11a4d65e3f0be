/* polyipc_msgpack.h - messages between C, Go and Python, on top of msgpack-c.
 *
 * libpolyipc carries bytes. This header gives the bytes of a POLYIPC_MSGPACK message their meaning,
 * the same as in Go and Python; docs/spec/codec.md has the format. It is all inline: link with
 * msgpack-c (pkg-config msgpack or msgpack-c, 3.0 or newer), not with libpolyipc.
 *
 * Writing. Pack with msgpack-c's own functions, and with those below for what it does not have.
 *
 *     msgpack_sbuffer out;
 *     msgpack_packer pk;
 *     msgpack_sbuffer_init(&out);
 *     msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
 *     msgpack_pack_map(&pk, 1);
 *     polyipc_msgpack_pack_str(&pk, "id", 2);
 *     msgpack_pack_int64(&pk, 7);
 *     ... out.data, out.size ...
 *
 * What msgpack-c packs is not checked: text must be UTF-8, floats go as doubles, and nothing may be
 * deeper than POLYIPC_MSGPACK_MAX_DEPTH. A message can be checked with polyipc_msgpack_check().
 *
 * Reading. polyipc_msgpack_read() checks everything, then the msgpack_object can be trusted:
 *
 *     msgpack_zone zone;
 *     msgpack_object message, id;
 *     int64_t n;
 *     msgpack_zone_init(&zone, 4096);
 *     if (polyipc_msgpack_read(data, size, &zone, &message) == POLYIPC_OK &&
 *         polyipc_msgpack_get(&message, "id", &id) == POLYIPC_OK &&
 *         polyipc_msgpack_int64(&id, &n) == POLYIPC_OK) ...
 *     msgpack_zone_destroy(&zone);
 *
 * Use it instead of msgpack_unpack_next(), which refuses more than 32 levels, takes text that is not
 * UTF-8, and allocates what a message claims before it looks whether it is there.
 *
 * Ownership. Objects live in the zone, and text, bytes and extensions are views of data: both must
 * outlive their use. Threads: any, but a zone, a packer and an object are used by one at a time.
 *
 * Status. Functions return POLYIPC_OK or why not, and leave their results alone then:
 * INVALID for bytes that are no message, a value of another type, or an argument out of range;
 * TOO_LARGE for a limit exceeded or an integer that does not fit; NO_MEMORY. */
#ifndef POLYIPC_MSGPACK_H
#define POLYIPC_MSGPACK_H

#include <polyipc/status.h>

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POLYIPC_MSGPACK_MAX_DEPTH 255           /* containers in each other: [[1]] has depth 2 */
#define POLYIPC_MSGPACK_MAX_SIZE 4294967295u    /* bytes a message may have */
#define POLYIPC_MSGPACK_MAX_DIMENSIONS 32       /* of an array */
#define POLYIPC_MSGPACK_MIN_TIME (-62135596800) /* seconds since 1970: the year 1 */
#define POLYIPC_MSGPACK_MAX_TIME 253402300799   /* the last second of the year 9999 */

/* Extension types. 0 to 95 are the application's own: msgpack_pack_ext_with_body(). */
#define POLYIPC_EXT_TIMESTAMP (-1)
#define POLYIPC_EXT_RESERVED 96 /* from here to 127: polyipc's */
#define POLYIPC_EXT_REF 100
#define POLYIPC_EXT_UUID 101
#define POLYIPC_EXT_BIGINT 102
#define POLYIPC_EXT_NDARRAY 103
#define POLYIPC_EXT_TUPLE 104
#define POLYIPC_EXT_SET 105
#define POLYIPC_EXT_FROZENSET 106
#define POLYIPC_EXT_PICKLE 107 /* always a whole message */

/* A reference to an object of the same root. */
typedef struct polyipc_msgpack_ref_t {
    uint8_t kind; /* 1 to 255 */
    uint8_t uuid[16];
    const char *name; /* name_size of [A-Za-z0-9._-], not NUL-terminated */
    size_t name_size; /* 0 to 128 */
} polyipc_msgpack_ref_t;

/* An integer beyond 64 bits. */
typedef struct polyipc_msgpack_bigint_t {
    bool negative;
    const uint8_t *magnitude; /* big-endian */
    size_t size;              /* bytes */
} polyipc_msgpack_bigint_t;

/* An n-dimensional array of numbers in C order. */
typedef struct polyipc_msgpack_ndarray_t {
    char dtype[5]; /* numpy's, such as "<f8": order < > or | (single bytes), kind b i u f c, bytes */
    uint32_t dimensions;
    uint32_t shape[POLYIPC_MSGPACK_MAX_DIMENSIONS];
    const void *data; /* not aligned: copy out before use as numbers */
    size_t size;      /* bytes: item size times all of shape */
} polyipc_msgpack_ndarray_t;

/* Whether size bytes are UTF-8: shortest forms only, no surrogates, up to U+10FFFF. */
static inline bool polyipc_msgpack_is_utf8(const void *text, size_t size);

/* Reads the one value that data is. *zone takes the objects. INVALID, TOO_LARGE, NO_MEMORY. */
static inline polyipc_status polyipc_msgpack_read(const void *data, size_t size, msgpack_zone *zone,
                                                  msgpack_object *out);

/* The same without objects: whether data is a message. INVALID, TOO_LARGE. */
static inline polyipc_status polyipc_msgpack_check(const void *data, size_t size);

/* The elements of a tuple, set or frozenset, as an array. type is one of POLYIPC_EXT_TUPLE, _SET,
 * _FROZENSET. INVALID if object is not that; NO_MEMORY. */
static inline polyipc_status polyipc_msgpack_members(const msgpack_object *object, int8_t type,
                                                     msgpack_zone *zone, msgpack_object *out_array);

/* The value of the last key equal to the NUL-terminated key. INVALID if map is none; NOT_FOUND. */
static inline polyipc_status polyipc_msgpack_get(const msgpack_object *map, const char *key,
                                                 msgpack_object *out);

/* Numbers. INVALID for another type (also for a float read as an integer); TOO_LARGE if it does not
 * fit. A double also takes integers up to 2^53 in size. */
static inline polyipc_status polyipc_msgpack_int64(const msgpack_object *object, int64_t *out);
static inline polyipc_status polyipc_msgpack_uint64(const msgpack_object *object, uint64_t *out);
static inline polyipc_status polyipc_msgpack_double(const msgpack_object *object, double *out);
static inline polyipc_status polyipc_msgpack_bool(const msgpack_object *object, bool *out);

/* Views of text (UTF-8, may hold NUL, not NUL-terminated) and of bytes. INVALID for another type: a
 * str is no bin and a bin no str. */
static inline polyipc_status polyipc_msgpack_str(const msgpack_object *object, const char **out,
                                                 size_t *out_size);
static inline polyipc_status polyipc_msgpack_bin(const msgpack_object *object, const void **out,
                                                 size_t *out_size);

/* Extension types. INVALID for another type. The pointers in the results are views. */
static inline polyipc_status polyipc_msgpack_time(const msgpack_object *object, int64_t *out_seconds,
                                                  uint32_t *out_nanoseconds);
static inline polyipc_status polyipc_msgpack_uuid(const msgpack_object *object, uint8_t out[16]);
static inline polyipc_status polyipc_msgpack_ref(const msgpack_object *object, polyipc_msgpack_ref_t *out);
static inline polyipc_status polyipc_msgpack_bigint(const msgpack_object *object,
                                                    polyipc_msgpack_bigint_t *out);
static inline polyipc_status polyipc_msgpack_ndarray(const msgpack_object *object,
                                                     polyipc_msgpack_ndarray_t *out);

/* Objects of simple values, for functions that take one. text is NUL-terminated UTF-8; it and data are not
 * copied. */
static inline msgpack_object polyipc_msgpack_of_nil(void);
static inline msgpack_object polyipc_msgpack_of_bool(bool value);
static inline msgpack_object polyipc_msgpack_of_int64(int64_t value);
static inline msgpack_object polyipc_msgpack_of_double(double value);
static inline msgpack_object polyipc_msgpack_of_str(const char *text);
static inline msgpack_object polyipc_msgpack_of_bin(const void *data, size_t size);

/* Packing. INVALID for an argument out of range, before anything is written; NO_MEMORY if the
 * packer's own write fails. */
static inline polyipc_status polyipc_msgpack_pack_str(msgpack_packer *pk, const char *text, size_t size);
static inline polyipc_status polyipc_msgpack_pack_bin(msgpack_packer *pk, const void *data, size_t size);

/* Seconds since 1970 (POLYIPC_MSGPACK_MIN_TIME to _MAX_TIME) and 0 to 999999999 nanoseconds. */
static inline polyipc_status polyipc_msgpack_pack_time(msgpack_packer *pk, int64_t seconds,
                                                       uint32_t nanoseconds);
static inline polyipc_status polyipc_msgpack_pack_uuid(msgpack_packer *pk, const uint8_t uuid[16]);
static inline polyipc_status polyipc_msgpack_pack_ref(msgpack_packer *pk, const polyipc_msgpack_ref_t *ref);

/* An integer that fits int64 or uint64 is packed as such. Leading zeros are dropped. */
static inline polyipc_status polyipc_msgpack_pack_bigint(msgpack_packer *pk,
                                                         const polyipc_msgpack_bigint_t *n);
static inline polyipc_status polyipc_msgpack_pack_ndarray(msgpack_packer *pk,
                                                          const polyipc_msgpack_ndarray_t *array);

/* A tuple, set or frozenset whose members were packed as one array into body. */
static inline polyipc_status polyipc_msgpack_pack_members(msgpack_packer *pk, int8_t type, const void *body,
                                                          size_t size);

/* Here ends the manual. */

#include "polyipc_msgpack_impl.h"

#ifdef __cplusplus
}
#endif
#endif
