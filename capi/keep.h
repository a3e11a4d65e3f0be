/* keep.h - what survives a fork.
 *
 * A forked child has our memory but not the threads of Go's runtime, so on its first call it puts
 * the whole data of this library back to what it was before the runtime started, and starts it
 * again ("rewind", image.c). Whatever must outlive that lies
 *
 *   - in the keep, an anonymous private mapping made when the library is loaded: each process has
 *     its own copy, a child starts with its parent's; or
 *   - in pi_now, the one variable that a rewind leaves alone; or
 *   - in pi_me, the variables of one thread.
 *
 * Who writes what is said at each field. The files, lowest first:
 *   keep.c    makes the keep; gate and tables of handles and descriptors
 *   image.c   finds this library in memory, takes its snapshot, rewinds it
 *   gosignals.c   keeps Go from unblocking the host's signals
 *   guard.c   memory that is not there, touched by C
 *   within.c  which object a thread is in
 *   quick.c   put and get of small messages in C; await.c, the wait for one; quick_pipe.c, the same for pipes
 *   host.c    signals and limits of the host: recorded, protected, put back
 *   load.c    the constructors, the fork handlers, reload
 *   trampoline.c  the exported functions
 *   plain.c   exported functions that need no Go; errors
 *   pyshim.c  exported functions for the Python binding
 */
#ifndef PI_KEEP_H
#define PI_KEEP_H

#include <polyipc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>

/* ---- handles ---------------------------------------------------------------------------- */

enum {
    PI_INDEX_BITS = 20,
    PI_MAX_HANDLES = 1 << PI_INDEX_BITS,
    PI_MAX_ROOTS = 1024,
    PI_ROOT_BYTES = 4096, /* PATH_MAX */
    PI_NAME_BYTES = 136,
    PI_MAX_DESCRIPTORS = 1 << 20,
    PI_SIGNALS = 65,
    PI_FAULTS = 3, /* SIGSEGV, SIGBUS, and SIGURG, which is none */
};

/* What a handle stands for: one for each type of handle. */
enum pi_kind {
    PI_NONE = 0,
    PI_QUEUE = 1,
    PI_SEGMENT = 2,
    PI_PIPE = 3,
    PI_PROCESS = 4,
    PI_SERVER = 5,
    PI_MANAGER = 6,
    PI_SYNC = 16, /* and the type, as enum polyipc_sync_type has it */
    PI_LOCK,
    PI_RLOCK,
    PI_SEMAPHORE,
    PI_BOUNDED_SEMAPHORE,
    PI_CONDITION,
    PI_EVENT,
    PI_BARRIER,
    PI_RWLOCK
};

/* Which file a descriptor belongs to. */
struct pi_file {
    uint64_t device, inode;
};

/* A handle as a forked child has to find it. Written and cleared by Go (handles.go) under the
 * lock of its table and within the gate; read by a child that adopts the handle.
 *
 *   handle  bits 0-19  index into the table
 *           bits 20-30 generation, 1 to 2047; goes up with each reuse of the index
 */
struct pi_entry {
    _Atomic uint32_t handle;  /* stored last when opened, zeroed first when closed; 0: free */
    uint32_t generation;      /* the last one used; outlives the handle */
    uint32_t kind;            /* enum pi_kind */
    int32_t descriptor;       /* holds the user's lock on the object's file */
    uint64_t address;         /* of the mapping */
    uint64_t length;          /* of the mapping, bytes */
    struct pi_file file;      /* what descriptor was; a host may close it and reuse the number */
    uint32_t root;            /* index into the roots */
    uint32_t detail;          /* the noun's own */
    char name[PI_NAME_BYTES]; /* of the object, NUL-terminated */
};

/* handover.State, in C. */
struct pi_held {
    uint32_t begun, reserved;
    uint64_t held[4];
};

/* ---- the keep --------------------------------------------------------------------------- */

struct pi_range {
    char *start;    /* of writable data that is not read-only after relocation */
    size_t size;    /* bytes */
    size_t stored;  /* how many of them come from the file; the rest starts as zero */
    char *snapshot; /* copy of the stored bytes from before Go started */
};

