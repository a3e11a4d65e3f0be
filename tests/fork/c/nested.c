/* nested.c - a hundred generations, each forked from the one before after it used the library:
 * neither descriptors nor threads nor thread keys grow, and the first handle works in the last. */
#include "fork_test.h"

enum { GENERATIONS = 100 };

static int free_keys(void) {
    static pthread_key_t keys[2048];
    int n = 0;
    while (n < 2048 && pthread_key_create(&keys[n], NULL) == 0)
        n++;
    for (int i = 0; i < n; i++)
        pthread_key_delete(keys[i]);
    return n;
}

static void generation(polyipc_queue q, int number, int fds, int keys) {
    use(q);
    const polyipc_queue own = anonymous();
    use(own);
    EXPECT(polyipc_queue_close(own), POLYIPC_OK);
    CHECK(threads() < 32, "%d threads in generation %d", threads(), number);
    CHECK(descriptors() <= fds, "%d descriptors in generation %d, %d in the first", descriptors(), number,
          fds);
    CHECK(free_keys() >= keys, "%d free keys in generation %d, %d in the first", free_keys(), number, keys);
    if (number == GENERATIONS)
        return;
    const pid_t next = split();
    if (next == 0) {
        generation(q, number + 1, fds, keys);
        _exit(0);
    }
    const int status = await(next, 100 * SECOND);
    CHECK(status == 0, "generation %d: wait status %#x", number + 1, (unsigned)status);
}

int main(void) {
    const polyipc_queue q = anonymous();
    use(q);
    generation(q, 1, descriptors(), free_keys());
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    return 0;
}
