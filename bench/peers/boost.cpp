// Boost.Interprocess message_queue: shared memory, one mutex, two condition variables.
#include "messages.h"

#include <algorithm>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>
#include <string>

namespace bip = boost::interprocess;

namespace {

std::unique_ptr<bip::message_queue> to, from;
std::string name;

std::unique_ptr<bip::message_queue> open_queue(const job *job, const char *suffix) {
    // Tried: 100, 1,000 and 10,000 messages. Small ones are quickest with 10,000, large ones while they
    // stay in the caches.
    constexpr size_t most = 10000, bytes = 8 << 20;
    size_t messages = std::max<size_t>(4, std::min(most, bytes / job->size));
    return std::make_unique<bip::message_queue>(
        bip::open_or_create, (job->name + std::string(suffix)).c_str(), messages, job->size);
}

} // namespace

void peer_open(const job *job) {
    name = job->name;
    try {
        switch (job->role) {
        case PRODUCER:
            to = open_queue(job, "");
            break;
        case CONSUMER:
        case IDLE:
            from = open_queue(job, "");
            break;
        case CLIENT:
            to = open_queue(job, "");
            from = open_queue(job, ".back");
            break;
        case ECHO:
            from = open_queue(job, "");
            to = open_queue(job, ".back");
            break;
        case HOLDER:
            fail("boost: a queue is no lock");
        }
    } catch (const std::exception &e) {
        fail("boost: open %s: %s", job->name, e.what());
    }
}

void peer_put(const void *data, size_t size) {
    try {
        to->send(data, size, 0);
    } catch (const std::exception &e) {
        fail("boost: send: %s", e.what());
    }
}

size_t peer_get(void *buffer, size_t capacity) {
    bip::message_queue::size_type size = 0;
    unsigned priority = 0;
    try {
        from->receive(buffer, capacity, size, priority);
    } catch (const std::exception &e) {
        fail("boost: receive: %s", e.what());
    }
    return size;
}

void peer_put_many(const void *, size_t, size_t n) { fail("boost has no call for %zu messages", n); }

size_t peer_get_many(size_t most) { fail("boost has no call for %zu messages", most); }

void peer_close() {
    to.reset();
    from.reset();
    bip::message_queue::remove(name.c_str());
    bip::message_queue::remove((name + ".back").c_str());
}
