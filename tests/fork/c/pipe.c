/* pipe.c - the ends of a pipe in forked children: a child uses what it inherited, an end goes with the last
 * of those that have it, however that ends, and a host that closes all descriptors loses none. */
#include "fork_test.h"

static char root[] = "/dev/shm/polyipc-fork-pipe-XXXXXX";
static polyipc_pipe ours, theirs;

static void pair(polyipc_pipe *first, polyipc_pipe *second) {
    EXPECT(polyipc_pipe_pair(NULL, NULL, first, second), POLYIPC_OK);
}

static void send_text(polyipc_pipe p, const char *text) {
    EXPECT(polyipc_pipe_send(p, text, strlen(text), POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
}

static void recv_text(polyipc_pipe p, const char *want) {
    char text[64] = "";
    EXPECT(polyipc_pipe_recv(p, text, sizeof text - 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_OK);
    CHECK(strcmp(text, want) == 0, "got \"%s\"", text);
}

/* ---- deaths ------------------------------------------------------------------------------ */

static void *sleeps_receiving(void *unused) {
    char c;
    EXPECT(polyipc_pipe_recv(ours, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_END_OF_FILE);
    return unused;
}

static void *sleeps_sending(void *unused) {
    static char text[4000];
    polyipc_status s;
    do
        s = polyipc_pipe_send(ours, text, sizeof text, POLYIPC_RAW, POLYIPC_FOREVER);
    while (s == POLYIPC_OK);
    EXPECT(s, POLYIPC_BROKEN);
    return unused;
}

static void *sleeps_polling(void *unused) {
    EXPECT(polyipc_pipe_poll(ours, POLYIPC_FOREVER), POLYIPC_OK);
    return unused;
}

static void speaks_and_stays(void *unused) {
    (void)unused;
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    send_text(theirs, "last words");
    for (;;)
        pause();
}

/* The child holds the second end alone, as its parent has closed that, and is killed. */
static void death(void *(*work)(void *)) {
    pair(&ours, &theirs);
    const pid_t child = start(speaks_and_stays, NULL);
    EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
    recv_text(ours, "last words");
    pthread_t t = run(work, NULL);
    nap(5000); /* mostly asleep by then */
    kill(child, SIGKILL);
    pthread_join(t, NULL);
    await(child, 30 * SECOND);
    nap(200); /* a send may believe for 0.05 ms what it knew */
    EXPECT(polyipc_pipe_send(ours, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BROKEN);
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
}

/* ---- inheritance ------------------------------------------------------------------------- */

static void answers(void *unused) {
    char c;
    (void)unused;
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    recv_text(theirs, "from before");
    send_text(theirs, "from the child");
    recv_text(theirs, "go");
    EXPECT(polyipc_pipe_recv(theirs, &c, 1, POLYIPC_FOREVER, NULL, NULL), POLYIPC_END_OF_FILE);
    EXPECT(polyipc_pipe_send(theirs, &c, 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BROKEN);
    EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
}

static void inheritance(void) {
    pair(&ours, &theirs);
    send_text(ours, "from before");
    const pid_t child = start(answers, NULL);
    EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
    recv_text(ours, "from the child");
    send_text(ours, "go");
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    const int status = await(child, 30 * SECOND);
    CHECK(status == 0, "the child ended with %#x", (unsigned)status);
}

/* ---- descriptors ------------------------------------------------------------------------- */

enum { OTHERS = 10 };

/* Others get the numbers of the pipe's descriptors: further pipes, whose ends are open in several handles
 * each. */
static void closes_descriptors(void *unused) {
    polyipc_pipe others[OTHERS][3];
    char name[129];
    (void)unused;
    pair(&ours, &theirs);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    for (int i = 0; i < OTHERS; i++) {
        pair(&others[i][0], &others[i][1]);
        EXPECT(polyipc_pipe_name(others[i][0], name, sizeof name), POLYIPC_OK);
        EXPECT(polyipc_pipe_open(name, NULL, &others[i][2]), POLYIPC_OK);
    }
    send_text(theirs, "x");
    recv_text(ours, "x");
    pthread_t t = run(sleeps_receiving, NULL);
    nap(5000);
    EXPECT(polyipc_pipe_close(theirs), POLYIPC_OK);
    pthread_join(t, NULL);
    nap(200);
    EXPECT(polyipc_pipe_send(ours, "x", 1, POLYIPC_RAW, POLYIPC_TRY), POLYIPC_BROKEN);
    EXPECT(polyipc_pipe_close(ours), POLYIPC_OK);
    for (int i = 0; i < 3 * OTHERS; i++)
        EXPECT(polyipc_pipe_close(others[i / 3][i % 3]), POLYIPC_OK);
}

int main(void) {
    CHECK(mkdtemp(root) != NULL && setenv("POLYIPC_ROOT", root, 1) == 0, "%s", root);
    death(sleeps_receiving);
    death(sleeps_sending);
    death(sleeps_polling);
    inheritance();
    IN_CHILD(closes_descriptors, NULL);
    char members[100];
    snprintf(members, sizeof members, "%s/members", root);
    CHECK(unlink(members) == 0 && rmdir(root) == 0, "something is left in %s", root);
    return 0;
}
