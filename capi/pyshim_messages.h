/* pyshim_messages.h - messages as Python objects: what the shims of queues (pyshim.c) and pipes
 * (pyshim_pipe.c) have in common. */
#ifndef PI_PYSHIM_MESSAGES_H
#define PI_PYSHIM_MESSAGES_H

#include "pyshim_inner.h"

enum {
    SMALL = 16 << 10, /* bytes that a get has at hand; larger messages are asked for again */
    QUICK = 64 << 10, /* bytes that are copied with the GIL held */
};

struct pi_taken;
typedef polyipc_status pi_taker(uint32_t id, void *to, size_t capacity, int64_t ns, struct pi_taken *t);

/* One message on its way to Python. */
struct pi_taken {
    pi_taker *take;   /* takes it from the object with that handle, and fills in size and format */
    pi_object *bytes; /* NULL: it is in small */
    size_t size;
    polyipc_format format;
    polyipc_lease *lease; /* of lease alone */
    bool patient;         /* a try will be followed by a wait */
};

/* Tries with the GIL held; waits, and copies what is large, without it. A message that does not fit
 * stays where it is, and may be another's by the time there is a place for it: then the wait
 * goes on. small has SMALL bytes. NO_MEMORY means that a Python exception is set. */
polyipc_status pi_py_take(uint32_t id, struct pi_taken *t, char *small, int64_t timeout);
/* A message as Python gets it; takes the reference to bytes, which may be NULL. */
pi_object *pi_py_message(pi_object *bytes, polyipc_format format);

/* put(body, format, ns) and get(ns) of pyshim.h. */
pi_object *pi_py_put(pi_object *self, pi_object *const *arguments, ptrdiff_t count,
                     polyipc_status (*put)(uint32_t, const void *, size_t, polyipc_format, int64_t));
pi_object *pi_py_get(pi_object *self, pi_object *const *arguments, ptrdiff_t count, pi_taker *take);

#endif
