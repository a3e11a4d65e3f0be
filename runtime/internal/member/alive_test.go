package member

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/runtime/internal/layout"
	"github.com/polyipc/polyipc/runtime/internal/shm"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

func init() {
	helpers["join"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		say(m.Token())
		waitStdin()
		m.Release()
		return nil
	}
	// exec becomes another program while it is a member.
	helpers["exec"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		say(m.Token())
		buf := make([]byte, 1)
		_, _ = os.Stdin.Read(buf)
		return unix.Exec("/bin/cat", []string{"cat"}, nil)
	}
	// child starts another process, which outlives it.
	helpers["child"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		cmd := exec.Command("/bin/sleep", "1000")
		if err := cmd.Start(); err != nil {
			return err
		}
		say(m.Token())
		say(cmd.Process.Pid)
		waitStdin()
		return nil
	}
	// rawfork is what a C program does that forks without our handler.
	helpers["rawfork"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		pid, _, no := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if no != 0 {
			return no
		}
		if pid == 0 {
			for { // the child has only this thread, so no Go from here on
				_, _, _ = unix.RawSyscall(unix.SYS_PPOLL, 0, 0, 0)
			}
		}
		say(m.Token())
		say(pid)
		waitStdin()
		return nil
	}
	// closefrom closes all descriptors but the three.
	helpers["closefrom"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		if err := unix.CloseRange(3, ^uint(0)>>33, 0); err != nil {
			return err
		}
		say(m.Token())
		waitStdin()
		return nil
	}
}

// quiet uses everything and then looks whether Go's poller has been started.
func init() {
	helpers["quiet"] = func(r *shm.Root) error {
		m, err := Join(r)
		if err != nil {
			return err
		}
		s := shm.Spec{Kind: layout.KindQueue, Members: m.UUID(), Header: 4096, Data: layout.HeaderArea}
		o, err := r.Create("x", s)
		if err != nil {
			return err
		}
		if err := r.WritePart(o.UUID, 'm', 1, m.UUID(), []byte("x")); err != nil {
			return err
		}
		// Another remover is stopped, so this waits until its patience ends.
		fd, err := unix.Open(r.Path()+"/x", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if err := shm.TryLock(fd, unix.F_WRLCK, 1); err != nil {
			return err
		}
		if err := r.Unlink("x", 0); ipcerr.CodeOf(err) != ipcerr.Timeout {
			return fmt.Errorf("unlink of a locked name: %v", err)
		}
		if err := errors.Join(unix.Close(fd), r.Unlink("x", 0), o.Close()); err != nil {
			return err
		}
		m.Release()
		buf := make([]byte, 100)
		for fd := range 100 {
			if n, err := unix.Readlink(fmt.Sprint("/proc/self/fd/", fd), buf); err == nil && strings.Contains(string(buf[:n]), "event") {
				return fmt.Errorf("descriptor %d is %s", fd, buf[:n])
			}
		}
		return nil
	}
}

func TestPollerIsNotStarted(t *testing.T) {
	start(t, command1("quiet", testRoot(t))).finish()
}

func TestKillIsDeath(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("join", r))
	token := p.token()
	if !m.Alive(token) || !m.Alive(token|1<<31) || !m.Alive(m.Token()) || m.Alive(0) || m.Alive(1<<31) {
		t.Fatal("wrong about the living")
	}
	if m.Alive(token+1) || m.Alive(layout.Token(4000, 1)) {
		t.Fatal("alive without ever having been")
	}
	p.signal(syscall.SIGKILL)
	// Nobody has waited for it yet: a zombie is dead.
	t.Log("death shows after", becomes(t, m, token, false))
	m.Release()
}

func TestStopIsLife(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("join", r))
	token := p.token()
	p.signal(syscall.SIGSTOP)
	var st syscall.WaitStatus
	if _, err := syscall.Wait4(p.cmd.Process.Pid, &st, syscall.WUNTRACED, nil); err != nil || !st.Stopped() {
		t.Fatal(err, st)
	}
	for range 100 {
		if !m.Alive(token) {
			t.Fatal("a stopped process passes for dead")
		}
	}
	p.signal(syscall.SIGCONT)
	p.finish()
	if m.Alive(token) {
		t.Fatal("it left, and is alive")
	}
	m.Release()
}

func TestExecIsDeath(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("exec", r))
	token := p.token()
	if !m.Alive(token) {
		t.Fatal("dead")
	}
	_, err := p.in.Write([]byte("x"))
	must(t, err)
	becomes(t, m, token, false)
	p.finish() // cat ends with its input
	m.Release()
}

// What a member starts or forks is not that member, and does not keep it alive.
func TestChildrenDoNotInherit(t *testing.T) {
	for _, how := range []string{"child", "rawfork"} {
		t.Run(how, func(t *testing.T) {
			r := testRoot(t)
			m := join1(t, r)
			p := start(t, command1(how, r))
			token, pid := p.token(), int(p.token())
			t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
			if !m.Alive(token) {
				t.Fatal("dead")
			}
			p.signal(syscall.SIGKILL)
			becomes(t, m, token, false)
			if err := unix.Kill(pid, 0); err != nil {
				t.Fatal("the child is gone, so this test showed nothing:", err)
			}
			m.Release()
		})
	}
}

func TestSurvivesCloseFrom(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("closefrom", r))
	token := p.token()
	if !m.Alive(token) {
		t.Fatal("dead, since it has no descriptor left")
	}
	p.finish()
	becomes(t, m, token, false)
	m.Release()
}

