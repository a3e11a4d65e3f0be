package manager

import (
	"context"

	"github.com/polyipc/polyipc/codec"
)

// Queue is a queue of the manager, of T as in Dict. A joinable one counts tasks: TaskDone and Join work with it only.
//
// An item that a client was given, and did not live to see, comes first again. Errors are those of Object.Call; ipcerr.Shutdown.
type Queue[T any] struct{ Object }

// OpenQueue opens the queue of that name, joinable or not, or makes one that is not, of at most maxsize items; 0: any number.
func OpenQueue[T any](ctx context.Context, c *Client, name string, maxsize int) (*Queue[T], error) {
	o, err := open(ctx, c, name, "queue", maxsize)
	return &Queue[T]{o}, err
}

// NewQueue makes a queue without a name.
func NewQueue[T any](ctx context.Context, c *Client, maxsize int) (*Queue[T], error) {
	return OpenQueue[T](ctx, c, "", maxsize)
}

// OpenJoinableQueue is OpenQueue for a queue that counts tasks.
func OpenJoinableQueue[T any](ctx context.Context, c *Client, name string, maxsize int) (*Queue[T], error) {
	o, err := open(ctx, c, name, "joinable_queue", maxsize)
	return &Queue[T]{o}, err
}

// NewJoinableQueue makes a queue that counts tasks, without a name.
func NewJoinableQueue[T any](ctx context.Context, c *Client, maxsize int) (*Queue[T], error) {
	return OpenJoinableQueue[T](ctx, c, "", maxsize)
}

// UnmarshalRef implements codec.RefUnmarshaler.
func (q *Queue[T]) UnmarshalRef(r codec.Ref) error { return q.take(r, "queue", "joinable_queue") }

// Put puts an item, waiting for room until ctx ends.
func (q *Queue[T]) Put(ctx context.Context, item T) error {
	return q.none(ctx, "put", with(noArgs(), item))
}

// TryPut puts an item if there is room now; ipcerr.Full.
func (q *Queue[T]) TryPut(ctx context.Context, item T) error {
	return q.none(ctx, "put", with(with(noArgs(), item), false))
}

// PutMany puts all items or none. A failure of type ValueError if they never fit.
func (q *Queue[T]) PutMany(ctx context.Context, items ...T) error {
	return q.none(ctx, "put_many", with(noArgs(), orEmpty(items)))
}

// Get takes the oldest item, waiting for one until ctx ends.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	return asks[T](ctx, q.Object, "get", noArgs())
}

// TryGet takes the oldest item if there is one now; ipcerr.Empty.
func (q *Queue[T]) TryGet(ctx context.Context) (T, error) {
	return asks[T](ctx, q.Object, "get", with(noArgs(), false))
}

// GetMany waits for an item and takes up to count that are there.
func (q *Queue[T]) GetMany(ctx context.Context, count int) ([]T, error) {
	return asks[[]T](ctx, q.Object, "get_many", with(noArgs(), count))
}

// Lease is an item that is not taken for good yet: if this client goes before Ack, others get it.
type Lease[T any] struct {
	Item       T
	Deliveries int // 1, and more for each time that it came back

	queue  Object
	number uint64
}

// Lease takes the oldest item on lease, waiting for one until ctx ends.
func (q *Queue[T]) Lease(ctx context.Context) (*Lease[T], error) {
	a, err := q.call(ctx, "lease", noArgs())
	if err != nil {
		return nil, err
	}
	l := &Lease[T]{queue: q.Object}
	parts, err := a.pieces()
	if err == nil && len(parts) != 3 {
		err = invalid("read answer", "lease", "another number of values")
	}
	if err == nil {
		err = parts[0].into(&l.number)
	}
	if err == nil {
		err = parts[2].into(&l.Deliveries)
	}
	if err != nil {
		return nil, err
	}
	if err := parts[1].into(&l.Item); err != nil { // who expects it may take it
		_ = l.Nack(ctx)
		return nil, err
	}
	return l, nil
}

// Ack says that the item is done with. ipcerr.LeaseLost if it was before, or came back.
func (l *Lease[T]) Ack(ctx context.Context) error {
	return l.queue.none(ctx, "ack", with(noArgs(), l.number))
}

// Nack gives the item back; it comes first again. ipcerr.LeaseLost as with Ack.
func (l *Lease[T]) Nack(ctx context.Context) error {
	return l.queue.none(ctx, "nack", with(noArgs(), l.number))
}

// Len is how many items there are; those on lease are not counted.
func (q *Queue[T]) Len(ctx context.Context) (int, error) {
	return asks[int](ctx, q.Object, "qsize", noArgs())
}

// Empty reports whether there is no item.
func (q *Queue[T]) Empty(ctx context.Context) (bool, error) {
	return asks[bool](ctx, q.Object, "empty", noArgs())
}

// Full reports whether there is no room.
func (q *Queue[T]) Full(ctx context.Context) (bool, error) {
	return asks[bool](ctx, q.Object, "full", noArgs())
}

// MaxSize is the most items that it holds; 0: any number.
func (q *Queue[T]) MaxSize(ctx context.Context) (int, error) {
	return asks[int](ctx, q.Object, "maxsize", noArgs())
}

// TaskDone says that an item that was taken is done. Ack does so, too.
func (q *Queue[T]) TaskDone(ctx context.Context) error { return q.none(ctx, "task_done", noArgs()) }

// Join waits until all items that were put are done.
func (q *Queue[T]) Join(ctx context.Context) error { return q.none(ctx, "join", noArgs()) }

// Shutdown ends puts, with ipcerr.Shutdown, and gets when the queue is empty; immediate also drops what there is.
func (q *Queue[T]) Shutdown(ctx context.Context, immediate bool) error {
	return q.none(ctx, "shutdown", with(noArgs(), immediate))
}