struct pi_image {
    bool rewindable; /* false: a forked child gets POLYIPC_UNSUPPORTED */
    const char *why_not;
    char *start, *end;           /* all of it, as mapped */
    char *text_start, *text_end; /* its executable bytes */
    struct pi_range range[4];
    int ranges;
    void (**init)(int, char **, char **); /* DT_INIT_ARRAY */
    size_t inits;
    const char *tls_image; /* start values of this library's thread-local variables */
    size_t tls_stored, tls_size;
    ptrdiff_t tls_offset; /* of that block from the thread pointer, the same in every thread */
    int argc;
    char **argv, **envp;
};

struct pi_host {
    struct sigaction before[PI_SIGNALS];  /* the host's dispositions, beneath those of Go */
    struct sigaction now[PI_SIGNALS];     /* what they are when Go starts */
    sigset_t mask;                        /* of the thread that loads, while Go starts */
    struct rlimit files;                  /* RLIMIT_NOFILE before Go raised it */
    struct sigaction go_fault[PI_FAULTS]; /* what guard.c hands on to */
};

struct pi_keep {
    struct pi_image image; /* written by the first constructor, then constant */
    struct pi_host host;   /* written before each start of Go */

    _Atomic uint32_t started; /* futex; 1 once Go's init functions have run in this process */
    uint32_t forks;           /* how many forks lie between the loading process and this one */
    pthread_mutex_t reload;   /* only one thread rewinds */
    _Atomic uint32_t gate;    /* futex; see pi_gate_enter */
    _Atomic uint32_t begun;   /* forks begun so far by this process */

    pthread_key_t detail_key; /* frees a thread's error text */
    pthread_key_t go_key;     /* Go's key for its thread state, when go_key_known */
    bool go_key_known;

    struct pi_entry *entries;        /* PI_MAX_HANDLES, committed as they are needed */
    size_t committed;                /* entries that may be touched */
    char *roots;                     /* PI_MAX_ROOTS strings of PI_ROOT_BYTES */
    _Atomic uint64_t *descriptors;   /* bitmap of descriptors that a child closes */
    struct pi_file *files;           /* of these, by number; written before the bit is set */
    _Atomic uint32_t descriptor_top; /* one behind the highest word ever used */

    struct pi_quick *quick;     /* PI_MAX_HANDLES, committed with the entries; see quick.h */
    _Atomic uint32_t quick_top; /* one behind the highest index ever used */
    bool alone;                 /* one processor: spinning only keeps the other side from running */

    struct pi_held held; /* which descriptors from before our exec are held; see package handover */

    bool within;                 /* threads note where they are, see within.c; else calls are counted */
    pthread_key_t within_key;    /* takes an ending thread from the list */
    pthread_mutex_t within_lock; /* of the list */
    struct pi_thread *threads;   /* those that were ever within something */

    const void *python;      /* struct pi_python, see pyshim.c */
    _Atomic uint32_t events; /* enum pi_events; written by events.go */
};

/* Whether a binding collects events, and whether there are some for it. */
enum pi_events { PI_EVENTS_UNWANTED, PI_EVENTS_NONE, PI_EVENTS_NEWS };

struct pi_table;

/* The variable that no rewind touches. */
extern struct pi_now {
    const struct pi_table *_Atomic table; /* what the exported functions jump through */
    struct pi_keep *keep;                 /* constant once made; NULL: it could not be made */
} pi_now;

/* Operations that fail in normal work; plain.c has their names. */
enum pi_operation {
    PI_OP_TEXT,
    PI_OP_PUT,
    PI_OP_GET,
    PI_OP_LEASE,
    PI_OP_JOIN,
    PI_OP_SEND,
    PI_OP_RECV,
    PI_OP_POLL,
    PI_OP_CALL
};

/* A thread that is not listed is counted. ENDED: or is about to be listed. */
enum pi_within_state { PI_WITHIN_NEW, PI_WITHIN_LISTED, PI_WITHIN_ENDED };

/* Per thread. A rewind keeps those of the thread that makes it; it is the child's only one. */
struct pi_thread {
    struct pi_guard *guard; /* not NULL: this thread is in guarded code, see quick.h */
    bool entered;           /* has called Go, whose stack for this thread has room for a signal handler */
    int interruptible;
    struct pi_quick *_Atomic within; /* what this thread is in; see within.c, like the next five */
    uint32_t counted;                /* calls that are counted instead: a handler's, during another's */
    _Atomic int within_state;        /* enum pi_within_state */
    struct pi_thread *next, **link;  /* in the list; under within_lock */
    uint32_t number, numbered;       /* gettid, and after how many forks, plus 1, that was asked */
    char *detail;                    /* malloc'ed text of the last error that had one */
    size_t detail_length, detail_capacity;
    enum pi_operation operation; /* not PI_OP_TEXT: detail is to be made from these three */
    polyipc_status status;       /* of the last error */
    uint32_t handle;             /* of the last error, 0 if none */
};

