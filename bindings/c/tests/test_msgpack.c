/* Checks polyipc_msgpack.h against tests/vectors/codec.txt: test_msgpack [FILE].
 *
 * Both directions by text: bytes are read and printed in the notation of docs/spec/codec.md, and the
 * notation is parsed and packed. */
#include <polyipc_msgpack.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int checks, failures;

static void check(bool ok, const char *what, const char *detail) {
    checks++;
    if (!ok) {
        failures++;
        fprintf(stderr, "FAIL %s: %.300s\n", what, detail);
    }
}

static void fatal(const char *what) {
    fprintf(stderr, "test_msgpack: %s\n", what);
    exit(2);
}

typedef struct text {
    char *at;
    size_t size, room;
} text;

static void add(text *t, const char *s, size_t n) {
    if (t->size + n + 1 > t->room) {
        t->room = 2 * (t->size + n + 1);
        t->at = realloc(t->at, t->room);
        if (t->at == NULL)
            fatal("no memory");
    }
    memcpy(t->at + t->size, s, n);
    t->size += n;
    t->at[t->size] = 0;
}

static void adds(text *t, const char *s) { add(t, s, strlen(s)); }

static void add_hex(text *t, const void *data, size_t n) {
    char two[3];
    for (size_t i = 0; i < n; i++) {
        snprintf(two, sizeof two, "%02x", ((const unsigned char *)data)[i]);
        add(t, two, 2);
    }
}

static void format(text *t, const msgpack_object *o, msgpack_zone *zone);

static void format_ext(text *t, const msgpack_object *o, msgpack_zone *zone) {
    char line[64];
    int64_t seconds;
    uint32_t nanoseconds;
    uint8_t uuid[16];
    polyipc_msgpack_ref_t ref;
    polyipc_msgpack_bigint_t big;
    polyipc_msgpack_ndarray_t array;
    msgpack_object members;
    if (polyipc_msgpack_time(o, &seconds, &nanoseconds) == POLYIPC_OK) {
        snprintf(line, sizeof line, "time:%" PRId64 ".%09" PRIu32, seconds, nanoseconds);
        adds(t, line);
    } else if (polyipc_msgpack_uuid(o, uuid) == POLYIPC_OK) {
        adds(t, "uuid:");
        add_hex(t, uuid, 16);
    } else if (polyipc_msgpack_ref(o, &ref) == POLYIPC_OK) {
        snprintf(line, sizeof line, "ref:%u:", ref.kind);
        adds(t, line);
        add_hex(t, ref.uuid, 16);
        adds(t, ":");
        add(t, ref.name, ref.name_size);
    } else if (polyipc_msgpack_bigint(o, &big) == POLYIPC_OK) {
        adds(t, big.negative ? "big:-" : "big:+");
        add_hex(t, big.magnitude, big.size);
    } else if (polyipc_msgpack_ndarray(o, &array) == POLYIPC_OK) {
        adds(t, "ndarray:");
        adds(t, array.dtype);
        adds(t, ":");
        for (uint32_t i = 0; i < array.dimensions; i++) {
            snprintf(line, sizeof line, "%s%" PRIu32, i > 0 ? "x" : "", array.shape[i]);
            adds(t, line);
        }
        adds(t, ":");
        add_hex(t, array.data, array.size);
    } else if (o->via.ext.type == POLYIPC_EXT_PICKLE) {
        adds(t, "pickle:");
        add_hex(t, o->via.ext.ptr, o->via.ext.size);
    } else if (polyipc_msgpack_members(o, o->via.ext.type, zone, &members) == POLYIPC_OK) {
        text inner = {NULL, 0, 0};
        int type = o->via.ext.type;
        format(&inner, &members, zone);
        adds(t, type == POLYIPC_EXT_TUPLE ? "tuple" : type == POLYIPC_EXT_SET ? "set" : "frozenset");
        adds(t, inner.at + strlen("array"));
        free(inner.at);
    } else {
        snprintf(line, sizeof line, "ext:%d:", o->via.ext.type);
        adds(t, line);
        add_hex(t, o->via.ext.ptr, o->via.ext.size);
    }
}

