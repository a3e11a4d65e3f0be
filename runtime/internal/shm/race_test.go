package shm

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func init() {
	helpers["churn"] = func(r *Root, args []string) error {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		println1("ready")
		waitStdin()
		for range n {
			if err := churn(r, args[0]); err != nil {
				return err
			}
		}
		return nil
	}
}

// churn uses a transient object once, making it if need be, with a part of its own.
func churn(r *Root, name string) error {
	for {
		o, err := r.Create(name, spec(layout.Transient))
		if ipcerr.CodeOf(err) == ipcerr.Exists {
			if o, err = r.Open(name, layout.KindQueue, testMembers, true); ipcerr.CodeOf(err) == ipcerr.NotFound {
				continue // it went in between
			}
		}
		if err != nil {
			return err
		}
		n := layout.View[atomic.Uint64](o.Mem, layout.HeaderSize).Add(1)
		if err := r.WritePart(o.UUID, 'm', n, testMembers, []byte("part")); err != nil {
			return err
		}
		// While we use it, it is there, and what has its name is this object or nothing.
		if c, err := r.look(name); err == nil {
			id := c.header.UUID
			c.close()
			if id != o.UUID {
				return fmt.Errorf("there are two objects %q at once", name)
			}
		} else {
			return fmt.Errorf("the object went while it was used: %w", err)
		}
		if err := o.Close(); err != nil {
			return err
		}
		return nil
	}
}

// Many processes make, open and leave one transient object: in the end it is gone, without a reaper.
func TestManyProcessesOneTransient(t *testing.T) {
	processes, rounds := 200, "3"
	if testing.Short() {
		processes = 20
	}
	r := testRoot(t)
	var all []*process
	for range processes {
		all = append(all, start(t, r, "churn", "x", rounds))
	}
	for _, p := range all {
		p.expect("ready")
	}
	for _, p := range all {
		_ = p.in.Close()
	}
	for _, p := range all {
		p.finish()
	}
	wantFiles(t, r)
}

// The same with threads, which collide far more often, and with others that unlink all the time.
func TestRaces(t *testing.T) {
	for _, flags := range []layout.Flags{0, layout.Transient} {
		t.Run(fmt.Sprint("flags ", flags), func(t *testing.T) { races(t, flags) })
	}
}

func races(t *testing.T, flags layout.Flags) {
	r := testRoot(t)
	const rounds = 400
	var wg sync.WaitGroup
	var made atomic.Int64
	worker := func(f func() error) { // all go on until enough objects have been made
		for range 2 {
			wg.Go(func() {
				for made.Load() < rounds && !t.Failed() {
					if err := f(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	okay := func(err error, codes ...ipcerr.Code) error {
		for _, c := range append(codes, 0) {
			if ipcerr.CodeOf(err) == c {
				return nil
			}
		}
		return err
	}
	var opened atomic.Int64
	worker(func() error {
		o, err := r.Create("x", spec(flags))
		if err != nil {
			return okay(err, ipcerr.Exists)
		}
		made.Add(1)
		err = r.WritePart(o.UUID, 'm', 1, testMembers, []byte("part"))
		if err == nil {
			err = r.ReadPart(o.UUID, 'm', 1, testMembers, make([]byte, 4))
		}
		if err != nil {
			return err
		}
		return o.Close()
	})
	worker(func() error {
		o, err := r.Open("x", layout.KindQueue, testMembers, true)
		if err != nil {
			return okay(err, ipcerr.NotFound)
		}
		opened.Add(1)
		// Nobody removes it under our feet.
		if err := r.WritePart(o.UUID, 'r', uint64(o.FD)<<32|uint64(opened.Load()), testMembers, []byte("p")); err != nil {
			return err
		}
		if !r.exists(o) {
			return fmt.Errorf("the object went while it was used")
		}
		return o.Close()
	})
	worker(func() error { return r.Unlink("x", layout.KindQueue) })
	wg.Go(func() {
		for made.Load() < rounds && !t.Failed() {
			if _, err := r.Reap(); err != nil {
				t.Error(err)
			}
			if list, err := r.List(); err != nil {
				t.Error(err)
			} else {
				for _, e := range list {
					if e.Err != nil {
						t.Error(e.Name, e.Err)
					}
				}
			}
		}
	})
	wg.Wait()
	if opened.Load() == 0 {
		t.Error("nobody ever opened it: no race")
	}
	must(t, r.Unlink("x", 0))
	wantFiles(t, r)
}

// exists reports whether the object's file still has a name.
func (r *Root) exists(o *Object) bool {
	st, err := fstat(o.FD)
	return err == nil && st.Nlink == 1
}
