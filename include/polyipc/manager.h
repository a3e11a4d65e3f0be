/* polyipc/manager.h - live objects in one process, the server, used by others, its clients.
 *
 * A server keeps dicts, lists, counters, queues, locks, and objects of types that its clients host. Server
 * and clients may be of any language. docs/spec/manager.md has the objects and their methods;
 * polyipc_manager.h, on top of msgpack-c, packs arguments and reads results.
 *
 *     polyipc_manager_server server;                         in one process
 *     polyipc_manager_serve("scores", NULL, &server);
 *
 *     polyipc_manager manager;                               in another
 *     polyipc_manager_connect("scores", NULL, POLYIPC_FOREVER, &manager);
 *     polyipc_manager_call(manager, POLYIPC_MANAGER_SELF, "open", args, size, 0, POLYIPC_FOREVER, ...);
 *
 * Every function may be called from any thread, also several at once on one handle: each call is answered on
 * its own, and one that waits delays no other. A forked child has no part in its parent's servers and
 * connections: there their handles are BAD_HANDLE and can only be closed; it connects anew.
 *
 * When the server dies, calls under way return PEER_DIED, and may have run; none is sent again. So do all
 * later ones, until polyipc_manager_reconnect. When a client dies, its locks, permits, leases and references
 * are given back at once. */
#ifndef POLYIPC_MANAGER_H
#define POLYIPC_MANAGER_H

#include <polyipc/options.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A server that runs in this process, in threads of the library. {0} is none. */
typedef struct polyipc_manager_server {
    uint32_t id;
} polyipc_manager_server;

/* A connection to a server. {0} is none. */
typedef struct polyipc_manager {
    uint32_t id;
} polyipc_manager;

typedef struct polyipc_manager_options {
    uint32_t size;  /* sizeof(polyipc_manager_options); other sizes are INVALID */
    uint32_t flags; /* POLYIPC_PICKLE, POLYIPC_TRUST_GROUP; other bits are INVALID. Pickles pass if server and
                       client both say so */
    const char *root; /* directory; NULL: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid> */
    const void *key;  /* the secret that server and client share; NULL: none */
    size_t key_size;  /* bytes of it, 1 to 1,024; 0 if key is NULL */

    /* TLS of remote connections, as files in PEM; all NULL: none, and what is said can be read on the way. A
     * server has tls_cert and tls_key, and tls_ca if clients need a certificate, too; it looks at the files
     * again for each client, so they may be renewed. A client has tls_ca, and tls_cert and tls_key if the
     * server asks for a certificate; it reads the files when it connects and reconnects. */
    const char *tls_ca;          /* a peer's certificate is one of these, or signed by one of them */
    const char *tls_cert;        /* our own, and behind it those between it and the CA's */
    const char *tls_key;         /* its key, not encrypted, and not readable by everybody */
    const char *tls_server_name; /* of a client: the name or IP address in the server's certificate; NULL:
                                    the host of the address */

    /* Of a server only; for a client they are NULL and 0, else INVALID. */
    const char *listen; /* "host:port" for remote clients, port 0 for any free one; needs a key. NULL: none */
    int64_t frame;      /* most bytes of a call or a result, 64 KiB to 2^31; 0: 64 MiB */
    int64_t clients;    /* most clients at a time; 0: 4,096 */
    int64_t objects;    /* most objects at a time; 0: 1,000,000 */
    int64_t idle_ns;    /* it stops when it had no client for so long; 0: never */
} polyipc_manager_options;

#define POLYIPC_MANAGER_OPTIONS_INIT \
    {sizeof(polyipc_manager_options), 0u, NULL, NULL, 0u, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0}

/* --- the server --- */

/* Starts a server of that name, as in polyipc/queue.h; NULL makes one that is named by a UUID. options may be
 * NULL. Its objects end with it; what is to outlive a server is served by "polyipc manager --data FILE".
 * EXISTS (a living server has the name), DENIED (listen without a key, or the address), INVALID (also
 * for files of TLS, and TLS without listen), NO_SPACE, NO_MEMORY, LIMIT. */
POLYIPC_API polyipc_status polyipc_manager_serve(const char *name, const polyipc_manager_options *options,
                                                 polyipc_manager_server *out_server);

/* Waits until the server has stopped, by a client's "stop", because it was idle, or by another thread's
 * close. TIMEOUT, INTERRUPTED. */
POLYIPC_API polyipc_status polyipc_manager_server_wait(polyipc_manager_server server, int64_t timeout_ns);

/* Copies the server's name with its NUL; at most 129 bytes. TOO_SMALL. */
POLYIPC_API polyipc_status polyipc_manager_server_name(polyipc_manager_server server, char *buffer,
                                                       size_t capacity);

