/* process.c - starts a program. By posix_spawn and not by Go, whose children have the signals blocked that
 * the host has blocked, or that Go's own threads have. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char VARIABLE[] = "POLYIPC_OBJECTS=";

/* The environment with the objects of this child in place of any others. *line is to be freed with it. */
static char **environment(char **env, const char *objects, char **line) {
    size_t count = 0;
    while (env != NULL && env[count] != NULL)
        count++;
    char **to = malloc((count + 2) * sizeof *to);
    const size_t length = objects != NULL ? strlen(objects) + sizeof VARIABLE : 0;
    *line = objects != NULL ? malloc(length) : NULL;
    if (to == NULL || (objects != NULL && *line == NULL)) {
        free(to);
        return NULL;
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(env[i], VARIABLE, sizeof VARIABLE - 1) != 0)
            to[n++] = env[i];
    if (objects != NULL) {
        snprintf(*line, length, "%s%s", VARIABLE, objects);
        to[n++] = *line;
    }
    to[n] = NULL;
    return to;
}

/* The descriptors for 0 to 2 as copies above 2, so that none of them is overwritten before its turn. */
static int copy_standard(const struct pi_spawn *how, int copies[3]) {
    for (int i = 0; i < 3; i++) {
        copies[i] = how->standard[i] < 0 ? -1 : fcntl(how->standard[i], F_DUPFD_CLOEXEC, 3);
        if (how->standard[i] >= 0 && copies[i] < 0)
            return errno;
    }
    return 0;
}

static int actions(const struct pi_spawn *how, const int copies[3], posix_spawn_file_actions_t *to) {
    int e = 0;
    for (int i = 0; i < 3 && e == 0; i++)
        if (copies[i] >= 0)
            e = posix_spawn_file_actions_adddup2(to, copies[i], i);
    for (size_t i = 0; i < how->keep_count && e == 0; i++) /* to itself: not close-on-exec any more */
        e = posix_spawn_file_actions_adddup2(to, how->keep[i], how->keep[i]);
    if (how->directory != NULL && e == 0)
        e = posix_spawn_file_actions_addchdir_np(to, how->directory);
    return e;
}

static int attributes(posix_spawnattr_t *to) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int e = posix_spawnattr_setsigmask(to, &none);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(to, &all);
    if (e == 0)
        e = posix_spawnattr_setflags(to, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return e;
}

int pi_spawn(const struct pi_spawn *how, int *pid) {
    int copies[3] = {-1, -1, -1};
    char *line = NULL;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attribute;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attribute);
    char **const env = environment(how->env != NULL ? how->env : environ, how->objects, &line);
    int e = env == NULL ? ENOMEM : copy_standard(how, copies);
    if (e == 0)
        e = actions(how, copies, &files);
    if (e == 0)
        e = attributes(&attribute);
    pid_t child = 0;
    if (e == 0)
        e = posix_spawnp(&child, how->argv[0], &files, &attribute, how->argv, env);
    *pid = child;
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attribute);
    for (int i = 0; i < 3; i++)
        if (copies[i] >= 0)
            syscall(SYS_close, copies[i]); /* close(3) is a cancellation point; see pi_quick_nap */
    free(line);
    free(env);
    return e;
}
