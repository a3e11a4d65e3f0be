package fifo

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/ring"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// A message that refers to objects goes the way of a large one: its record is reserved, the links are made,
// then it is committed. Killed in between, a producer leaves a record that is abandoned by the next one who
// looks, and whoever moves the head over a record removes its parts first, links among them.

// TryPutReferring puts a message and holds for it the objects it refers to, which this process must have open,
// without waiting for room. Errors as for TryPut, and besides ipcerr.Invalid for an object that is not open here
// or lies in another root, ipcerr.Gone for one whose file was removed, ipcerr.TooLarge for more than 255.
// The message is body and, behind it, rest.
func (q *Fifo) TryPutReferring(body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	if len(refs) == 0 && len(rest) == 0 {
		return q.TryPut(body, f)
	}
	return q.putReferring(noWait, body, f, refs, rest)
}

// PutReferring is TryPutReferring that waits for room until ctx ends.
func (q *Fifo) PutReferring(ctx context.Context, body []byte, f Format, refs []codec.Ref, rest ...[]byte) error {
	if len(refs) == 0 && len(rest) == 0 {
		return q.Put(ctx, body, f)
	}
	return q.putReferring(ctx, body, f, refs, rest)
}

func (q *Fifo) putReferring(ctx context.Context, body []byte, f Format, refs []codec.Ref, rest [][]byte) (err error) {
	links, err := q.borrow(refs)
	defer func() {
		for _, l := range links {
			l.Calls.Leave()
		}
	}()
	if err != nil {
		return err
	}
	if len(refs) > 0 {
		f |= References
	}
	as := op{links: links, rest: rest}
	if err = q.tryPutLinked(as, body, f); err != q.errFull || ctx == noWait {
		return err
	}
	return q.putWait(ctx, as, [][]byte{body}, f, new(int))
}

func (q *Fifo) tryPutLinked(as op, body []byte, f Format) (err error) {
	o := op{q: q, name: q.PutTo, links: as.links, rest: as.rest}
	if err = o.begin(); err != nil {
		return err
	}
	defer o.end(debug.SetPanicOnFault(true), &err)
	if q.lost(false) {
		return ipcerr.Broken
	}
	if err = o.put(noWait, body, f); err == ipcerr.Full {
		err = o.orReclaim(err, func() error { return o.put(noWait, body, f) })
	}
	return err
}

// borrow finds the objects, each once. q itself needs no link: who gets the message has it open.
func (q *Fifo) borrow(refs []codec.Ref) (links []*object.Object, err error) {
	seen := map[[16]byte]bool{q.obj.File.UUID: true}
	for _, r := range refs {
		if seen[r.UUID] {
			continue
		}
		seen[r.UUID] = true
		x, err := q.obj.Borrow(r)
		if err != nil {
			return links, err
		}
		links = append(links, x)
	}
	if len(links) > layout.MaxLinks {
		return links, &ipcerr.Error{Op: q.PutTo + " " + q.obj.Noun, Name: q.obj.Name(), Code: ipcerr.TooLarge,
			Hint: fmt.Sprintf("a message that refers to %d objects; the most is %d", len(links), layout.MaxLinks)}
	}
	return links, nil
}

// link makes the links of a reserved record.
func (o *op) link(seq uint64) error {
	q := o.q
	for i, x := range o.links {
		if err := q.obj.Root.Link(q.obj.File.UUID, q.LinkLetter, layout.LinkNumber(seq, i), x.File); err != nil {
			return err
		}
		crash.Point("fifo.put_referring.linked")
	}
	return nil
}

// removeParts removes what belongs to a record that is finished. Repeating it does no harm.
func (q *Fifo) removeParts(it *ring.Item) {
	if it.Side {
		_ = q.obj.Root.RemovePart(q.obj.File.UUID, q.MessageLetter, it.Seq)
	}
	for i := range it.Links {
		_ = q.obj.Root.RemoveLink(q.obj.File.UUID, q.LinkLetter, layout.LinkNumber(it.Seq, i))
	}
}

// receive becomes a user of what a claimed record refers to, and returns the format with the receipt. An object
// that was removed meanwhile is missing then, which shows when it is opened; it gives back everything and
// fails where trying again may help.
func (o *op) receive(it *ring.Item) (Format, error) {
	f := Format(it.Format)
	if it.Links == 0 {
		return f, nil
	}
	q := o.q
	var all []*shm.Held
	for i := range it.Links {
		h, err := q.obj.Root.HoldLink(q.obj.File.UUID, q.LinkLetter, layout.LinkNumber(it.Seq, i))
		switch {
		case err == nil:
			all = append(all, h)
		case errors.Is(err, ipcerr.Limit), errors.Is(err, ipcerr.NoMemory), errors.Is(err, ipcerr.Timeout):
			for _, h := range all {
				h.Release()
			}
			return f, err
		}
	}
	return f&(MsgPack|References) | Format(q.obj.Receive(all))<<receiptShift, nil
}
