package main

import (
	"encoding/binary"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestStat(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", "--max-size=5", "1", "2", "3").prints(t, "")
	q := open(t, dir, "kept")
	l, err := q.TryLease()
	must(t, err)
	defer func() { must(t, l.Nack()) }()

	s := stat(t, "kept")
	if s.Name != "kept" || s.Kind != "queue" || s.Lifetime != "kept" || !s.InUse || s.Blocked || s.Rates != nil || len(s.Locks) != 0 {
		t.Errorf("%+v", s)
	}
	if c := s.Counts; c.Messages != 2 || c.Leased != 1 || c.Unfinished != 3 || c.Put != 3 || c.Taken != 0 || c.MaxSize != 5 || c.Bytes == 0 {
		t.Errorf("%+v", *c)
	}
	if len(s.Leases) != 1 || s.Leases[0].What != "lease" || s.Leases[0].Pid != os.Getpid() || !s.Leases[0].Alive ||
		s.Leases[0].Deliveries != 1 || s.Leases[0].Bytes != 1 {
		t.Errorf("leases: %+v", s.Leases)
	}
	text := polyipc("stat", "kept").ok(t)
	for _, want := range []string{"2 ready, 1 leased, 0 being written; limit 5\n", "put          3, 0 a second\n", "LEASE", "kept, in use"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	polyipc("stat", "none").fails(t, 1, `find "none": there is no object`)
}

func TestStatRates(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "0").prints(t, "")
	r, w, err := os.Pipe()
	must(t, err)
	put := begin(t, r, nil, "put", "kept")
	must(t, r.Close())
	go func() { // as long as somebody reads it
		for {
			if _, err := io.WriteString(w, "1\n"); err != nil {
				return
			}
		}
	}()
	eventually(t, "messages flow", func() bool { return stat(t, "kept").Counts.Put > 1 })
	s := parsed[statJSON](t, polyipc("stat", "kept", "--json", "--interval", "100ms"))
	if s.Rates == nil || s.Rates.Put <= 0 {
		t.Errorf("rates: %+v", s.Rates)
	}
	put.signal(syscall.SIGKILL)
	put.ends(-1)
	must(t, w.Close())
	polyipc("rm", "kept").prints(t, "") // with the ring that it may have grown
}

// A stopped process holds the producer lock: here its token is written into the lock word, which is
// all that taking the lock does.
func TestStatOfHeldLock(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", "--max-size=1", "1").prints(t, "")
	polyipc("get", "kept").prints(t, "1\n")
	get := begin(t, nil, nil, "get", "kept")
	get.waitsFor("kept", "message")
	get.signal(syscall.SIGSTOP)
	for name, at := range map[string]int64{"producer lock": 512, "consumer lock": 640} { // docs/spec/queue.md
		write(t, dir+"/kept", at, token(t, dir, get.cmd.Process.Pid))
		r := polyipc("stat", "kept", "--json")
		text := polyipc("stat", "kept").ok(t)
		write(t, dir+"/kept", at, 0)

		s := parsed[statJSON](t, r)
		if !s.Blocked || s.Counts != nil || s.Rates != nil || s.Leases != nil {
			t.Errorf("%s held: %s", name, r.out)
		}
		if len(s.Locks) != 1 || s.Locks[0].What != name || s.Locks[0].Pid != get.cmd.Process.Pid || !s.Locks[0].Alive || s.Locks[0].Seconds < 0.5 {
			t.Errorf("%s: holders %+v", name, s.Locks)
		}
		if len(s.Waiters) != 1 || s.Waiters[0].What != "message" || s.Waiters[0].Pid != get.cmd.Process.Pid {
			t.Errorf("%s held: waiters %+v", name, s.Waiters)
		}
		if !strings.Contains(text, name) || !strings.Contains(text, "not known") || !strings.Contains(text, "WAITS FOR") {
			t.Errorf("%s held:\n%s", name, text)
		}
	}
	get.signal(syscall.SIGCONT)
	polyipc("put", "kept", "2").prints(t, "")
	if r := get.ends(0); r.out != "2\n" {
		t.Errorf("after the stop it got %q", r.out)
	}
}

// token finds the owner token of a process in the root's list of members; docs/spec/members.md.
func token(t *testing.T, dir string, pid int) uint32 {
	t.Helper()
	members, err := os.ReadFile(dir + "/members")
	must(t, err)
	for slot := range 4096 {
		s := members[65536+256*slot:]
		if generation := binary.NativeEndian.Uint32(s); generation != 0 && int(binary.NativeEndian.Uint32(s[4:])) == pid {
			return uint32(slot)<<19 | generation
		}
	}
	t.Fatalf("process %d is no member", pid)
	return 0
}

func write(t *testing.T, file string, at int64, word uint32) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(binary.NativeEndian.AppendUint32(nil, word), at)
	must(t, err)
	must(t, f.Close())
}
