/* polyipc/message.h - what the messages of queues and pipes have in common. */
#ifndef POLYIPC_MESSAGE_H
#define POLYIPC_MESSAGE_H

#include <stdint.h>

/* How the bytes of a message are to be read. */
typedef uint32_t polyipc_format;
#define POLYIPC_RAW 0u     /* bytes, as they are */
#define POLYIPC_MSGPACK 1u /* one MessagePack value; docs/spec/codec.md */

/* In the format of a message that was got, never of one to put: it refers to objects (polyipc/reference.h).
 */
#define POLYIPC_REFERENCES 2u
/* The format itself, POLYIPC_RAW or POLYIPC_MSGPACK, and the receipt, of the format of a message. */
#define POLYIPC_PLAIN_FORMAT(format) ((format) & 1u)
#define POLYIPC_RECEIPT(format) ((format) >> 8)

#endif
