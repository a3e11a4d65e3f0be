package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/polyipc/polyipc/runtime/psync"
)

// syncs is what the commands that begin with "sync." have opened, and who the peer is to rlocks.
type syncs struct {
	objects []psync.Object
	owner   psync.Owner
}

var typeNames = strings.Fields("lock rlock semaphore bounded_semaphore condition event barrier rwlock")

func typeOf(name string) psync.Type {
	for i, n := range typeNames {
		if n == name {
			return psync.Type(i + 1)
		}
	}
	panic("no type " + name)
}

func (s *syncs) do(verb string, w []string) (string, error) {
	if s.owner == (psync.Owner{}) {
		s.owner = psync.NewOwner()
	}
	switch verb {
	case "create", "open_or_create":
		how := psync.Create
		if verb != "create" {
			how = psync.OpenOrCreate
		}
		o := psync.Options{Kept: strings.Contains(w[3], "k"), Transient: strings.Contains(w[3], "t"), Reclaim: strings.Contains(w[3], "r")}
		return s.keep(how(typeOf(w[0]), strings.TrimPrefix(w[1], "-"), number(w[2]), o))
	case "open":
		return s.keep(psync.Open(typeOf(w[0]), w[1], psync.Options{}))
	case "unlink":
		return "", psync.Unlink("", w[0])
	case "count":
		return "", s.count(w)
	}
	o := s.objects[number(w[0])]
	switch w = w[1:]; verb {
	case "close":
		return "", o.Close()
	case "name":
		return o.Name(), nil
	case "acquire", "wait":
		return s.take(o, w)
	case "release":
		return "", s.release(o, number(w[0]))
	case "stat":
		return s.stat(o)
	}
	switch o := o.(type) {
	case *psync.Condition:
		return "", notify(o, verb, w)
	case *psync.Event:
		return onEvent(o, verb)
	case *psync.Barrier:
		return onBarrier(o, verb)
	case *psync.RWLock:
		return onRWLock(o, verb, w)
	}
	return s.ask(o, verb)
}

func (s *syncs) keep(o psync.Object, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s.objects = append(s.objects, o)
	return fmt.Sprint(len(s.objects) - 1), nil
}

// take acquires, or waits for what is to be waited for.
func (s *syncs) take(o psync.Object, w []string) (string, error) {
	ctx, cancel := wait(w[len(w)-1])
	defer cancel()
	var died bool
	var err error
	switch o := o.(type) {
	case *psync.Lock:
		died, err = o.Acquire(ctx)
	case *psync.RLock:
		died, err = o.Acquire(ctx, s.owner)
	case *psync.Semaphore:
		err = o.Acquire(ctx)
	case *psync.BoundedSemaphore:
		err = o.Acquire(ctx)
	case *psync.Condition:
		if len(w) == 1 {
			died, err = o.Acquire(ctx, s.owner)
			break
		}
		died, err = o.WaitWith(ctx, s.locker(o, w[0]))
	case *psync.Event:
		err = o.Wait(ctx)
	case *psync.Barrier:
		var action func() error
		if w[0] != "-" {
			action = func() error { return onNumber(w[0], add) }
		}
		index, err := o.WaitThen(ctx, action)
		return fmt.Sprint(index), err
	}
	return bit(died), err
}

func (s *syncs) locker(c *psync.Condition, word string) psync.Locker {
	if word == "-" {
		return c.Of(s.owner)
	}
	if l, ok := s.objects[number(word)].(*psync.RLock); ok {
		return l.Of(s.owner)
	}
	return s.objects[number(word)].(*psync.Lock)
}

func (s *syncs) release(o psync.Object, n int64) error {
	switch o := o.(type) {
	case *psync.Lock:
		return o.Release()
	case *psync.RLock:
		return o.Release(s.owner)
	case *psync.Condition:
		return o.Release(s.owner)
	case *psync.Semaphore:
		return o.Release(n)
	case *psync.BoundedSemaphore:
		return o.Release(n)
	}
	return errProtocol
}

func notify(c *psync.Condition, verb string, w []string) error {
	switch verb {
	case "notify":
		return c.Notify(int(number(w[1])))
	case "notify_all":
		return c.NotifyAll()
	}
	return errProtocol
}

func (s *syncs) ask(o psync.Object, verb string) (string, error) {
	var is bool
	var err error
	switch o := o.(type) {
	case *psync.Lock:
		is, err = o.Locked()
	case *psync.RLock:
		is, err = o.Owned(s.owner)
	case *psync.Semaphore:
		n, err := o.Value()
		return fmt.Sprint(n), err
	case *psync.BoundedSemaphore:
		n, err := o.Value()
		return fmt.Sprint(n), err
	}
	return bit(is), err
}

func onEvent(e *psync.Event, verb string) (string, error) {
	switch verb {
	case "set":
		return "", e.Set()
	case "clear":
		return "", e.Clear()
	}
	is, err := e.IsSet()
	return bit(is), err
}

func onBarrier(b *psync.Barrier, verb string) (string, error) {
	switch verb {
	case "abort":
		return "", b.Abort()
	case "reset":
		return "", b.Reset()
	}
	n, broken, err := b.Waiting()
	return fmt.Sprint(n) + " " + bit(broken), err
}

func onRWLock(l *psync.RWLock, verb string, w []string) (string, error) {
	switch verb {
	case "read_unlock":
		return "", l.ReadUnlock()
	case "write_unlock":
		return "", l.WriteUnlock()
	}
	ctx, cancel := wait(w[0])
	defer cancel()
	if verb == "read_lock" {
		return "0", l.ReadLock(ctx)
	}
	died, err := l.WriteLock(ctx)
	return bit(died), err
}

func (s *syncs) stat(o psync.Object) (string, error) {
	st, err := o.Stat()
	return fmt.Sprintf("limit=%d value=%d broken=%s holder=%d waiters=%d take_overs=%d reclaimed=%d",
		st.Limit, st.Value, bit(st.Broken), st.Holder.Pid, st.Waiters, st.TakeOvers, st.Reclaimed), err
}

// count adds 1 to an unprotected number in a file, again and again, with the lock held.
func (s *syncs) count(w []string) error {
	o := s.objects[number(w[0])]
	return onNumber(w[1], func(mem []byte) error {
		for range number(w[2]) {
			if _, err := s.hold(o); err != nil {
				return err
			}
			_ = add(mem)
			if err := s.letGo(o); err != nil {
				return err
			}
		}
		return nil
	})
}

// onNumber does something with the number that a file begins with.
func onNumber(file string, do func(mem []byte) error) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	mem, err := syscall.Mmap(int(f.Fd()), 0, 16, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(mem)
	return do(mem)
}

func add(mem []byte) error {
	binary.LittleEndian.PutUint64(mem, binary.LittleEndian.Uint64(mem)+1)
	return nil
}

func (s *syncs) hold(o psync.Object) (string, error) {
	if l, ok := o.(*psync.RWLock); ok {
		return onRWLock(l, "write_lock", []string{"-1"})
	}
	return s.take(o, []string{"-1"})
}

func (s *syncs) letGo(o psync.Object) error {
	if l, ok := o.(*psync.RWLock); ok {
		return l.WriteUnlock()
	}
	return s.release(o, 1)
}

func (s *syncs) close() error {
	for _, o := range s.objects {
		if err := o.Close(); err != nil {
			return err
		}
	}
	return nil
}
