/* manager_test.h - what the tests of managers share: a server in a process of its own, which is this program
 * again, and calls by literal MessagePack. */
#ifndef MANAGER_TEST_H
#define MANAGER_TEST_H

#include "quick_test.h"

#include <polyipc_manager.h>

static const int64_t SOON = (int64_t)60000000000; /* bounds a failure */

static char self[4096];

/* What the program does when it is started as a server: serves under that name until it is killed or
 * stopped. */
static inline int be_server(const char *name) {
    polyipc_manager_server server;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves none behind */
    alarm(100);
    EXPECT(polyipc_manager_serve(name, NULL, &server), POLYIPC_OK);
    EXPECT(polyipc_manager_server_wait(server, POLYIPC_FOREVER), POLYIPC_OK);
    EXPECT(polyipc_manager_server_close(server), POLYIPC_OK);
    return 0;
}

static inline polyipc_process start_server(const char *name) {
    char *argv[] = {self, (char *)name, NULL};
    polyipc_process p;
    EXPECT(polyipc_process_spawn(argv, NULL, 0, NULL, &p), POLYIPC_OK);
    return p;
}

/* A connection to a server that may not be there yet. */
static inline polyipc_manager connected(const char *name) {
    polyipc_manager m;
    polyipc_status s;
    while ((s = polyipc_manager_connect(name, NULL, SOON, &m)) == POLYIPC_NOT_FOUND)
        nap();
    EXPECT(s, POLYIPC_OK);
    return m;
}

static inline void kill_server(polyipc_process p) {
    EXPECT(polyipc_process_kill(p, SIGKILL), POLYIPC_OK);
    EXPECT(polyipc_process_wait(p, SOON, NULL), POLYIPC_OK);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
}

/* The end by a client's word. */
static inline void stop_server(polyipc_manager m, polyipc_process p) {
    int status;
    EXPECT(polyipc_managed_call(polyipc_managed_self(m), "stop", NULL, NULL, SOON, NULL, NULL), POLYIPC_OK);
    EXPECT(polyipc_process_wait(p, SOON, &status), POLYIPC_OK);
    CHECK(status == 0, "the server ended with %d", status);
    EXPECT(polyipc_process_close(p), POLYIPC_OK);
    EXPECT(polyipc_manager_close(m), POLYIPC_OK);
}

/* The main of such a test: name is the server's, or of another act of the program. */
static inline void begin_test(int argc, char **argv, int (*act)(const char *name)) {
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    CHECK(n > 0, "readlink: %m");
    self[n] = 0;
    if (argc > 1)
        exit(act(argv[1]));
    set_up();
}

static inline polyipc_manager_call_t call_of(uint64_t object, const char *method, const char *args,
                                             size_t size) {
    return (polyipc_manager_call_t){.object = object, .method = method, .args = args, .args_size = size};
}

/* A literal, as an array of arguments. */
#define CALL(object, method, literal) call_of((object), (method), (literal), sizeof(literal) - 1)

/* A literal, as what was packed. */
#define PACKED(literal) ((msgpack_sbuffer){sizeof(literal) - 1, (char *)(uintptr_t)(literal), 0})

static inline polyipc_managed made(polyipc_manager m, const char *type) {
    polyipc_managed o;
    EXPECT(polyipc_managed_create(m, type, NULL, 0, SOON, &o), POLYIPC_OK);
    return o;
}

/* A figure of the server's "stat". */
static inline int64_t figure(polyipc_manager m, const char *name) {
    msgpack_zone zone;
    msgpack_object all, one;
    int64_t n = -1;
    msgpack_zone_init(&zone, 4096);
    EXPECT(polyipc_managed_call(polyipc_managed_self(m), "stat", NULL, NULL, SOON, &zone, &all), POLYIPC_OK);
    EXPECT(polyipc_msgpack_get(&all, name, &one), POLYIPC_OK);
    EXPECT(polyipc_msgpack_int64(&one, &n), POLYIPC_OK);
    msgpack_zone_destroy(&zone);
    return n;
}

/* Waits until that figure is so. */
static inline void until(polyipc_manager m, const char *name, int64_t want) {
    while (figure(m, name) != want)
        nap();
}

#endif
