/* Leases files from one queue and puts what it counted in them on another, until it is told to stop.
 *
 * The C twin of work/main.go, which see for what is handed over and for the order of things. */
#include <polyipc.h>
#include <polyipc_manager.h>

#include <stdio.h>
#include <stdlib.h>

/* How often each identifier came: a hash table with open addressing, at most half full. The words
 * are views of the file. */
typedef struct word {
    const char *text;
    size_t size;
    int64_t count;
} word;

typedef struct table {
    word *words;
    size_t capacity; /* a power of two */
    size_t used;
} table;

static void die(const char *what) {
    char detail[256] = "";
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "work: %s: %s\n", what, detail);
    exit(1);
}

static void *must(void *memory) {
    if (memory == NULL)
        die("no memory");
    return memory;
}

static word *find(const table *t, const char *text, size_t size) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    size_t slot = hash & (t->capacity - 1);
    while (t->words[slot].text != NULL &&
           (t->words[slot].size != size || memcmp(t->words[slot].text, text, size) != 0))
        slot = (slot + 1) & (t->capacity - 1);
    return &t->words[slot];
}

static void grow(table *t) {
    table larger = {must(calloc(2 * t->capacity, sizeof(word))), 2 * t->capacity, t->used};
    for (size_t i = 0; i < t->capacity; i++)
        if (t->words[i].text != NULL)
            *find(&larger, t->words[i].text, t->words[i].size) = t->words[i];
    free(t->words);
    *t = larger;
}

static bool begins(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static void count(table *t, const char *data, size_t size) {
    for (size_t i = 0; i < size;) {
        if (!begins(data[i])) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < size && (begins(data[end]) || (data[end] >= '0' && data[end] <= '9')))
            end++;
        if (2 * t->used >= t->capacity)
            grow(t);
        word *w = find(t, data + i, end - i);
        if (w->text == NULL) {
            *w = (word){data + i, end - i, 0};
            t->used++;
        }
        w->count++;
        i = end;
    }
}

static void pack(msgpack_sbuffer *out, int64_t id, size_t bytes, const table *t) {
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 4);
    polyipc_msgpack_pack_str(&pk, "id", 2);
    msgpack_pack_int64(&pk, id);
    polyipc_msgpack_pack_str(&pk, "worker", 6);
    polyipc_msgpack_pack_str(&pk, "c", 1);
    polyipc_msgpack_pack_str(&pk, "bytes", 5);
    msgpack_pack_uint64(&pk, bytes);
    polyipc_msgpack_pack_str(&pk, "counts", 6);
    msgpack_pack_map(&pk, t->used);
    for (size_t i = 0; i < t->capacity; i++) {
        if (t->words[i].text != NULL) {
            polyipc_msgpack_pack_str(&pk, t->words[i].text, t->words[i].size);
            msgpack_pack_int64(&pk, t->words[i].count);
        }
    }
}

/* The totals are an array of int64: a row for each language and one for all, with these columns. A part of
 * the work has the same. */
enum { FILES, BYTES, IDENTIFIERS, COLUMNS };
#define ALL 3 /* the last row: for all languages */
typedef struct share {
    int64_t n[COLUMNS];
} share;

static share work_on(const void *message, size_t size, polyipc_queue results) {
    msgpack_zone zone;
    msgpack_object file, field;
    int64_t id;
    const void *data;
    size_t bytes;
    if (!msgpack_zone_init(&zone, 1024))
        die("no memory");
    if (polyipc_msgpack_read(message, size, &zone, &file) != POLYIPC_OK ||
        polyipc_msgpack_get(&file, "id", &field) != POLYIPC_OK ||
        polyipc_msgpack_int64(&field, &id) != POLYIPC_OK ||
        polyipc_msgpack_get(&file, "data", &field) != POLYIPC_OK ||
        polyipc_msgpack_bin(&field, &data, &bytes) != POLYIPC_OK)
        die("this is no file");
    table t = {must(calloc(256, sizeof(word))), 256, 0};
    count(&t, data, bytes);
    share did = {{1, (int64_t)bytes, 0}};
    for (size_t i = 0; i < t.capacity; i++)
        did.n[IDENTIFIERS] += t.words[i].count;
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pack(&out, id, bytes, &t);
    if (polyipc_queue_put(results, out.data, out.size, POLYIPC_MSGPACK, POLYIPC_FOREVER) != POLYIPC_OK)
        die("put");
    msgpack_sbuffer_destroy(&out);
    free(t.words);
    msgpack_zone_destroy(&zone);
    return did;
}

static void add(polyipc_segment totals, int64_t row, const share *s) {
    for (int64_t i = 0; i < COLUMNS; i++)
        if (polyipc_segment_add(totals, 8 * (COLUMNS * row + i), 8, (uint64_t)s->n[i], NULL) != POLYIPC_OK)
            die("add");
}

