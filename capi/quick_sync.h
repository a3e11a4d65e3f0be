/* quick_sync.h - what calls_sync.h lists as QUICK, done without Go: PI_SLOW, or the call's status. */
#ifndef PI_QUICK_SYNC_H
#define PI_QUICK_SYNC_H

#include "calls_sync.h"
#include "quick.h"

#define PI_OTHER(name, parameters, arguments)
#define PI_QUICK(name, parameters, arguments) polyipc_status pi_quick_##name parameters;
PI_SYNC_CALLS(PI_OTHER, PI_OTHER, PI_QUICK)
#undef PI_OTHER
#undef PI_QUICK

#endif
