/* The root is the one that $POLYIPC_ROOT names at the time of the call, not when the library was
 * loaded. */
#include <polyipc.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what) {
    char detail[300];
    polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s\n", what, detail);
    return 1;
}

int main(void) {
    char root[] = "/dev/shm/polyipc-c-root-XXXXXX", path[100];
    struct stat st;
    polyipc_queue q;
    polyipc_gc("/nonexistent", NULL); /* the library is at work already */
    if (mkdtemp(root) == NULL || setenv("POLYIPC_ROOT", root, 1) != 0)
        return failed("set-up");
    if (polyipc_queue_create("here", NULL, &q) != POLYIPC_OK)
        return failed("create");
    snprintf(path, sizeof path, "%s/here", root);
    if (stat(path, &st) != 0)
        return failed("the queue is elsewhere");
    if (polyipc_queue_close(q) != POLYIPC_OK || polyipc_queue_unlink("here", NULL) != POLYIPC_OK)
        return failed("close and unlink");
    if (stat(path, &st) == 0)
        return failed("the queue is still there");
    snprintf(path, sizeof path, "%s/members", root);
    unlink(path);
    return rmdir(root) == 0 ? 0 : failed("something is left");
}
