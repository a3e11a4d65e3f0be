package cross

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/tests/certs"
	"github.com/polyipc/polyipc/tests/peers"
)

// managing are the languages whose peers have managers.
var managing = []peers.Language{peers.Go, peers.C, peers.Python}

// user is a peer that is connected to a manager.
type user struct {
	testing.TB
	*peers.Peer
	m     string // the connection's number
	epoch uint64
}

// serve has a peer be a server, and returns its name and its address.
func serve(p *peers.Peer) (name, address string) {
	name = fmt.Sprintf("m%d", p.Pid())
	v := p.Do("manager.serve %s 127.0.0.1:0 6b6579 -", name)
	return p.Do("manager.name %s", v), p.Do("manager.address %s", v)
}

func use(t testing.TB, p *peers.Peer, at string) *user {
	t.Helper()
	u := &user{TB: t, Peer: p, m: p.Do("manager.connect %s 10000 6b6579 -", at)}
	_, err := fmt.Sscanf(p.Do("manager.info %s", u.m), "epoch=%d", &u.epoch)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func hexOf(t testing.TB, v any) string {
	t.Helper()
	b, err := codec.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// packed is arguments as a word, "-" for none. Live objects are made.
func (u *user) packed(args []any) string {
	u.Helper()
	if args == nil {
		return "-"
	}
	all := slices.Clone(args)
	for i, a := range all {
		if typ, ok := a.(live); ok {
			all[i] = u.ref(string(typ), u.create(string(typ)))
		}
	}
	return hexOf(u, all)
}

func (u *user) ref(typ, number string) codec.Ref {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		u.Fatal(err)
	}
	r := codec.Ref{Kind: 4, Name: typ}
	binary.BigEndian.PutUint64(r.UUID[:8], u.epoch)
	binary.BigEndian.PutUint64(r.UUID[8:], n)
	return r
}

func (u *user) create(typ string, args ...any) string {
	u.Helper()
	return u.Do("manager.create %s %s %s", u.m, typ, u.packed(args))
}

func (u *user) open(name, typ string, args ...any) string {
	u.Helper()
	return u.Do("manager.open %s %s %s %s", u.m, name, typ, u.packed(args))
}

// read reads a BODY.
func (u *user) read(body string) any {
	u.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(body, "m"))
	if err != nil {
		u.Fatalf("%q: %v", body, err)
	}
	v, err := codec.Decode(b)
	if err != nil {
		u.Fatalf("%q: %v", body, err)
	}
	return v
}

// call calls a method, which must do what the step says.
func (u *user) does(object string, s step) {
	u.Helper()
	named := "-"
	if s.named != nil {
		named = hexOf(u, s.named)
	}
	u.Send("manager.call %s 10000 1 %s %s %s %s", u.m, object, s.method, u.packed(s.args), named)
	answer, there := u.Answer(peers.Bound)
	if !there {
		u.Fatalf("%s: %s: no answer", u.Language, s.method)
	}
	if !u.meets(answer, s.want) {
		u.Errorf("%s: %s(%v, %v): %s, not %v", u.Language, s.method, s.args, s.named, answer, s.want)
	}
}

func (u *user) meets(answer string, want any) bool {
	u.Helper()
	word, rest, _ := strings.Cut(answer, " ")
	switch want := want.(type) {
	case failed:
		return strings.HasPrefix(answer, "err REMOTE_ERROR "+string(want)+" - ")
	case status:
		return strings.HasPrefix(answer, "err "+string(want)+" ")
	case any_:
		return word == "ok"
	case live:
		if word != "ok" {
			return false
		}
		r, ok := u.read(rest).(codec.Ref)
		return ok && r.Name == string(want)
	}
	return word == "ok" && reflect.DeepEqual(plain(u.read(rest)), plain(u.read(hexOf(u, want))))
}

