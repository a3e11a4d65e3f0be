package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/queue"
)

func TestJSONInAndOut(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", `{"n": 18446744073709551615, "f": 1.0}`, `"text"`).prints(t, "")
	polyipcIn("1 [2,\n3]\n\n{\"$raw\": \"AP8=\"}", "put", "kept", "--json").prints(t, `{"name":"kept","put":3}`+"\n")
	polyipc("put", "kept", "--", "-5").prints(t, "")
	polyipc("get", "kept").prints(t, `{"f":1.0,"n":18446744073709551615}`+"\n")
	polyipc("get", "kept", "-n", "3").prints(t, "\"text\"\n1\n[2,3]\n")
	polyipc("get", "kept", "--json").prints(t, `{"value":{"$raw":"AP8="},"format":"raw","bytes":2,"deliveries":1}`+"\n")
	polyipc("get", "kept", "--json", "--timeout", "1m").prints(t, `{"value":-5,"format":"msgpack","bytes":1,"deliveries":1}`+"\n")
	if s := stat(t, "kept").Counts; s.Put != 6 || s.Taken != 6 || s.Unfinished != 0 {
		t.Errorf("a message that was gotten is done: %+v", s)
	}
	polyipcIn("", "put", "kept").prints(t, "")
}

func TestRawAndText(t *testing.T) {
	newRoot(t)
	all := make([]byte, 300<<10) // large enough for a part
	for i := range all {
		all[i] = byte(i)
	}
	polyipcIn(string(all), "put", "kept", "--create", "--raw").prints(t, "")
	polyipc("get", "kept", "--raw").prints(t, string(all))
	polyipc("put", "kept", "--raw", "a", "", "c").prints(t, "")
	polyipc("get", "kept", "--raw", "-n", "3").prints(t, "ac")
	polyipcIn("one\n\ntwo\r\nlast", "put", "kept", "--raw", "--lines").prints(t, "")
	polyipc("get", "kept", "--raw", "--lines", "-n", "4").prints(t, "one\n\ntwo\r\nlast\n")
	polyipcIn("h\u00e9\n\n", "put", "kept", "--text").prints(t, "")
	polyipc("put", "kept", "--text", "x").prints(t, "")
	polyipc("get", "kept").prints(t, "\"h\u00e9\"\n")
	polyipc("get", "kept", "--raw").prints(t, "\xa0") // MessagePack's empty text
	polyipc("get", "kept", "--text").prints(t, "x\n")
	polyipc("put", "kept", "--raw", "y").prints(t, "")
	polyipc("put", "kept", "[1]").prints(t, "")
	polyipc("get", "kept", "--text", "-n", "2").prints(t, "y\n[1]\n")
	polyipcIn("ok\n\xff\n", "put", "kept", "--text").fails(t, 1, `line 2: .*UTF-8.*\(1 message put before`)
	polyipc("get", "kept", "--text").prints(t, "ok\n")
}

func TestOtherLanguagesSeeValues(t *testing.T) {
	dir := newRoot(t)
	type job struct {
		ID   int    `msgpack:"id"`
		Path string `msgpack:"path"`
	}
	polyipc("put", "kept", "--create", "--max-size", "10", "--capacity", "1M", `{"id": 7, "path": "/x"}`).prints(t, "")
	q := queue.Of[job](open(t, dir, "kept"))
	if j, err := q.TryGet(); err != nil || j != (job{7, "/x"}) {
		t.Errorf("got %+v, %v", j, err)
	}
	must(t, q.TryPut(job{8, "/y"}))
	b, err := codec.Marshal([]byte{0, 1})
	must(t, err)
	must(t, q.Queue.TryPut(b, queue.MsgPack))
	polyipc("get", "kept", "-n", "2").prints(t, "{\"id\":8,\"path\":\"/y\"}\n{\"$bytes\":\"AAE=\"}\n")
	if s := stat(t, "kept").Counts; s.MaxSize != 10 || s.Capacity != 1<<20 {
		t.Errorf("limits: %+v", s)
	}
}

func TestNothingInTime(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "--max-size=2", "1", "2").prints(t, "")
	polyipc("put", "kept", "--timeout=0", "3").fails(t, 3, `put to queue "kept"`)
	polyipc("put", "kept", "--timeout", "20ms", "3").fails(t, 3, `put to queue "kept"`)
	polyipc("put", "kept", "--create", "--max-size=3", "3").fails(t, 1, "max size 2")
	if r := polyipc("get", "kept", "-n", "3", "--timeout=0.02"); r.code != 3 || r.out != "1\n2\n" || r.errs == "" {
		t.Errorf("what there is comes before the failure: %+v", r)
	}
	polyipc("get", "kept", "--timeout=0").fails(t, 3, `get|lease`)
	polyipc("put", "kept", "4", "5").prints(t, "")
	polyipc("get", "kept", "--follow", "--timeout=0").prints(t, "4\n5\n")
	polyipc("get", "kept", "--follow", "--timeout=0.01").prints(t, "")
}

// One waits for the other, both ways.
func TestWaiting(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "--max-size=1", "1").prints(t, "")
	put := begin(t, nil, nil, "put", "kept", "2", "3")
	put.waitsFor("kept", "room")
	polyipc("get", "kept").prints(t, "1\n")
	polyipc("get", "kept", "-n", "2").prints(t, "2\n3\n")
	put.ends(0)

	get := begin(t, nil, nil, "get", "kept")
	get.waitsFor("kept", "message")
	polyipc("put", "kept", `"here"`).prints(t, "")
	if r := get.ends(0); r.out != "\"here\"\n" {
		t.Errorf("got %q", r.out)
	}
}

