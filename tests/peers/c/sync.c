/* The commands on locks and their kin, which begin with "sync.". */
#include "peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of each type its functions, in the order of enum polyipc_sync_type; a handle is its id. */
#define COMMON(type)                                                                                       \
    static polyipc_status type##_make(int how, const char *name, polyipc_sync_options *o, uint32_t *out) { \
        polyipc_##type h;                                                                                  \
        polyipc_status s = how == 0   ? polyipc_##type##_create(name, o, &h)                               \
                           : how == 1 ? polyipc_##type##_open(name, NULL, &h)                              \
                                      : polyipc_##type##_open_or_create(name, o, &h);                      \
        if (s == POLYIPC_OK)                                                                               \
            *out = h.id;                                                                                   \
        return s;                                                                                          \
    }                                                                                                      \
    static polyipc_status type##_end(uint32_t id) { return polyipc_##type##_close((polyipc_##type){id}); } \
    static polyipc_status type##_named(uint32_t id, char *to, size_t n) {                                  \
        return polyipc_##type##_name((polyipc_##type){id}, to, n);                                         \
    }                                                                                                      \
    static polyipc_status type##_told(uint32_t id, polyipc_sync_stat_t *st) {                              \
        return polyipc_##type##_stat((polyipc_##type){id}, st);                                            \
    }
COMMON(lock)
COMMON(rlock)
COMMON(semaphore)
COMMON(bounded_semaphore)
COMMON(condition)
COMMON(event)
COMMON(barrier)
COMMON(rwlock)

static const struct {
    const char *name;
    polyipc_status (*make)(int how, const char *name, polyipc_sync_options *o, uint32_t *out);
    polyipc_status (*end)(uint32_t id);
    polyipc_status (*named)(uint32_t id, char *to, size_t n);
    polyipc_status (*told)(uint32_t id, polyipc_sync_stat_t *st);
} types[] = {
    {NULL, NULL, NULL, NULL, NULL},
#define TYPE(type) {#type, type##_make, type##_end, type##_named, type##_told}
    TYPE(lock),
    TYPE(rlock),
    TYPE(semaphore),
    TYPE(bounded_semaphore),
    TYPE(condition),
    TYPE(event),
    TYPE(barrier),
    TYPE(rwlock),
};

static struct object {
    uint32_t type, id;
} objects[4096];
static int object_count;

uint32_t sync_number(int64_t n) { return n < 0 || n >= object_count ? 0 : objects[n].id; }

int keep_sync(polyipc_kind kind, uint32_t id) {
    static const uint32_t types_of[] = {
        [POLYIPC_KIND_LOCK] = POLYIPC_LOCK,
        [POLYIPC_KIND_RLOCK] = POLYIPC_RLOCK,
        [POLYIPC_KIND_SEMAPHORE] = POLYIPC_SEMAPHORE,
        [POLYIPC_KIND_CONDITION] = POLYIPC_CONDITION,
        [POLYIPC_KIND_EVENT] = POLYIPC_EVENT,
        [POLYIPC_KIND_BARRIER] = POLYIPC_BARRIER,
        [POLYIPC_KIND_RWLOCK] = POLYIPC_RWLOCK,
        [POLYIPC_KIND_BOUNDED_SEMAPHORE] = POLYIPC_BOUNDED_SEMAPHORE,
    };
    objects[object_count] = (struct object){types_of[kind], id};
    return object_count++;
}

static polyipc_status make(call *c, int how) {
    uint32_t type = POLYIPC_LOCK;
    while (type <= POLYIPC_RWLOCK && strcmp(c->words[1], types[type].name) != 0)
        type++;
    if (type > POLYIPC_RWLOCK || c->count < (how == 1 ? 3 : 5))
        return PROTOCOL;
    polyipc_sync_options o = POLYIPC_SYNC_OPTIONS_INIT;
    if (how != 1) {
        o.value = number(c->words[3]);
        o.flags |= strchr(c->words[4], 'k') != NULL ? POLYIPC_KEPT : 0;
        o.flags |= strchr(c->words[4], 't') != NULL ? POLYIPC_TRANSIENT : 0;
        o.flags |= strchr(c->words[4], 'r') != NULL ? POLYIPC_RECLAIM : 0;
    }
    const char *name = strcmp(c->words[2], "-") == 0 ? NULL : c->words[2];
    polyipc_status s = types[type].make(how, name, &o, &objects[object_count].id);
    if (s == POLYIPC_OK) {
        objects[object_count].type = type;
        text_add(c->answer, " %d", object_count++);
    }
    return s;
}

