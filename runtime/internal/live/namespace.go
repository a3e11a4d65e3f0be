package live

import (
	"github.com/polyipc/polyipc/codec"
)

// A namespace is a dict whose keys are text, with the methods and exceptions of an object's attributes.
var _ = define("namespace", "**named", newNamespace, map[string]*method{
	"get":             onName("name", (*dict).getItem),
	"set":             onName("name, value", (*dict).set),
	"delete":          onName("name", (*dict).delete),
	"contains":        onName("name", (*dict).contains),
	"names":           on("", (*dict).keys),
	"copy":            on("", (*dict).copy),
	"increment":       onName("name, by=", (*dict).increment),
	"compare_and_set": onName("name, expected, value", (*dict).compareAndSet),
	"update":          on("**named", (*dict).update),
})

// onName is on for a method whose first argument is a name.
func onName(params string, f func(d *dict, c call) (codec.Raw, error)) *method {
	return on(params, func(d *dict, c call) (codec.Raw, error) {
		if codec.HeadOf(c.args[0]).Kind != codec.KindStr {
			return nil, c.wrongType("name", "text", c.args[0])
		}
		return f(d, c)
	})
}

func newNamespace(t *class, c call) (Object, error) {
	d := emptyDict(t, c.Room, "AttributeError")
	_, err := d.update(c)
	return d, err
}
