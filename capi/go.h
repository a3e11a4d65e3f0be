/* go.h - what C calls of Go, besides the exported functions behind trampoline.c. */
#ifndef PI_GO_H
#define PI_GO_H

#include "keep.h"

#include "_cgo_export.h"

/* Before a call of Go: its stack for this thread must have room for a host's signal handlers. */
static inline void pi_enter_go(void) {
    if (__builtin_expect(!pi_me.entered, 0))
        pi_host_enter();
}

#endif