static void format(text *t, const msgpack_object *o, msgpack_zone *zone) {
    char line[64];
    uint64_t bits;
    switch (o->type) {
    case MSGPACK_OBJECT_NIL:
        adds(t, "nil");
        return;
    case MSGPACK_OBJECT_BOOLEAN:
        adds(t, o->via.boolean ? "true" : "false");
        return;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(line, sizeof line, "int:%" PRIu64, o->via.u64);
        adds(t, line);
        return;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(line, sizeof line, "int:%" PRId64, o->via.i64);
        adds(t, line);
        return;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        memcpy(&bits, &o->via.f64, 8);
        snprintf(line, sizeof line, "float:%016" PRIx64, bits);
        adds(t, line);
        return;
    case MSGPACK_OBJECT_STR:
        adds(t, "str:");
        add_hex(t, o->via.str.ptr, o->via.str.size);
        return;
    case MSGPACK_OBJECT_BIN:
        adds(t, "bin:");
        add_hex(t, o->via.bin.ptr, o->via.bin.size);
        return;
    case MSGPACK_OBJECT_ARRAY:
        snprintf(line, sizeof line, "array %" PRIu32, o->via.array.size);
        adds(t, line);
        for (uint32_t i = 0; i < o->via.array.size; i++) {
            adds(t, " ");
            format(t, &o->via.array.ptr[i], zone);
        }
        return;
    case MSGPACK_OBJECT_MAP: {
        /* Of equal text keys only the last counts, as with polyipc_msgpack_get. */
        text entries = {NULL, 0, 0};
        uint32_t n = 0;
        for (uint32_t i = 0; i < o->via.map.size; i++) {
            const msgpack_object_kv *e = &o->via.map.ptr[i];
            bool later = false;
            for (uint32_t j = i + 1; j < o->via.map.size; j++)
                later = later || msgpack_object_equal(e->key, o->via.map.ptr[j].key);
            if (later)
                continue;
            n++;
            adds(&entries, " ");
            format(&entries, &e->key, zone);
            adds(&entries, " ");
            format(&entries, &e->val, zone);
        }
        snprintf(line, sizeof line, "map %" PRIu32, n);
        adds(t, line);
        add(t, entries.size > 0 ? entries.at : "", entries.size);
        free(entries.at);
        return;
    }
    case MSGPACK_OBJECT_EXT:
        format_ext(t, o, zone);
    }
}

static size_t unhex(const char *hex, uint8_t *out, size_t room) {
    size_t n = 0;
    unsigned byte;
    for (; sscanf(hex, "%2x", &byte) == 1 && hex[0] > ' ' && hex[1] > ' ' && hex[0] != ':'; hex += 2) {
        if (n == room)
            fatal("a vector is too long");
        out[n++] = (uint8_t)byte;
    }
    return n;
}

