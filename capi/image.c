/* image.c - this library in memory: where its data lies, what it was before Go started, and how
 * it is put back.
 *
 * All state of a Go runtime in a shared library is in the writable segments of its file, in one
 * thread-local block, under one pthread key, and in memory that is found through these. Put back
 * to their first values, they let the library's initialisers run again as if it had just been
 * loaded, in the same place and without asking the dynamic linker, which might be locked by a
 * thread that fork left behind. What the former runtime had mapped stays mapped and unused.
 *
 * That is right only while the image is this library alone: linked into a program, the same would
 * rewind the program's own variables. Then, and under sanitizers, whose shadow memory cannot be
 * rewound, a child gets an error from every call. */
#include "keep.h"

#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The dynamic linker's; no header declares it. */
struct tls_index {
    unsigned long module, offset;
};
extern void *__tls_get_addr(struct tls_index *index);

static char *thread_pointer(void) {
#if defined(__x86_64__)
    char *p; /* older compilers lack the builtin here */
    __asm__("mov %%fs:0, %0" : "=r"(p));
    return p;
#else
    return __builtin_thread_pointer();
#endif
}

/* ---- finding ---------------------------------------------------------------------------- */

static const char *soname(const struct dl_phdr_info *info, const ElfW(Dyn) * dynamic) {
    uintptr_t strings = 0, offset = 0;
    bool named = false;
    for (const ElfW(Dyn) *d = dynamic; d->d_tag != DT_NULL; d++) {
        if (d->d_tag == DT_STRTAB)
            strings = d->d_un.d_ptr;
        if (d->d_tag == DT_SONAME) {
            offset = d->d_un.d_val;
            named = true;
        }
    }
    if (!named || strings == 0)
        return "";
    if (strings < info->dlpi_addr) /* glibc has relocated it on most machines, not on all */
        strings += info->dlpi_addr;
    return (const char *)strings + offset;
}

static void add_range(struct pi_image *image, char *start, size_t stored, size_t size) {
    const int most = (int)(sizeof image->range / sizeof *image->range);
    if (size == 0)
        return;
    if (image->ranges == most) {
        image->why_not = "its file has too many writable segments";
        return;
    }
    image->range[image->ranges++] = (struct pi_range){.start = start, .size = size, .stored = stored};
}

static bool is_ours(const struct dl_phdr_info *info) {
    const uintptr_t me = (uintptr_t)&is_ours;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_LOAD && me - info->dlpi_addr - h->p_vaddr < h->p_memsz)
            return true;
    }
    return false;
}

static int tls_module(struct dl_phdr_info *info, size_t size, void *argument) {
    struct tls_index *index = argument;
    (void)size;
    if (!is_ours(info))
        return 0;
    index->module = info->dlpi_tls_modid;
    return 1;
}

/* Makes the dynamic linker note where this library's thread-local block lies in this thread; before,
 * dl_iterate_phdr reports none if the library was loaded by dlopen. To read a variable of the general
 * model is not enough: where that goes by TLS descriptors, as on arm64, nothing is noted. */
static void find_tls(void) {
    struct tls_index index = {0, 0};
    if (dl_iterate_phdr(tls_module, &index) != 0 && index.module != 0)
        __tls_get_addr(&index);
}

static int describe(struct dl_phdr_info *info, size_t size, void *argument) {
    struct pi_image *image = argument;
    (void)size;
    if (!is_ours(info))
        return 0;
    char *const base = (char *)info->dlpi_addr;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t sealed_start = 0, sealed_end = 0; /* read-only after relocation */
    const char *name = "";
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        if (h->p_type == PT_GNU_RELRO) {
            sealed_start = (uintptr_t)base + h->p_vaddr;
            sealed_end = (sealed_start + h->p_memsz) & -page;
        }
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        char *start = base + h->p_vaddr;
        switch (h->p_type) {
        case PT_LOAD:
            if (image->start == NULL || start < image->start)
                image->start = start;
            if (start + h->p_memsz > image->end)
                image->end = start + h->p_memsz;
            if (h->p_flags & PF_X) {
                image->text_start = start;
                image->text_end = start + h->p_memsz;
            }
            if (h->p_flags & PF_W) {
                size_t skip = 0;
                if ((uintptr_t)start >= sealed_start && (uintptr_t)start < sealed_end)
                    skip = sealed_end - (uintptr_t)start;
                if (skip < h->p_memsz)
                    add_range(image, start + skip, h->p_filesz > skip ? h->p_filesz - skip : 0,
                              h->p_memsz - skip);
            }
            break;
        case PT_TLS:
            image->tls_image = start;
            image->tls_stored = h->p_filesz;
            image->tls_size = h->p_memsz;
            image->tls_offset = (char *)info->dlpi_tls_data - thread_pointer();
            if (info->dlpi_tls_data == NULL)
                image->why_not = "its thread-local memory was not found";
            break;
        case PT_DYNAMIC:
            name = soname(info, (const ElfW(Dyn) *)start);
            for (const ElfW(Dyn) *d = (const ElfW(Dyn) *)start; d->d_tag != DT_NULL; d++) {
                if (d->d_tag == DT_INIT_ARRAY)
                    image->init = (void (**)(int, char **, char **))(base + d->d_un.d_ptr);
                if (d->d_tag == DT_INIT_ARRAYSZ)
                    image->inits = d->d_un.d_val / sizeof *image->init;
            }
            break;
        }
    }
    if (strncmp(name, "libpolyipc.so", sizeof "libpolyipc.so" - 1) != 0)
        image->why_not = "it is linked into another program or library";
    return 1;
}

