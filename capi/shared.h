/* shared.h - what lies in shared memory, as docs/spec/queue.md and docs/spec/ring.md have it and
 * runtime/internal/layout says in Go. Only what quick.c and await.c use has a name. That the two
 * agree is checked below, and by a test.
 *
 * "P" and "C": written by the holder of the producer or the consumer lock. */
#ifndef PI_SHARED_H
#define PI_SHARED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PI_PHASE (UINT64_C(15) << 60)
#define PI_READY (UINT64_C(2) << 60)

enum {
    PI_WAITERS = (int)(1u << 31), /* in a lock word, beside the owner's token */
    PI_FLAG = 1,                  /* in a wait word, below the sequence number */
    PI_INLINE = 4096,             /* the largest payload that is copied under a lock */
    PI_SEATS = 64,
    PI_WAITS_FOR_MESSAGE = 1, /* in a seat */
    PI_BELLS_BEHIND = 5504,   /* bytes from a queue's header to its bells */
    PI_BELL_READABLE = 0,
    PI_BELL_WRITABLE = 1
};

struct pi_seat {
    _Atomic uint64_t who; /* {what:32, token:32}, 0 free */
    _Atomic int64_t since;
};

struct pi_queue {
    uint64_t max_size; /* fixed, like the next two */
    uint64_t capacity;
    uint64_t data;
    char pad0[128 - 24];
    _Atomic uint64_t first;    /* P and C */
    _Atomic uint32_t shutdown; /* P */
    char pad1[128 - 12];
    _Atomic uint32_t rescan; /* anyone */
    _Atomic uint32_t dirty;  /* anyone */
    char pad2[128 - 8];
    _Atomic uint32_t producers; /* lock word */
    char pad3[4];
    _Atomic uint64_t claimant;
    _Atomic uint64_t side_seq; /* P */
    char pad4[128 - 24];
    _Atomic uint32_t consumers; /* lock word */
    char pad5[128 - 4];
    _Atomic uint32_t readable; /* wait word */
    char pad6[128 - 4];
    _Atomic uint32_t writable; /* wait word */
    char pad7[128 - 4];
    char joinable[128];
    char counters[128];
    struct pi_seat seat[PI_SEATS];
};

/* The doorbells of a queue, of which only this much is looked at: is there anybody to tell? */
struct pi_bells {
    _Atomic uint32_t some[2]; /* PI_BELL_READABLE, PI_BELL_WRITABLE */
};

struct pi_ring {
    _Atomic uint64_t tail;          /* P; its store is the commit of a put */
    _Atomic uint64_t last;          /* P */
    _Atomic uint64_t head_seen;     /* P */
    _Atomic uint64_t head_seq_seen; /* P */
    _Atomic uint64_t next;          /* P */
    char pad0[128 - 40];
    _Atomic uint64_t head; /* C; its store is the commit of a get */
    _Atomic uint64_t cursor;
    _Atomic uint64_t reach;
    _Atomic uint64_t tail_seen;
    char pad1[128 - 32];
};

struct pi_record {
    uint32_t length;
    uint16_t flags;
    uint16_t format;
    uint64_t sequence;
    _Atomic uint64_t state;
};

struct pi_mutex {
    _Atomic uint32_t word;  /* lock word */
    _Atomic uint32_t depth; /* the owner */
    _Atomic uint64_t owner; /* {token:32, thread:32}; the owner */
    _Atomic int64_t since;  /* anyone, from 0; the owner, to 0 */
    char pad0[64 - 24];
};

struct pi_cell_word {
    _Atomic uint32_t word; /* wait word */
    char pad[60];
};

enum { PI_CELL_WORDS = 16 };

struct pi_segment {
    _Atomic uint64_t size; /* only grows */
    char pad0[128 - 8];
    struct pi_mutex lock;
    char pad1[128 - 64];
    struct pi_cell_word cell[PI_CELL_WORDS];
};