/* Copies the address for remote clients, "tcp://host:port", with its NUL; at most 256 bytes; empty without
 * one. TOO_SMALL. */
POLYIPC_API polyipc_status polyipc_manager_server_address(polyipc_manager_server server, char *buffer,
                                                          size_t capacity);

/* Stops the server: its objects are gone, and calls of its clients return PEER_DIED. */
POLYIPC_API polyipc_status polyipc_manager_server_close(polyipc_manager_server server);

/* --- a client --- */

/* Connects to the server of that name, or to "tcp://host:port". options may be NULL. NOT_FOUND (no such
 * server, or it is dead), WRONG_KIND, DENIED (refused; the server's log says why, $POLYIPC_LOG; or its
 * certificate is not accepted), TIMEOUT, INTERRUPTED, PEER_DIED (also where the server wants TLS, or does not
 * accept our certificate), VERSION (also where no TLS is spoken), INVALID (also for files of TLS), LIMIT,
 * NO_MEMORY. */
POLYIPC_API polyipc_status polyipc_manager_connect(const char *name, const polyipc_manager_options *options,
                                                   int64_t timeout_ns, polyipc_manager *out_manager);

/* Connects anew, to a server of the same name, when the former one died: calls under way return PEER_DIED,
 * and what this client held is gone. Objects have new numbers. As polyipc_manager_connect. */
POLYIPC_API polyipc_status polyipc_manager_reconnect(polyipc_manager manager, int64_t timeout_ns);

/* Ends the connection: what it held is given back. Calls of other threads return CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_close(polyipc_manager manager);

/* What a client is told about its connection. */
typedef struct polyipc_manager_info_s {
    uint32_t size;   /* set to sizeof(polyipc_manager_info_t) before the call */
    uint32_t flags;  /* POLYIPC_PICKLE: pickles pass */
    uint64_t epoch;  /* of the server: in the references to its objects */
    uint64_t client; /* this client's number */
    int64_t frame;   /* most bytes of a call or a result */
} polyipc_manager_info_t;

POLYIPC_API polyipc_status polyipc_manager_info(polyipc_manager manager, polyipc_manager_info_t *out_info);

/* The object that stands for the manager itself; its methods make, open and describe the others. */
#define POLYIPC_MANAGER_SELF ((uint64_t)0)

/* What to call. */
typedef struct polyipc_manager_call_s {
    uint64_t object;    /* its number; references of POLYIPC_KIND_MANAGED have it in their UUID */
    const char *method; /* such as "get" */
    const void *args;   /* a MessagePack array; NULL, and size 0: an empty one */
    size_t args_size;
    const void *named; /* a MessagePack map of text to values; NULL, and size 0: an empty one */
    size_t named_size;
    uint64_t thread; /* who calls within this client, for locks that a thread owns and for conditions: any
                        number that stays the same */
} polyipc_manager_call_t;

/* Calls, and waits for the result, which is one MessagePack value, as are all answers below; *out_size is its
 * size in bytes. Neither call nor out_size may be NULL.
 *
 * REMOTE_ERROR: the method failed. buffer has an array of three texts: the type of the exception
 * ("KeyError"), its message, and the traceback of who hosts the object, which is empty if there is none, and
 * whose beginning is left out if it does not fit. *out_size is the size of that array, 0 if nothing fitted.
 *
 * TOO_SMALL: *out_size is the result's size, and *out_call the call's number, with which
 * polyipc_manager_finish gets it. INTERRUPTED: likewise, the call goes on; 0 is none, for nothing was sent
 * yet. out_call may be NULL: then a result that is too large is lost, and the call is not interrupted.
 *
 * TIMEOUT (the call was cancelled), PEER_DIED, GONE (no such object), NOT_FOUND, EXISTS, WRONG_KIND, LIMIT,
 * INVALID, TOO_LARGE, DENIED (a pickle that was not agreed on), CLOSED; what a method says, such as
 * LEASE_LOST. */
POLYIPC_API polyipc_status polyipc_manager_call(polyipc_manager manager, const polyipc_manager_call_t *call,
                                                int64_t timeout_ns, void *buffer, size_t capacity,
                                                size_t *out_size, uint64_t *out_call);

/* Begins a call; up to 1,024 may be under way. *out_call is its number, never 0. Waits for nothing but room
 * on the way to the server. TIMEOUT and INTERRUPTED (nothing was sent), PEER_DIED, LIMIT, INVALID, TOO_LARGE,
 * DENIED, CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_start(polyipc_manager manager, const polyipc_manager_call_t *call,
                                                 int64_t timeout_ns, uint64_t *out_call);

/* Waits for the result of a call that was begun, which comes as from polyipc_manager_call. TIMEOUT,
 * INTERRUPTED and TOO_SMALL leave it as it is: come again. Else the number is used up, and INVALID from then
 * on. Each call that was begun is to be finished or forgotten, also one that was cancelled. */
