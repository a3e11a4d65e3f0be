package live

import (
	"sort"

	"github.com/polyipc/polyipc/codec"
)

// item is what lies in a queue.
type item struct {
	value      codec.Raw
	seq        uint64 // numbers the items as they were put
	deliveries int    // how often it was given to somebody
	refs       bool   // its references are counted
}

// deque holds items in the order of their numbers.
type deque struct {
	slots []item
	head  int // those before it are empty
}

func (q *deque) len() int { return len(q.slots) - q.head }

func (q *deque) push(i item) { q.slots = append(q.slots, i) }

// pop takes the first item out.
func (q *deque) pop() item {
	i := q.slots[q.head]
	q.slots[q.head] = item{}
	q.head++
	switch {
	case q.len() == 0 && cap(q.slots) > 64:
		q.slots, q.head = nil, 0
	case q.len() == 0:
		q.slots, q.head = q.slots[:0], 0
	case q.head >= 64 && q.head > q.len():
		q.slots, q.head = append(make([]item, 0, 2*q.len()), q.slots[q.head:]...), 0
	}
	return i
}

// back puts an item where it was, before all younger ones.
func (q *deque) back(i item) {
	at := sort.Search(q.len(), func(n int) bool { return q.slots[q.head+n].seq > i.seq })
	if q.head == 0 {
		q.slots = append(q.slots, item{})
		copy(q.slots[1:], q.slots)
	} else {
		q.head--
	}
	copy(q.slots[q.head:], q.slots[q.head+1:q.head+1+at])
	q.slots[q.head+at] = i
}