/* Packs the value at *word and moves *word behind it. */
static polyipc_status pack(msgpack_packer *pk, const char **word) {
    static uint8_t data[1 << 16];
    const char *w = *word, *end = w + strcspn(w, " "), *colon = memchr(w, ':', (size_t)(end - w));
    const char *rest = colon != NULL ? colon + 1 : end;
    size_t name = (size_t)((colon != NULL ? colon : end) - w), n;
    *word = *end == ' ' ? end + 1 : end;
#define IS(s) (name == strlen(s) && memcmp(w, s, name) == 0)
    if (IS("nil"))
        return msgpack_pack_nil(pk) == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    if (IS("true"))
        return msgpack_pack_true(pk) == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    if (IS("false"))
        return msgpack_pack_false(pk) == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    if (IS("int")) {
        int failed = *rest == '-' ? msgpack_pack_int64(pk, strtoll(rest, NULL, 10))
                                  : msgpack_pack_uint64(pk, strtoull(rest, NULL, 10));
        return failed == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    }
    if (IS("float")) {
        uint64_t bits = strtoull(rest, NULL, 16);
        double f;
        memcpy(&f, &bits, 8);
        return msgpack_pack_double(pk, f) == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    }
    if (IS("str")) {
        n = unhex(rest, data, sizeof data);
        return polyipc_msgpack_pack_str(pk, (const char *)data, n);
    }
    if (IS("bin")) {
        n = unhex(rest, data, sizeof data);
        return polyipc_msgpack_pack_bin(pk, data, n);
    }
    if (IS("big")) {
        polyipc_msgpack_bigint_t big = {*rest == '-', data, unhex(rest + 1, data, sizeof data)};
        return polyipc_msgpack_pack_bigint(pk, &big);
    }
    if (IS("time"))
        return polyipc_msgpack_pack_time(pk, strtoll(rest, NULL, 10),
                                         (uint32_t)strtoul(strchr(rest, '.') + 1, NULL, 10));
    if (IS("uuid")) {
        unhex(rest, data, sizeof data);
        return polyipc_msgpack_pack_uuid(pk, data);
    }
    if (IS("ref")) {
        polyipc_msgpack_ref_t ref;
        const char *uuid = strchr(rest, ':') + 1, *ref_name = strchr(uuid, ':') + 1;
        ref.kind = (uint8_t)atoi(rest);
        unhex(uuid, ref.uuid, 16);
        ref.name = ref_name;
        ref.name_size = (size_t)(end - ref_name);
        return polyipc_msgpack_pack_ref(pk, &ref);
    }
    if (IS("ndarray")) {
        polyipc_msgpack_ndarray_t a;
        const char *shape = strchr(rest, ':') + 1, *body = strchr(shape, ':') + 1;
        memset(&a, 0, sizeof a);
        memcpy(a.dtype, rest, (size_t)(shape - 1 - rest));
        while (shape < body - 1) {
            char *after;
            a.shape[a.dimensions++] = (uint32_t)strtoul(shape, &after, 10);
            shape = after + 1;
        }
        a.size = unhex(body, data, sizeof data);
        a.data = data;
        return polyipc_msgpack_pack_ndarray(pk, &a);
    }
    if (IS("pickle") || IS("ext")) {
        int type = IS("ext") ? atoi(rest) : POLYIPC_EXT_PICKLE;
        n = unhex(IS("ext") ? strchr(rest, ':') + 1 : rest, data, sizeof data);
        return msgpack_pack_ext_with_body(pk, data, n, (int8_t)type) == 0 ? POLYIPC_OK : POLYIPC_NO_MEMORY;
    }
    bool map = IS("map"), array = IS("array");
    int type = IS("tuple") ? POLYIPC_EXT_TUPLE : IS("set") ? POLYIPC_EXT_SET : POLYIPC_EXT_FROZENSET;
    if (!map && !array && type == POLYIPC_EXT_FROZENSET && !IS("frozenset"))
        fatal("unknown word in the notation");
    char *after;
    polyipc_status status = POLYIPC_OK;
    msgpack_sbuffer body;
    msgpack_packer body_pk, *to = map || array ? pk : &body_pk;
    n = strtoul(*word, &after, 10);
    *word = *after == ' ' ? after + 1 : after;
    msgpack_sbuffer_init(&body);
    msgpack_packer_init(&body_pk, &body, msgpack_sbuffer_write);
    if (map)
        msgpack_pack_map(to, n);
    else
        msgpack_pack_array(to, n);
    for (size_t i = 0; i < (map ? 2 * n : n) && status == POLYIPC_OK; i++)
        status = pack(to, word);
    if (status == POLYIPC_OK && to == &body_pk)
        status = polyipc_msgpack_pack_members(pk, (int8_t)type, body.data, body.size);
    msgpack_sbuffer_destroy(&body);
    return status;
#undef IS
}