// plain is a value in which tuples are lists, and sets are sorted.
func plain(v any) any {
	switch v := v.(type) {
	case codec.Tuple:
		return plain([]any(v))
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
		return v
	case codec.Set:
		sort.Slice(v, func(i, j int) bool { return fmt.Sprint(v[i]) < fmt.Sprint(v[j]) })
		return v
	}
	return v
}

// managed runs a test over every server and client of all languages, by pipe and by TCP.
func managed(t *testing.T, f func(t *testing.T, server *peers.Peer, u *user)) {
	for _, s := range managing {
		for _, c := range managing {
			t.Run(fmt.Sprintf("%s_to_%s", c, s), func(t *testing.T) {
				root := newRoot(t)
				server, client := peers.Start(t, s, root), peers.Start(t, c, root)
				name, address := serve(server)
				for _, at := range []string{name, address} {
					t.Run(at[:3], func(t *testing.T) {
						server.In(t)
						client.In(t)
						u := use(t, client, at)
						f(t, server, u)
						client.Do("manager.close %s", u.m)
					})
				}
				server.In(t)
				client.In(t)
				client.Close()
				server.Close()
			})
		}
	}
}

func TestManagerObjects(t *testing.T) {
	managed(t, func(t *testing.T, _ *peers.Peer, u *user) {
		for _, o := range table {
			object := u.create(o.typ, o.args...)
			for _, s := range o.all {
				u.does(object, s)
			}
		}
	})
}

// TestMethods has every method of every type in the table.
func TestMethods(t *testing.T) {
	root := newRoot(t)
	p := peers.Start(t, peers.Go, root)
	name, _ := serve(p)
	u := use(t, p, name)
	types := u.read(p.Do("manager.call %s 1000 0 0 types - -", u.m)).(map[string]any)
	done := map[string]bool{}
	for _, o := range table {
		for _, s := range o.all {
			done[o.typ+"."+s.method] = true
		}
	}
	for typ, methods := range types {
		for _, m := range methods.([]any) {
			if m := fmt.Sprintf("%s.%s", typ, m); !done[m] {
				t.Errorf("%s is not in the table", m)
			}
		}
	}
	p.Close()
}

// TestManagerCalls has futures, batches, watches, names and references.
func TestManagerCalls(t *testing.T) {
	managed(t, func(t *testing.T, _ *peers.Peer, u *user) { u.calls(t) })
}

// TestManagerTLS has the same by TLS, each client at each server, and what does not fit into one record.
func TestManagerTLS(t *testing.T) {
	root, dir := newRoot(t), certs.New(t)
	var clients []*peers.Peer
	for _, c := range managing {
		clients = append(clients, peers.Start(t, c, root))
	}
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i % 251)
	}
	for _, s := range managing {
		server := peers.Start(t, s, root)
		v := server.Do("manager.serve m 127.0.0.1:0 6b6579 - %s", dir)
		address := server.Do("manager.address %s", v)
		for _, client := range clients {
			t.Run(fmt.Sprintf("%s_to_%s", client.Language, s), func(t *testing.T) {
				server.In(t)
				client.In(t)
				u := byTLS(t, client, address, dir)
				u.calls(t)
				u.does("0", step{"ping", given(big), big, nil})
				client.Do("manager.reconnect %s 10000", u.m)
				u.does("0", step{"names", nil, map[string]any{}, nil})
				client.Do("manager.close %s", u.m)
				client.Fails("DENIED", "manager.connect %s 10000 6b6578 - %s", address, dir)
				client.Fails("INVALID", "manager.connect %s 10000 6b6579 - /none", address)
			})
		}
		server.In(t)
		dies := byTLS(t, peers.Start(t, s, root), address, dir)
		lock := dies.open("lock", "lock")
		dies.does(lock, step{"acquire", nil, 1, nil})
		dies.Kill()
		clients[0].In(t)
		heir := byTLS(t, clients[0], address, dir)
		heir.does(heir.open("lock", "lock"), step{"acquire", nil, 2, nil})
		server.Close()
	}
	for _, client := range clients {
		client.In(t)
		client.Close()
	}
}