enum {
    PI_MAX_DEPTH = 1 << 30,          /* how often a thread may take a lock */
    PI_SET = 1,                      /* in an event's mark, below the generation */
    PI_SYNC_AREA_BEHIND = 4096 - 128 /* an event's bells, behind its header */
};

struct pi_sync {
    uint32_t type;  /* fixed, like the next two */
    uint32_t flags; /* 0: a semaphore has no ledger */
    uint64_t limit;
    char pad0[128 - 16];
    struct pi_mutex lock;
    char pad1[128 - 64];
    char guard[8];
    _Atomic uint64_t value;
    char pad2[128 - 16];
    _Atomic uint32_t mark; /* an event: {generation:31, set:1} */
    char pad3[128 - 4];
    _Atomic uint32_t word; /* wait word */
};

/* Where Go has them; a test of runtime/internal/layout compares these lines with its types. */
#define PI_AT(kind, field, offset, name) \
    _Static_assert(offsetof(struct pi_##kind, field) == (offset), name " lies elsewhere")
PI_AT(queue, max_size, 0, "Queue.MaxSize");
PI_AT(queue, capacity, 8, "Queue.Capacity");
PI_AT(queue, data, 16, "Queue.Data");
PI_AT(queue, first, 128, "Queue.First");
PI_AT(queue, shutdown, 136, "Queue.Shutdown");
PI_AT(queue, rescan, 256, "Queue.Rescan");
PI_AT(queue, dirty, 260, "Queue.Dirty");
PI_AT(queue, producers, 384, "Queue.Producers");
PI_AT(queue, claimant, 392, "Queue.Claimant");
PI_AT(queue, side_seq, 400, "Queue.SideSeq");
PI_AT(queue, consumers, 512, "Queue.Consumers");
PI_AT(queue, readable, 640, "Queue.Readable");
PI_AT(queue, writable, 768, "Queue.Writable");
PI_AT(queue, seat, 1152, "Queue.Seat");
PI_AT(bells, some, 0, "Bells.Some");
PI_AT(ring, tail, 0, "Ring.Tail");
PI_AT(ring, last, 8, "Ring.Last");
PI_AT(ring, head_seen, 16, "Ring.HeadSeen");
PI_AT(ring, head_seq_seen, 24, "Ring.HeadSeqSeen");
PI_AT(ring, next, 32, "Ring.Next");
PI_AT(ring, head, 128, "Ring.Head");
PI_AT(ring, cursor, 136, "Ring.Cursor");
PI_AT(ring, reach, 144, "Ring.Reach");
PI_AT(ring, tail_seen, 152, "Ring.TailSeen");
PI_AT(record, length, 0, "Record.Length");
PI_AT(record, flags, 4, "Record.Flags");
PI_AT(record, format, 6, "Record.Format");
PI_AT(record, sequence, 8, "Record.Sequence");
PI_AT(record, state, 16, "Record.state");
PI_AT(segment, size, 0, "Segment.Size");
PI_AT(segment, lock, 128, "Segment.Lock");
PI_AT(segment, cell, 256, "Segment.Cell");
PI_AT(cell_word, word, 0, "CellWord.Word");
PI_AT(mutex, word, 0, "Mutex.Word");
PI_AT(mutex, depth, 4, "Mutex.Depth");
PI_AT(mutex, owner, 8, "Mutex.Owner");
PI_AT(mutex, since, 16, "Mutex.Since");
PI_AT(sync, type, 0, "Sync.Type");
PI_AT(sync, flags, 4, "Sync.Flags");
PI_AT(sync, limit, 8, "Sync.Limit");
PI_AT(sync, lock, 128, "Sync.Lock");
PI_AT(sync, value, 264, "Sync.Value");
PI_AT(sync, mark, 384, "Sync.Mark");
PI_AT(sync, word, 512, "Sync.Word");
PI_AT(seat, who, 0, "Seat.Who");
PI_AT(seat, since, 8, "Seat.Since");
#undef PI_AT

#endif
