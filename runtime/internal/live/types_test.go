package live

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// The types and methods are those of the contract, all of them.
func TestTypesAsSpecified(t *testing.T) {
	spec, err := os.ReadFile("../../../docs/spec/manager.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(spec), "\n## Objects\n")
	text, _, _ = strings.Cut(text, "\n## ")
	// A paragraph, with the table that may follow, for each type or two: **dict** (...): ...
	var found []string
	for _, part := range strings.Split(text, "\n**")[1:] {
		names, rest, _ := strings.Cut(part, "**")
		for name := range strings.SplitSeq(names, ", ") {
			found = append(found, name)
			for method := range types[name].methods {
				if !regexp.MustCompile(`[^a-z_]` + method + "[(`,]").MatchString(rest) {
					t.Errorf("%s.%s is not in the contract", name, method)
				}
			}
		}
		// What is written like a call is a method of the first of them, at least.
		for _, m := range regexp.MustCompile("`([a-z_]+)\\(").FindAllStringSubmatch(rest, -1) {
			if !slices.ContainsFunc(strings.Split(names, ", "), func(name string) bool { return types[name].methods[m[1]] != nil }) {
				t.Errorf("%s.%s is in the contract only", names, m[1])
			}
		}
	}
	slices.Sort(found)
	var ours []string
	for name, methods := range Types() {
		ours = append(ours, name)
		if len(methods) == 0 || !slices.IsSorted(methods) {
			t.Errorf("%s: %v", name, methods)
		}
	}
	slices.Sort(ours)
	if !slices.Equal(found, ours) {
		t.Errorf("the contract has %v, we have %v", found, ours)
	}
}

func TestNewRefuses(t *testing.T) {
	c := newHall(t).caller()
	if _, err := New("dictionary", c.request("")); ipcerr.CodeOf(err) != ipcerr.NotFound {
		t.Error(err)
	}
	for _, s := range []step{
		{"dict", a(1), "TypeError"}, {"list", a(1), "TypeError"}, {"list", a([]any{}, 2), "TypeError"}, {"set", a([]any{map[string]any{}}), "TypeError"},
		{"namespace", a(map[string]any{}), "TypeError"}, {"queue", a("x"), "TypeError"}, {"lock", a(1), "TypeError"}, {"barrier", nil, "TypeError"},
		{"barrier", a(2, -1, 0), "TypeError"}, {"condition", a(5), "GONE"}, {"condition", a(c.h.ref("event")), "TypeError"},
		{"condition", a(named{"loc", 1}), "TypeError"}, {"counter", a(1.5), "TypeError"}, {"bounded_semaphore", a(-1), "ValueError"},
		{"dict", a([]any{[]any{1, c.h.ref("x")}, []any{2, c.h.ref("y")}}, named{"entries", 1}), "made"},
	} {
		o, err := New(s.method, c.request("", s.args...))
		got := "made"
		if err != nil {
			got = text(t, nil, err)
		} else {
			o.Drop()
		}
		if got != s.want {
			t.Errorf("%s%v: %s, want %s", s.method, s.args, got, s.want)
		}
	}
	if c.h.all() != 0 {
		t.Error("what was not made keeps", c.h.kept)
	}
}
