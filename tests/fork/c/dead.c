/* dead.c - where Go cannot start anew, a child gets an error from every call and never hangs. Such a
 * library is made here: a copy under another soname, which says that the code is linked into
 * something else. */
#include "fork_test.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

static void *linked_into_something_else(void) {
    const char *library = getenv("POLYIPC_LIBRARY");
    CHECK(library != NULL, "set POLYIPC_LIBRARY to the path of libpolyipc.so");
    const int from = open(library, O_RDONLY);
    struct stat st;
    CHECK(from >= 0 && fstat(from, &st) == 0, "%s", library);
    char *bytes = malloc((size_t)st.st_size);
    CHECK(bytes != NULL && read(from, bytes, (size_t)st.st_size) == st.st_size, "%s", library);
    char *soname = memmem(bytes, (size_t)st.st_size, "libpolyipc.so.0", sizeof "libpolyipc.so.0");
    CHECK(soname != NULL, "no soname in %s", library);
    memcpy(soname, "libsomethin", sizeof "libsomethin" - 1);
    char path[] = "/tmp/polyipc-dead-XXXXXX";
    const int to = mkstemp(path);
    CHECK(to >= 0 && write(to, bytes, (size_t)st.st_size) == st.st_size, "%s", path);
    free(bytes);
    close(from);
    close(to);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    unlink(path);
    CHECK(handle != NULL, "%s", dlerror());
    return handle;
}

static polyipc_status (*create)(const char *, const polyipc_queue_options *, polyipc_queue *);
static polyipc_status (*size)(polyipc_queue, int64_t *);
static polyipc_status (*close_queue)(polyipc_queue);
static size_t (*detail)(char *, size_t);
static polyipc_queue q;

static void child(void *unused) {
    (void)unused;
    char text[512];
    CHECK(size(q, &(int64_t){0}) == POLYIPC_UNSUPPORTED, "size");
    detail(text, sizeof text);
    CHECK(strstr(text, "forked child") != NULL && strstr(text, "linked into") != NULL, "\"%s\"", text);
    CHECK(create(NULL, NULL, &q) == POLYIPC_UNSUPPORTED, "create");
    CHECK(close_queue(q) == POLYIPC_UNSUPPORTED, "close");
}

static void grandchild(void *unused) {
    child(unused);
    IN_CHILD(child, NULL);
}

int main(void) {
    void *handle = linked_into_something_else();
    *(void **)&create = dlsym(handle, "polyipc_queue_create");
    *(void **)&size = dlsym(handle, "polyipc_queue_size");
    *(void **)&close_queue = dlsym(handle, "polyipc_queue_close");
    *(void **)&detail = dlsym(handle, "polyipc_error_detail");
    CHECK(create != NULL && size != NULL && close_queue != NULL && detail != NULL, "%s", dlerror());
    CHECK(create(NULL, NULL, &q) == POLYIPC_OK, "create");
    IN_CHILD(child, NULL);
    IN_CHILD(grandchild, NULL);
    CHECK(size(q, &(int64_t){0}) == POLYIPC_OK, "in the parent");
    CHECK(close_queue(q) == POLYIPC_OK, "in the parent");
    return 0;
}
