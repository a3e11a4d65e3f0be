/* In a root that a group shares, a queue for pickles is for those who say that they trust the group. */
#include <polyipc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failures;

static void expect(polyipc_status got, polyipc_status want, const char *what) {
    char detail[1000] = "";
    if (got == want)
        return;
    if (got != POLYIPC_OK)
        polyipc_error_detail(detail, sizeof detail);
    fprintf(stderr, "%s: %s, not %s: %s\n", what, polyipc_status_name(got), polyipc_status_name(want),
            detail);
    failures++;
}

typedef polyipc_status (*verb)(const char *, const polyipc_queue_options *, polyipc_queue *);

static void try(verb f, const char *root, uint32_t flags, polyipc_status want, const char *what) {
    polyipc_queue_options o = POLYIPC_QUEUE_OPTIONS_INIT;
    polyipc_queue q;
    polyipc_status got;
    o.flags = flags;
    o.root = root;
    got = f("p", &o, &q);
    expect(got, want, what);
    if (got == POLYIPC_OK)
        expect(polyipc_queue_close(q), POLYIPC_OK, "close");
}

int main(void) {
    const uint32_t trusted = POLYIPC_PICKLE | POLYIPC_TRUST_GROUP;
    char root[] = "/dev/shm/polyipc-c-shared-XXXXXX", members[100], detail[1000];
    if (mkdtemp(root) == NULL || chmod(root, S_ISGID | 0770) != 0) {
        perror(root);
        return 1;
    }
    try(polyipc_queue_create, root, POLYIPC_PICKLE, POLYIPC_DENIED, "create");
    polyipc_error_detail(detail, sizeof detail);
    if (strstr(detail, root) == NULL || strstr(detail, "POLYIPC_TRUST_GROUP") == NULL) {
        fprintf(stderr, "the error names no cure: %s\n", detail);
        failures++;
    }
    try(polyipc_queue_open_or_create, root, POLYIPC_PICKLE, POLYIPC_DENIED, "open or create");
    try(polyipc_queue_create, root, trusted, POLYIPC_OK, "create, trusted");
    try(polyipc_queue_open, root, POLYIPC_PICKLE, POLYIPC_DENIED, "open");
    try(polyipc_queue_open_or_create, root, POLYIPC_PICKLE, POLYIPC_DENIED, "open or create again");
    try(polyipc_queue_open, root, trusted, POLYIPC_OK, "open, trusted");
    try(polyipc_queue_open, root, 0, POLYIPC_OK, "open, pickles left closed");
    try(polyipc_queue_open, root, 2 * POLYIPC_TRUST_GROUP, POLYIPC_INVALID, "an unknown bit");
    if (chmod(root, 0700) != 0)
        perror(root);
    try(polyipc_queue_open, root, POLYIPC_PICKLE, POLYIPC_OK, "open in a root of our own");
    try(polyipc_queue_open, root, trusted, POLYIPC_OK, "open in a root of our own, trusted");

    expect(polyipc_queue_unlink("p", root), POLYIPC_OK, "unlink");
    snprintf(members, sizeof members, "%s/members", root);
    unlink(members);
    if (rmdir(root) != 0) {
        perror(root);
        failures++;
    }
    return failures != 0;
}
