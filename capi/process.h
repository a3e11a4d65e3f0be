/* process.h - what process.go needs of process.c. */
#ifndef PI_PROCESS_H
#define PI_PROCESS_H

#include "keep.h"

struct pi_spawn {
    char **argv;
    char **env;            /* NULL: this process's own */
    const char *objects;   /* the value of POLYIPC_OBJECTS; NULL: the child has none */
    const char *directory; /* or NULL */
    int standard[3];       /* -1: as they are */
    int keep[256];         /* descriptors that the child gets, under their numbers, all above 2 */
    size_t keep_count;
};

/* Starts a program; 0 and its id, or an errno. */
int pi_spawn(const struct pi_spawn *how, int *pid);

#endif
