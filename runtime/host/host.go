// Package host is for a library that holds this runtime in a foreign process, as libpolyipc.so does. A
// Go program has no use for it.
package host

import (
	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/handover"
	"github.com/polyipc/polyipc/runtime/internal/member"
	"github.com/polyipc/polyipc/runtime/internal/object"
	"github.com/polyipc/polyipc/runtime/internal/park"
	"github.com/polyipc/polyipc/runtime/internal/shm"
)

// Inherited is what a forked child needs to go on using an object under its own identity. The
// mapping and the descriptor are the ones that it inherited. Every noun has Inherit and Adopt for it.
type Inherited = object.Inherited

// TrackDescriptors tells a library that survives forks of the descriptors which a forked child
// must close, since they would lie about it: all but those that an Inherit told of.
// forks counts the forks begun: a descriptor that was opened while one began is opened again.
func TrackDescriptors(f func(fd int, open bool), forks func() uint64) {
	member.OnDescriptor, shm.OnDescriptor, shm.Forks = f, f, forks
}

// SetLanguage names the language of the host program in the root's registry, for operators.
func SetLanguage(s string) { member.Language = s }

// HandoverState says which of the descriptors that this process was started with are still held for it. A forked child
// must know what its parent knew: KeepHandover says where it lies.
type HandoverState = handover.State

// KeepHandover must be called before anything is taken.
func KeepHandover(s *HandoverState) { handover.KeepIn(s) }

// ReadHandover says how to read the variable with what was handed over, as it is now.
func ReadHandover(read func() string) { handover.Environment = read }

// Alone reports whether spinning can only keep the other side from running.
func Alone() bool { return park.Alone() }

// Crash is a crash point of the C library. It does nothing in a normal build.
func Crash(point string) { crash.Point(point) }

// Return gives up the objects that came with a message and were not opened; see codec.Ref.
func Return(receipt uint32) { object.Return(receipt) }
