package process

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/ipcerr"
	"github.com/polyipc/polyipc/runtime/wait"
)

var ctx = context.Background()

func start(t *testing.T, script string) *Process {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = p.Close() })
	return p
}

func TestStatus(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "exit 255": 255, "kill -9 $$": -9, "kill -15 $$": -15} {
		p := start(t, script)
		for range 2 {
			if status, err := p.Wait(ctx); err != nil || status != want {
				t.Errorf("%s: %d %v", script, status, err)
			}
		}
	}
}

func TestWaitIsNotOver(t *testing.T) {
	p := start(t, "exec sleep 100")
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if _, err := p.Wait(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if gone, err := p.Ready(); gone || err != nil {
		t.Error(gone, err)
	}
	if err := p.Signal(unix.SIGTERM); err != nil {
		t.Error(err)
	}
	if status, err := p.Wait(ctx); err != nil || status != -15 {
		t.Error(status, err)
	}
	if err := p.Signal(unix.SIGTERM); err != nil {
		t.Errorf("a signal for who is gone: %v", err)
	}
}

func TestAmongOthers(t *testing.T) {
	p, q := start(t, "exec sleep 100"), start(t, "exit 3")
	if ready, err := wait.Any(ctx, p, q); err != nil || len(ready) != 1 || ready[0] != 1 {
		t.Error(ready, err)
	}
}

func TestWaitsAtOnce(t *testing.T) {
	p := start(t, "sleep 0.1; exit 5")
	all := make(chan int)
	for range 10 {
		go func() {
			status, err := p.Wait(ctx)
			if err != nil {
				t.Error(err)
			}
			all <- status
		}()
	}
	for range 10 {
		if status := <-all; status != 5 {
			t.Error(status)
		}
	}
}

func TestCloseEndsWaits(t *testing.T) {
	p := start(t, "exec sleep 100")
	kill, _ := Of(p.Pid())
	t.Cleanup(func() { _ = kill.Signal(unix.SIGKILL); _, _ = kill.Wait(ctx); _ = kill.Close() })
	done := make(chan error)
	go func() {
		_, err := p.Wait(ctx)
		done <- err
	}()
	_ = p.Close()
	_ = p.Close()
	if err := <-done; ipcerr.CodeOf(err) != ipcerr.Closed {
		t.Error(err)
	}
	if _, err := p.Wait(ctx); ipcerr.CodeOf(err) != ipcerr.Closed {
		t.Error(err)
	}
	if err := p.Signal(unix.SIGTERM); ipcerr.CodeOf(err) != ipcerr.Closed {
		t.Error(err)
	}
}

func TestStatusTakenByAnother(t *testing.T) {
	p := start(t, "exit 1")
	if _, err := unix.Wait4(p.Pid(), nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(ctx); ipcerr.CodeOf(err) != ipcerr.Gone {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Of(1 << 22); ipcerr.CodeOf(err) != ipcerr.Gone { // no pid is as large
		t.Error(err)
	}
	p := start(t, "exec sleep 100")
	if err := p.Signal(1000); ipcerr.CodeOf(err) != ipcerr.Invalid {
		t.Error(err)
	}
}
