/* Leases files from one queue and puts what it counted in them on another: work FILES RESULTS.
 *
 * The C twin of work/main.go and work.py. The result is put before the file is acked: killed between
 * the two, this worker has delivered a result that another will deliver again, and whoever adds up
 * drops duplicates by the file's id. */
#include <polyipc.h>
#include <polyipc_msgpack.h>

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

static void work_on(const void *message, size_t size, polyipc_queue results) {
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
    msgpack_sbuffer out;
    msgpack_sbuffer_init(&out);
    pack(&out, id, bytes, &t);
    if (polyipc_queue_put(results, out.data, out.size, POLYIPC_MSGPACK, POLYIPC_FOREVER) != POLYIPC_OK)
        die("put");
    msgpack_sbuffer_destroy(&out);
    free(t.words);
    msgpack_zone_destroy(&zone);
}

int main(int argc, char **argv) {
    polyipc_queue files, results;
    if (argc != 3) {
        fputs("usage: work FILES RESULTS\n", stderr);
        return 2;
    }
    if (polyipc_queue_open(argv[1], NULL, &files) != POLYIPC_OK ||
        polyipc_queue_open(argv[2], NULL, &results) != POLYIPC_OK)
        die("open");
    size_t capacity = 1 << 16, size;
    char *buffer = must(malloc(capacity));
    for (;;) {
        polyipc_lease lease;
        polyipc_status status =
            polyipc_queue_lease(files, buffer, capacity, POLYIPC_FOREVER, &lease, &size, NULL);
        if (status == POLYIPC_TOO_SMALL) { /* the message waits; size says for what */
            free(buffer);
            capacity = size;
            buffer = must(malloc(capacity));
            continue;
        }
        if (status == POLYIPC_SHUTDOWN)
            break;
        if (status != POLYIPC_OK)
            die("lease");
        work_on(buffer, size, results);
        if (polyipc_queue_ack(files, &lease) != POLYIPC_OK)
            die("ack");
    }
    free(buffer);
    polyipc_queue_close(results);
    polyipc_queue_close(files);
    return 0;
}
