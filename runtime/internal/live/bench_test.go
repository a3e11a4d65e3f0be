package live

import (
	"fmt"
	"testing"
)

func BenchmarkDict(b *testing.B) {
	c := newHall(b).caller()
	for _, s := range []step{
		{"set", a("key-500", 12345), ""},
		{"get", a("key-500"), ""},
		{"increment", a("count"), ""},
	} {
		b.Run(s.method, func(b *testing.B) {
			d := c.make("dict")
			for i := range 1000 {
				c.do(d, "set", fmt.Sprintf("key-%d", i), i)
			}
			r := c.request(s.method, s.args...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Call(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkListAppendPop(b *testing.B) {
	c := newHall(b).caller()
	l := c.make("list")
	in, out := c.request("append", "a value"), c.request("pop")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = l.Call(in)
		_, _ = l.Call(out)
	}
}
