package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExec(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", `{"id": 1}`, `"two"`, `"three"`).prints(t, "")
	polyipc("get", "kept", "--exec", `cat; echo "$POLYIPC_QUEUE $POLYIPC_DELIVERIES $POLYIPC_ROOT"`).
		prints(t, "{\"id\":1}\nkept 1 "+dir+"\n")
	polyipc("get", "kept", "--text", "--exec", "read -r word; echo \"<$word>\"").prints(t, "<two>\n")
	polyipc("get", "kept", "--raw", "--exec", "wc -c | tr -d ' '").prints(t, "6\n")
	polyipc("get", "kept", "--timeout=0", "--exec", "echo never").fails(t, 3, "kept")
	if c := stat(t, "kept").Counts; c.Taken != 3 || c.Unfinished != 0 {
		t.Errorf("%+v", c)
	}
	polyipc("get", "kept", "--exec", "").fails(t, 2, "needs a command")
}

func TestExecThatFails(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "1", "2").prints(t, "")
	polyipc("get", "kept", "--exec", "exit 7").fails(t, 1, "which went back: exit status 7")
	polyipc("get", "kept", "--follow", "--exec", "kill -9 $$").fails(t, 1, "killed")
	polyipc("get", "kept", "-f", "--exec", "/no/such/command").fails(t, 1, "exit status 127")
	// The third failure has the third delivery; the last word has whoever succeeds.
	polyipc("get", "kept", "-f", "--timeout=0", "--exec", `echo "$(cat) $POLYIPC_DELIVERIES"`).prints(t, "1 4\n2 1\n")
	if c := stat(t, "kept").Counts; c.Redelivered != 3 || c.Taken != 2 {
		t.Errorf("%+v", c)
	}
}

// A message is redelivered when what works on it is told to stop, or killed.
func TestExecInterrupted(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", `"work"`).prints(t, "")
	for i, stop := range []struct {
		signal syscall.Signal
		code   int
		all    bool // as from a terminal; else get alone is told
	}{{syscall.SIGINT, 130, true}, {syscall.SIGTERM, 143, false}, {syscall.SIGKILL, -1, true}} {
		get := begin(t, nil, nil, "get", "kept", "--exec", "exec sleep 60")
		eventually(t, "the command has the message", func() bool {
			ls := stat(t, "kept").Leases
			return len(ls) == 1 && ls[0].Pid == get.cmd.Process.Pid && ls[0].Deliveries == i+1 && children(t, get) > 0
		})
		if stop.all {
			get.signal(stop.signal)
		} else {
			must(t, get.cmd.Process.Signal(stop.signal))
		}
		if r := get.ends(stop.code); r.out != "" || strings.Contains(r.errs, "panic") {
			t.Errorf("%v: %q %q", stop.signal, r.out, r.errs)
		}
	}
	polyipc("get", "kept", "--json").prints(t, `{"value":"work","format":"msgpack","bytes":5,"deliveries":4}`+"\n")
}

// children counts the processes that a command runs, once they have become what they are to be.
func children(t *testing.T, r *running) int {
	t.Helper()
	tasks := fmt.Sprintf("/proc/%d/task", r.cmd.Process.Pid)
	dirs, err := os.ReadDir(tasks)
	must(t, err)
	n := 0
	for _, d := range dirs {
		list, _ := os.ReadFile(tasks + "/" + d.Name() + "/children")
		for pid := range strings.FieldsSeq(string(list)) {
			if name, _ := os.ReadFile("/proc/" + pid + "/comm"); strings.TrimSpace(string(name)) == "sleep" {
				n++
			}
		}
	}
	return n
}
