package handover

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Of offers an open object in a role. The entry has a descriptor of its own, of the object's very description: so it
// is a user of the object, and of a pipe's end, until Close.
func Of(role string, in object.Inherited) (Entry, error) {
	const op = "hand over object"
	e := Entry{Role: role, End: int(in.Detail), Name: in.Name, Root: in.Root}
	if err := CheckRole(op, role); err != nil {
		return e, err
	}
	fd, err := shm.Dup(in.FD)
	if err != nil {
		return e, shm.Fail(op, in.Name, err)
	}
	e.FD = fd
	if e.Kind, e.UUID, err = shm.Identify(fd); err != nil {
		Close([]Entry{e})
		return e, shm.Fail(op, in.Name, err)
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
