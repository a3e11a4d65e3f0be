/* What the peers that use polyipc's C ABI do with a status. */
#ifndef BENCH_POLYIPC_CHECK_H
#define BENCH_POLYIPC_CHECK_H

#include "worker.h"

#include <polyipc.h>

static inline void check(polyipc_status status) {
    if (status == POLYIPC_OK)
        return;
    char detail[512];
    polyipc_error_detail(detail, sizeof detail);
    fail("%s: %s", polyipc_status_name(status), detail);
}

#endif
