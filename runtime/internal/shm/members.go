package shm

import (
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// CreateMembers makes the root's members file, with no member in it; EXISTS if it is there. Package
// member has all the rest. Its pages are not reserved: it is written with pwrite only, and most
// slots never are.
func (r *Root) CreateMembers() error {
	const op = "create members"
	for {
		err := r.membersOnce(op)
		if err != errNameless {
			return err
		}
	}
}

func (r *Root) membersOnce(op string) error {
	id, err := NewUUID()
	if err != nil {
		return err
	}
	if err := r.room(op, 2*4096, layout.MembersFile); err != nil {
		return err
	}
	b, err := r.newBuild(op)
	if err != nil {
		return err
	}
	s := Spec{Kind: layout.KindMembers, Members: id, Header: 4096}
	var h layout.Header
	s.header(&h, layout.MembersFile, identity{name: membersName, uuid: id})
	if err = b.truncate(layout.MembersFile); err == nil {
		err = WriteAt(b.fd, 0, layout.Bytes(&h))
	}
	if err != nil {
		b.discard()
		return fail(op, r.path, err, r.spaceHint(err, 4096))
	}
	crash.Point("shm.members.written")
	err = b.name(membersName, func() error {
		return &ipcerr.Error{Op: op, Name: r.path, Code: ipcerr.Exists, Err: unix.EEXIST}
	})
	if err != nil {
		b.discard()
		return err
	}
	closeFile(b.fd)
	return nil
}
