package cross

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/polyipc/polyipc/tests/peers"
)

func init() {
	scenarios = append(scenarios,
		scenario{"wait_for_many", waitForMany}, scenario{"descriptors", descriptors}, scenario{"children", children},
	)
}

func waitForMany(p *pair) {
	p.queue(1, 0)
	other := p.b.Do("create - 0 0 -")
	items := fmt.Sprintf("r%s r%s", p.qb, other)
	p.b.Fails("TIMEOUT", "many.wait 0 %s", items)
	p.b.Fails("TIMEOUT", "many.wait 30 %s", items)
	p.b.Send("many.wait -1 %s", items)
	p.sleeps(p.b)
	p.give("x01")
	p.answers(p.b, "ok r"+p.qb)
	p.says(p.b, fmt.Sprintf("r%s w%s", p.qb, other), "many.wait -1 w%s r%s r%s w%s", p.qb, p.qb, other, other)
	p.a.Send("many.wait -1 w%s", p.qa)
	p.sleeps(p.a)
	p.take("x01")
	p.answers(p.a, "ok w"+p.qa)
	p.b.Send("many.wait -1 %s", items)
	p.sleeps(p.b)
	p.a.Do("shutdown %s 0", p.qa)
	p.answers(p.b, "ok r"+p.qb)
	p.b.Do("close %s", other)
}

func descriptors(p *pair) {
	p.queue(2, 0)
	r, w := "r"+p.qb, "w"+p.qa
	p.says(p.b, "0", "many.poll %s", r)
	p.says(p.a, "1", "many.poll %s", w)
	p.give("x01", side)
	p.says(p.b, "1", "many.poll %s", r)
	p.says(p.a, "0", "many.poll %s", w)
	p.take("x01")
	p.says(p.b, "1", "many.poll %s", r)
	p.says(p.a, "1", "many.poll %s", w)
	lease := strings.Fields(p.b.Do("lease %s 0", p.qb))[0]
	p.says(p.b, "0", "many.poll %s", r)
	p.b.Do("nack %s %s", p.qb, lease)
	p.says(p.b, "1", "many.poll %s", r)
	p.a.Do("get %s 0", p.qa) // another was quicker
	p.b.Fails("EMPTY", "get %s 0", p.qb)
	p.says(p.b, "0", "many.poll %s", r)
	p.a.Do("shutdown %s 1", p.qa)
	p.says(p.b, "1", "many.poll %s", r)
}

// children has a start peers of b's language, which find the queues that a hands over.
func children(p *pair) {
	p.queue(0, 0)
	anonymous := p.a.Do("create - 0 0 -")
	p.give("x0102")
	answers, _ := p.child("results="+p.qa+",jobs="+anonymous,
		"many.inherited jobs", "many.inherited results", "many.inherited jobs", "many.inherited none",
		"get 0 10000", "get 1 10000", "put 1 1000 x03")
	p.a.Do("put %s 1000 x04", anonymous)
	p.a.Do("close %s", anonymous)
	want := []string{"ok 0", "ok 1", "ok 2", "err NOT_FOUND", "ok x04", "ok x0102", "ok"}
	p.ends("0", 0)
	if got := answers(); !matches(got, want) {
		p.Fatalf("the child says %q, not %q", got, want)
	}
	p.take("x03")

	waiting, pid := p.child("-", "create - 0 0 -", "get 0 -1")
	p.a.Fails("TIMEOUT", "many.status 1 0")
	p.a.Fails("TIMEOUT", "many.wait 20 c1")
	p.says(p.a, "0", "many.poll c1")
	p.a.Send("many.wait -1 r%s c1", p.qa)
	p.sleeps(p.a)
	// The kill cannot come from a, which waits.
	within(p, "the child waits", func() bool { return waiting()[0] == "ok 0" })
	if err := syscall.Kill(pid(), syscall.SIGKILL); err != nil {
		p.Fatal(err)
	}
	p.answers(p.a, "ok c1")
	p.says(p.a, "1", "many.poll c1")
	p.ends("1", -9)
	p.a.Do("many.kill 1 15") // of who is gone it is no error
}

// ends waits for a child of a.
func (p *pair) ends(child string, status int) {
	p.Helper()
	p.says(p.a, fmt.Sprint(status), "many.status %s 10000", child)
}

// child has a start a peer of b's language that does the commands, with queues by role. The results read what it has
// answered so far, and its pid. There is a shell in between, which knows nothing of polyipc.
func (p *pair) child(roles string, commands ...string) (answers func() []string, pid func() int) {
	p.Helper()
	dir := p.TempDir()
	script, out, own := filepath.Join(dir, "script"), filepath.Join(dir, "answers"), filepath.Join(dir, "pid")
	if err := os.WriteFile(script, []byte(strings.Join(commands, "\n")+"\n"), 0o600); err != nil {
		p.Fatal(err)
	}
	words, env, err := peers.Command(p.b.Language)
	if err != nil {
		p.Fatal(err)
	}
	argv := []string{"sh", "-c", `script=$1 out=$2; echo $$ >"$3"; shift 3; exec env "$@" <"$script" >"$out"`, "sh", script, out, own}
	argv = append(append(argv, env...), words...)
	for i, w := range argv {
		argv[i] = hex.EncodeToString([]byte(w))
	}
	p.a.Do("many.spawn %s %s", roles, strings.Join(argv, " "))
	answers = func() []string {
		text, _ := os.ReadFile(out)
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return answers, func() (n int) {
		text, _ := os.ReadFile(own)
		_, _ = fmt.Sscan(string(text), &n)
		return n
	}
}

// matches compares answers, of errors the name alone.
func matches(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		if got[i] != want[i] && !(strings.HasPrefix(want[i], "err ") && strings.HasPrefix(got[i], want[i]+" ")) {
			return false
		}
	}
	return true
}

// within waits until f says yes.
func within(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(peers.Bound); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", peers.Bound, what)
		}
	}
}