static void run(const char *name, const uint8_t *data, size_t size, const char *value, const char *error,
                bool decode_only) {
    msgpack_zone zone;
    msgpack_object object;
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a sanitiser sees a read beyond the end */
    if (exact == NULL || !msgpack_zone_init(&zone, 1024))
        fatal("no memory");
    memcpy(exact, data, size);
    polyipc_status status = polyipc_msgpack_read(exact, size, &zone, &object);
    check(polyipc_msgpack_check(exact, size) == status, name, "check and read differ");
    if (error != NULL) {
        polyipc_status want = strcmp(error, "TOO_LARGE") == 0 ? POLYIPC_TOO_LARGE : POLYIPC_INVALID;
        check(status == want, name, "accepted, or the wrong error");
    } else if (status != POLYIPC_OK) {
        check(false, name, "refused");
    } else {
        text got = {NULL, 0, 0};
        const char *words = value;
        msgpack_sbuffer out;
        msgpack_packer pk;
        format(&got, &object, &zone);
        check(strcmp(got.at, value) == 0, name, got.at);
        free(got.at);
        msgpack_sbuffer_init(&out);
        msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
        check(pack(&pk, &words) == POLYIPC_OK, name, "cannot be packed");
        bool same = out.size == size && memcmp(out.data, exact, size) == 0;
        check(same != decode_only, name, "packed to other bytes, or decode_only is wrong");
        msgpack_sbuffer_destroy(&out);
    }
    msgpack_zone_destroy(&zone);
    free(exact);
}

static void check_getters(void) {
    msgpack_zone zone;
    msgpack_object map, v;
    static const char data[] = "\x84\xa1i\xff\xa1u\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1s\xa1x\xa1"
                               "f\xca\x3f\xc0\x00\x00";
    int64_t i = 5;
    uint64_t u = 5;
    double f = 5;
    bool b = true;
    const char *s;
    const void *p;
    size_t n;
    if (!msgpack_zone_init(&zone, 1024))
        fatal("no memory");
    check(polyipc_msgpack_read(data, sizeof data - 1, &zone, &map) == POLYIPC_OK, "getters", "read");
    check(polyipc_msgpack_get(&map, "none", &v) == POLYIPC_NOT_FOUND, "getters", "missing key");
    check(polyipc_msgpack_get(&map, "i", &v) == POLYIPC_OK, "getters", "key i");
    check(polyipc_msgpack_get(&v, "i", &v) == POLYIPC_INVALID, "getters", "get of an integer");
    check(polyipc_msgpack_uint64(&v, &u) == POLYIPC_TOO_LARGE && u == 5, "getters", "-1 as uint64");
    check(polyipc_msgpack_int64(&v, &i) == POLYIPC_OK && i == -1, "getters", "-1");
    check(polyipc_msgpack_double(&v, &f) == POLYIPC_OK && f == -1, "getters", "-1 as double");
    check(polyipc_msgpack_bool(&v, &b) == POLYIPC_INVALID && b, "getters", "-1 as bool");
    check(polyipc_msgpack_get(&map, "u", &v) == POLYIPC_OK, "getters", "key u");
    check(polyipc_msgpack_int64(&v, &i) == POLYIPC_TOO_LARGE && i == -1, "getters", "2^64-1 as int64");
    check(polyipc_msgpack_double(&v, &f) == POLYIPC_TOO_LARGE, "getters", "2^64-1 as double");
    check(polyipc_msgpack_uint64(&v, &u) == POLYIPC_OK && u == UINT64_MAX, "getters", "2^64-1");
    check(polyipc_msgpack_get(&map, "s", &v) == POLYIPC_OK, "getters", "key s");
    check(polyipc_msgpack_bin(&v, &p, &n) == POLYIPC_INVALID, "getters", "str as bin");
    check(polyipc_msgpack_str(&v, &s, &n) == POLYIPC_OK && n == 1 && *s == 'x', "getters", "str");
    check(polyipc_msgpack_get(&map, "f", &v) == POLYIPC_OK, "getters", "key f");
    check(polyipc_msgpack_int64(&v, &i) == POLYIPC_INVALID, "getters", "float as integer");
    check(polyipc_msgpack_double(&v, &f) == POLYIPC_OK && f == 1.5, "getters", "float32");
    check(polyipc_msgpack_read(NULL, 1, &zone, &v) == POLYIPC_INVALID, "getters", "NULL");
    check(polyipc_msgpack_check(data, (size_t)1 << 32) == POLYIPC_TOO_LARGE, "getters", "4 GiB");
    msgpack_zone_destroy(&zone);
}

