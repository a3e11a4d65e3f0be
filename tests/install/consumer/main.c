/* main.c - a program outside the tree: sends itself a message through the installed library. */
#include <polyipc.h>
#include <stdio.h>
#include <string.h>

static int fail(const char *what, polyipc_status status) {
    char detail[512];
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s: %s\n", what, polyipc_status_name(status), detail);
    return 1;
}

int main(void) {
    if (polyipc_abi() != POLYIPC_ABI || strcmp(polyipc_version(), POLYIPC_VERSION_STRING) != 0) {
        fprintf(stderr, "header %s, library %s\n", POLYIPC_VERSION_STRING, polyipc_version());
        return 1;
    }
    polyipc_queue queue;
    polyipc_status status = polyipc_queue_create(NULL, NULL, &queue);
    if (status != POLYIPC_OK)
        return fail("create", status);
    status = polyipc_queue_put(queue, "hello", 5, POLYIPC_RAW, POLYIPC_TRY);
    if (status != POLYIPC_OK)
        return fail("put", status);
    char buffer[16];
    size_t size = 0;
    polyipc_format format = POLYIPC_MSGPACK;
    status = polyipc_queue_get(queue, buffer, sizeof buffer, POLYIPC_TRY, &size, &format);
    if (status != POLYIPC_OK)
        return fail("get", status);
    status = polyipc_queue_close(queue);
    if (status != POLYIPC_OK)
        return fail("close", status);
    if (size != 5 || memcmp(buffer, "hello", 5) != 0 || format != POLYIPC_RAW)
        return fail("compare", POLYIPC_INTERNAL);
    puts("hello");
    return 0;
}