static polyipc_status acquire(struct object o, int64_t ns, int *died) {
    switch (o.type) {
    case POLYIPC_LOCK:
        return polyipc_lock_acquire((polyipc_lock){o.id}, ns, died);
    case POLYIPC_RLOCK:
        return polyipc_rlock_acquire((polyipc_rlock){o.id}, ns, died);
    case POLYIPC_SEMAPHORE:
        return polyipc_semaphore_acquire((polyipc_semaphore){o.id}, ns);
    case POLYIPC_BOUNDED_SEMAPHORE:
        return polyipc_bounded_semaphore_acquire((polyipc_bounded_semaphore){o.id}, ns);
    case POLYIPC_CONDITION:
        return polyipc_condition_acquire((polyipc_condition){o.id}, ns, died);
    case POLYIPC_RWLOCK:
        return polyipc_rwlock_write_lock((polyipc_rwlock){o.id}, ns, died);
    }
    return PROTOCOL;
}

static polyipc_status release(struct object o, uint32_t n) {
    switch (o.type) {
    case POLYIPC_LOCK:
        return polyipc_lock_release((polyipc_lock){o.id});
    case POLYIPC_RLOCK:
        return polyipc_rlock_release((polyipc_rlock){o.id});
    case POLYIPC_SEMAPHORE:
        return polyipc_semaphore_release((polyipc_semaphore){o.id}, n);
    case POLYIPC_BOUNDED_SEMAPHORE:
        return polyipc_bounded_semaphore_release((polyipc_bounded_semaphore){o.id}, n);
    case POLYIPC_CONDITION:
        return polyipc_condition_release((polyipc_condition){o.id});
    case POLYIPC_RWLOCK:
        return polyipc_rwlock_write_unlock((polyipc_rwlock){o.id});
    }
    return PROTOCOL;
}

