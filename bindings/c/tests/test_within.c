/* Whoever closes a handle waits for the calls that are in its object: those of other threads, however long
 * they take, and none of them is missed. A call is held up in there by a page of its caller's that is not
 * there, until the handler of this program makes it. */
#include "quick_test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

static const size_t PAGE = 4096;

static char *page; /* the buffer of the call that is held up */
static atomic_bool inside, go_on, closed;
static polyipc_queue q;

/* Above the library's handler. It is a call's own thread that waits here. */
static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    static const char text[] = "a call touched memory that had gone\n";
    if (info->si_addr != page) {
        if (write(2, text, sizeof text - 1) > 0)
            give_up();
        _exit(1);
    }
    atomic_store(&inside, true);
    while (!atomic_load(&go_on))
        nap();
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void *puts_page(void *nothing) {
    EXPECT(polyipc_queue_put(q, page, 8, POLYIPC_RAW, POLYIPC_FOREVER), POLYIPC_OK);
    return nothing;
}

static void *gets_page(void *nothing) {
    EXPECT(polyipc_queue_get(q, page, 8, POLYIPC_FOREVER, NULL, NULL), POLYIPC_OK);
    return nothing;
}

/* A thread that is cancelled ends behind the call, not in it. */
static void *closes(void *nothing) {
    pthread_cancel(pthread_self());
    EXPECT(polyipc_queue_close(q), POLYIPC_OK);
    atomic_store(&closed, true);
    pthread_testcancel();
    return nothing;
}

static void waits_for(void *(*held_up)(void *)) {
    const polyipc_queue keeper = anonymous();
    void *result;
    q = again(keeper);
    put(keeper, "12345678");
    CHECK(mprotect(page, PAGE, PROT_NONE) == 0, "mprotect");
    atomic_store(&inside, false);
    atomic_store(&go_on, false);
    atomic_store(&closed, false);
    const pthread_t in = run(held_up, NULL);
    while (!atomic_load(&inside))
        nap();
    const pthread_t closer = run(closes, NULL);
    char c;
    while (polyipc_queue_get(q, &c, 1, POLYIPC_TRY, NULL, NULL) != POLYIPC_BAD_HANDLE)
        nap();
    for (int i = 0; i < 250; i++) {
        CHECK(!atomic_load(&closed), "closed while a call was in there");
        nap();
    }
    atomic_store(&go_on, true);
    pthread_join(in, NULL);
    pthread_join(closer, &result);
    CHECK(atomic_load(&closed) && result == PTHREAD_CANCELED, "the closer ended in the call");
    EXPECT(polyipc_queue_close(keeper), POLYIPC_OK);
}

/* ---- the barrier -------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#else
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

static atomic_int barriers;

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    barriers++;
    RESULT((ucontext_t *)context) = -EPERM;
}

/* In this thread, membarrier(2) is forbidden from now on, and counted. */
static bool forbid(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What a call in another thread noted may be on its way, so each close has all threads pass a fence. If it is
 * not allowed to, it waits a moment, and that is no error. */
static void *closes_behind_a_barrier(void *nothing) {
    if (!forbid())
        return nothing; /* in a container that forbids it */
    const polyipc_queue keeper = anonymous(), other = again(keeper);
    EXPECT(polyipc_queue_close(other), POLYIPC_OK);
    CHECK(barriers == 1, "%d barriers", barriers);
    EXPECT(polyipc_queue_close(keeper), POLYIPC_OK);
    CHECK(barriers == 2, "%d barriers", barriers);
    return nothing;
}

int main(void) {
    set_up();
    page = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED, "mmap");
    const struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK},
                           call = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    CHECK(sigaction(SIGSEGV, &fault, NULL) == 0 && sigaction(SIGSYS, &call, NULL) == 0, "sigaction");
    waits_for(puts_page); /* noted */
    waits_for(gets_page); /* counted */
    pthread_join(run(closes_behind_a_barrier, NULL), NULL);
    remove_root();
    return 0;
}
