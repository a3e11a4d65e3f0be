package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestCall(t *testing.T) {
	newRoot(t)
	m, _ := manages(t)
	polyipc("call", "m", "-", "open", "d", "dict", `[["x", 1]]`).ok(t)
	polyipc("call", "m", "-", "names").prints(t, `{"d":"dict"}`+"\n")
	for _, c := range []struct{ want, args string }{
		{"5", "d increment x 4"},
		{"null", "d set y plain"},
		{`"plain"`, "d get y"},
		{"plain", "d get y --text"},
		{"null", `d set 1 {"$bytes":"AAE="}`},
		{`{"$bytes":"AAE="}`, "d get 1"},
		{"null", "d get 1 --text"}, // the text is another key
		{"7", "d get --named key=none --named default=7"},
		{`{"result":7}`, "d get none 7 --json"},
		{"-1", "d get none -- -1"},
	} {
		polyipc(append([]string{"call", "m"}, strings.Fields(c.args)...)...).prints(t, c.want+"\n")
	}
	m.signal(syscall.SIGTERM)
	m.ends(0)
}

func TestCallFails(t *testing.T) {
	newRoot(t)
	m, _ := manages(t)
	polyipc("call", "m", "-", "open", "q", "queue", "1").ok(t)
	polyipc("put", "kept", "--create").prints(t, "")
	for _, c := range []struct {
		code    int
		message string
		args    []string
	}{
		{1, `^polyipc: TypeError: lock`, []string{"m", "-", "open", "l", "lock", "1", "2", "3"}},
		{1, `^polyipc: AttributeError: `, []string{"m", "q", "frobnicate"}},
		{1, `object "none": .*there is none of that name`, []string{"m", "none", "get"}},
		{1, `no object of that name in the root`, []string{"none", "-", "stat"}},
		{1, `it is a queue, not a manager`, []string{"kept", "-", "stat"}},
		{1, `argument 1, "\[1": it is not JSON`, []string{"m", "q", "put", "[1"}},
		{1, `argument item: it is not JSON`, []string{"m", "q", "put", "--named", "item={"}},
		{1, `\$raw`, []string{"m", "q", "put", `{"$raw": ""}`}},
		{3, `empty`, []string{"m", "q", "get", "false"}},
		{3, `deadline`, []string{"m", "q", "get", "--timeout", "0.05"}},
		{2, `NAME=VALUE`, []string{"m", "q", "put", "--named", "item"}},
		{2, `more than 0`, []string{"m", "q", "get", "--timeout", "0"}},
		{2, `arg`, []string{"m", "q"}},
	} {
		polyipc(append([]string{"call"}, c.args...)...).fails(t, c.code, c.message)
	}
	get := begin(t, nil, nil, "call", "m", "q", "get")
	eventually(t, "it waits", func() bool { return strings.Contains(polyipc("call", "m", "-", "stat").out, `"parked":1`) })
	get.signal(syscall.SIGINT)
	get.ends(130)
	get = begin(t, nil, nil, "call", "m", "q", "get")
	eventually(t, "it waits", func() bool { return strings.Contains(polyipc("call", "m", "-", "stat").out, `"parked":1`) })
	m.signal(syscall.SIGKILL)
	if r := get.ends(1); !strings.Contains(r.errs, "the server died") {
		t.Errorf("%q", r.errs)
	}
}

func TestDict(t *testing.T) {
	newRoot(t)
	m, _ := manages(t)
	polyipc("dict", "m", "d").fails(t, 1, "there is none of that name")
	polyipc("dict", "m", "d", "--create").prints(t, "")
	polyipc("dict", "m", "d", "set", "b", `{"x": 1.5}`).prints(t, "")
	polyipc("dict", "m", "d", "set", "a", "text", "--json").prints(t, `{"name":"d","set":"a"}`+"\n")
	polyipc("dict", "m", "d").prints(t, "\"b\"\t{\"x\":1.5}\n\"a\"\t\"text\"\n")
	polyipc("dict", "m", "d", "--text").prints(t, "b\t{\"x\":1.5}\na\ttext\n")
	polyipc("dict", "m", "d", "--json").prints(t, `{"a":"text","b":{"x":1.5}}`+"\n")
	polyipc("dict", "m", "d", "get", "a", "--text").prints(t, "text\n")
	polyipc("dict", "m", "d", "get", "b", "--json").prints(t, `{"key":"b","value":{"x":1.5}}`+"\n")

	out, w, err := os.Pipe()
	must(t, err)
	defer func() { must(t, out.Close()) }()
	watch := begin(t, nil, w, "dict", "m", "d", "watch", "-n", "4")
	must(t, w.Close())
	lines := bufio.NewReader(out)
	next := func(want string) {
		t.Helper()
		if got, err := lines.ReadString('\n'); err != nil || got != want+"\n" {
			t.Errorf("%q, %v; want %s", got, err, want)
		}
	}
	next(`["snapshot",{"a":"text","b":{"x":1.5}}]`)
	polyipc("dict", "m", "d", "set", "7", "[]").prints(t, "")
	next(`["set",7,[]]`)
	polyipc("dict", "m", "d", "del", "b", "--json").prints(t, `{"name":"d","delete":"b"}`+"\n")
	next(`["delete","b"]`)
	polyipc("call", "m", "d", "clear").prints(t, "null\n")
	next(`["clear"]`)
	watch.ends(0)
	polyipc("dict", "m", "d", "watch", "--timeout", "0.05").prints(t, `["snapshot",{}]`+"\n")
	polyipc("dict", "m", "d", "get", "b").fails(t, 1, `^polyipc: KeyError: `)
	polyipc("dict", "m", "d", "del", "b").fails(t, 1, `^polyipc: KeyError: `)
	polyipc("call", "m", "-", "open", "l", "list").ok(t)
	polyipc("dict", "m", "l", "--create").fails(t, 1, "it is a list, not a dict")
	for message, args := range map[string]string{
		"is meant": "frob", "a KEY": "get", "a KEY and a VALUE": "set x", "nothing behind it": "watch x", "--count": "get x -n 1",
	} {
		polyipc(append([]string{"dict", "m", "d"}, strings.Fields(args)...)...).fails(t, 2, message)
	}
	m.signal(syscall.SIGTERM)
	m.ends(0)
}
