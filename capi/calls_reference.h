/* calls_reference.h - the calls of polyipc/reference.h; see calls.h. */
#ifndef PI_CALLS_REFERENCE_H
#define PI_CALLS_REFERENCE_H

#define PI_REFERENCE_CALLS(PLAIN, GATED, QUICK)                                                            \
    PLAIN(reference_of, (uint32_t object, polyipc_reference *out_reference), (object, out_reference))      \
    GATED(reference_open,                                                                                  \
          (const polyipc_reference *reference, const char *root, polyipc_kind kind, uint32_t *out_object), \
          ((polyipc_reference *)reference, (char *)root, kind, out_object))                                \
    GATED(receipt_return, (uint32_t receipt), (receipt))

#endif
