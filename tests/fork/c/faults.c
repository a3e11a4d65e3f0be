/* faults.c - the host's own faults are its own: a handler for SIGSEGV and SIGBUS that it installed before it
 * loaded the library gets them, with signal, code and address, and may leave by siglongjmp; one that it
 * installs later gets them as well and may hand on what is not its own; without any the signal ends the
 * process. And a fault within the library still is none of the host's.
 *
 * The library is loaded by dlopen, so that "before" is possible. */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "fork_test.h"

/* Loaded, not linked. */
#define LOAD(name) static __typeof__(&polyipc_##name) p_##name
LOAD(queue_create);
LOAD(queue_close);
LOAD(queue_put);
LOAD(queue_get);

static polyipc_queue q;

static void load(void) {
    const char *path = getenv("POLYIPC_LIBRARY");
    CHECK(path != NULL, "set POLYIPC_LIBRARY");
    void *library = dlopen(path, RTLD_NOW);
    CHECK(library != NULL, "%s", dlerror());
#define FIND(name) CHECK((p_##name = (__typeof__(p_##name))dlsym(library, "polyipc_" #name)) != NULL, #name)
    FIND(queue_create);
    FIND(queue_close);
    FIND(queue_put);
    FIND(queue_get);
    CHECK(p_queue_create(NULL, NULL, &q) == POLYIPC_OK, "create");
}

static char *nothing; /* an address where nothing is */
static char *behind;  /* one behind the end of a file */

static void set_up(void) {
    const int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
    nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    behind = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(fd >= 0 && nothing != MAP_FAILED && behind != MAP_FAILED, "mmap");
    close(fd);
}

static volatile sig_atomic_t number, code, faults;
static void *volatile address;
static sigjmp_buf out;

static void leaves(int signal, siginfo_t *info, void *context) {
    (void)context;
    number = signal;
    code = info->si_code;
    address = info->si_addr;
    faults++;
    siglongjmp(out, 1);
}

static void install(void (*handler)(int, siginfo_t *, void *), int flags, struct sigaction *was) {
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(SIGSEGV, &a, was) == 0 && sigaction(SIGBUS, &a, was != NULL ? was + 1 : NULL) == 0,
          "sigaction");
}

static void unmasked(void) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int s = 1; s < 65; s++)
        CHECK(sigismember(&mask, s) != 1, "signal %d is blocked", s);
}

static void faults_at(char *where, int signal, int why) {
    const int before = faults;
    if (sigsetjmp(out, 1) == 0) {
        *(volatile char *)where = 1;
        CHECK(false, "no fault");
    }
    CHECK(faults == before + 1 && number == signal && address == where && code == why,
          "handler called %d times, signal %d code %d at %p", faults - before, number, code, address);
    unmasked();
}

/* The library's own: none of them is heard of by the host. */
static void wild_pointers(void) {
    char text[16];
    const int before = faults;
    CHECK(p_queue_put(q, nothing, 10, POLYIPC_RAW, POLYIPC_TRY) == POLYIPC_INVALID, "put");
    CHECK(p_queue_put(q, behind, 10, POLYIPC_RAW, POLYIPC_TRY) == POLYIPC_INVALID, "put");
    CHECK(p_queue_put(q, "text", 5, POLYIPC_RAW, POLYIPC_TRY) == POLYIPC_OK, "put");
    CHECK(p_queue_get(q, nothing, 10, POLYIPC_TRY, NULL, NULL) == POLYIPC_INVALID, "get");
    while (p_queue_get(q, text, sizeof text, POLYIPC_TRY, NULL, NULL) == POLYIPC_OK)
        continue;
    CHECK(faults == before, "the host's handler was called");
    unmasked();
}

static void *both_kinds(void *unused) {
    for (int i = 0; i < 50; i++) {
        faults_at(nothing, SIGSEGV, SEGV_ACCERR);
        wild_pointers();
        faults_at(behind, SIGBUS, BUS_ADRERR);
    }
    return unused;
}

static void on_an_altstack(void) {
    static char memory[64 << 10];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, none = {.ss_flags = SS_DISABLE};
    stack_t now;
    CHECK(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    both_kinds(NULL);
    CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == memory && now.ss_flags == 0, "sigaltstack changed");
    CHECK(sigaltstack(&none, NULL) == 0, "sigaltstack");
}

static void again(void *unused) { both_kinds(unused); }

static void before_loading(void *unused) {
    (void)unused;
    install(leaves, 0, NULL);
    load();
    both_kinds(NULL);
    pthread_join(run(both_kinds, NULL), NULL);
    on_an_altstack();
    IN_CHILD(again, NULL);
    CHECK(p_queue_close(q) == POLYIPC_OK, "close");
}

/* Takes what is at its two addresses and hands on everything else. */
static struct sigaction beneath[2];

static void hands_on(int signal, siginfo_t *info, void *context) {
    if (info->si_addr == nothing + 64 || info->si_addr == behind + 64)
        leaves(signal, info, context);
    beneath[signal == SIGBUS].sa_sigaction(signal, info, context);
}

static void after_loading(void *unused) {
    (void)unused;
    load();
    install(hands_on, SA_ONSTACK, beneath); /* Go's condition, for who hands on to it */
    for (int i = 0; i < 20; i++) {
        faults_at(nothing + 64, SIGSEGV, SEGV_ACCERR);
        faults_at(behind + 64, SIGBUS, BUS_ADRERR);
        wild_pointers();
    }
    CHECK(p_queue_close(q) == POLYIPC_OK, "close");
}

static char *where;

static void just_faults(void *unused) {
    (void)unused;
    load();
    wild_pointers();
    close(2); /* Go has much to say at the end */
    *(volatile char *)where = 1;
}

static void is_sent_one(void *signal) {
    load();
    wild_pointers();
    close(2);
    kill(getpid(), *(int *)signal);
    nap(1000000);
}

static void ends_by(part f, void *argument, int signal) {
    const int status = await(start(f, argument), 30 * SECOND);
    CHECK(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == signal, "wait status %#x, not signal %d",
          (unsigned)status, signal);
}

int main(void) {
    set_up();
    IN_CHILD(before_loading, NULL);
    IN_CHILD(after_loading, NULL);
    where = nothing;
    ends_by(just_faults, NULL, SIGSEGV);
    where = behind;
    ends_by(just_faults, NULL, SIGBUS);
    ends_by(is_sent_one, &(int){SIGSEGV}, SIGSEGV);
    return 0;
}
