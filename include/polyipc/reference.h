/* polyipc/reference.h - objects in messages.
 *
 * A message can refer to objects: a queue to answer to, a segment with the data. The value in the message
 * is a reference (docs/spec/codec.md; polyipc_msgpack_pack_ref packs one). A message that is put with
 * its references told, by polyipc_queue_put_referring, holds the objects: they live, although everybody
 * closes them, until it is got or dropped.
 *
 * Who gets it sees POLYIPC_REFERENCES in its format, and has the objects in use, unopened, from then on. The
 * format has a receipt for them, which goes into each reference that is read from that message:
 *
 *     polyipc_queue_get(queue, buffer, sizeof buffer, POLYIPC_FOREVER, &size, &format);
 *     polyipc_reference reference = ...;           the reference within the message
 *     reference.receipt = POLYIPC_RECEIPT(format);
 *     polyipc_queue answers;
 *     polyipc_reference_open(&reference, NULL, POLYIPC_KIND_QUEUE, &answers.id);
 *
 * Objects that are not opened are given up by polyipc_receipt_return, or when 1,024 later messages came with
 * some. A batch (get_many) has a message with references alone. A leased message holds its objects until it
 * is acked, and each delivery has a receipt of its own.
 *
 * Every function may be called from any thread. A forked child has none of its parent's receipts: there,
 * references find their objects by name, as they do without a receipt. */
#ifndef POLYIPC_REFERENCE_H
#define POLYIPC_REFERENCE_H

#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a reference refers to; numbers never change. */
typedef uint32_t polyipc_kind;
#define POLYIPC_KIND_QUEUE 1u
#define POLYIPC_KIND_PIPE 2u /* its first end */
#define POLYIPC_KIND_SEGMENT 3u
#define POLYIPC_KIND_MANAGED 4u /* an object of a manager, polyipc/manager.h; not to be opened here */
#define POLYIPC_KIND_LOCK 5u
#define POLYIPC_KIND_RLOCK 6u
#define POLYIPC_KIND_SEMAPHORE 7u
#define POLYIPC_KIND_CONDITION 8u
#define POLYIPC_KIND_EVENT 9u
#define POLYIPC_KIND_BARRIER 10u
#define POLYIPC_KIND_RWLOCK 11u
#define POLYIPC_KIND_BOUNDED_SEMAPHORE 12u
#define POLYIPC_KIND_PIPE_END 13u /* a pipe's second end */

/* A reference to an object. UUID and name tell which it is. */
typedef struct polyipc_reference {
    polyipc_kind kind;
    uint32_t receipt; /* of the message that it came in; 0: none */
    uint8_t uuid[16];
    char name[136]; /* at most 128 bytes and a NUL; may be empty */
} polyipc_reference;

/* Fills in the reference to an open object of any kind: object is its handle's id. BAD_HANDLE, INVALID. */
POLYIPC_API polyipc_status polyipc_reference_of(uint32_t object, polyipc_reference *out_reference);

/* Opens the object of a reference, which must be of that kind, and stores its handle's id. root, which may be
 * NULL as in the options, is where it is looked for if the reference has no receipt.
 * GONE if that object is not there any more, INVALID for another kind or one that this library does not know;
 * MISMATCH, VERSION, CORRUPT, DENIED, NO_MEMORY, LIMIT. */
POLYIPC_API polyipc_status polyipc_reference_open(const polyipc_reference *reference, const char *root,
                                                  polyipc_kind kind, uint32_t *out_object);

/* Gives up what a message held and was not opened. An unknown receipt does no harm. */
POLYIPC_API polyipc_status polyipc_receipt_return(uint32_t receipt);

#ifdef __cplusplus
}
#endif
#endif
