package shm

import (
	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Reserve makes sure that the data area's bytes from the multiple of 4096 from on up to to, within it, are
// reserved. Nothing of what they hold changes, so it may be repeated, also by several processes at once.
//
// NO_SPACE, NO_MEMORY, LIMIT, GONE (this process closed the object's descriptor).
func (o *Object) Reserve(op string, from, to int64) error {
	st, err := fstat(o.FD)
	if err != nil || st.Dev != o.file.Dev || st.Ino != o.file.Ino {
		return &ipcerr.Error{Op: op, Name: o.Name, Code: ipcerr.Gone,
			Hint: "this process closed the descriptor of its file: open it again, by name"}
	}
	if to <= from {
		return nil
	}
	if err := o.root.room(op, to-from, st.Size); err != nil {
		return err
	}
	// Killed in here: pages are reserved that nobody knows of. The next one to grow reserves them
	// again, which costs nothing, and they go with the file.
	if err := allocate(o.FD, layout.HeaderArea+from, to-from); err != nil {
		return fail(op, o.Name, err, o.root.spaceHint(err, to-from))
	}
	crash.Point("shm.reserve.allocated")
	return nil
}
