/* host.c - the program we are loaded into stays as it was: signal masks, signal handlers, limits.
 *
 * Go's runtime, as it starts, installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG
 * (which hand on to the host's what is not Go's), starts threads, and raises the soft limit of
 * open files. Called by load.c around each start of Go. */
#include "keep.h"

#include "_cgo_export.h"

#include <sys/syscall.h>
#include <unistd.h>

static bool handles(const struct sigaction *action) {
    return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* Go's threads inherit the mask of the thread that starts it. They must not take the signals that
 * a program blocks in all its threads and picks up with sigwait or signalfd, so only those stay
 * open that a thread raises against itself, and SIGURG, with which Go's scheduler preempts: if the
 * host has a handler for it, that is not for Go's threads. */
static void mask_for_go(const struct pi_host *host, sigset_t *mask) {
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigfillset(mask);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        sigdelset(mask, open[i]);
    if (!handles(&host->now[SIGURG]))
        sigdelset(mask, SIGURG);
}

static bool is_go(const struct pi_keep *keep, const struct sigaction *action) {
    return pi_image_has(keep, (uintptr_t)action->sa_sigaction);
}

/* What Go installs handlers for, and keeps. A host's handler for SIGURG stays in place instead, since Go
 * would not hand on to it: then Go preempts only where its code calls functions, which is enough for
 * this library. */
static bool go_takes(const struct pi_host *host, int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGPIPE ||
           (signal == SIGURG && !handles(&host->before[SIGURG]));
}

/* SA_RESTORER, which <signal.h> does not name: the C library sets it on some machines and leaves it in
 * what it reads back, so that a disposition which was never set differs from the same one set again. */
enum { RESTORER = 0x04000000 };

static bool same(const struct sigaction *a, const struct sigaction *b) {
    return a->sa_sigaction == b->sa_sigaction && ((a->sa_flags ^ b->sa_flags) & ~RESTORER) == 0;
}

/* A handler that the host installed after Go's has Go's beneath it: it may hand on to it, or put it
 * back when it is done, as faulthandler does. Go starts again beneath it, at the same address. Were Go
 * put on top instead, the two would hand on to each other for ever. */
void pi_host_before_go(struct pi_keep *keep) {
    struct pi_host *host = &keep->host;
    for (int signal = 1; signal < PI_SIGNALS; signal++) {
        struct sigaction *const now = &host->now[signal], *const before = &host->before[signal];
        if (sigaction(signal, NULL, now) != 0)
            continue;
        if (is_go(keep, now)) /* the host has put a dead runtime's handler back */
            *now = *before;
        if (keep->forks > 0 && go_takes(host, signal))
            sigaction(signal, before, NULL);
        else
            *before = *now;
    }
    getrlimit(RLIMIT_NOFILE, &host->files);
    sigset_t mask;
    mask_for_go(host, &mask);
    pthread_sigmask(SIG_SETMASK, &mask, &host->mask);
}

/* On arm64 a handler must not run on a goroutine's stack, however much room there is: Go keeps the
 * frame pointer one word below the stack pointer, where the kernel writes the signal's frame, and ends
 * the process ("fatal error: entersyscall") when it comes upon what is there then. */
#ifdef __aarch64__
enum { GO_NEEDS = SA_ONSTACK };
#else
enum { GO_NEEDS = 0 };
#endif

/* Besides installing its own, Go has set SA_ONSTACK in the handlers of the host, which would then run in
 * the 32 KiB that Go gives to signals instead of on a thread's whole stack. Unless GO_NEEDS that, they
 * need not: see room in wait.go. */
void pi_host_after_go(struct pi_keep *keep) {
    struct pi_host *host = &keep->host;
    pi_guard_install(keep);
    for (int signal = 1; signal < PI_SIGNALS; signal++) {
        struct sigaction was = host->now[signal], now;
        const bool mine = go_takes(host, signal) && same(&was, &host->before[signal]);
        if (handles(&was))
            was.sa_flags |= GO_NEEDS;
        if (!mine && sigaction(signal, NULL, &now) == 0 && !same(&now, &was))
            sigaction(signal, &was, NULL);
    }
    pthread_sigmask(SIG_SETMASK, &host->mask, NULL);
}

void pi_host_enter(void) {
    static const struct pi_host unknown;
    sigset_t mask, was;
    mask_for_go(pi_now.keep != NULL ? &pi_now.keep->host : &unknown, &mask);
    pthread_sigmask(SIG_BLOCK, &mask, &was);
    pg_enter();
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    pi_me.entered = true;
}

/* Go raises the soft limit to one below the hard one. What is not that is the host's own doing. */
static void put_back_limit(const struct pi_keep *keep) {
    struct rlimit now;
    const struct rlimit *was = &keep->host.files;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max == was->rlim_max &&
        now.rlim_cur == was->rlim_max - 1 && was->rlim_cur < now.rlim_cur)
        setrlimit(RLIMIT_NOFILE, was);
}

void pi_host_started(void) {
    struct pi_keep *keep = pi_now.keep;
    if (keep == NULL)
        return;
    put_back_limit(keep);
    atomic_store(&keep->started, 1);
    pi_futex_wake_all(&keep->started);
}

/* The handlers of a runtime that is no more must not run: they would take its locks. */
void pi_host_in_child(struct pi_keep *keep) {
    for (int signal = 1; signal < PI_SIGNALS; signal++) {
        struct sigaction now;
        if (sigaction(signal, NULL, &now) == 0 && is_go(keep, &now))
            sigaction(signal, &keep->host.before[signal], NULL);
    }
    if (atomic_load(&keep->started) == 0)
        put_back_limit(keep);
}
