/* polyipc/version.h - which header this is, and which library was loaded. */
#ifndef POLYIPC_VERSION_H
#define POLYIPC_VERSION_H

#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define POLYIPC_VERSION_STRING "0.1.0"
#define POLYIPC_VERSION_MAJOR 0
#define POLYIPC_VERSION_MINOR 1
#define POLYIPC_VERSION_PATCH 0

/* Goes up when a program built against an older header could misbehave with a newer library.
 * Equal numbers may be mixed; see docs/abi.md for what 0.x promises. */
#define POLYIPC_ABI 1

/* The library's version, such as "0.1.0". Static storage. */
POLYIPC_API const char *polyipc_version(void);

/* The library's POLYIPC_ABI. A program that finds another number than the header's must not go on:
 *
 *     if (polyipc_abi() != POLYIPC_ABI) ...
 */
POLYIPC_API uint32_t polyipc_abi(void);

#ifdef __cplusplus
}
#endif
#endif
