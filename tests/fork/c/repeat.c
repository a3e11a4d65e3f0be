/* repeat.c - a thousand children, one after the other, and a hundred at once: their parent keeps
 * its descriptors, threads and memory as they were. */
#include "fork_test.h"

enum { CHILDREN = 1000, AT_ONCE = 100 };

static polyipc_queue q;

static void child(void *number) {
    char text[16];
    snprintf(text, sizeof text, "%d", *(int *)number);
    put(q, text);
}

int main(void) {
    q = anonymous();
    int number = 0;
    IN_CHILD(child, &number);
    get(q, "0");
    const int fds = descriptors(), tasks = threads();
    const long memory = kibibytes("VmRSS:");
    for (number = 1; number <= CHILDREN; number++) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        IN_CHILD(child, &number);
        get(q, text);
    }
    static pid_t at_once[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        at_once[i] = start(child, &i);
    bool seen[AT_ONCE] = {false};
    for (int i = 0; i < AT_ONCE; i++) {
        char text[16];
        size_t n;
        EXPECT(polyipc_queue_get(q, text, sizeof text - 1, 60 * INT64_C(1000000000), &n, NULL), POLYIPC_OK);
        text[n] = 0;
        const int from = atoi(text);
        CHECK(from >= 0 && from < AT_ONCE && !seen[from], "message \"%s\"", text);
        seen[from] = true;
    }
    for (int i = 0; i < AT_ONCE; i++)
        CHECK(await(at_once[i], 30 * SECOND) == 0, "child %d", i);
    CHECK(descriptors() == fds, "%d descriptors, not %d", descriptors(), fds);
    CHECK(threads() <= tasks + 4, "%d threads, not %d", threads(), tasks); /* Go may add some */
    CHECK(kibibytes("VmRSS:") < memory + 8192, "%ld KiB, not %ld", kibibytes("VmRSS:"), memory);
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
