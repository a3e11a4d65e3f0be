/* polyipc/segment.h - memory that processes share by name: plain bytes, or an array of one format that
 * every language knows.
 *
 * Every function may be called from any thread, also several at once on one handle, and in a
 * forked child on a handle made before the fork.
 *
 * The bytes lie where polyipc_segment_data says, in every process elsewhere, until the handle is closed;
 * to touch them later ends the program. Nothing orders what processes do to them but atomic
 * operations and the lock that every segment has.
 *
 * A segment may grow up to a size that it is made for. Growing moves nothing: pointers stay valid.
 */
#ifndef POLYIPC_SEGMENT_H
#define POLYIPC_SEGMENT_H

#include <polyipc/options.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle. {0} is none. Closed and made-up handles are POLYIPC_BAD_HANDLE, never a crash. */
typedef struct polyipc_segment {
    uint32_t id;
} polyipc_segment;

#define POLYIPC_SEGMENT_MAX_DIMS 8
#define POLYIPC_SEGMENT_MAX_FORMAT 1000 /* bytes */

typedef struct polyipc_segment_options {
    uint32_t size;     /* sizeof(polyipc_segment_options); other sizes are INVALID */
    uint32_t flags;    /* POLYIPC_KEPT, _TRANSIENT; other bits are INVALID */
    int64_t bytes;     /* to be usable, 1 to 2^44; 0 with a format, which has its own */
    int64_t max_bytes; /* that it may grow to, at most 2^44; 0: bytes. Costs address space, but no memory */

    /* What one item is, in the notation of PEP 3118; NULL: plain bytes. That is a type code of Python's
     * struct module, "i" or "d", or a structure, "T{i:id:d:x:}", which without a byte order ("<", ">", "=")
     * is laid out as C does. It is stored in canonical form, "<i" and "T{<i:id:4x<d:x:}".
     * docs/spec/segment.md */
    const char *format;
    const int64_t *shape; /* items in each dimension; NULL with 0 dims: a single item */
    uint32_t dims;        /* at most POLYIPC_SEGMENT_MAX_DIMS */
    uint32_t reserved;    /* 0 */
    int64_t item_size;    /* sizeof of an item, which the format must agree with; 0: as the format says */

    /* What it begins with, so many bytes; the rest is zero. Nobody ever sees the segment without. Not looked
     * at if it exists. */
    const void *initial;
    int64_t initial_bytes;

    const char *root; /* directory; NULL: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid> */
} polyipc_segment_options;

#define POLYIPC_SEGMENT_OPTIONS_INIT \
    {sizeof(polyipc_segment_options), 0u, 0, 0, NULL, NULL, 0u, 0u, 0, NULL, 0, NULL}

/* Makes a segment of so many bytes or with a format. name is 1 to 128 of [A-Za-z0-9._-], not
 * starting with '.'; NULL makes an anonymous segment, named by a UUID.
 * EXISTS, INVALID, NO_SPACE, NO_MEMORY, DENIED, LIMIT. */
POLYIPC_API polyipc_status polyipc_segment_create(const char *name, const polyipc_segment_options *options,
                                                  polyipc_segment *out_segment);

/* Opens an existing segment. options may be NULL; what of them is not 0 must be the segment's own, and bytes
 * no more than it has (else MISMATCH, with both in the detail). NOT_FOUND, WRONG_KIND, MISMATCH, VERSION,
 * CORRUPT, DENIED, NO_MEMORY, LIMIT. */
POLYIPC_API polyipc_status polyipc_segment_open(const char *name, const polyipc_segment_options *options,
                                                polyipc_segment *out_segment);

/* Opens the segment if it exists, made with the same options, else makes it. */
POLYIPC_API polyipc_status polyipc_segment_open_or_create(const char *name,
                                                          const polyipc_segment_options *options,
                                                          polyipc_segment *out_segment);

/* Closes the handle; its memory is unmapped. Other threads waiting in it return CLOSED. The contents stay;
 * a transient segment without another user goes. Closing twice is BAD_HANDLE and harmless. */
POLYIPC_API polyipc_status polyipc_segment_close(polyipc_segment segment);

/* Removes the name: OK also when there is none. Processes that have the segment open go on using it;
 * it goes with the last of them. root as in the options. */
POLYIPC_API polyipc_status polyipc_segment_unlink(const char *name, const char *root);

/* Copies the segment's name with its NUL; at most 129 bytes. TOO_SMALL if it does not fit. */
POLYIPC_API polyipc_status polyipc_segment_name(polyipc_segment segment, char *buffer, size_t capacity);

/* Where the bytes lie in this process and how many there are now. Both stay valid until close: others
 * may grow the segment, but what was usable remains so. The address is a multiple of 4096. Either pointer may
 * be NULL. CORRUPT. */
POLYIPC_API polyipc_status polyipc_segment_data(polyipc_segment segment, void **out_data, int64_t *out_bytes);

/* Makes at least so many bytes usable, for every process; those that come on top are zero. There is no way
 * back. TOO_LARGE beyond max_bytes, NO_SPACE, NO_MEMORY: then nothing has changed. */
POLYIPC_API polyipc_status polyipc_segment_grow(polyipc_segment segment, int64_t bytes);

