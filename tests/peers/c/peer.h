/* The C peer: does with queues what it reads on standard input. ../PROTOCOL.md says how. */
#ifndef PEER_H
#define PEER_H

#include <polyipc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_WORDS 4096
#define LARGEST 200000 /* bytes of a message of produce */

/* Bytes that grow as needed. */
typedef struct text {
    char *bytes;
    size_t size, room;
} text;

/* The bytes, moved if need be, with room for n more. */
char *text_reserve(text *t, size_t n);
void text_add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A command line and the answer to it. */
typedef struct call {
    int count;
    char *words[MOST_WORDS];
    text *answer;
    text failure; /* what is said after the name of an error, instead of the verb */
} call;

/* What a command came to that makes no sense. */
#define PROTOCOL ((polyipc_status)1000)

/* peer.c */
polyipc_status answer_to(call *c);
void close_queues(void);
polyipc_queue queue_number(int64_t n); /* {0} if there is none */
int keep_queue(polyipc_queue q);       /* its number */
int64_t number(const char *word);
int64_t nanoseconds(const char *milliseconds);

/* body.c: messages as words */
polyipc_status read_hex(const char *word, text *out);
polyipc_status read_body(const char *word, text *out, polyipc_format *format);
polyipc_status show_body(text *answer, const char *bytes, size_t size, polyipc_format format);
void generate(char *bytes, size_t size, int64_t seed);
void compose(char *bytes, int64_t id, int64_t index, size_t length);
bool parse_name(const char *bytes, size_t size, polyipc_format format, char name[64]);

/* work.c: on its own */
polyipc_status produce(polyipc_queue q, call *c);
polyipc_status consume(polyipc_queue q, call *c);

/* sync.c: locks and their kin */
polyipc_status answer_to_sync(call *c);
void close_syncs(void);
uint32_t sync_number(int64_t n); /* its handle, 0 if there is none */
int keep_sync(polyipc_kind kind, uint32_t id);
volatile uint64_t *number_in(const char *file); /* that the file begins with, mapped */

/* pipe.c: pipes */
polyipc_status answer_to_pipe(call *c);
void close_pipes(void);

/* ref.c: objects in messages. Of each noun, the handle of a number, 0 if there is none, and the number of a
 * handle that is kept. */
uint32_t pipe_number(int64_t n);
int keep_pipe(uint32_t id);
uint32_t segment_number(int64_t n);
int keep_segment(uint32_t id);
polyipc_status answer_to_ref(call *c);

/* segment.c */
polyipc_status answer_to_segment(call *c);
void close_segments(void);

/* many.c: waiting for the first of many, child processes */
polyipc_status answer_to_many(call *c);
void close_children(void);

/* crowd.c: many at one object */
polyipc_status answer_to_crowd(call *c);

/* manager.c: managers and their objects */
polyipc_status answer_to_manager(call *c);
void close_managers(void);

/* account.c: the type that the peer hosts */
polyipc_status begin_host(polyipc_manager m, call *c);
polyipc_status count_hosted(polyipc_manager m, call *c);
void end_host(polyipc_manager m); /* which was closed */

/* child.c: forked */
polyipc_status fork_child(call *c);
polyipc_status wait_child(call *c);

/* Ends the peer: something that cannot happen has. */
_Noreturn void broken(const char *what);

#endif