static void publish(polyipc_managed result, const share *s) {
    static const char *const names[COLUMNS] = {"files", "bytes", "identifiers"};
    for (int i = 0; i < COLUMNS; i++)
        if (polyipc_managed_dict_increment(result, names[i], s->n[i], POLYIPC_FOREVER, NULL) != POLYIPC_OK)
            die("increment");
    if (polyipc_managed_dict_increment(result, "c", s->n[FILES], POLYIPC_FOREVER, NULL) != POLYIPC_OK)
        die("increment");
}

/* The start message: which row of the totals is this language's, and who keeps the result. */
static int64_t receive_job(polyipc_pipe control, char name[129]) {
    char message[256];
    size_t size;
    msgpack_zone zone;
    msgpack_object job, field;
    int64_t row;
    const char *text;
    if (!msgpack_zone_init(&zone, 256))
        die("no memory");
    if (polyipc_pipe_recv(control, message, sizeof message, POLYIPC_FOREVER, &size, NULL) != POLYIPC_OK ||
        polyipc_msgpack_read(message, size, &zone, &job) != POLYIPC_OK ||
        polyipc_msgpack_get(&job, "row", &field) != POLYIPC_OK ||
        polyipc_msgpack_int64(&field, &row) != POLYIPC_OK ||
        polyipc_msgpack_get(&job, "manager", &field) != POLYIPC_OK ||
        polyipc_msgpack_str(&field, &text, &size) != POLYIPC_OK || size > 128)
        die("receive the job");
    memcpy(name, text, size);
    name[size] = '\0';
    msgpack_zone_destroy(&zone);
    return row;
}

static void send_share(polyipc_pipe control, const share *s) {
    static const char *const names[COLUMNS] = {"files", "bytes", "identifiers"};
    msgpack_sbuffer out;
    msgpack_packer pk;
    msgpack_sbuffer_init(&out);
    msgpack_packer_init(&pk, &out, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, COLUMNS);
    for (int i = 0; i < COLUMNS; i++) {
        polyipc_msgpack_pack_str(&pk, names[i], strlen(names[i]));
        msgpack_pack_int64(&pk, s->n[i]);
    }
    if (polyipc_pipe_send(control, out.data, out.size, POLYIPC_MSGPACK, POLYIPC_FOREVER) != POLYIPC_OK)
        die("send");
    msgpack_sbuffer_destroy(&out);
}

static uint32_t inherited(const char *role, polyipc_kind kind) {
    uint32_t id;
    if (polyipc_inherited(role, kind, 0, &id) != POLYIPC_OK)
        die(role);
    return id;
}

int main(void) {
    polyipc_queue jobs = {inherited("jobs", POLYIPC_KIND_QUEUE)};
    polyipc_queue results = {inherited("results", POLYIPC_KIND_QUEUE)};
    polyipc_segment totals = {inherited("totals", POLYIPC_KIND_SEGMENT)};
    polyipc_barrier start = {inherited("start", POLYIPC_KIND_BARRIER)};
    polyipc_pipe control = {inherited("control", POLYIPC_KIND_PIPE)};
    char name[129];
    int64_t row = receive_job(control, name);
    polyipc_manager manager;
    polyipc_managed result;
    if (polyipc_manager_connect(name, NULL, POLYIPC_FOREVER, &manager) != POLYIPC_OK ||
        polyipc_managed_open(manager, "result", "dict", NULL, 0, POLYIPC_FOREVER, &result) != POLYIPC_OK)
        die("open the result");
    if (polyipc_barrier_wait(start, POLYIPC_FOREVER, NULL, NULL) != POLYIPC_OK)
        die("wait for the others");
    share done = {{0, 0, 0}};
    size_t capacity = 1 << 16, size;
    char *buffer = must(malloc(capacity));
    polyipc_wait_item items[] = {{control.id, 0, POLYIPC_READABLE, 0}, {jobs.id, 0, POLYIPC_READABLE, 0}};
    for (;;) {
        if (polyipc_wait(items, 2, POLYIPC_FOREVER, NULL) != POLYIPC_OK)
            die("wait");
        if (items[0].ready) /* told to stop */
            break;
        polyipc_lease lease;
        polyipc_status status = polyipc_queue_lease(jobs, buffer, capacity, POLYIPC_TRY, &lease, &size, NULL);
        if (status == POLYIPC_EMPTY) /* another worker was quicker */
            continue;
        if (status == POLYIPC_TOO_SMALL) { /* the message waits; size says for what */
            free(buffer);
            capacity = size;
            buffer = must(malloc(capacity));
            continue;
        }
        if (status != POLYIPC_OK)
            die("lease");
        share did = work_on(buffer, size, results);
        add(totals, row, &did);
        add(totals, ALL, &did);
        publish(result, &did);
        if (polyipc_queue_ack(jobs, &lease) != POLYIPC_OK)
            die("ack");
        for (int i = 0; i < COLUMNS; i++)
            done.n[i] += did.n[i];
    }
    send_share(control, &done);
    free(buffer);
    polyipc_managed_release(result);
    polyipc_manager_close(manager);
    polyipc_pipe_close(control);
    polyipc_barrier_close(start);
    polyipc_segment_close(totals);
    polyipc_queue_close(results);
    polyipc_queue_close(jobs);
    return 0;
}
