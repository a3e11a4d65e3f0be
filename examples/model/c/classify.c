/* Asks the model what each text is: classify MANAGER TEXT... */
#include <polyipc_manager.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what) {
    char detail[256] = "";
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "classify: %s: %s\n", what, detail);
    exit(1);
}

static void classify(polyipc_managed model, const char *text) {
    msgpack_sbuffer args;
    msgpack_packer pk;
    msgpack_zone zone;
    msgpack_object result, field;
    const char *label;
    size_t size;
    double probability;
    if (!msgpack_zone_init(&zone, 1024))
        die("no memory");
    msgpack_sbuffer_init(&args);
    msgpack_packer_init(&pk, &args, msgpack_sbuffer_write);
    msgpack_pack_array(&pk, 1);
    polyipc_msgpack_pack_str(&pk, text, strlen(text));
    if (polyipc_managed_call(model, "classify", &args, NULL, POLYIPC_FOREVER, &zone, &result) != POLYIPC_OK)
        die(text);
    if (polyipc_msgpack_get(&result, "label", &field) != POLYIPC_OK ||
        polyipc_msgpack_str(&field, &label, &size) != POLYIPC_OK ||
        polyipc_msgpack_get(&result, "probability", &field) != POLYIPC_OK ||
        polyipc_msgpack_double(&field, &probability) != POLYIPC_OK)
        die("this is no answer");
    printf("C: %s: %.*s, %.0f %%\n", text, (int)size, label, 100 * probability);
    msgpack_sbuffer_destroy(&args);
    msgpack_zone_destroy(&zone);
}

int main(int count, char **arguments) {
    polyipc_manager manager;
    polyipc_managed model;
    if (count < 3) {
        fprintf(stderr, "usage: classify MANAGER TEXT...\n");
        return 2;
    }
    if (polyipc_manager_connect(arguments[1], NULL, POLYIPC_FOREVER, &manager) != POLYIPC_OK)
        die(arguments[1]);
    if (polyipc_managed_open(manager, "mail", NULL, NULL, 0, POLYIPC_FOREVER, &model) != POLYIPC_OK)
        die("open the model");
    for (int i = 2; i < count; i++)
        classify(model, arguments[i]);
    polyipc_managed_release(model);
    polyipc_manager_close(manager);
    return 0;
}
