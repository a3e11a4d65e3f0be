/* plain.c - the exported functions that need no Go: version, status texts, the thread's wishes and
 * its last error. They work in a forked child without starting Go there. */
#include "keep.h"
#include "pyshim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *polyipc_version(void) { return POLYIPC_VERSION_STRING; }

uint32_t polyipc_abi(void) { return POLYIPC_ABI; }

const char *polyipc_status_name(polyipc_status status) {
    switch (status) {
#define CASE(name, number, when) \
    case POLYIPC_##name:         \
        return #name;
        POLYIPC_STATUSES(CASE)
#undef CASE
    default:
        return "UNKNOWN";
    }
}

const char *polyipc_status_text(polyipc_status status) {
    switch (status) {
#define CASE(name, number, when) \
    case POLYIPC_##name:         \
        return when;
        POLYIPC_STATUSES(CASE)
#undef CASE
    default:
        return "unknown status";
    }
}

int polyipc_thread_interruptible(int on) {
    const int was = pi_me.interruptible;
    pi_me.interruptible = on != 0;
    return was;
}

int pi_interruptible(void) { return pi_me.interruptible; }

/* ---- the last error ---------------------------------------------------------------------- */

void pi_detail_free(void *text) {
    free(text);
    pi_me.detail = NULL;
    pi_me.detail_capacity = 0;
    pi_me.operation = PI_OP_TEXT;
    pi_me.detail_length = 0;
}

/* EMPTY, FULL and TIMEOUT are part of normal work: for them only this much is stored, and the
 * sentence is made if somebody asks for it. */
void pi_fail_plain(enum pi_operation operation, uint32_t handle, polyipc_status status) {
    pi_me.operation = operation;
    pi_me.handle = handle;
    pi_me.status = status;
}

void pi_fail_text(const char *text, size_t length) {
    struct pi_thread *me = &pi_me;
    if (length >= me->detail_capacity) {
        const size_t capacity = length < 256 ? 256 : length + 1;
        char *grown = realloc(me->detail, capacity);
        if (grown == NULL) {
            pi_fail_plain(PI_OP_CALL, 0, POLYIPC_NO_MEMORY);
            return;
        }
        me->detail = grown;
        me->detail_capacity = capacity;
        if (pi_now.keep != NULL)
            pthread_setspecific(pi_now.keep->detail_key, grown);
    }
    memcpy(me->detail, text, length);
    me->detail[length] = 0;
    me->detail_length = length;
    me->operation = PI_OP_TEXT;
}

/* The entry of an open handle, or NULL. */
static const struct pi_entry *entry_of(uint32_t handle) {
    const struct pi_keep *keep = pi_now.keep;
    const size_t index = handle & (PI_MAX_HANDLES - 1);
    if (keep == NULL || handle == 0 || index >= keep->committed)
        return NULL;
    const struct pi_entry *entry = &keep->entries[index];
    return atomic_load(&entry->handle) == handle ? entry : NULL;
}

int polyipc_py_descriptor(int handle) {
    const struct pi_entry *entry = entry_of((uint32_t)handle);
    return entry != NULL ? entry->descriptor : -1;
}

static const char *const operations[] = {
    [PI_OP_TEXT] = "",
    [PI_OP_PUT] = "put to queue",
    [PI_OP_GET] = "get from queue",
    [PI_OP_LEASE] = "lease from queue",
    [PI_OP_JOIN] = "join queue",
    [PI_OP_SEND] = "send to pipe",
    [PI_OP_RECV] = "receive from pipe",
    [PI_OP_POLL] = "poll pipe",
    [PI_OP_CALL] = "call polyipc",
};

static size_t format(char *buffer, size_t capacity) {
    const char *when = polyipc_status_text(pi_me.status);
    const char *operation = operations[pi_me.operation];
    const struct pi_entry *entry = entry_of(pi_me.handle);
    int n;
    if (entry != NULL)
        n = snprintf(buffer, capacity, "%s \"%s\": %s", operation, entry->name, when);
    else
        n = snprintf(buffer, capacity, "%s: %s", operation, when);
    return n < 0 ? 0 : (size_t)n;
}

size_t polyipc_error_detail(char *buffer, size_t capacity) {
    if (buffer == NULL)
        capacity = 0;
    if (pi_me.operation != PI_OP_TEXT)
        return format(buffer, capacity);
    const size_t length = pi_me.detail_length;
    if (capacity > 0) {
        const size_t n = length < capacity ? length : capacity - 1;
        if (n > 0)
            memcpy(buffer, pi_me.detail, n);
        buffer[n] = 0;
    }
    return length;
}

char *pi_root(void) { return getenv("POLYIPC_ROOT"); }

char *pi_log(void) { return getenv("POLYIPC_LOG"); }

char *pi_objects(void) { return getenv("POLYIPC_OBJECTS"); }
