/* gosignals.c - keeps Go from unblocking the host's signals.
 *
 * Go's runtime has a table of signals; for SIGCHLD, SIGPROF, SIGSTKFLT and 34 (SIGRTMIN) it says
 * that no thread must block them, and so Go unblocks them in its own threads and, on a thread's first
 * call, in threads of the host, for good. A program that blocks SIGCHLD everywhere and reads it from
 * a signalfd would then lose children. A library has no use for these signals: the entries are
 * changed before Go starts, and the snapshot that a rewind puts back has them changed.
 *
 * Go offers no way to say so, so the table is found by what is in it. Not finding it, in some
 * later Go, leaves things as Go wants them; tests/fork/c/masks.c then fails. */
#include "keep.h"

#include <string.h>

/* runtime.sigTabT */
struct go_signal {
    int32_t flags;
    const char *name;
    size_t length;
};

enum { GO_UNBLOCK = 128, GO_SIGNALS = 65 };

static bool named(const struct pi_keep *keep, const struct go_signal *entry, const char *name) {
    const size_t length = strlen(name);
    return entry->length >= length && entry->length < 100 && pi_image_spans(keep, entry->name, length) &&
           memcmp(entry->name, name, length) == 0;
}

static bool is_table(const struct pi_keep *keep, const struct go_signal *table) {
    return table[0].flags == 0 && named(keep, &table[0], "SIGNONE: ") &&
           named(keep, &table[SIGINT], "SIGINT: ") && named(keep, &table[SIGCHLD], "SIGCHLD: ") &&
           named(keep, &table[SIGSYS], "SIGSYS: ") && named(keep, &table[34], "signal 34") &&
           named(keep, &table[GO_SIGNALS - 1], "signal 64");
}

void pi_go_signals(struct pi_keep *keep) {
    static const int ours_not[] = {SIGCHLD, SIGPROF, SIGSTKFLT, 34};
    for (int i = 0; i < keep->image.ranges; i++) {
        const struct pi_range *r = &keep->image.range[i];
        const size_t size = GO_SIGNALS * sizeof(struct go_signal);
        char *at = r->start + (-(uintptr_t)r->start & (sizeof(void *) - 1));
        for (; at + size <= r->start + r->stored; at += sizeof(void *)) {
            struct go_signal *table = (struct go_signal *)(void *)at;
            if (!is_table(keep, table))
                continue;
            for (size_t k = 0; k < sizeof ours_not / sizeof *ours_not; k++)
                table[ours_not[k]].flags &= ~GO_UNBLOCK;
            return;
        }
    }
}
