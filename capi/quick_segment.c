/* quick_segment.c - atomic operations on a segment's cells without Go; see quick.h. The same as
 * runtime/segment/atomic.go, over the same layout. There is nothing to repair: each is one instruction.
 *
 * What does not go through here, because the cell lies outside, say, or the file is damaged, goes to Go,
 * which says what is wrong. */
#include "quick_segment.h"

enum operation { LOAD, STORE, EXCHANGE, ADD, SUB, AND, OR, XOR, COMPARE_EXCHANGE };

/* Where the cell lies; NULL if it does not lie within what is usable now. */
static void *cell(const struct pi_quick *k, int64_t offset, uint32_t width) {
    const uint64_t bytes =
        atomic_load_explicit(&((struct pi_segment *)k->header)->size, memory_order_relaxed);
    const uint64_t at = (uint64_t)offset;
    if (bytes > k->size || (width != 4 && width != 8) || at % width != 0 || bytes < width ||
        at > bytes - width)
        return NULL;
    return k->data + at;
}

#define OPERATE(type)                                                              \
    static type operate_##type(void *at, enum operation o, type v, type desired) { \
        _Atomic type *const p = at;                                                \
        switch (o) {                                                               \
        case STORE:                                                                \
        case EXCHANGE:                                                             \
            return atomic_exchange(p, v);                                          \
        case ADD:                                                                  \
            return atomic_fetch_add(p, v);                                         \
        case SUB:                                                                  \
            return atomic_fetch_sub(p, v);                                         \
        case AND:                                                                  \
            return atomic_fetch_and(p, v);                                         \
        case OR:                                                                   \
            return atomic_fetch_or(p, v);                                          \
        case XOR:                                                                  \
            return atomic_fetch_xor(p, v);                                         \
        case COMPARE_EXCHANGE:                                                     \
            atomic_compare_exchange_strong(p, &v, desired);                        \
            return v;                                                              \
        default:                                                                   \
            return atomic_load(p);                                                 \
        }                                                                          \
    }
OPERATE(uint32_t)
OPERATE(uint64_t)

polyipc_status pi_quick_segment_lock(polyipc_segment segment, int64_t timeout_ns, int *out_owner_died) {
    (void)timeout_ns;
    return pi_quick_own(segment.id, PI_SEGMENT, offsetof(struct pi_segment, lock), out_owner_died);
}

polyipc_status pi_quick_segment_unlock(polyipc_segment segment) {
    return pi_quick_disown(segment.id, PI_SEGMENT, offsetof(struct pi_segment, lock));
}

static uint64_t operate(void *at, uint32_t width, enum operation o, uint64_t v, uint64_t desired) {
    if (width == 8)
        return operate_uint64_t(at, o, v, desired);
    return operate_uint32_t(at, o, (uint32_t)v, (uint32_t)desired);
}

/* The caller's place for the result is written before anything else, with what it holds: if it is not there,
 * that must show before the cell is changed. */
static polyipc_status change(polyipc_segment segment, int64_t offset, uint32_t width, enum operation o,
                             uint64_t value, uint64_t desired, uint64_t *out) {
    struct pi_quick *const k = pi_quick_enter(segment.id, PI_SEGMENT);
    if (k == NULL)
        return PI_SLOW;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        pi_quick_leave(k);
        return PI_SLOW;
    }
    polyipc_status status = PI_SLOW;
    void *const at = cell(k, offset, width);
    if (at != NULL) {
        if (out != NULL)
            *(volatile uint64_t *)out = *(volatile uint64_t *)out;
        const uint64_t before = operate(at, width, o, value, desired);
        if (out != NULL)
            *out = before;
        status = POLYIPC_OK;
    }
    PI_UNGUARD();
    pi_quick_leave(k);
    return status;
}

polyipc_status pi_quick_segment_load(polyipc_segment segment, int64_t offset, uint32_t width,
                                     uint64_t *out_value) {
    return out_value == NULL ? PI_SLOW : change(segment, offset, width, LOAD, 0, 0, out_value);
}

polyipc_status pi_quick_segment_store(polyipc_segment segment, int64_t offset, uint32_t width,
                                      uint64_t value) {
    return change(segment, offset, width, STORE, value, 0, NULL);
}

#define CHANGE(name, operation)                                                                     \
    polyipc_status pi_quick_segment_##name(polyipc_segment segment, int64_t offset, uint32_t width, \
                                           uint64_t value, uint64_t *out_before) {                  \
        return change(segment, offset, width, operation, value, 0, out_before);                     \
    }
CHANGE(exchange, EXCHANGE)
CHANGE(add, ADD)
CHANGE(sub, SUB)
CHANGE(and, AND)
CHANGE(or, OR)
CHANGE(xor, XOR)

polyipc_status pi_quick_segment_compare_exchange(polyipc_segment segment, int64_t offset, uint32_t width,
                                                 uint64_t expected, uint64_t desired, uint64_t *out_before) {
    return change(segment, offset, width, COMPARE_EXCHANGE, expected, desired, out_before);
}

/* Only what needs no waiting. */
polyipc_status pi_quick_segment_wait(polyipc_segment segment, int64_t offset, uint32_t width,
                                     uint64_t expected, int64_t timeout_ns, uint64_t *out_value) {
    (void)timeout_ns;
    uint64_t now = 0;
    if (change(segment, offset, width, LOAD, 0, 0, &now) != POLYIPC_OK ||
        now == (width == 4 ? (uint32_t)expected : expected))
        return PI_SLOW;
    if (out_value != NULL)
        *out_value = now;
    return POLYIPC_OK;
}

polyipc_status pi_quick_segment_notify(polyipc_segment segment, int64_t offset) {
    struct pi_quick *const k = pi_quick_enter(segment.id, PI_SEGMENT);
    if (k == NULL)
        return PI_SLOW;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        pi_quick_leave(k);
        return PI_SLOW;
    }
    polyipc_status status = PI_SLOW;
    if (cell(k, offset & ~INT64_C(3), 4) != NULL) {
        struct pi_segment *const h = k->header;
        const uint64_t n = (uint64_t)offset / 4;
        pi_quick_wake(&h->cell[(n ^ n / PI_CELL_WORDS) % PI_CELL_WORDS].word, INT32_MAX);
        status = POLYIPC_OK;
    }
    PI_UNGUARD();
    pi_quick_leave(k);
    return status;
}
