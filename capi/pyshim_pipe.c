/* pyshim_pipe.c - the verbs of a pipe as builtin functions of Python; see pyshim.h. */
#include "pyshim_messages.h"
#include "quick.h"

static polyipc_status send_one(uint32_t id, const void *data, size_t size, polyipc_format format,
                               int64_t ns) {
    return polyipc_pipe_send((polyipc_pipe){id}, data, size, format, ns);
}

/* Whoever finds nothing and is going to wait need not ask first who is at the other end. */
static polyipc_status recv_one(uint32_t id, void *to, size_t capacity, int64_t ns, struct pi_taken *t) {
    if (ns == POLYIPC_TRY && t->patient)
        return pi_quick_pipe_take((polyipc_pipe){id}, to, capacity, &t->size, &t->format) ? POLYIPC_OK
                                                                                          : POLYIPC_EMPTY;
    return polyipc_pipe_recv((polyipc_pipe){id}, to, capacity, ns, &t->size, &t->format);
}

static pi_object *send_message(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return pi_py_put(self, arguments, count, send_one);
}

static pi_object *recv_message(pi_object *self, pi_object *const *arguments, ptrdiff_t count) {
    return pi_py_get(self, arguments, count, recv_one);
}

static const struct pi_method methods[] = {
    {"send", send_message, PI_FASTCALL, NULL},
    {"recv", recv_message, PI_FASTCALL, NULL},
};

pi_object *polyipc_py_pipe(int pipe) {
    const uint32_t index = (uint32_t)pipe & (PI_MAX_HANDLES - 1);
    const struct pi_quick *const k = &pi_now.keep->quick[index];
    pi_object *items[] = {builtins(methods, sizeof methods / sizeof *methods, (uint32_t)pipe),
                          number((long)pi_now.keep->entries[index].detail), number(k->in.queue != NULL),
                          number(k->out.queue != NULL)};
    return tuple(items, sizeof items / sizeof *items);
}