// byTLS connects.
func byTLS(t testing.TB, p *peers.Peer, address, dir string) *user {
	t.Helper()
	u := &user{TB: t, Peer: p, m: p.Do("manager.connect %s 10000 6b6579 - %s", address, dir)}
	if _, err := fmt.Sscanf(p.Do("manager.info %s", u.m), "epoch=%d", &u.epoch); err != nil {
		t.Fatal(err)
	}
	return u
}

// calls leaves nothing behind.
func (u *user) calls(t *testing.T) {
	q := u.open("q", "queue")
	c := u.Do("manager.start %s 1000 1 %s get - -", u.m, q)
	u.Fails("TIMEOUT", "manager.finish %s 20 %s", u.m, c)
	u.does(q, step{"put", given("late"), nil, nil})
	if got := u.read(u.Do("manager.finish %s 5000 %s", u.m, c)); got != "late" {
		t.Error(got)
	}
	c = u.Do("manager.start %s 1000 1 %s get - -", u.m, q)
	u.Do("manager.cancel %s %s", u.m, c)
	u.Fails("CANCELLED", "manager.finish %s 5000 %s", u.m, c)
	u.Fails("TIMEOUT", "manager.call %s 20 1 %s get - -", u.m, q)

	d := u.open("d", "dict")
	n, _ := strconv.Atoi(d)
	batch := hexOf(t, []any{[]any{n, "set", []any{"k", 1}, nil}, []any{n, "increment", []any{"k"}, map[string]any{"by": 4}}, []any{n, "getitem", []any{"no"}, nil}})
	got := u.read(u.Do("manager.batch %s 5000 1 %s", u.m, batch)).([]any)
	if len(got) != 3 || !reflect.DeepEqual(got[1], []any{true, int64(5)}) || got[2].([]any)[2] != "KeyError" {
		t.Error(got)
	}
	s := u.Do("manager.watch %s %s", u.m, d)
	u.does(d, step{"set", given("x", "y"), nil, nil})
	u.does(d, step{"delete", given("k"), nil, nil})
	for _, want := range []any{[]any{"snapshot", map[string]any{"k": 5}}, []any{"set", "x", "y"}, []any{"delete", "k"}} {
		if e := u.Do("manager.event %s 5000 %s", u.m, s); !u.meets("ok "+e, want) {
			t.Errorf("%v, not %v", u.read(e), want)
		}
	}
	u.Fails("TIMEOUT", "manager.event %s 20 %s", u.m, s)
	u.Fails("WRONG_KIND", "manager.open %s d list -", u.m)
	u.Fails("NOT_FOUND", "manager.open %s none - -", u.m)
	u.does("0", step{"names", nil, map[string]any{"q": "queue", "d": "dict"}, nil})
	for _, name := range []string{"q", "d"} {
		u.does("0", step{"unlink", given(name), true, nil})
	}
	u.Do("manager.release %s %s 1", u.m, q)
	u.Fails("GONE", "manager.call %s 1000 1 %s qsize - -", u.m, q)
	if got := u.Do("manager.repeat %s 100 1 0 ping %s", u.m, hexOf(t, []any{1})); got != "100" {
		t.Error(got)
	}
}

