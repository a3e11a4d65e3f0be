// Package shm makes, opens, closes and removes the files of a root: objects, which have a name and
// users, and parts, which belong to an object.
//
// Who uses an object is counted by the kernel: each user has a file description of its own with a
// shared lock (F_OFD_SETLK) on byte 0 of the object's file. A fork passes the reference on, a
// death drops it. An exclusive lock on byte 0 is taken only on transient objects, only through a
// description made for the purpose, and its holder removes the file. Whoever takes a file's name
// away holds an exclusive lock on byte 1 while it does. docs/spec/layout.md has the protocol,
// with the reasons.
//
// Nothing here waits for others much longer than Patience, and nothing leaves a half-made file under a name,
// whenever the process dies.
package shm
