package handover

import (
	"fmt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Of offers an open object in a role. The entry has a descriptor of its own, of the object's very description: so it
// is a user of the object, and of a pipe's end, until Close.
func Of(role string, ref codec.Ref, in object.Inherited) (Entry, error) {
	const op = "hand over object"
	e := Entry{Role: role, Ref: ref, Root: in.Root}
	if err := CheckRole(op, role); err != nil {
		return e, err
	}
	fd, err := shm.Dup(in.FD)
	if err != nil {
		return e, shm.Fail(op, in.Name, err)
	}
	e.FD = fd
	if id, err := shm.UUIDOf(fd); err != nil || id != ref.UUID {
		Close([]Entry{e})
		return e, &ipcerr.Error{Op: op, Name: in.Name, Code: ipcerr.Closed, Err: err, Hint: "it was closed meanwhile"}
	}
	return e, nil
}

// Close closes the descriptors of what was handed over, or could not be.
func Close(entries []Entry) {
	for _, e := range entries {
		shm.CloseFile(e.FD, shm.OnDescriptor)
	}
}

// Check refuses more entries than a child could read.
func Check(entries []Entry) error {
	if len(entries) > Most {
		return &ipcerr.Error{Op: "hand over objects", Code: ipcerr.Limit, Hint: fmt.Sprintf("%d of them: at most %d can be handed over", len(entries), Most)}
	}
	return nil
}