// TestManagerHosts has each language host a type for each other, by way of a server of each.
func TestManagerHosts(t *testing.T) {
	for _, s := range managing {
		for _, h := range managing {
			for _, c := range managing {
				t.Run(fmt.Sprintf("%s_calls_%s_by_%s", c, h, s), func(t *testing.T) {
					root := newRoot(t)
					server, hosting, calling := peers.Start(t, s, root), peers.Start(t, h, root), peers.Start(t, c, root)
					name, address := serve(server)
					host, u := use(t, hosting, name), use(t, calling, address)
					hosting.Do("manager.host %s", host.m)
					a := u.create("Account", "anna", 5)
					for _, st := range []step{
						{"deposit", given(10), 15, nil},
						{"deposit", given(1, 2), 17, nil},
						{"deposit", given(1), 20, map[string]any{"times": 3}},
						{"deposit", nil, 24, map[string]any{"times": 2, "amount": 2}},
						{"withdraw", given(4), 20, nil},
						{"owner", nil, "anna", nil},
						{"balance", nil, 20, nil},
						{"withdraw", given(21), failed("ValueError"), nil},
						{"deposit", nil, failed("TypeError"), nil},
						{"nothing", nil, failed("AttributeError"), nil},
					} {
						u.hosted(a, st)
					}
					if got := u.answered("manager.call %s 5000 1 %s withdraw %s -", u.m, a, hexOf(t, []any{21})); !strings.HasSuffix(got, " only 20 there") {
						t.Error(got)
					}
					if got := u.answered("manager.call %s 5000 1 %s fail - -", u.m, a); got != "err REMOTE_ERROR RuntimeError t anna failed" {
						t.Error(got)
					}
					if n := hosting.Do("manager.hosted %s", host.m); n != "1" {
						t.Error(n)
					}
					u.Do("manager.release %s %s 1", u.m, a)
					u.Do("manager.call %s 5000 1 0 ping %s -", u.m, hexOf(t, []any{1}))
					host.drops()
					a = u.open("acc", "Account", "ben")
					hosting.Do("manager.close %s", host.m)
					u.Fails("PEER_DIED", "manager.call %s 5000 1 %s owner - -", u.m, a)
					u.Do("manager.close %s", u.m)
					for _, p := range []*peers.Peer{calling, hosting, server} {
						p.Close()
					}
				})
			}
		}
	}
}

// hosted is does for a hosted object, whose failures may have a traceback.
func (u *user) hosted(object string, s step) {
	u.Helper()
	if want, ok := s.want.(failed); ok {
		named := "-"
		if s.named != nil {
			named = hexOf(u, s.named)
		}
		got := u.answered("manager.call %s 5000 1 %s %s %s %s", u.m, object, s.method, u.packed(s.args), named)
		if !strings.HasPrefix(got, "err REMOTE_ERROR "+string(want)+" ") {
			u.Errorf("%s: %s, not %s", s.method, got, want)
		}
		return
	}
	u.does(object, s)
}

func (u *user) answered(format string, args ...any) string {
	u.Helper()
	u.Send(format, args...)
	got, there := u.Answer(peers.Bound)
	if !there {
		u.Fatalf("%s: no answer", u.Language)
	}
	return got
}

// drops waits until a host has no object any more.
func (u *user) drops() {
	u.Helper()
	for range 1000 {
		if u.Do("manager.hosted %s", u.m) == "0" {
			return
		}
	}
	u.Error("the host was not told that nobody has its object any more")
}

// TestManagerCounts has clients of all languages add to one number under each kind of lock.
func TestManagerCounts(t *testing.T) {
	const each, some = 300, 2
	for _, s := range managing {
		t.Run(string(s), func(t *testing.T) {
			root := newRoot(t)
			server := peers.Start(t, s, root)
			name, address := serve(server)
			for _, kind := range []string{"lock", "rlock", "semaphore", "condition"} {
				file := filepath.Join(t.TempDir(), "n")
				if err := os.WriteFile(file, make([]byte, 8), 0o600); err != nil {
					t.Fatal(err)
				}
				var all []*user
				for i := range some * len(managing) {
					u := use(t, peers.Start(t, managing[i/some], root), []string{name, address}[i%2])
					all = append(all, u)
					u.Send("manager.count %s %s %s %d 1", u.m, u.open(kind, kind), file, each)
				}
				for _, u := range all {
					if got, there := u.Answer(3 * peers.Bound); !there || got != "ok" {
						t.Fatal(got)
					}
					u.Close()
				}
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if n := binary.LittleEndian.Uint64(b); n != uint64(each*len(all)) {
					t.Errorf("%s: %d", kind, n)
				}
			}
			server.Close()
		})
	}
}
