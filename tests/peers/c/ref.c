/* The commands on objects in messages, which begin with "ref.". */
#include "peer.h"

#include <polyipc_msgpack.h>
#include <stdlib.h>
#include <string.h>

/* The handle of a word such as "queue.3"; 0 if there is none. */
static uint32_t object_of(const char *word) {
    if (strncmp(word, "queue.", 6) == 0)
        return queue_number(number(word + 6)).id;
    if (strncmp(word, "sync.", 5) == 0)
        return sync_number(number(word + 5));
    if (strncmp(word, "pipe.", 5) == 0)
        return pipe_number(number(word + 5));
    if (strncmp(word, "segment.", 8) == 0)
        return segment_number(number(word + 8));
    return 0;
}

static polyipc_status put(polyipc_queue q, call *c) {
    const size_t n = (size_t)c->count - 3;
    polyipc_reference references[256];
    msgpack_sbuffer out;
    msgpack_packer pk;
    polyipc_status s = n < 256 ? POLYIPC_OK : PROTOCOL;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, n);
    for (size_t i = 0; i < n && s == POLYIPC_OK; i++) {
        s = polyipc_reference_of(object_of(c->words[3 + i]), &references[i]);
        polyipc_msgpack_ref_t r = {.kind = (uint8_t)references[i].kind, .name = references[i].name};
        if (s == POLYIPC_OK) {
            memcpy(r.uuid, references[i].uuid, sizeof r.uuid);
            r.name_size = strlen(r.name);
            s = polyipc_msgpack_pack_ref(&pk, &r);
        }
    }
    if (s == POLYIPC_OK)
        s = polyipc_queue_put_referring(q, out.data, out.size, POLYIPC_MSGPACK, references, n,
                                        nanoseconds(c->words[2]));
    msgpack_sbuffer_destroy(&out);
    return s;
}

/* Opens what a reference in a message refers to, and answers with the word for it. */
static polyipc_status open_one(call *c, const msgpack_object *value, polyipc_format format) {
    polyipc_msgpack_ref_t r;
    if (polyipc_msgpack_ref(value, &r) != POLYIPC_OK)
        return PROTOCOL;
    polyipc_reference reference = {.kind = r.kind, .receipt = POLYIPC_RECEIPT(format)};
    memcpy(reference.uuid, r.uuid, sizeof r.uuid);
    memcpy(reference.name, r.name, r.name_size);
    uint32_t id;
    polyipc_status s = polyipc_reference_open(&reference, NULL, reference.kind, &id);
    if (s != POLYIPC_OK)
        return s;
    switch (reference.kind) {
    case POLYIPC_KIND_QUEUE:
        text_add(c->answer, " queue.%d", keep_queue((polyipc_queue){id}));
        break;
    case POLYIPC_KIND_SEGMENT:
        text_add(c->answer, " segment.%d", keep_segment(id));
        break;
    case POLYIPC_KIND_PIPE:
    case POLYIPC_KIND_PIPE_END:
        text_add(c->answer, " pipe.%d", keep_pipe(id));
        break;
    default:
        text_add(c->answer, " sync.%d", keep_sync(reference.kind, id));
    }
    return s;
}

static polyipc_status get(polyipc_queue q, call *c) {
    char buffer[1 << 16];
    size_t size;
    polyipc_format format;
    polyipc_status s = polyipc_queue_get(q, buffer, sizeof buffer, nanoseconds(c->words[2]), &size, &format);
    if (s != POLYIPC_OK)
        return s;
    msgpack_zone zone;
    msgpack_object value;
    msgpack_zone_init(&zone, 4096);
    s = polyipc_msgpack_read(buffer, size, &zone, &value);
    if (s == POLYIPC_OK && value.type != MSGPACK_OBJECT_ARRAY)
        s = PROTOCOL;
    for (size_t i = 0; s == POLYIPC_OK && i < value.via.array.size; i++)
        s = open_one(c, &value.via.array.ptr[i], format);
    msgpack_zone_destroy(&zone);
    polyipc_receipt_return(POLYIPC_RECEIPT(format));
    return s;
}

polyipc_status answer_to_ref(call *c) {
    const polyipc_queue q = queue_number(number(c->words[1]));
    if (c->count < 3 || q.id == 0)
        return PROTOCOL;
    return strcmp(c->words[0], "ref.put") == 0 ? put(q, c) : get(q, c);
}