/* Go needs the static model for its own variable anyway. */
extern __thread struct pi_thread pi_me __attribute__((tls_model("initial-exec")));

struct pi_keep *pi_keep_make(void); /* NULL when memory is short */

/* Makes entries[index] usable; false when memory is short. Called under the table's lock. */
bool pi_keep_commit(struct pi_keep *keep, size_t index);

/* Whoever makes or ends descriptors and handles stands within the gate. fork waits for them, at
 * most a second, and meanwhile lets nobody in: so a child never finds half a handle. Entering
 * twice from one thread may make a fork wait that second. */
/* $POLYIPC_ROOT, $POLYIPC_LOG and $POLYIPC_OBJECTS as they are now, or NULL. */
char *pi_root(void);
char *pi_log(void);
char *pi_objects(void);

void pi_gate_enter(void);
void pi_gate_leave(void);
void pi_gate_close(struct pi_keep *keep);         /* before a fork */
void pi_gate_open(struct pi_keep *keep);          /* after it, in the parent */
void pi_gate_open_in_child(struct pi_keep *keep); /* after it, in the child */

/* Closes what would lie about the child: descriptors that the parent's identity hangs on. */
void pi_descriptors_close(struct pi_keep *keep);

/* ---- image.c ---------------------------------------------------------------------------- */

void pi_image_find(struct pi_keep *keep, int argc, char **argv, char **envp);
void pi_image_store(struct pi_keep *keep);                     /* takes the snapshot */
bool pi_image_has(const struct pi_keep *keep, uintptr_t code); /* is that our code? */
bool pi_image_spans(const struct pi_keep *keep, const void *bytes, size_t size);
void pi_image_rewind(struct pi_keep *keep); /* only pi_now, the keep and pi_me keep their values */
void pi_image_learn_key(struct pi_keep *keep);
void pi_image_forget_thread(struct pi_keep *keep); /* makes this thread one that Go never saw */

/* ---- gosignals.c ------------------------------------------------------------------------ */

void pi_go_signals(struct pi_keep *keep);

/* ---- host.c ----------------------------------------------------------------------------- */

void pi_host_before_go(struct pi_keep *keep); /* records, and masks signals for Go's threads */
void pi_host_after_go(struct pi_keep *keep);  /* restores this thread's mask */
void pi_host_enter(void);                     /* a thread's first call, without signals */
void pi_host_started(void);                   /* called from Go's init: restores the limit */
void pi_host_in_child(struct pi_keep *keep);  /* restores dispositions and limit */

/* ---- guard.c --------------------------------------------------------------------------- */

void pi_guard_install(struct pi_keep *keep); /* behind each start of Go */

/* ---- load.c ----------------------------------------------------------------------------- */

const struct pi_table *pi_reload(void); /* the child's first call; returns the table to use */

/* ---- trampoline.c ----------------------------------------------------------------------- */

extern const struct pi_table pi_own, pi_slow, pi_dead;

/* ---- plain.c ---------------------------------------------------------------------------- */

/* Records why a call failed, with a text, which is copied, or with no more than is known anyway. */
void pi_fail_text(const char *text, size_t length);
void pi_fail_plain(enum pi_operation operation, uint32_t handle, polyipc_status status);
void pi_detail_free(void *text); /* destructor of detail_key */
int pi_interruptible(void);      /* this thread's wish, as polyipc_thread_interruptible left it */

/* ---- futex ------------------------------------------------------------------------------ */

/* Waits while *word is value, at most ns nanoseconds. May return early. */
void pi_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t ns);
void pi_futex_wake_all(_Atomic uint32_t *word);

/* The same for words in shared memory. sleep returns 0, EAGAIN, EINTR, ETIMEDOUT or EFAULT, wake how many it
 * woke. */
int pi_futex_sleep(_Atomic uint32_t *word, uint32_t value, int64_t ns);
int pi_futex_wake(_Atomic uint32_t *word, int most);

#endif
