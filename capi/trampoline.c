/* trampoline.c - the exported functions. Each jumps through one table:
 *
 *   pi_own   to Go (export_*.go), in the process that loaded the library and wherever Go runs
 *   pi_slow  in a forked child before its first call: starts Go there, then as pi_own
 *   pi_dead  in a forked child where that cannot work: POLYIPC_UNSUPPORTED
 *
 * The pointer is the flag: outside of forked children this costs a load and a jump, and a look at
 * whether the thread is a new one. */
#include "calls.h"
#include "go.h"
#include "pyshim.h"
#include "quick.h"
#include "quick_segment.h"
#include "quick_sync.h"
#include "sync_forward.h"
#include <stdio.h>

struct pi_table {
#define FIELD(name, parameters, arguments) polyipc_status(*name) parameters;
    PI_CALLS(FIELD, FIELD, FIELD)
#undef FIELD
};

/* ---- own -------------------------------------------------------------------------------- */

#define PLAIN(name, parameters, arguments)        \
    static polyipc_status own_##name parameters { \
        pi_enter_go();                            \
        return pg_##name arguments;               \
    }
#define GATED(name, parameters, arguments)                 \
    static polyipc_status own_##name parameters {          \
        pi_enter_go();                                     \
        pi_gate_enter();                                   \
        const polyipc_status status = pg_##name arguments; \
        pi_gate_leave();                                   \
        return status;                                     \
    }
#define QUICK(name, parameters, arguments)                       \
    static polyipc_status own_##name parameters {                \
        const polyipc_status status = pi_quick_##name arguments; \
        if (__builtin_expect(status != PI_SLOW, 1))              \
            return status;                                       \
        pi_enter_go();                                           \
        return pg_##name arguments;                              \
    }
PI_CALLS(PLAIN, GATED, QUICK)
#undef PLAIN
#undef GATED
#undef QUICK

const struct pi_table pi_own = {
#define ENTRY(name, parameters, arguments) .name = own_##name,
    PI_CALLS(ENTRY, ENTRY, ENTRY)
#undef ENTRY
};

/* ---- slow ------------------------------------------------------------------------------- */

#define SLOW(name, parameters, arguments) \
    static polyipc_status slow_##name parameters { return pi_reload()->name arguments; }
PI_CALLS(SLOW, SLOW, SLOW)
#undef SLOW

const struct pi_table pi_slow = {
#define ENTRY(name, parameters, arguments) .name = slow_##name,
    PI_CALLS(ENTRY, ENTRY, ENTRY)
#undef ENTRY
};

/* ---- dead ------------------------------------------------------------------------------- */

static polyipc_status refuse(void) {
    const struct pi_keep *keep = pi_now.keep;
    const char *why = keep != NULL ? keep->image.why_not : "memory was short when it was loaded";
    char text[256];
    int n = snprintf(text, sizeof text,
                     "use polyipc in a forked child: this copy of the library cannot start anew "
                     "there, since %s: fork before the first use, or exec, or load libpolyipc.so",
                     why);
    pi_fail_text(text, (size_t)n);
    return POLYIPC_UNSUPPORTED;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter" /* all of them, on purpose */
#define DEAD(name, parameters, arguments) \
    static polyipc_status dead_##name parameters { return refuse(); }
PI_CALLS(DEAD, DEAD, DEAD)
#undef DEAD
#pragma GCC diagnostic pop

const struct pi_table pi_dead = {
#define ENTRY(name, parameters, arguments) .name = dead_##name,
    PI_CALLS(ENTRY, ENTRY, ENTRY)
#undef ENTRY
};

/* ---- exported --------------------------------------------------------------------------- */

/* Relaxed: whoever forked wrote the pointer before this thread existed, or is this thread. */
#define EXPORT(name, parameters, arguments)                                               \
    polyipc_status polyipc_##name parameters {                                            \
        return atomic_load_explicit(&pi_now.table, memory_order_relaxed)->name arguments; \
    }
PI_CALLS(EXPORT, EXPORT, EXPORT)
#undef EXPORT
