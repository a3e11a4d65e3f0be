package live

import (
	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// queue is a queue and a joinable_queue. What is put goes to who has waited longest for it.
type queue struct {
	base
	room    Room
	keeper  Keeper // nil: nobody is told of changes
	items   deque
	maxsize int // 0: none
	seq     uint64

	putters, getters, joiners line

	leases    map[uint64]*lease
	lastLease uint64
	held      map[*Client]int // leases by client

	unfinished int  // items that were put and are not done
	down       bool // no puts any more
	immediate  bool // nor what was there
}

var queueMethods = map[string]*method{
	"put":      on("item, block=, timeout=", (*queue).put),
	"put_many": on("items, block=, timeout=", (*queue).putMany),
	"get":      on("block=, timeout=", (*queue).get),
	"get_many": on("count, block=, timeout=", (*queue).getMany),
	"lease":    on("block=, timeout=", (*queue).lease),
	"ack":      on("lease", (*queue).ack),
	"nack":     on("lease", (*queue).nack),
	"qsize":    on("", func(q *queue, _ call) (codec.Raw, error) { return rawInt(q.items.len()), nil }),
	"empty":    on("", func(q *queue, _ call) (codec.Raw, error) { return rawBool(q.items.len() == 0), nil }),
	"full":     on("", func(q *queue, _ call) (codec.Raw, error) { return rawBool(!q.fits(1)), nil }),
	"maxsize":  on("", func(q *queue, _ call) (codec.Raw, error) { return rawInt(q.maxsize), nil }),
	"shutdown": on("immediate=", (*queue).shutdown),
}

var _ = define("queue", "maxsize=", newQueue, queueMethods)

var _ = define("joinable_queue", "maxsize=", newQueue, queueMethods, map[string]*method{
	"task_done": on("", (*queue).taskDone),
	"join":      on("timeout=", (*queue).join),
})

func newQueue(t *class, c call) (Object, error) {
	q := emptyQueue(t, c.Room).(*queue)
	maxsize, err := c.int(0, 0)
	q.maxsize = max(0, maxsize)
	return q, err
}

// Call does a call.
func (q *queue) Call(r *Request) (codec.Raw, error) { return q.class.call(q, r) }

// Drop forgets all items and leases, and answers who still waits. What is taken back later is forgotten, too.
func (q *queue) Drop() {
	q.down, q.immediate = true, true
	for _, l := range q.leases {
		q.forget(l.item)
	}
	for c := range q.held {
		c.Let(q)
	}
	clear(q.leases)
	clear(q.held)
	for q.items.len() > 0 {
		q.forget(q.items.pop())
	}
	for r := q.putters.first; r != nil; r = r.place.next {
		q.forget(r.place.items...)
	}
	for _, l := range []*line{&q.putters, &q.getters, &q.joiners} {
		l.answerAll(nil, gone(q.Type()))
	}
}

// Cancel forgets a put, get or join. Who stood behind a large put may have room.
func (q *queue) Cancel(r *Request) {
	q.forget(r.place.items...)
	for _, l := range []*line{&q.putters, &q.getters, &q.joiners} {
		l.leave(r)
	}
	r.place = place{}
	q.serve()
}

// Expire ends a put, get or join whose timeout has passed.
func (q *queue) Expire(r *Request) (codec.Raw, error) {
	var result codec.Raw
	var err error
	switch r.place.line {
	case &q.putters:
		err = q.fails("put to", ipcerr.Full)
	case &q.getters:
		err = q.fails("get from", ipcerr.Empty)
	default:
		result = rawFalse
	}
	q.Cancel(r)
	return result, err
}

// hints say more of an error than its code does.
var hints = map[ipcerr.Code]string{
	ipcerr.Full:      "it is full; wait, or get something first",
	ipcerr.Empty:     "it is empty; wait, or put something first",
	ipcerr.Shutdown:  "it was shut down; make another one",
	ipcerr.LeaseLost: "this client has no lease of that number; it was acked or came back",
}

func (q *queue) fails(op string, code ipcerr.Code) error {
	return &ipcerr.Error{Op: op + " " + q.Type(), Code: code, Hint: hints[code]}
}

// forget forgets the references in items.
func (q *queue) forget(items ...item) {
	for _, i := range items {
		if i.refs {
			q.room.Forget(i.value)
		}
	}
}

// fits reports whether there is room for n items.
func (q *queue) fits(n int) bool { return q.maxsize == 0 || q.items.len()+n <= q.maxsize }

func (q *queue) put(c call) (codec.Raw, error) { return q.putAll(c, c.args[:1]) }

func (q *queue) putMany(c call) (codec.Raw, error) {
	given, err := c.values(0)
	if err != nil {
		return nil, err
	}
	if q.maxsize > 0 && len(given) > q.maxsize {
		return nil, c.fault("ValueError", "%d items never fit into %d places; put them piece by piece", len(given), q.maxsize)
	}
	return q.putAll(c, given)
}

func (q *queue) putAll(c call, given []codec.Raw) (codec.Raw, error) {
	timeout, err := c.queuePatience(1)
	switch {
	case err != nil:
		return nil, err
	case q.down:
		return nil, q.fails("put to", ipcerr.Shutdown)
	}
	now := q.putters.n == 0 && q.fits(len(given))
	if !now && timeout == 0 {
		return nil, q.fails("put to", ipcerr.Full)
	}
	held := holder{room: q.room, keeper: q.keeper}
	if err := held.hold(c.Request, given...); err != nil {
		return nil, err
	}
	if now {
		for _, v := range given {
			q.push(item{value: keep(v), refs: held.refs})
		}
		q.serve()
		return rawNil, nil
	}
	items := make([]item, len(given))
	for i, v := range given {
		items[i] = item{value: keep(v), refs: held.refs}
	}
	q.putters.join(c.Request, place{items: items})
	return c.Park(q, timeout)
}

func (q *queue) push(i item) {
	q.seq++
	i.seq = q.seq
	q.items.push(i)
	q.unfinished++
	q.noteItem(i)
	q.noteDone()
}

func (q *queue) get(c call) (codec.Raw, error) { return q.take(c, 0, place{}) }

func (q *queue) getMany(c call) (codec.Raw, error) {
	count, err := c.int(0, 0)
	if err != nil {
		return nil, err
	}
	if count < 1 {
		return nil, c.fault("ValueError", "count is %d; ask for 1 at least", count)
	}
	return q.take(c, 1, place{count: count})
}

func (q *queue) lease(c call) (codec.Raw, error) { return q.take(c, 0, place{lease: true}) }

// take gives what p says, or waits for it.
func (q *queue) take(c call, block int, p place) (codec.Raw, error) {
	timeout, err := c.queuePatience(block)
	switch {
	case err != nil:
		return nil, err
	case q.items.len() > 0: // then nobody waits
		result := q.give(c.Request, p)
		q.serve()
		return result, nil
	case q.drained(c.Client):
		return nil, q.fails("get from", ipcerr.Shutdown)
	case timeout == 0:
		return nil, q.fails("get from", ipcerr.Empty)
	}
	q.getters.join(c.Request, p)
	return c.Park(q, timeout)
}

// drained reports whether a client need not wait any more: what others have leased may come back.
func (q *queue) drained(c *Client) bool {
	return q.down && q.items.len() == 0 && len(q.leases) == q.held[c]
}

// serve lets those go on who can. A put makes room for nobody and a get brings nothing, but each may be what the
// other waits for.
func (q *queue) serve() {
	for {
		if r := q.putters.first; r != nil && q.fits(len(r.place.items)) {
			items := r.place.items
			q.putters.leave(r)
			for _, i := range items {
				q.push(i)
			}
			answer(r, rawNil, nil)
		} else if r := q.getters.first; r != nil && q.items.len() > 0 {
			p := r.place
			q.getters.leave(r)
			answer(r, q.give(r, p), nil)
		} else {
			break
		}
	}
	if q.down {
		q.dismiss()
	}
	if q.unfinished == 0 {
		q.joiners.answerAll(rawTrue, nil)
	}
}

// dismiss answers gets for which nothing will come any more.
func (q *queue) dismiss() {
	for r := q.getters.first; r != nil; {
		next := r.place.next
		if q.drained(r.Client) {
			q.getters.leave(r)
			answer(r, nil, q.fails("get from", ipcerr.Shutdown))
		}
		r = next
	}
}

func (q *queue) taskDone(c call) (codec.Raw, error) {
	if q.unfinished == 0 {
		return nil, c.fault("ValueError", "all tasks are done; call it once for each item")
	}
	q.unfinished--
	q.noteDone()
	q.serve()
	return rawNil, nil
}

func (q *queue) join(c call) (codec.Raw, error) {
	timeout, _, err := c.seconds(0)
	if err != nil || q.unfinished == 0 || timeout == 0 {
		return rawBool(q.unfinished == 0), err
	}
	q.joiners.join(c.Request, place{})
	return c.Park(q, timeout)
}

func (q *queue) shutdown(c call) (codec.Raw, error) {
	immediate, err := c.bool(0, false)
	if err != nil {
		return nil, err
	}
	q.down, q.immediate = true, q.immediate || immediate
	q.noteHead()
	for r := q.putters.first; r != nil; r = r.place.next {
		q.forget(r.place.items...)
	}
	q.putters.answerAll(nil, q.fails("put to", ipcerr.Shutdown))
	for q.immediate && q.items.len() > 0 {
		q.discard(q.items.pop())
	}
	q.serve()
	return rawNil, nil
}

// discard drops an item as one that is done.
func (q *queue) discard(i item) {
	q.forget(i)
	q.unfinished = max(0, q.unfinished-1)
	q.noteGone(i)
	q.noteDone()
}