typedef struct polyipc_segment_type_t {
    uint32_t size;     /* set to sizeof(polyipc_segment_type_t) before the call */
    uint32_t dims;     /* how many numbers of shape count; 0: a single item, or plain bytes */
    int64_t item_size; /* bytes of an item; 1 for plain bytes */
    /* As it was made. A segment that has grown has more items in the first dimension. */
    int64_t shape[POLYIPC_SEGMENT_MAX_DIMS];
    char format[POLYIPC_SEGMENT_MAX_FORMAT + 8]; /* canonical, NUL-terminated; "" for plain bytes */
} polyipc_segment_type_t;

/* Tells what the segment holds. It never changes. */
POLYIPC_API polyipc_status polyipc_segment_describe(polyipc_segment segment,
                                                    polyipc_segment_type_t *out_type);

/* ---- the lock ---------------------------------------------------------------------------
 *
 * One for each segment, for what several processes change together. It keeps nobody from the bytes who does
 * not take it. It belongs to a thread, which may take it again and then has to unlock it as often. */

/* Locks. *out_owner_died, which may be NULL, is 1 if a process died with the lock, so that what it changed
 * may be half changed, else 0. TIMEOUT, also for a timeout of 0; INTERRUPTED, CLOSED, CORRUPT. */
POLYIPC_API polyipc_status polyipc_segment_lock(polyipc_segment segment, int64_t timeout_ns,
                                                int *out_owner_died);

/* Unlocks once. INVALID if this thread does not have the lock. */
POLYIPC_API polyipc_status polyipc_segment_unlock(polyipc_segment segment);

/* ---- atomic operations ------------------------------------------------------------------
 *
 * On a cell of width bytes, 4 or 8, at an offset in bytes that is a multiple of it (else INVALID, as is what
 * lies outside). All of them are sequentially consistent, in every language, and lock-free; those of
 * <stdatomic.h> on the same addresses mix with them. Of cells of 4 bytes, the low 32 bits of values count,
 * and values that come out have no others. */

/* *out_value is what the cell holds. */
POLYIPC_API polyipc_status polyipc_segment_load(polyipc_segment segment, int64_t offset, uint32_t width,
                                                uint64_t *out_value);
POLYIPC_API polyipc_status polyipc_segment_store(polyipc_segment segment, int64_t offset, uint32_t width,
                                                 uint64_t value);

/* Each of these changes the cell; *out_before, which may be NULL, is what it held before. Add and sub wrap
 * around. */
POLYIPC_API polyipc_status polyipc_segment_exchange(polyipc_segment segment, int64_t offset, uint32_t width,
                                                    uint64_t value, uint64_t *out_before);
POLYIPC_API polyipc_status polyipc_segment_add(polyipc_segment segment, int64_t offset, uint32_t width,
                                               uint64_t value, uint64_t *out_before);
POLYIPC_API polyipc_status polyipc_segment_sub(polyipc_segment segment, int64_t offset, uint32_t width,
                                               uint64_t value, uint64_t *out_before);
POLYIPC_API polyipc_status polyipc_segment_and(polyipc_segment segment, int64_t offset, uint32_t width,
                                               uint64_t value, uint64_t *out_before);
POLYIPC_API polyipc_status polyipc_segment_or(polyipc_segment segment, int64_t offset, uint32_t width,
                                              uint64_t value, uint64_t *out_before);
POLYIPC_API polyipc_status polyipc_segment_xor(polyipc_segment segment, int64_t offset, uint32_t width,
                                               uint64_t value, uint64_t *out_before);

/* Stores desired if the cell holds expected: if *out_before, which may be NULL, is expected. OK either way.
 */
POLYIPC_API polyipc_status polyipc_segment_compare_exchange(polyipc_segment segment, int64_t offset,
                                                            uint32_t width, uint64_t expected,
                                                            uint64_t desired, uint64_t *out_before);

/* Waits until the cell holds something else than expected, and gives that in *out_value, which may be NULL.
 * It returns at once, or after a notify, or within 90 ms of a change that nobody told of. A change that is
 * undone before anyone looks is not seen. TIMEOUT, also for a timeout of 0; INTERRUPTED, CLOSED, CORRUPT. */
POLYIPC_API polyipc_status polyipc_segment_wait(polyipc_segment segment, int64_t offset, uint32_t width,
                                                uint64_t expected, int64_t timeout_ns, uint64_t *out_value);

/* Wakes everybody who waits on the cell at that offset, after it was changed. With nobody asleep it costs
 * one load. */
POLYIPC_API polyipc_status polyipc_segment_notify(polyipc_segment segment, int64_t offset);

/* ---- for operators ---------------------------------------------------------------------- */

typedef struct polyipc_segment_stat_t {
    uint32_t size;        /* set to sizeof(polyipc_segment_stat_t) before the call */
    uint32_t flags;       /* POLYIPC_KEPT, POLYIPC_TRANSIENT */
    int64_t bytes;        /* usable now */
    int64_t max_bytes;    /* that it may grow to */
    int64_t waiters;      /* threads that sleep on a cell or the lock, at most 64 */
    uint64_t take_overs;  /* times the lock was taken over from the dead */
    int64_t lock_pid;     /* process that has the lock, as it sees itself; 0: nobody, or not known */
    int64_t lock_held_ns; /* for how long at least: since somebody first waited for it, or asked; 0: nobody */
} polyipc_segment_stat_t;

POLYIPC_API polyipc_status polyipc_segment_stat(polyipc_segment segment, polyipc_segment_stat_t *out_stat);

#ifdef __cplusplus
}
#endif
#endif