static void check_packers(void) {
    msgpack_sbuffer out;
    msgpack_packer pk;
    uint8_t small[2] = {0, 5};
    polyipc_msgpack_bigint_t five = {true, small, 2};
    polyipc_msgpack_ref_t ref = {0, {0}, "a", 1};
    polyipc_msgpack_ndarray_t array;
    memset(&array, 0, sizeof array);
    memcpy(array.dtype, "<f8", 4);
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
    check(polyipc_msgpack_pack_str(&pk, "\xff", 1) == POLYIPC_INVALID, "packers", "text");
    check(polyipc_msgpack_pack_ref(&pk, &ref) == POLYIPC_INVALID, "packers", "kind 0");
    ref.kind = 1;
    ref.name = "/";
    check(polyipc_msgpack_pack_ref(&pk, &ref) == POLYIPC_INVALID, "packers", "name");
    check(polyipc_msgpack_pack_ndarray(&pk, &array) == POLYIPC_INVALID, "packers", "no data");
    memcpy(array.dtype, "<f888", 5);
    check(polyipc_msgpack_pack_ndarray(&pk, &array) == POLYIPC_INVALID, "packers", "unterminated type");
    check(polyipc_msgpack_pack_time(&pk, POLYIPC_MSGPACK_MAX_TIME + 1, 0) == POLYIPC_INVALID, "packers",
          "year");
    check(polyipc_msgpack_pack_time(&pk, 0, 1000000000) == POLYIPC_INVALID, "packers", "nanoseconds");
    check(polyipc_msgpack_pack_members(&pk, 1, "\x90", 1) == POLYIPC_INVALID, "packers", "no such container");
    check(polyipc_msgpack_pack_members(&pk, POLYIPC_EXT_SET, "\x91\x80", 2) == POLYIPC_INVALID, "packers",
          "map in set");
    check(polyipc_msgpack_pack_members(&pk, POLYIPC_EXT_TUPLE, "\x80", 1) == POLYIPC_INVALID, "packers",
          "map body");
    check(out.size == 0, "packers", "something was written in spite of an error");
    check(polyipc_msgpack_pack_bigint(&pk, &five) == POLYIPC_OK && out.size == 1 &&
              (uint8_t)out.data[0] == 0xfb,
          "packers", "-5 as a big integer");
    msgpack_sbuffer_destroy(&out);
}

int main(int argc, char **argv) {
    static char line[1 << 17], name[256], value[1 << 16], error[64];
    static uint8_t data[1 << 16];
    size_t size = 0;
    bool decode_only = false, open = false;
    int vectors = 0;
    FILE *file = fopen(argc == 2 ? argv[1] : "tests/vectors/codec.txt", "r");
    if (file == NULL)
        fatal("no vectors: start at the top of the source tree, or name their file");
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, file) != NULL;
        line[more ? strcspn(line, "\n") : 0] = 0;
        const char *rest = strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : "";
        if (line[0] == 0) {
            if (open) {
                run(name, data, size, value, error[0] != 0 ? error : NULL, decode_only);
                vectors++;
            }
            open = decode_only = false;
            error[0] = 0;
        } else if (strncmp(line, "vector ", 7) == 0 || strncmp(line, "invalid ", 8) == 0) {
            snprintf(name, sizeof name, "%s", rest);
            open = true;
        } else if (strncmp(line, "hex", 3) == 0) {
            size = unhex(rest, data, sizeof data);
        } else if (strncmp(line, "value ", 6) == 0) {
            snprintf(value, sizeof value, "%s", rest);
        } else if (strncmp(line, "error ", 6) == 0) {
            snprintf(error, sizeof error, "%s", rest);
        } else if (strcmp(line, "decode_only") == 0) {
            decode_only = true;
        }
    }
    fclose(file);
    check(vectors > 200, "vectors", "the file was not read as meant");
    check_getters();
    check_packers();
    printf("%d vectors, %d checks, %d failures\n", vectors, checks, failures);
    return failures > 0;
}
