package shm

import "golang.org/x/sys/unix"

// Who has an end of a pipe open holds, besides the user's lock, a shared lock on that end's byte. It goes the
// way of the user's lock: a fork passes it on, the last mapping or descriptor takes it along. So whether
// anybody is at the other end is a question to the kernel, and a death is known as soon as it is over.

// EndLock is the byte of end 0; that of end 1 follows. Shared: who has the end open.
const EndLock = 2

// TakeEnd makes o the user of an end, for as long as it is open. It comes before o is used or known to
// anybody, a forked process included; so it is no breach of the rule that nothing is locked through
// o's description.
func (o *Object) TakeEnd(end int) error {
	if err := TryLock(o.FD, unix.F_RDLCK, EndLock+int64(end)); err != nil {
		return fail("open end", o.Name, err, "")
	}
	return nil
}

// takeEnds becomes the user of both ends, on a description that nobody else knows.
func (c *candidate) takeEnds() error {
	err := TryLock(c.fd, unix.F_RDLCK, EndLock)
	if err == nil {
		err = TryLock(c.fd, unix.F_RDLCK, EndLock+1)
	}
	return err
}

// LeaveEnd ends that for one of them, before o is used or known to anybody.
func (o *Object) LeaveEnd(end int) error {
	if err := TryLock(o.FD, unix.F_UNLCK, EndLock+int64(end)); err != nil {
		return fail("open end", o.Name, err, "")
	}
	return nil
}

// InMessage reports whether a message holds o. If it cannot find out, it says yes.
func (o *Object) InMessage() bool {
	st, err := fstat(o.FD)
	if err == nil && (st.Dev != o.file.Dev || st.Ino != o.file.Ino) { // closefrom; see EndTaken
		var c *candidate
		if c, err = o.fresh(); err == nil {
			st = c.stat
			c.close()
		}
	}
	return err != nil || st.Nlink > 1
}

// EndTaken reports whether others than o's own description have an end open. It is certain of no; if it cannot
// find out, it says yes.
func (o *Object) EndTaken(end int) bool {
	held, err := Holder(o.FD, EndLock+int64(end))
	if o.mine() {
		return err != nil || held != unix.F_UNLCK
	}
	// The host has closed all descriptors (closefrom), ours too, and the number may be another file's. Our
	// locks live on, since the mapping holds them.
	c, err := o.fresh()
	if err != nil {
		return true
	}
	defer c.close()
	held, err = Holder(c.fd, EndLock+int64(end))
	return err != nil || held != unix.F_UNLCK
}

// EndLeft reports whether an end of o, which was closed, is still open elsewhere. It is certain of yes.
func (o *Object) EndLeft(end int) bool {
	c, err := o.fresh()
	if err != nil {
		return false
	}
	defer c.close()
	held, err := Holder(c.fd, EndLock+int64(end))
	return err == nil && held != unix.F_UNLCK
}

// Aside maps o's header area once more, through a description that holds no locks, so that what lies there can
// be reached when o is closed. nil if that is not possible; else the caller calls Unmap.
func (o *Object) Aside() []byte {
	c, err := o.fresh()
	if err != nil {
		return nil
	}
	defer c.close()
	mem, err := mapFile(c.fd, 0, 0)
	if err != nil {
		return nil
	}
	_ = unix.Madvise(mem, unix.MADV_DONTFORK)
	return mem
}

// Unmap ends the use of what Aside returned.
func Unmap(mem []byte) { unmap(mem) }

// mine reports whether FD is still o's file.
func (o *Object) mine() bool {
	st, err := fstat(o.FD)
	return err == nil && st.Dev == o.file.Dev && st.Ino == o.file.Ino
}

// fresh opens o's file once more, by its name or, if it was unlinked, its UUID.
func (o *Object) fresh() (c *candidate, err error) {
	for _, name := range []string{o.Name, uuidName(o.UUID)} {
		if c, err = o.root.look(name); err != nil {
			continue
		}
		if c.stat.Dev == o.file.Dev && c.stat.Ino == o.file.Ino {
			return c, nil
		}
		c.close()
		err = unix.ENOENT
	}
	return nil, err
}
