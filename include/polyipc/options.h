/* polyipc/options.h - what the options and timeouts of all kinds of objects have in common. */
#ifndef POLYIPC_OPTIONS_H
#define POLYIPC_OPTIONS_H

#include <polyipc/status.h>

/* Timeouts are nanoseconds. */
#define POLYIPC_FOREVER ((int64_t)-1) /* any negative value waits without limit */
#define POLYIPC_TRY ((int64_t)0)      /* never waits: EMPTY or FULL if there is such a status, else TIMEOUT */

/* Bits of the flags in options. Neither KEPT nor TRANSIENT: named objects are kept, anonymous ones are
 * transient. Both: INVALID.
 *
 * Whoever may write to an object with PICKLE can run code in the Python programs that open its pickles.
 * In a root that is shared with a group (a directory with the set-group-id bit that its group can write
 * to) that is every member, so to make or open an object with PICKLE there is DENIED, unless TRUST_GROUP
 * says that the caller trusts them. TRUST_GROUP changes nothing else, and nothing without PICKLE. */
#define POLYIPC_KEPT 1u        /* lives until unlinked */
#define POLYIPC_TRANSIENT 2u   /* goes with its last user, however that ends */
#define POLYIPC_PICKLE 4u      /* may carry Python pickles; only for processes that trust each other */
#define POLYIPC_TRUST_GROUP 8u /* PICKLE is meant also where the root is shared with a group */

/* What an object is waited for (polyipc/wait.h); its header says what the words mean for it. */
#define POLYIPC_READABLE 1u
#define POLYIPC_WRITABLE 2u

#endif
