package layout

import (
	"reflect"
	"strings"
	"testing"
)

// TestSpecOfFiles holds the tables of layout.md and members.md against Header and Slot.
func TestSpecOfFiles(t *testing.T) {
	for _, c := range []struct {
		file, heading string
		of            reflect.Type
		names         map[string]string // field to name in the table, where they differ
	}{
		{"layout.md", "## Common header", reflect.TypeFor[Header](), map[string]string{"DataOff": "data", "_": "zero"}},
		{"members.md", "## Slot", reflect.TypeFor[Slot](), map[string]string{"StartTicks": "start", "PidNS": "namespace", "_": "zero"}},
	} {
		rows := specRows(t, c.file, c.heading)
		for i := range c.of.NumField() {
			f := c.of.Field(i)
			name := c.names[f.Name]
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			row, ok := rows[name]
			if !ok || row.offset != f.Offset || row.size != f.Type.Size() {
				t.Errorf("%s: %q is %+v, but the field is at %d with %d bytes", c.file, name, row, f.Offset, f.Type.Size())
			}
			delete(rows, name)
		}
		for name := range rows {
			t.Errorf("%s: %s is no field of %s", c.file, name, c.of.Name())
		}
	}
}
