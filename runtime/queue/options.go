package queue

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/internal/fifo"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// firstRing is the size of data of ring 0 in a queue that grows.
const firstRing = 256 << 10

func (o *Options) check(op, name string) error {
	hint := ""
	switch {
	case o.MaxSize < 0 || o.MaxSize > MaxMaxSize:
		hint = fmt.Sprintf("max size %d: give 1 to %d messages, or 0 for no limit", o.MaxSize, int64(MaxMaxSize))
	case o.Capacity < 0 || o.Capacity > MaxCapacity:
		hint = fmt.Sprintf("capacity %d: give 1 to %d bytes, or 0 to grow as needed", o.Capacity, int64(MaxCapacity))
	default:
		return object.CheckLifetime(op, name, o.Kept, o.Transient)
	}
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: hint}
}

// capacity is what Options.Capacity is rounded up to.
func (o *Options) capacity() uint64 {
	if o.Capacity == 0 {
		return 0
	}
	return fifo.RoundUp(o.Capacity)
}

func (o *Options) transient(name string) bool { return object.Transient(name, o.Kept, o.Transient) }

func (o *Options) spec(name string, members [16]byte) shm.Spec {
	data := o.capacity()
	if data == 0 {
		data = firstRing
	}
	var flags layout.Flags
	if o.transient(name) {
		flags |= layout.Transient
	}
	if o.Pickle {
		flags |= layout.Pickle
	}
	return shm.Spec{
		Kind: layout.KindQueue, Flags: flags, Members: members,
		Header: layout.QueueHeaderBytes, Data: int64(data), Twice: true,
		Init: func(mem []byte) { config.Init(mem, uint64(o.MaxSize), o.capacity(), data) },
	}
}

// matches compares an opened queue with the options asked for.
func (q *Queue) matches(op string, o Options, whole bool) error {
	flags := q.obj.File.Header().Flags()
	maxSize, capacity := q.fifo.Bounds()
	has := fmt.Sprintf("max size %d, capacity %d, %s", maxSize, capacity, object.Lifetime(flags&layout.Transient != 0))
	differs := whole && (o.Kept || o.Transient) && o.Transient != (flags&layout.Transient != 0)
	for _, p := range [2][2]uint64{{uint64(o.MaxSize), maxSize}, {o.capacity(), capacity}} {
		if p[0] != p[1] && (whole || p[0] != 0) {
			differs = true
		}
	}
	if o.Pickle && flags&layout.Pickle == 0 {
		differs = true
		has += ", no pickle"
	}
	if !differs {
		return nil
	}
	return &ipcerr.Error{Op: op, Name: q.Name(), Code: ipcerr.Mismatch, Hint: fmt.Sprintf(
		"it exists with %s; asked for were max size %d, capacity %d, %s: ask for the same, or unlink it",
		has, o.MaxSize, o.capacity(), object.Lifetime(o.transient(q.Name())))}
}
