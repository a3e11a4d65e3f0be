/* polyipc/message.h - what the messages of queues and pipes have in common. */
#ifndef POLYIPC_MESSAGE_H
#define POLYIPC_MESSAGE_H

#include <stdint.h>

/* How the bytes of a message are to be read. */
typedef uint32_t polyipc_format;
#define POLYIPC_RAW 0u     /* bytes, as they are */
#define POLYIPC_MSGPACK 1u /* one MessagePack value; docs/spec/codec.md */

#endif
