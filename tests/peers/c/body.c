/* Messages: from the words of a command, and into those of an answer. */
#include "peer.h"

#include <polyipc_msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_reserve(text *t, size_t n) {
    if (t->size + n > t->room) {
        t->room = 2 * (t->size + n);
        t->bytes = realloc(t->bytes, t->room);
        if (t->bytes == NULL)
            broken("no memory");
    }
    return t->bytes + t->size;
}

void text_add(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    va_start(args, format);
    vsnprintf(text_reserve(t, (size_t)n + 1), (size_t)n + 1, format, args);
    va_end(args);
    t->size += (size_t)n;
}

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef";
    const char *at = c == 0 ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

polyipc_status read_hex(const char *word, text *out) {
    size_t n = strlen(word) / 2;
    char *to = text_reserve(out, n + 1);
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(word[2 * i]), low = hex_digit(word[2 * i + 1]);
        if (high < 0 || low < 0)
            return PROTOCOL;
        to[i] = (char)(16 * high + low);
    }
    out->size += n;
    return POLYIPC_OK;
}

static void show_hex(text *answer, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        text_add(answer, "%02x", (unsigned char)bytes[i]);
}

/* Reads a MessagePack value and writes it anew. */
static polyipc_status again(const char *bytes, size_t size, text *out) {
    msgpack_zone zone;
    msgpack_object value;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_zone_init(&zone, 4096);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    polyipc_status s = polyipc_msgpack_read(bytes, size, &zone, &value);
    if (s == POLYIPC_OK && msgpack_pack_object(&packer, value) != 0)
        s = POLYIPC_NO_MEMORY;
    if (s == POLYIPC_OK) {
        memcpy(text_reserve(out, buffer.size + 1), buffer.data, buffer.size);
        out->size += buffer.size;
    }
    msgpack_sbuffer_destroy(&buffer);
    msgpack_zone_destroy(&zone);
    return s;
}

polyipc_status read_body(const char *word, text *out, polyipc_format *format) {
    out->size = 0;
    *format = POLYIPC_RAW;
    if (word[0] == 'x')
        return read_hex(word + 1, out);
    if (word[0] == 'm') {
        text packed = {0};
        polyipc_status s = read_hex(word + 1, &packed);
        if (s == POLYIPC_OK)
            s = again(packed.bytes, packed.size, out);
        free(packed.bytes);
        *format = POLYIPC_MSGPACK;
        return s;
    }
    char *colon = NULL;
    long long seed = word[0] == 'g' ? strtoll(word + 1, &colon, 10) : 0;
    if (colon == NULL || *colon != ':')
        return PROTOCOL;
    size_t n = (size_t)number(colon + 1);
    generate(text_reserve(out, n + 1), n, seed);
    out->size = n;
    return POLYIPC_OK;
}

polyipc_status show_body(text *answer, const char *bytes, size_t size, polyipc_format format) {
    if (format == POLYIPC_MSGPACK) {
        text anew = {0};
        polyipc_status s = again(bytes, size, &anew);
        text_add(answer, " m");
        show_hex(answer, anew.bytes, anew.size);
        free(anew.bytes);
        return s;
    }
    if (size <= 64) {
        text_add(answer, " x");
        show_hex(answer, bytes, size);
        return POLYIPC_OK;
    }
    uint32_t crc = 0xffffffffu; /* CRC-32 of IEEE 802.3 */
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    text_add(answer, " h%zu:%08x", size, ~crc);
    return POLYIPC_OK;
}

void generate(char *bytes, size_t size, int64_t seed) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(uint64_t)((uint64_t)seed + 7 * i + i / 256);
}

void compose(char *bytes, int64_t id, int64_t index, size_t length) {
    char head[64];
    int n = snprintf(head, sizeof head, "%lld/%lld/%zu/", (long long)id, (long long)index, length);
    generate(bytes, length, 1000 * id + index);
    memcpy(bytes, head, (size_t)n < length ? (size_t)n : length);
}

/* Finds out which message these bytes are, as ID/INDEX, and whether they are what its producer made. */
bool parse_name(const char *bytes, size_t size, polyipc_format format, char name[64]) {
    if (format == POLYIPC_MSGPACK) {
        msgpack_zone zone;
        msgpack_object value;
        const void *inner;
        msgpack_zone_init(&zone, 4096);
        bool is = polyipc_msgpack_read(bytes, size, &zone, &value) == POLYIPC_OK &&
                  polyipc_msgpack_bin(&value, &inner, &size) == POLYIPC_OK;
        msgpack_zone_destroy(&zone);
        return is && parse_name(inner, size, POLYIPC_RAW, name);
    }
    static char made[LARGEST];
    char head[64] = {0};
    long long id = 0, index = 0;
    size_t length = 0;
    memcpy(head, bytes, size < sizeof head - 1 ? size : sizeof head - 1);
    if (sscanf(head, "%lld/%lld/%zu/", &id, &index, &length) != 3 || length != size || length > sizeof made)
        return false;
    snprintf(name, 64, "%lld/%lld", id, index);
    compose(made, id, index, length);
    return memcmp(made, bytes, size) == 0;
}
