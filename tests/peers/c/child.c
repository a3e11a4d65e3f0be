/* Commands that a forked child does. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 1000 };

static struct {
    pid_t pid;
    int answer; /* where it can be read */
} children[CHILDREN];
static int child_count;

polyipc_status fork_child(call *c) {
    int ends[2];
    if (child_count == CHILDREN || c->count < 2 || pipe(ends) != 0)
        return PROTOCOL;
    pid_t pid = fork();
    if (pid < 0)
        broken("fork");
    if (pid == 0) {
        text answer = {0};
        c->count--;
        memmove(c->words, c->words + 1, (size_t)c->count * sizeof c->words[0]);
        c->answer = &answer;
        polyipc_status s = answer_to(c);
        if (s == POLYIPC_OK)
            dprintf(ends[1], "ok%.*s\n", (int)answer.size, answer.bytes == NULL ? "" : answer.bytes);
        else
            dprintf(ends[1], "err %s in a child\n", s == PROTOCOL ? "PROTOCOL" : polyipc_status_name(s));
        close_queues();
        close_pipes();
        close_syncs();
        _exit(0);
    }
    close(ends[1]);
    children[child_count].pid = pid;
    children[child_count++].answer = ends[0];
    text_add(c->answer, " %d", (int)pid);
    return POLYIPC_OK;
}

/* The whole answer of a child takes the place of ours: it is copied with its "ok" or "err". */
polyipc_status wait_child(call *c) {
    for (int i = 0; c->count == 2 && i < child_count; i++) {
        if (children[i].pid != number(c->words[1]))
            continue;
        char bytes[4096];
        ssize_t n;
        int status;
        while ((n = read(children[i].answer, bytes, sizeof bytes)) > 0) {
            memcpy(text_reserve(c->answer, (size_t)n), bytes, (size_t)n);
            c->answer->size += (size_t)n;
        }
        close(children[i].answer);
        waitpid(children[i].pid, &status, 0);
        children[i] = children[--child_count];
        if (WIFSIGNALED(status)) {
            c->answer->size = 0;
            text_add(c->answer, "err KILLED %d\n", WTERMSIG(status));
        }
        return POLYIPC_OK;
    }
    return PROTOCOL;
}