func TestFollowUntilShutdown(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", "1").prints(t, "")
	get := begin(t, nil, nil, "get", "kept", "--follow")
	get.waitsFor("kept", "message")
	polyipc("put", "kept", "2").prints(t, "")
	eventually(t, "both are done", func() bool { return stat(t, "kept").Counts.Taken == 2 })
	must(t, open(t, dir, "kept").Shutdown(false))
	if r := get.ends(0); r.out != "1\n2\n" {
		t.Errorf("got %q", r.out)
	}
	polyipc("get", "kept").fails(t, 1, "shut down")
	polyipc("put", "kept", "3").fails(t, 1, "shut down")
}

func TestSignals(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "--max-size=1", "1").prints(t, "")
	put := begin(t, nil, nil, "put", "kept", "2")
	put.waitsFor("kept", "room")
	put.signal(syscall.SIGINT)
	if r := put.ends(130); r.errs != "" {
		t.Errorf("an interrupted put says %q", r.errs)
	}
	polyipc("get", "kept").prints(t, "1\n")
	get := begin(t, nil, nil, "get", "kept", "--timeout", "60")
	get.waitsFor("kept", "message")
	get.signal(syscall.SIGTERM)
	if r := get.ends(143); r.errs+r.out != "" {
		t.Errorf("a terminated get says %q %q", r.out, r.errs)
	}

	// While it waits for its standard input.
	r, w, err := os.Pipe()
	must(t, err)
	put = begin(t, r, nil, "put", "kept")
	must(t, r.Close())
	_, err = w.WriteString("7\n")
	must(t, err)
	polyipc("get", "kept").prints(t, "7\n") // so it is at it
	put.signal(syscall.SIGINT)
	put.ends(130)
	must(t, w.Close())
}

// A message that nobody could read stays in the queue.
func TestBrokenOutput(t *testing.T) {
	newRoot(t)
	polyipc("put", "kept", "--create", "1", "2", "3").prints(t, "")
	r, w, err := os.Pipe()
	must(t, err)
	must(t, r.Close())
	if res := begin(t, nil, w, "get", "kept", "--follow").ends(0); res.errs != "" {
		t.Errorf("a closed pipe is no error: %s", res.errs)
	}
	if res := begin(t, nil, w, "ls").ends(0); res.errs != "" {
		t.Errorf("a closed pipe is no error: %s", res.errs)
	}
	must(t, w.Close())
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	if res := begin(t, nil, full, "get", "kept").ends(1); !strings.Contains(res.errs, "no space left") {
		t.Errorf("a full disk: %q", res.errs)
	}
	must(t, full.Close())
	polyipc("get", "kept", "-n", "3").prints(t, "1\n2\n3\n")
}

func TestUnreadableMessage(t *testing.T) {
	dir := newRoot(t)
	polyipc("put", "kept", "--create", "1").prints(t, "")
	q := open(t, dir, "kept")
	must(t, q.Put(context.Background(), []byte{0xc1}, queue.MsgPack))
	if r := polyipc("get", "kept", "-n", "2"); r.code != 1 || r.out != "1\n" || !strings.Contains(r.errs, "--raw") {
		t.Errorf("%+v", r)
	}
	polyipc("get", "kept", "--raw").prints(t, "\xc1")
}

// The shell as a fourth language: the pipelines of the manual, and a queue between two of them.
func TestPipelines(t *testing.T) {
	newRoot(t)
	sh := func(script string) string {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-euc", script)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(executable)+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	got := sh(`
		seq 1000 | polyipc put kept.numbers --create &
		until polyipc stat kept.numbers >/dev/null 2>&1; do :; done
		polyipc get kept.numbers -n 500 > "$POLYIPC_ROOT.a" &
		polyipc get kept.numbers -n 500 > "$POLYIPC_ROOT.b"
		wait
		sort -n "$POLYIPC_ROOT.a" "$POLYIPC_ROOT.b" | uniq | wc -l
		rm "$POLYIPC_ROOT.a" "$POLYIPC_ROOT.b"`)
	if strings.TrimSpace(got) != "1000" {
		t.Errorf("of 1000 numbers came %s", got)
	}
	if got := sh(`printf 'a b\nc\n' | polyipc put kept.names --create --text
		polyipc get kept.names -f --timeout 0 --text | while read -r name; do echo "<$name>"; done`); got != "<a b>\n<c>\n" {
		t.Errorf("texts: %q", got)
	}
	if got := sh(`polyipc put kept.names '{"$raw":"AAE="}' 2.0 '{"$time":"2026-01-02T03:04:05Z"}'
		polyipc get kept.names -n 3 | polyipc put kept.copy --create
		polyipc get kept.copy -n 3`); got != "{\"$raw\":\"AAE=\"}\n2.0\n{\"$time\":\"2026-01-02T03:04:05Z\"}\n" {
		t.Errorf("a queue copied to another: %q", got)
	}
	if got := sh(`seq 5 | polyipc put kept.copy; polyipc get kept.copy | head -n 1; polyipc get kept.copy -f --timeout 0 | tail -n 1`); got != "1\n5\n" {
		t.Errorf("head and tail: %q", got)
	}
	if got := sh(`seq 100 | polyipc put kept.copy --raw --lines; polyipc get kept.copy -f --timeout 0 --raw --lines | wc -l`); strings.TrimSpace(got) != "100" {
		t.Errorf("lines: %q", got)
	}
}
