/* Makes images grey in the memory where they are: the middle stage of ../main.go, which see.
 *
 * Slots come on the pipe "in" and go on through the pipe "out". When nobody is left at the other end of "in"
 * the work is done; the next stage learns that in the same way, as this process ends. */
#include <polyipc.h>
#include <polyipc_msgpack.h>

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what) {
    char detail[256] = "";
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "filter: %s: %s\n", what, detail);
    exit(1);
}

static uint32_t inherited(const char *role, polyipc_kind kind) {
    uint32_t id;
    if (polyipc_inherited(role, kind, 0, &id) != POLYIPC_OK)
        die(role);
    return id;
}

/* The images in the segment: slot after slot, row after row, three bytes a pixel. */
typedef struct images {
    unsigned char *data;
    int64_t slots, pixels; /* of each */
} images;

static images look_at(polyipc_segment frames) {
    polyipc_segment_type_t type = {.size = sizeof type};
    void *data;
    if (polyipc_segment_describe(frames, &type) != POLYIPC_OK ||
        polyipc_segment_data(frames, &data, NULL) != POLYIPC_OK)
        die("frames");
    if (type.item_size != 1 || type.dims != 4 || type.shape[3] != 3)
        die("these are no images");
    return (images){data, type.shape[0], type.shape[1] * type.shape[2]};
}

static void make_grey(unsigned char *pixel, int64_t pixels) {
    for (const unsigned char *end = pixel + 3 * pixels; pixel < end; pixel += 3)
        pixel[0] = pixel[1] = pixel[2] =
            (unsigned char)((77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2]) >> 8);
}

static int64_t slot_in(const void *message, size_t size) {
    int64_t slot;
    msgpack_zone zone;
    msgpack_object object;
    if (!msgpack_zone_init(&zone, 64))
        die("no memory");
    if (polyipc_msgpack_read(message, size, &zone, &object) != POLYIPC_OK ||
        polyipc_msgpack_int64(&object, &slot) != POLYIPC_OK)
        die("this is no slot");
    msgpack_zone_destroy(&zone);
    return slot;
}

int main(void) {
    polyipc_segment frames = {inherited("frames", POLYIPC_KIND_SEGMENT)};
    polyipc_pipe in = {inherited("in", POLYIPC_KIND_PIPE)}, out = {inherited("out", POLYIPC_KIND_PIPE)};
    images all = look_at(frames);
    for (;;) {
        char message[16];
        size_t size;
        polyipc_status status = polyipc_pipe_recv(in, message, sizeof message, POLYIPC_FOREVER, &size, NULL);
        if (status == POLYIPC_END_OF_FILE)
            return 0;
        if (status != POLYIPC_OK)
            die("receive");
        int64_t slot = slot_in(message, size);
        if (slot < 0 || slot >= all.slots)
            die("there is no such slot");
        make_grey(all.data + 3 * all.pixels * slot, all.pixels);
        if (polyipc_pipe_send(out, message, size, POLYIPC_MSGPACK, POLYIPC_FOREVER) != POLYIPC_OK)
            die("send");
    }
}
