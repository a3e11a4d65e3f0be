package live

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// How items leave a queue, and come back.

// lease is an item that a client has and has not acked.
type lease struct {
	item
	client *Client
}

// give takes out what p says, of which there is some, and returns it as r's result.
func (q *queue) give(r *Request, p place) codec.Raw {
	if p.lease {
		return q.giveLease(r)
	}
	items := make([]item, min(max(1, p.count), q.items.len()))
	for n := range items {
		i := q.items.pop()
		r.Shared = r.Shared || i.refs
		q.forget(i)
		q.noteGone(i)
		i.deliveries++
		items[n] = i
	}
	r.Told = q.keeper != nil
	r.Undo = func() {
		q.undo(items)
		items = nil
	}
	if p.count == 0 {
		return items[0].value
	}
	size := 5
	for _, i := range items {
		size += len(i.value)
	}
	b := codec.AppendArray(make([]byte, 0, size), len(items))
	for _, i := range items {
		b = append(b, i.value...)
	}
	return b
}

// undo puts items back as if they had not been given. The references in them are still the client's.
func (q *queue) undo(items []item) {
	for _, i := range items {
		i.refs = i.refs && q.room.Keep(i.value) == nil
		i.deliveries--
		q.noteItem(i)
		q.back(i)
	}
	q.serve()
}

// back puts an item where it was.
func (q *queue) back(i item) {
	if q.immediate {
		q.discard(i)
		return
	}
	q.items.back(i)
}

func (q *queue) giveLease(r *Request) codec.Raw {
	i := q.items.pop()
	i.deliveries++
	q.lastLease++
	number := q.lastLease
	q.leases[number] = &lease{i, r.Client}
	q.held[r.Client]++
	r.Client.Hold(q)
	r.Shared = r.Shared || i.refs
	r.Undo = func() {
		if l := q.leases[number]; l != nil {
			l.deliveries--
			q.back(q.end(number).item)
			q.serve()
		}
	}
	return array(codec.AppendUint(nil, number), i.value, rawInt(i.deliveries))
}

// end ends a lease.
func (q *queue) end(number uint64) *lease {
	l := q.leases[number]
	delete(q.leases, number)
	if q.held[l.client]--; q.held[l.client] == 0 {
		delete(q.held, l.client)
		l.client.Let(q)
	}
	return l
}

// leased is the number of a lease of the caller's, in the call's first argument.
func (q *queue) leased(c call) (uint64, error) {
	h := codec.HeadOf(c.args[0])
	if h.Kind != codec.KindUint {
		return 0, c.wrongType("lease", "the number that lease returned", c.args[0])
	}
	if l := q.leases[h.N]; l == nil || l.client != c.Client {
		return 0, q.fails("end lease of", ipcerr.LeaseLost)
	}
	return h.N, nil
}

func (q *queue) ack(c call) (codec.Raw, error) {
	number, err := q.leased(c)
	if err != nil {
		return nil, err
	}
	q.discard(q.end(number).item)
	q.serve()
	return rawNil, nil
}

func (q *queue) nack(c call) (codec.Raw, error) {
	number, err := q.leased(c)
	if err != nil {
		return nil, err
	}
	q.back(q.end(number).item)
	q.serve()
	return rawNil, nil
}

// Leave puts back what a client has leased that is gone.
func (q *queue) Leave(c *Client) {
	for number, l := range q.leases {
		if l.client == c {
			q.back(q.end(number).item)
		}
	}
	q.serve()
}
