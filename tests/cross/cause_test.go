package cross

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/pipe"
	"github.com/polyipc/polyipc/runtime/process"
	"github.com/polyipc/polyipc/runtime/psync"
	"github.com/polyipc/polyipc/runtime/queue"
	"github.com/polyipc/polyipc/runtime/segment"
	"github.com/polyipc/polyipc/runtime/wait"
)

// vain are calls of every noun that wait for nothing. What the error says is the key, up to a comma.
type vain map[string]func(ctx context.Context) error

// TestCause cancels every Go verb that waits: the error names the verb and the object, and is the code, the standard
// library's word for it, and the canceller's cause.
func TestCause(t *testing.T) {
	enough := errors.New("enough of it")
	for name, call := range waitsInVain(t) {
		for _, cause := range []error{nil, enough} {
			ctx, cancel := context.WithCancelCause(context.Background())
			later := time.AfterFunc(5*time.Millisecond, func() { cancel(cause) }) // mostly asleep by then
			err := call(ctx)
			later.Stop()
			if !errors.Is(err, ipcerr.Cancelled) || !errors.Is(err, context.Canceled) || ipcerr.CodeOf(err) != ipcerr.Cancelled {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if verb, _, _ := strings.Cut(name, ","); !strings.HasPrefix(err.Error(), verb) {
				t.Errorf("%s: the error is %q", name, err)
			}
			if cause != nil && (!errors.Is(err, cause) || !strings.Contains(err.Error(), cause.Error())) {
				t.Errorf("%s: %q says nothing of the cause", name, err)
			}
		}
	}
}

func waitsInVain(t *testing.T) vain {
	t.Helper()
	calls := vain{}
	root := newRoot(t)
	messages(t, root, calls)
	locks(t, root, calls)

	s := made(segment.Create("s", segment.Options{Root: root, Format: "<q", Shape: []int64{1}}))(t)
	made(s.Lock(context.Background()))(t)
	calls["lock segment"] = func(ctx context.Context) error { _, err := s.Lock(ctx); return err }
	calls["wait on segment"] = func(ctx context.Context) error { _, err := s.Wait(ctx, 0, 8, 0); return err }

	sleeper := exec.Command("sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	p := made(process.Of(sleeper.Process.Pid))(t)
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
		p.Release()
	})
	calls["wait for many"] = func(ctx context.Context) error { _, err := wait.Any(ctx, p); return err }
	return calls
}

func messages(t *testing.T, root string, calls vain) {
	t.Helper()
	empty := made(queue.Create("empty", queue.Options{Root: root}))(t)
	full := made(queue.Create("full", queue.Options{Root: root, MaxSize: 1}))(t)
	if err := full.TryPut(nil, queue.Raw); err != nil {
		t.Fatal(err)
	}
	calls["put to queue"] = func(ctx context.Context) error { return full.Put(ctx, nil, queue.Raw) }
	calls["put to queue, many"] = func(ctx context.Context) error {
		_, err := full.PutMany(ctx, make([][]byte, 2), queue.Raw)
		return err
	}
	calls["join queue"] = full.Join
	calls["get from queue"] = func(ctx context.Context) error { _, err := empty.Get(ctx); return err }
	calls["get from queue, many"] = func(ctx context.Context) error { _, err := empty.GetMany(ctx, 2); return err }
	calls["get from queue, lease"] = func(ctx context.Context) error { _, err := empty.Lease(ctx); return err }

	p := made(pipe.Create("p", pipe.Options{Root: root}))(t)
	for p.TrySend(make([]byte, 4000), pipe.Raw) == nil {
		continue
	}
	calls["send to pipe"] = func(ctx context.Context) error { return p.Send(ctx, make([]byte, 4000), pipe.Raw) }
	calls["receive from pipe"] = func(ctx context.Context) error { _, err := p.Recv(ctx); return err }
	calls["receive from pipe, poll"] = p.Poll
}

func locks(t *testing.T, root string, calls vain) {
	t.Helper()
	o := psync.Options{Root: root}
	ctx, me, other := context.Background(), psync.NewOwner(), psync.NewOwner()
	lock := made(psync.CreateLock("lock", o))(t)
	made(lock.Acquire(ctx))(t)
	calls["acquire lock"] = func(ctx context.Context) error { _, err := lock.Acquire(ctx); return err }
	rlock := made(psync.CreateRLock("rlock", o))(t)
	made(rlock.Acquire(ctx, other))(t)
	calls["acquire rlock"] = func(ctx context.Context) error { _, err := rlock.Acquire(ctx, me); return err }
	gate := made(psync.CreateSemaphore("semaphore", 0, o))(t)
	calls["acquire semaphore"] = gate.Acquire
	condition := made(psync.CreateCondition("condition", o))(t)
	made(condition.Acquire(ctx, me))(t)
	calls["acquire condition"] = func(ctx context.Context) error { _, err := condition.Acquire(ctx, other); return err }
	calls["wait for condition"] = func(ctx context.Context) error { _, err := condition.Wait(ctx, me); return err }
	event := made(psync.CreateEvent("event", o))(t)
	calls["wait for event"] = event.Wait
	barrier := made(psync.CreateBarrier("barrier", 2, o))(t)
	calls["wait at barrier"] = func(ctx context.Context) error { _, err := barrier.Wait(ctx); return err }
	table := made(psync.CreateRWLock("rwlock", o))(t)
	made(table.WriteLock(ctx))(t)
	calls["read-lock rwlock"] = table.ReadLock
	calls["write-lock rwlock"] = func(ctx context.Context) error { _, err := table.WriteLock(ctx); return err }
}

// made passes on what was made, which is closed at the end of the test, if it can be, and then goes.
func made[T any](x T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if o, ok := any(x).(interface {
			Close() error
			Unlink() error
		}); ok {
			t.Cleanup(func() {
				if err := errors.Join(o.Unlink(), o.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		return x
	}
}
