package live

import (
	"slices"

	"github.com/polyipc/polyipc/codec"
)

// watchers are who is told of an object's changes.
type watchers struct{ all []Watcher }

// Watch makes w hear of each change from now on.
func (ws *watchers) Watch(w Watcher) { ws.all = append(ws.all, w) }

// Unwatch ends that.
func (ws *watchers) Unwatch(w Watcher) {
	if i := slices.Index(ws.all, w); i >= 0 {
		ws.all = slices.Delete(ws.all, i, i+1)
	}
}

// watched reports whether a change is worth the words.
func (ws *watchers) watched() bool { return len(ws.all) > 0 }

// changed tells of a change.
func (ws *watchers) changed(shared bool, what string, values ...codec.Raw) {
	if !ws.watched() {
		return
	}
	change := event(what, values...)
	for _, w := range ws.all {
		w.Changed(change, shared)
	}
}
