// Package member knows which processes take part in a root, and which of them are alive.
//
// A process joins a root once, by taking a slot in the root's file "members". It then has a token,
// which it writes into lock words, and anybody can ask whether the owner of a token is alive. The
// answer comes from the kernel and involves no timer and no process id: each member holds a lock
// on its slot that lasts exactly as long as its address space. docs/spec/members.md has the
// protocol.
package member
