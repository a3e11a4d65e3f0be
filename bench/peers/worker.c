/* The main of all peers in C and C++: reads the job from the arguments, opens, says "ready", waits for a
 * line on standard input, "go" and a time, does the role's work, which prints one line of JSON, and closes
 * when standard input ends. The clock is CLOCK_MONOTONIC, which all processes of a run share.
 */
#define _GNU_SOURCE
#include "worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000000) +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * INT64_C(1000);
}

static enum role role_of(const char *word) {
    static const char *const words[] = {"producer", "consumer", "client", "echo", "idle", "holder"};
    for (int i = 0; i <= HOLDER; i++)
        if (strcmp(word, words[i]) == 0)
            return (enum role)i;
    fail("role=%s: give producer, consumer, client, echo, idle or holder", word);
}

static struct job parse(int count, char **arguments) {
    struct job job = {
        .name = "", .dir = "", .verb = "", .batch = 1, .step = 1, .producers = 1, .consumers = 1};
    for (int i = 1; i < count; i++) {
        char *key = arguments[i], *value = strchr(key, '=');
        if (value == NULL)
            fail("%s: give key=value", key);
        *value++ = '\0';
        unsigned long long number = strtoull(value, NULL, 10);
        if (strcmp(key, "role") == 0)
            job.role = role_of(value);
        else if (strcmp(key, "dir") == 0)
            job.dir = value;
        else if (strcmp(key, "name") == 0)
            job.name = value;
        else if (strcmp(key, "verb") == 0)
            job.verb = value;
        else if (strcmp(key, "size") == 0)
            job.size = number;
        else if (strcmp(key, "warm") == 0)
            job.warm = number;
        else if (strcmp(key, "count") == 0)
            job.count = number;
        else if (strcmp(key, "batch") == 0)
            job.batch = number;
        else if (strcmp(key, "pause") == 0)
            job.pause = (int64_t)number;
        else if (strcmp(key, "step") == 0)
            job.step = number;
        else if (strcmp(key, "lasts") == 0)
            job.lasts = (int64_t)number;
        else if (strcmp(key, "producers") == 0)
            job.producers = (unsigned)number;
        else if (strcmp(key, "consumers") == 0)
            job.consumers = (unsigned)number;
        else if (strcmp(key, "index") == 0)
            job.index = (unsigned)number;
        else
            fail("unknown argument %s", key);
    }
    if (job.pause > 0 && job.size < 16)
        fail("size=%zu: a paused round trip carries two stamps, 16 bytes", job.size);
    return job;
}

int main(int count, char **arguments) {
    struct job job = parse(count, arguments);
    char line[64];
    long long start = 0;
    peer_open(&job);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return 1; /* the harness gave up */
    if (sscanf(line, "go %lld", &start) != 1)
        fail("%s: give go and the time to start at", line);
    work(&job, start);
    while (fgets(line, sizeof line, stdin) != NULL) {
    }
    peer_close();
    return 0;
}
