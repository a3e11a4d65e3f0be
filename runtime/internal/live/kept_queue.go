package live

import (
	"iter"
	"math"

	"github.com/polyipc/polyipc/codec"
)

// An item that is kept goes with the get that takes it, or with the ack of its lease: a lease alone changes nothing that is
// kept, so a server that starts again has the leased items in their places.

func emptyQueue(t *class, room Room) Keepable {
	return &queue{base: base{t}, room: room, leases: map[uint64]*lease{}, held: map[*Client]int{}}
}

// KeepBy implements Keepable.
func (q *queue) KeepBy(k Keeper) {
	if q.keeper = k; k == nil {
		return
	}
	q.noteHead()
	for _, i := range q.items.slots[q.items.head:] {
		k.Set(i.seq, "", i.value)
	}
	for _, l := range q.leases {
		k.Set(l.seq, "", l.value)
	}
}

// noteHead tells the keeper of what a queue has beside its items: how many are not done, if somebody can ask that, whether it was
// shut down.
func (q *queue) noteHead() {
	if q.keeper != nil {
		q.keeper.Head(array(rawInt(q.maxsize), rawInt(q.unfinished), rawBool(q.down), rawBool(q.immediate)))
	}
}

// noteDone does so after a change of unfinished.
func (q *queue) noteDone() {
	if q.keeper != nil && q.joinable() {
		q.noteHead()
	}
}

// joinable reports whether the queue has a join.
func (q *queue) joinable() bool { return q.class.methods["join"] != nil }

// noteItem tells the keeper of an item that came, and noteGone of one that is gone.
func (q *queue) noteItem(i item) {
	if q.keeper != nil {
		q.keeper.Set(i.seq, "", i.value)
	}
}

func (q *queue) noteGone(i item) {
	if q.keeper != nil {
		q.keeper.Delete(i.seq)
	}
}

// Restore implements Keepable.
func (q *queue) Restore(k Keeper, head codec.Raw, entries iter.Seq2[uint64, Entry]) error {
	q.keeper = nil
	if err := q.restoreHead(head); err != nil {
		return err
	}
	q.items = deque{}
	leased := map[uint64]uint64{}
	for number, l := range q.leases {
		leased[l.seq] = number
	}
	for seq, e := range entries {
		if e.Second != nil {
			q.items = deque{}
			return malformed("an item of two values")
		}
		q.seq = max(q.seq, seq)
		if _, ok := leased[seq]; ok {
			delete(leased, seq)
		} else {
			q.items.push(item{value: keep(e.First), seq: seq})
		}
	}
	for _, number := range leased {
		q.end(number)
	}
	if !q.joinable() {
		q.unfinished = q.items.len() + len(q.leases)
	}
	q.keeper = k
	q.serve()
	return nil
}

func (q *queue) restoreHead(head codec.Raw) error {
	all, n, ok := members(orNil(head))
	if !ok || n != 4 {
		return malformed("a queue's head without its four values")
	}
	var numbers [4]int
	i := 0
	for v := range all {
		n, ok := numberOf(v, true)
		if !ok || n.kind != codec.KindInt || n.hi != 0 || n.lo > math.MaxInt {
			return malformed("a queue's head with a value that is no number")
		}
		numbers[i] = int(n.lo)
		i++
	}
	q.maxsize, q.unfinished, q.down, q.immediate = numbers[0], numbers[1], numbers[2] != 0, numbers[3] != 0
	return nil
}