/* The number that a file begins with. */
volatile uint64_t *number_in(const char *file) {
    int fd = open(file, O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        broken("a file for a number cannot be mapped");
    close(fd);
    return at;
}

static polyipc_status count(struct object o, call *c) {
    volatile uint64_t *n = number_in(c->words[2]);
    polyipc_status s = POLYIPC_OK;
    for (int64_t i = number(c->words[3]); i > 0 && s == POLYIPC_OK; i--) {
        s = acquire(o, POLYIPC_FOREVER, NULL);
        if (s == POLYIPC_OK) {
            *n = *n + 1;
            s = release(o, 1);
        }
    }
    munmap((void *)n, 8);
    return s;
}

static polyipc_status barrier_wait(polyipc_barrier b, call *c) {
    bool act = strcmp(c->words[2], "-") != 0;
    int64_t index = 0;
    uint64_t turn = 0;
    polyipc_status s = polyipc_barrier_wait(b, nanoseconds(c->words[3]), &index, act ? &turn : NULL);
    if (s == POLYIPC_OK && turn != 0) {
        volatile uint64_t *n = number_in(c->words[2]);
        *n = *n + 1;
        munmap((void *)n, 8);
        s = polyipc_barrier_pass(b, turn);
    }
    if (s == POLYIPC_OK)
        text_add(c->answer, " %lld", (long long)index);
    return s;
}

/* wait, of what can be waited for */
static polyipc_status wait_for(struct object o, call *c) {
    int died = 0;
    polyipc_status s = PROTOCOL;
    if (o.type == POLYIPC_BARRIER)
        return c->count == 4 ? barrier_wait((polyipc_barrier){o.id}, c) : s;
    if (o.type == POLYIPC_EVENT)
        s = polyipc_event_wait((polyipc_event){o.id}, nanoseconds(c->words[2]));
    if (o.type == POLYIPC_CONDITION && c->count == 4) {
        uint32_t lock = strcmp(c->words[2], "-") == 0 ? 0 : objects[number(c->words[2])].id;
        s = polyipc_condition_wait((polyipc_condition){o.id}, lock, nanoseconds(c->words[3]), NULL, &died);
    }
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", died);
    return s;
}

static polyipc_status ask(struct object o, call *c, const char *verb) {
    int is = 0;
    int64_t n = 0;
    polyipc_status s = PROTOCOL;
    if (strcmp(verb, "locked") == 0)
        s = polyipc_lock_locked((polyipc_lock){o.id}, &is), n = is;
    else if (strcmp(verb, "owned") == 0)
        s = polyipc_rlock_owned((polyipc_rlock){o.id}, &is), n = is;
    else if (strcmp(verb, "is_set") == 0)
        s = polyipc_event_is_set((polyipc_event){o.id}, &is), n = is;
    else if (strcmp(verb, "value") == 0)
        s = o.type == POLYIPC_SEMAPHORE
                ? polyipc_semaphore_value((polyipc_semaphore){o.id}, &n)
                : polyipc_bounded_semaphore_value((polyipc_bounded_semaphore){o.id}, &n);
    else if (strcmp(verb, "waiting") == 0)
        s = polyipc_barrier_waiting((polyipc_barrier){o.id}, &n, &is);
    if (s == POLYIPC_OK)
        text_add(c->answer, strcmp(verb, "waiting") == 0 ? " %lld %d" : " %lld", (long long)n, is);
    return s;
}

static polyipc_status stat_of(struct object o, call *c) {
    polyipc_sync_stat_t st = {.size = sizeof st};
    polyipc_status s = types[o.type].told(o.id, &st);
    if (s == POLYIPC_OK)
        text_add(c->answer,
                 " limit=%lld value=%lld broken=%u holder=%lld waiters=%u take_overs=%llu reclaimed=%llu",
                 (long long)st.limit, (long long)st.value, st.broken, (long long)st.holder, st.waiters,
                 (unsigned long long)st.take_overs, (unsigned long long)st.reclaimed);
    return s;
}

static polyipc_status name_of(struct object o, call *c) {
    char name[129];
    polyipc_status s = types[o.type].named(o.id, name, sizeof name);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %s", name);
    return s;
}

/* Verbs that take no time-out and tell nothing. */
static polyipc_status act(struct object o, call *c, const char *verb) {
    if (strcmp(verb, "set") == 0)
        return polyipc_event_set((polyipc_event){o.id});
    if (strcmp(verb, "clear") == 0)
        return polyipc_event_clear((polyipc_event){o.id});
    if (strcmp(verb, "abort") == 0)
        return polyipc_barrier_abort((polyipc_barrier){o.id});
    if (strcmp(verb, "reset") == 0)
        return polyipc_barrier_reset((polyipc_barrier){o.id});
    if (strcmp(verb, "read_unlock") == 0)
        return polyipc_rwlock_read_unlock((polyipc_rwlock){o.id});
    if (strcmp(verb, "write_unlock") == 0)
        return polyipc_rwlock_write_unlock((polyipc_rwlock){o.id});
    if (strcmp(verb, "notify_all") == 0)
        return polyipc_condition_notify_all((polyipc_condition){o.id});
    if (strcmp(verb, "notify") == 0 && c->count == 4)
        return polyipc_condition_notify((polyipc_condition){o.id}, (uint32_t)number(c->words[3]));
    return ask(o, c, verb);
}

polyipc_status answer_to_sync(call *c) {
    const char *verb = strchr(c->words[0], '.') + 1;
    if (strcmp(verb, "create") == 0)
        return make(c, 0);
    if (strcmp(verb, "open") == 0)
        return make(c, 1);
    if (strcmp(verb, "open_or_create") == 0)
        return make(c, 2);
    if (strcmp(verb, "unlink") == 0)
        return polyipc_sync_unlink(c->words[1], NULL);
    int64_t n = number(c->words[1]);
    if (n < 0 || n >= object_count)
        return PROTOCOL;
    struct object o = objects[n];
    if (strcmp(verb, "close") == 0)
        return types[o.type].end(o.id);
    if (strcmp(verb, "name") == 0)
        return name_of(o, c);
    if (strcmp(verb, "stat") == 0)
        return stat_of(o, c);
    if (strcmp(verb, "count") == 0 && c->count == 4)
        return count(o, c);
    if (c->count < 3)
        return act(o, c, verb);
    if (strcmp(verb, "release") == 0)
        return release(o, (uint32_t)number(c->words[2]));
    if (strcmp(verb, "wait") == 0)
        return wait_for(o, c);
    int died = 0;
    polyipc_status s;
    if (strcmp(verb, "acquire") == 0 || strcmp(verb, "write_lock") == 0)
        s = acquire(o, nanoseconds(c->words[2]), &died);
    else if (strcmp(verb, "read_lock") == 0)
        s = polyipc_rwlock_read_lock((polyipc_rwlock){o.id}, nanoseconds(c->words[2]));
    else
        return act(o, c, verb);
    if (s == POLYIPC_OK)
        text_add(c->answer, " %d", died);
    return s;
}

void close_syncs(void) {
    for (int i = 0; i < object_count; i++)
        types[objects[i].type].end(objects[i].id);
}
