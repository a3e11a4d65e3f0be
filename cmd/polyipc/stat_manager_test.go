package main

import (
	"strings"
	"syscall"
	"testing"
)

func TestStatOfManager(t *testing.T) {
	newRoot(t)
	m, _ := manages(t)
	polyipc("call", "m", "-", "open", "d", "dict").ok(t)
	type report struct {
		Kind    string
		Server  *struct{ Pid int }
		Manager managerJSON
	}
	look := func() report { return parsed[report](t, polyipc("stat", "m", "--json")) }
	s := look()
	if s.Kind != "manager" || s.Server.Pid != m.cmd.Process.Pid || s.Manager.Error != nil || s.Manager.Stat.Objects != 1 ||
		s.Manager.Stat.Types["dict"] != 1 || s.Manager.Stat.Calls < 2 || int(s.Manager.Stat.Pid) != m.cmd.Process.Pid {
		t.Errorf("%+v", s)
	}
	text := polyipc("stat", "m").ok(t)
	for _, want := range []string{"server   process ", "1, this one included", "1, 1 with a name, 1 reference: 1 dict", "half within "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if text := polyipc("ls").ok(t); !strings.Contains(text, "server ") {
		t.Error(text)
	}
	m.signal(syscall.SIGSTOP)
	if s := look(); s.Manager.Stat != nil || !strings.Contains(*s.Manager.Error, "deadline") {
		t.Errorf("%+v", s)
	}

	// Its name stays as long as a client has it open; nobody is misled.
	m.signal(syscall.SIGCONT)
	watch := begin(t, nil, nil, "call", "m", "-", "open", "q", "queue")
	watch.ends(0)
	get := begin(t, nil, nil, "call", "m", "q", "get")
	eventually(t, "it waits", func() bool { return look().Manager.Stat.Parked == 1 })
	get.signal(syscall.SIGSTOP)
	m.signal(syscall.SIGKILL)
	m.ends(-1)
	if s := look(); s.Server != nil || s.Manager.Error != nil || s.Manager.Stat != nil {
		t.Errorf("%+v", s)
	}
	for want, args := range map[string][]string{
		"its server is dead": {"ls"}, "server   dead": {"stat", "m"}, `the server of manager "m" is dead`: {"doctor"},
	} {
		if text := polyipc(args...).ok(t); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	polyipc("call", "m", "-", "ping", "1").fails(t, 1, "its server is dead")
	again, _ := manages(t)
	polyipc("call", "m", "-", "ping", "1").prints(t, "1\n")
	again.signal(syscall.SIGTERM)
	again.ends(0)
	get.signal(syscall.SIGCONT)
	get.ends(1)
	polyipc("gc").ok(t)
}