// The one who asks loses its descriptor, and another file gets its number: still no living process
// passes for dead.
func TestAskAfterCloseFrom(t *testing.T) {
	for _, how := range []string{"closed", "taken"} {
		t.Run(how, func(t *testing.T) {
			r := testRoot(t)
			m := join1(t, r)
			p := start(t, command1("join", r))
			token := p.token()
			must(t, unix.Close(m.fd))
			fd := m.fd
			if how == "taken" {
				f, err := unix.MemfdCreate("other", unix.MFD_CLOEXEC)
				must(t, err)
				must(t, unix.Ftruncate(f, layout.MembersFile))
				// Even if that file says the same generation.
				_, generation := layout.SplitToken(token)
				slot, _ := layout.SplitToken(token)
				must(t, shm.WriteAt(f, layout.SlotOffset(slot), layout.Bytes(&generation)))
				if f != fd {
					must(t, unix.Dup3(f, fd, unix.O_CLOEXEC))
					must(t, unix.Close(f))
				}
			}
			if !m.Alive(token) {
				t.Fatal("dead, because we lost a descriptor")
			}
			if i, ok := m.Info(token); !ok || i.Pid != p.cmd.Process.Pid {
				t.Fatal(i, ok)
			}
			p.finish()
			becomes(t, m, token, false)
			m.Release()
			if how == "taken" {
				must(t, unix.Close(fd)) // it was not ours to close, so it is still open
			}
		})
	}
}

// The list is gone and the descriptor too: nothing is known, so nobody is dead.
func TestUnknownIsAlive(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	p := start(t, command1("join", r))
	token := p.token()
	must(t, os.Remove(r.Path()+"/members"))
	if !m.Alive(token) {
		t.Fatal("dead")
	}
	must(t, unix.Close(m.fd))
	p.signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
	if !m.Alive(token) {
		t.Fatal("how can it know?")
	}
	if _, ok := m.Info(token); ok {
		t.Fatal("information out of nothing")
	}
	// Another list in its place says nothing about ours.
	must(t, r.CreateMembers())
	if !m.Alive(token) {
		t.Fatal("it asks the wrong file")
	}
	m.Release()
}

// At the last release, the number of the lost descriptor belongs to another file.
func TestReleaseAfterCloseFrom(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	fd := m.fd
	f, err := unix.MemfdCreate("other", unix.MFD_CLOEXEC)
	must(t, err)
	must(t, unix.Dup3(f, fd, unix.O_CLOEXEC))
	m.Release()
	if err := unix.Close(fd); err != nil {
		t.Fatal("the other file was closed:", err)
	}
	must(t, unix.Close(f))
}

func TestInfo(t *testing.T) {
	r := testRoot(t)
	Language = "a language of more than 16 bytes"
	m := join1(t, r)
	Language = "go"
	i, ok := m.Info(m.Token())
	if !ok || i.Pid != os.Getpid() || i.Language != "a language of mo" || !strings.Contains(i.Command, "member.test") || !i.Alive ||
		i.StartTicks == 0 || i.PidNS == 0 || i.Joined.IsZero() || i.UUID == [16]byte{} {
		t.Fatalf("%+v", i)
	}
	p := start(t, command1("join", r))
	token := p.token()
	p.signal(syscall.SIGKILL)
	becomes(t, m, token, false)
	if i, ok := m.Info(token); !ok || i.Alive || i.Pid != p.cmd.Process.Pid {
		t.Fatalf("%+v %v", i, ok)
	}
	// Somebody takes the slot and dies before it has said who it is.
	slot, generation := layout.SplitToken(token)
	generation++
	f := openMembers(t, r)
	must(t, shm.WriteAt(f, layout.SlotOffset(slot), layout.Bytes(&generation)))
	must(t, unix.Close(f))
	if i, ok := m.Info(token + 1); ok {
		t.Fatalf("the entry of another: %+v", i)
	}
	for _, token := range []uint32{0, token + 1, layout.Token(4095, 1)} {
		if i, ok := m.Info(token); ok {
			t.Fatalf("%+v", i)
		}
	}
	m.Release()
}

// Process ids of another namespace mean nothing here, and are not needed.
func TestPidNamespaces(t *testing.T) {
	r := testRoot(t)
	m := join1(t, r)
	cmd := command1("join", r)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := cmd.Start(); err != nil {
		m.Release()
		t.Skip("cannot make a pid namespace here:", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	cmd = command1("join", r)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	p := start(t, cmd)
	token := p.token()
	i, ok := m.Info(token)
	if !ok || i.Pid != 1 || !i.Alive {
		t.Fatalf("%+v", i)
	}
	if own, _ := m.Info(m.Token()); own.PidNS == 0 {
		t.Fatalf("%+v", own)
	}
	p.signal(syscall.SIGKILL)
	becomes(t, m, token, false)
	m.Release()
}

func BenchmarkAliveOther(b *testing.B) {
	dir := b.TempDir()
	r, err := shm.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	m, err := Join(r)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Release()
	cmd := command1("join", r)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 64)
	if _, err := out.Read(buf); err != nil {
		b.Fatal(err)
	}
	slot, generation := layout.SplitToken(m.Token())
	token := layout.Token(slot+1, generation)
	for b.Loop() {
		if !m.Alive(token) {
			b.Fatal("dead")
		}
	}
	_ = in.Close()
	_ = cmd.Wait()
}
