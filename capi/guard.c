/* guard.c - memory that is not there, touched by C: a file that another process truncated, or a
 * caller's wrong pointer. Go's handler for SIGSEGV and SIGBUS knows only of Go's code; ours lies
 * above it, leaves a guarded piece of code (quick.h) and hands on everything else.
 *
 * setjmp(3), as POSIX allows it out of a handler that interrupted no function which is unsafe
 * there: guarded code copies memory and makes futex calls. */
#include "quick.h"

#include <ucontext.h>

/* SIGURG, with which Go's scheduler preempts, goes through here for the sake of its stack. */
static const int faults[PI_FAULTS] = {SIGSEGV, SIGBUS, SIGURG};

enum { LENT = 40 << 10 }; /* bytes; less than handlerRoom of wait.go */

/* Go wants its handlers to run on the thread's alternate stack. A host may have taken that away since the
 * thread was last in Go, and then a handler runs where the interrupted code was; Go would end the process for
 * that. There is room (wait.go), so for as long as Go's handler runs, the stack below here is called the
 * alternate one. The return from the signal puts back what was found when it came. */
static void hand_on(const struct sigaction *go, int signal, siginfo_t *info, void *context) {
    stack_t now;
    char *const here = __builtin_frame_address(0);
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0) {
        const stack_t lent = {.ss_sp = here - LENT, .ss_size = LENT};
        sigaltstack(&lent, NULL);
    }
    go->sa_sigaction(signal, info, context);
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    struct pi_guard *const guard = pi_me.guard;
    if (guard != NULL && info->si_code > 0) { /* raised by the access, not sent by somebody */
        pi_me.guard = NULL;
        /* As a return would: a host's handler above, which handed on to this one, blocks signals. */
        pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL);
        _longjmp(guard->to, 1);
    }
    int i = 0;
    while (faults[i] != signal)
        i++;
    sigset_t all; /* as Go's handler expects; the return from this one puts the mask back */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    hand_on(&pi_now.keep->host.go_fault[i], signal, info, context);
}

void pi_guard_install(struct pi_keep *keep) {
    for (int i = 0; i < PI_FAULTS; i++) {
        struct sigaction now;
        if (sigaction(faults[i], NULL, &now) != 0 || !pi_image_has(keep, (uintptr_t)now.sa_sigaction) ||
            now.sa_sigaction == on_fault)
            continue;
        keep->host.go_fault[i] = now;
        struct sigaction ours = {.sa_sigaction = on_fault,
                                 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
        sigemptyset(&ours.sa_mask);
        sigaction(faults[i], &ours, NULL);
    }
}
