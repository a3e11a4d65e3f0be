package object

import (
	"log/slog"

	"github.com/polyipc/polyipc/runtime/internal/trace"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// What every noun tells package trace. It is noted where it happens, mostly under a lock, and flushed where
// there is none: at the end of each verb and before it goes to sleep.

// TookOver notes that a lock was taken from a dead owner.
func (o *Object) TookOver(lock string, dead uint32) {
	if trace.On(slog.LevelInfo) {
		trace.Note(slog.LevelInfo, "take-over", o.Name(), "lock", lock, "from", o.Process(dead).Pid)
	}
}

// NoteCorrupt notes the first error of an open object that says CORRUPT: a program that tries again
// and again must not fill the disk.
func (o *Object) NoteCorrupt(err error) {
	if e, ok := err.(*ipcerr.Error); ok && e.Code == ipcerr.Corrupt && trace.On(slog.LevelError) && !o.corrupt.Swap(true) {
		corruption(o.Name(), e)
	}
}

func corruption(name string, err error) {
	trace.Note(slog.LevelError, "corruption", name, "error", err.Error())
}

// opened ends an open, whatever came of it.
func opened(name string, err error) {
	if err != nil && trace.On(slog.LevelError) && ipcerr.CodeOf(err) == ipcerr.Corrupt {
		corruption(name, err)
	}
	trace.Flush()
}
