package process

import (
	"maps"
	"slices"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Object is what can be handed over to a child: an open queue, pipe end, segment or sync object of polyipc.
type Object interface {
	Name() string
	Ref() codec.Ref
	Inherit() object.Inherited
}

// Objects are what a child gets, by role: 1 to 128 of A-Z a-z 0-9 . _ -.
type Objects map[string]Object

// Handover is what a child needs to find its objects: descriptors that it must inherit, and a variable that names
// them. For those who start programs in a way of their own; package spawn does it with os/exec.
type Handover struct{ entries []handover.Entry }

// Variable is the name of the environment variable.
const Variable = handover.Variable

// HandOver makes the descriptors for objects. Close gives them back, once the child is started.
// ipcerr.Invalid for a role, ipcerr.Limit.
func HandOver(objects Objects) (*Handover, error) {
	h := &Handover{}
	for _, role := range slices.Sorted(maps.Keys(objects)) {
		e, err := handover.Of(role, objects[role].Ref(), objects[role].Inherit())
		if err != nil {
			h.Close()
			return nil, err
		}
		h.entries = append(h.entries, e)
	}
	if err := handover.Check(h.entries); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Descriptors returns the descriptors, which are close-on-exec: the child must get them all the same, under these numbers
// or others.
func (h *Handover) Descriptors() []int {
	fds := make([]int, len(h.entries))
	for i, e := range h.entries {
		fds[i] = e.FD
	}
	return fds
}

// Value is that of the variable for a child in which the descriptors have the numbers fds, in their order; "" if there
// are none.
func (h *Handover) Value(fds []int) string {
	entries := slices.Clone(h.entries)
	for i := range entries {
		entries[i].FD = fds[i]
	}
	return handover.Format(entries)
}

// CloseDescriptor closes one of a Handover's descriptors, for who has no Handover any more.
func CloseDescriptor(fd int) { shm.CloseFile(fd, shm.OnDescriptor) }

// Close closes the descriptors.
func (h *Handover) Close() { handover.Close(h.entries) }
