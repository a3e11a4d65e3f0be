/* Hosts a type of the benchmarks' manager until it is ended. */
#include <polyipc_manager.h>

static void begin(polyipc_hosted *call) { call->state = calloc(1, sizeof(int64_t)); }

static void deposit(polyipc_hosted *call) {
    int64_t amount;
    if (polyipc_msgpack_int64(polyipc_hosted_arg(call, 0, "amount"), &amount) != POLYIPC_OK)
        polyipc_hosted_fail(call, "TypeError", "amount must be an integer");
    else
        msgpack_pack_int64(call->result, *(int64_t *)call->state += amount);
}

static void end(polyipc_hosted *call) { free(call->state); }

int main(void) {
    static const polyipc_hosted_method methods[] = {
        {"account.c", "__init__", begin}, {"account.c", "deposit", deposit}, {"account.c", "__del__", end}};
    polyipc_manager manager;
    polyipc_host host;
    polyipc_status status = polyipc_manager_connect("bench", NULL, POLYIPC_FOREVER, &manager);
    if (status == POLYIPC_OK)
        status = polyipc_host_begin(&host, manager, methods, 3, POLYIPC_FOREVER);
    if (status == POLYIPC_OK) {
        puts("ready");
        fflush(stdout);
        while ((status = polyipc_host_serve(&host, POLYIPC_FOREVER)) == POLYIPC_OK) {
        }
    }
    char detail[256] = "";
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s\n", polyipc_status_name(status), detail);
    return 1;
}
