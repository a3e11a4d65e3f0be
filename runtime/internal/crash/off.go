//go:build !crash

// Package crash names the places where a process may die and leave something behind that another
// has to repair. Tests build with the tag "crash" and kill the process there; without the tag the
// calls vanish.
//
// Names are package.verb.where. tests/chaos reads them out of the source and fails when one of them
// is not exercised.
package crash

// Enabled reports whether the crash points are compiled in.
const Enabled = false

// Point marks a place to die. It does nothing in a normal build.
func Point(string) {}