POLYIPC_API polyipc_status polyipc_manager_finish(polyipc_manager manager, uint64_t call, int64_t timeout_ns,
                                                  void *buffer, size_t capacity, size_t *out_size);

/* Asks the server to give the call up. polyipc_manager_finish then returns CANCELLED, or the result if that
 * was quicker. INVALID (a number that is not under way), PEER_DIED, CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_cancel(polyipc_manager manager, uint64_t call);

/* Gives a call up that was begun, or that is still under way after an INTERRUPTED: the server is asked to
 * cancel it, and what it answers is thrown away. If it gave something, such as an item of a queue, that goes
 * back. The number is used up. INVALID for one that is not under way. */
POLYIPC_API polyipc_status polyipc_manager_forget(polyipc_manager manager, uint64_t call);

/* Begins a batch: calls is a MessagePack array of [object, method, args] or [object, method, args, named],
 * which the server does one after the other at one go; none of them waits. The result, which
 * polyipc_manager_finish gets, is an array with [true, result] or [false, status, type, message, traceback]
 * for each. As polyipc_manager_start. */
POLYIPC_API polyipc_status polyipc_manager_batch(polyipc_manager manager, const void *calls, size_t size,
                                                 uint64_t thread, int64_t timeout_ns, uint64_t *out_call);

/* Gives back count references to an object, which came in results, events or hosted calls: the server drops
 * the object when there are none left, anywhere. Does not wait: the server is told with the next call, or
 * within a second. INVALID (object or count 0), PEER_DIED, CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_release(polyipc_manager manager, uint64_t object, uint64_t count);

/* Waits for the next event of a subscription, which the method "watch" returned: an array, see
 * docs/spec/manager.md. TOO_SMALL leaves it there and tells its size. TIMEOUT, INTERRUPTED, PEER_DIED,
 * INVALID (no such subscription, or out_size is NULL), CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_next_event(polyipc_manager manager, uint64_t subscription,
                                                      int64_t timeout_ns, void *buffer, size_t capacity,
                                                      size_t *out_size);

/* --- hosting --- */

/* A client hosts types that it registered by the manager's method "register": it is told of the calls of
 * their objects, does them, in one thread or many, and answers. Its own calls may be among them.
 *
 * What a host is told of. */
#define POLYIPC_HOSTED_CALL 1u   /* a call: answer it, by polyipc_manager_reply or polyipc_manager_fail */
#define POLYIPC_HOSTED_CANCEL 2u /* the caller of that call gave up, or is gone: answer it soon */
#define POLYIPC_HOSTED_DROP 3u   /* nobody refers to the object any more */

typedef struct polyipc_manager_hosted_s {
    uint32_t size;   /* set to sizeof(polyipc_manager_hosted_t) before the call */
    uint32_t what;   /* POLYIPC_HOSTED_CALL, _CANCEL, _DROP */
    uint64_t call;   /* of a call or a cancel: its number */
    uint64_t object; /* of a call or a drop: the object; a call of "__init__" makes it */
    uint64_t client; /* of a call: who calls, and in which of its threads */
    uint64_t thread;
} polyipc_manager_hosted_t;

/* Waits for the next thing that a host is told of. Of a call, buffer gets an array [type, method, args,
 * named], and *out_size is its size; else that is 0. TOO_SMALL leaves it there and tells the size. TIMEOUT,
 * INTERRUPTED, PEER_DIED, INVALID, CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_next_call(polyipc_manager manager, int64_t timeout_ns,
                                                     polyipc_manager_hosted_t *out_hosted, void *buffer,
                                                     size_t capacity, size_t *out_size);

/* Answers a call with a MessagePack value; NULL, and size 0, is nil. Waits while the server is behind.
 * INVALID (no MessagePack, or no such call), INTERRUPTED (nothing was sent), PEER_DIED, TOO_LARGE, DENIED (a
 * pickle), CLOSED. */
POLYIPC_API polyipc_status polyipc_manager_reply(polyipc_manager manager, uint64_t call, const void *result,
                                                 size_t size);

/* Answers a call with a failure: the type of an exception in Python's words ("ValueError"), and a message and
 * a traceback, each of which may be NULL. As polyipc_manager_reply. */
POLYIPC_API polyipc_status polyipc_manager_fail(polyipc_manager manager, uint64_t call, const char *type,
                                                const char *message, const char *traceback);

#ifdef __cplusplus
}
#endif
#endif
