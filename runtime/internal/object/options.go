package object

import (
	"fmt"

	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// CheckLifetime refuses options that ask for both.
func CheckLifetime(op, name string, kept, transient bool) error {
	if kept && transient {
		return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Invalid, Hint: "kept and transient exclude each other: give one of them"}
	}
	return nil
}

// Transient is the lifetime that options ask for: anonymous objects go with their last user, named
// ones are kept, unless something else is said.
func Transient(name string, kept, transient bool) bool { return transient || name == "" && !kept }

// Lifetime is the word for it.
func Lifetime(transient bool) string {
	if transient {
		return "transient"
	}
	return "kept"
}

// Trust refuses pickles where a group can write to the object, unless the caller trusts the group. It looks
// at the root as it is now: before anything is made there, so that a refusal leaves nothing.
func Trust(op, name string, root *shm.Root, pickle, trustGroup bool) error {
	if !pickle || trustGroup || !root.Shared() {
		return nil
	}
	return &ipcerr.Error{Op: op, Name: name, Code: ipcerr.Denied, Hint: fmt.Sprintf(
		"its root %s is shared with a group, whose members could run code in readers that open pickles: use another root, "+
			"do without pickle, or say that the group is trusted (TrustGroup, POLYIPC_TRUST_GROUP, trust_group=True)", root.Path())}
}