void pi_image_find(struct pi_keep *keep, int argc, char **argv, char **envp) {
    struct pi_image *image = &keep->image;
    image->argc = argc;
    image->argv = argv;
    image->envp = envp;
    find_tls();
    if (dl_iterate_phdr(describe, image) == 0)
        image->why_not = "its own image was not found";
    if (SANITIZED)
        image->why_not = "it is built with a sanitizer";
    if (image->init == NULL || image->tls_size == 0)
        image->why_not = image->why_not != NULL ? image->why_not : "its file lacks an expected part";
}

void pi_image_store(struct pi_keep *keep) {
    struct pi_image *image = &keep->image;
    for (int i = 0; i < image->ranges && image->why_not == NULL; i++) {
        struct pi_range *r = &image->range[i];
        if (r->stored == 0)
            continue;
        void *copy = mmap(NULL, r->stored, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (copy == MAP_FAILED) {
            image->why_not = "memory was short when it was loaded";
            break;
        }
        memcpy(copy, r->start, r->stored);
        mprotect(copy, r->stored, PROT_READ);
        r->snapshot = copy;
    }
    image->rewindable = image->why_not == NULL;
}

bool pi_image_spans(const struct pi_keep *keep, const void *bytes, size_t size) {
    const char *at = bytes;
    return at >= keep->image.start && at < keep->image.end && size <= (size_t)(keep->image.end - at);
}

bool pi_image_has(const struct pi_keep *keep, uintptr_t code) {
    return code - (uintptr_t)keep->image.text_start <
           (uintptr_t)(keep->image.text_end - keep->image.text_start);
}

/* ---- rewinding -------------------------------------------------------------------------- */

/* Zeroes memory that started as zero. Whole pages of it are anonymous memory, of which the kernel
 * drops what was touched: packages have zeroed arrays of many megabytes that they rarely use. */
static void zero(char *start, char *end) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *const from = start + (-(uintptr_t)start & (page - 1));
    char *const to = end - ((uintptr_t)end & (page - 1));
    if (from >= to || madvise(from, (size_t)(to - from), MADV_DONTNEED) != 0) {
        memset(start, 0, (size_t)(end - start)); /* little, or locked in memory */
        return;
    }
    memset(start, 0, (size_t)(from - start));
    memset(to, 0, (size_t)(end - to));
}

/* Puts back the bytes from start to end, which lie in r. */
static void restore(const struct pi_range *r, char *start, char *end) {
    char *const stored = r->start + r->stored; /* what follows started as zero */
    if (start < stored) {
        char *const to = end < stored ? end : stored;
        memcpy(start, r->snapshot + (start - r->start), (size_t)(to - start));
        start = to;
    }
    if (start < end)
        zero(start, end);
}

void pi_image_rewind(struct pi_keep *keep) {
    char *const spared = (char *)&pi_now;
    for (int i = 0; i < keep->image.ranges; i++) {
        const struct pi_range *r = &keep->image.range[i];
        char *const end = r->start + r->size;
        if (spared >= r->start && spared < end) {
            restore(r, r->start, spared);
            restore(r, spared + sizeof pi_now, end);
        } else {
            restore(r, r->start, end);
        }
    }
}

/* ---- the thread ------------------------------------------------------------------------- */

/* Go keeps a thread's state in a thread-local variable and, so that it learns of the thread's end,
 * under a pthread key. The key's number is known to Go alone; it is the one whose value stands in
 * our thread-local block. Keys are few (1,024 in a process), so each generation gives its own
 * back; and a value left under it would take the child's thread through a dead runtime at exit. */
void pi_image_learn_key(struct pi_keep *keep) {
    if (keep->go_key_known || !keep->image.rewindable)
        return;
    char *const block = thread_pointer() + keep->image.tls_offset;
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        const bool ours = key == keep->detail_key || (keep->within && key == keep->within_key);
        void *const value = ours ? NULL : pthread_getspecific(key);
        if (value == NULL)
            continue;
        for (size_t at = 0; at + sizeof value <= keep->image.tls_size; at += sizeof value) {
            if ((uintptr_t)(block + at) - (uintptr_t)&pi_me < sizeof pi_me)
                continue;
            if (memcmp(block + at, &value, sizeof value) == 0) {
                keep->go_key = key;
                keep->go_key_known = true;
                return;
            }
        }
    }
}

void pi_image_forget_thread(struct pi_keep *keep) {
    pi_image_learn_key(keep);
    if (keep->go_key_known)
        pthread_key_delete(keep->go_key);
    keep->go_key_known = false;

    const struct pi_image *image = &keep->image;
    char *const block = thread_pointer() + image->tls_offset;
    const struct pi_thread me = pi_me;
    memcpy(block, image->tls_image, image->tls_stored);
    memset(block + image->tls_stored, 0, image->tls_size - image->tls_stored);
    pi_me = me;
}
