// Package journal is a file in which a manager's server keeps the objects that have a name, so that they outlive it:
//
//	j, err := journal.Open("scores.data", journal.Options{})
//	server, err := manager.Serve("scores", manager.Options{Journal: j})
//
// The file is one of bbolt, a B+tree whose pages are never overwritten while they are in use: a commit writes new ones, and
// then one page that names them. So whatever dies in the middle leaves the last commit whole. docs/spec/manager-data.md says what
// is in it, and what a write promises.
//
// It is for Go programs, polyipc manager --data among them. libpolyipc.so does not have it.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"runtime/debug"
	"strings"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Options of a journal.
type Options struct {
	// NoSync: a commit is in the file when it ends, but perhaps not on the disk yet. Then no death of the server loses anything, but
	// a power cut, or a crash of the system, can lose all.
	NoSync bool
}

// Journal implements manager.Journal.
type Journal struct {
	file  string
	db    *bolt.DB
	waits bool

	opened *os.File // db's
	lost   bool     // a commit panicked, and has db's lock for ever
}

// version is that of what is in the file.
const version = 1

// The buckets, and the key of the version.
var (
	bucketFormat  = []byte("polyipc manager")
	bucketObjects = []byte("objects")
	bucketEntries = []byte("entries")
	keyVersion    = []byte("version")
)

const op = "open journal"

// Open opens a file, or makes it. Only one process can have it open.
//
// ipcerr.Exists if another one has it; ipcerr.Corrupt for a file that is damaged or cut off, or no journal; ipcerr.Version for that of
// a newer polyipc; ipcerr.Denied, ipcerr.NotFound for its directory, ipcerr.NoSpace, ipcerr.Invalid.
func Open(file string, o Options) (*Journal, error) {
	if err := create(file); err != nil {
		return nil, err
	}
	j := &Journal{file: file, waits: !o.NoSync}
	err := guard(func() (err error) {
		j.db, err = bolt.Open(file, mode, &bolt.Options{
			NoSync: o.NoSync, NoGrowSync: o.NoSync, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
			OpenFile: func(string, int, os.FileMode) (f *os.File, err error) {
				j.opened, err = openChecked(file)
				return j.opened, err
			},
		})
		if err != nil {
			return err
		}
		return j.checkVersion()
	})
	if err != nil {
		if j.db != nil {
			_ = guard(j.db.Close)
		}
		if j.opened != nil {
			_ = j.giveUp() // whatever bbolt has done with it
		}
		return nil, failure(op, file, err)
	}
	return j, nil
}

func (j *Journal) checkVersion() error {
	return j.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketFormat)
		if b == nil || tx.Bucket(bucketObjects) == nil || tx.Bucket(bucketEntries) == nil {
			return &ipcerr.Error{Op: op, Name: j.file, Code: ipcerr.Corrupt, Hint: "it is a file of bbolt, but no journal: give another file"}
		}
		var s codec.Scanner
		s.Reset(b.Get(keyVersion))
		switch n, err := s.Uint(); {
		case err != nil:
			return err
		case n > version:
			return &ipcerr.Error{Op: op, Name: j.file, Code: ipcerr.Version,
				Hint: fmt.Sprintf("it is of version %d, and this polyipc knows %d: use the newer polyipc that made it, or another file", n, version)}
		}
		return nil
	})
}

// initialise puts into a new file what each has.
func initialise(tx *bolt.Tx) error {
	for _, name := range [][]byte{bucketFormat, bucketObjects, bucketEntries} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketFormat).Put(keyVersion, codec.AppendUint(nil, version))
}

// Waits implements manager.Journal.
func (j *Journal) Waits() bool { return j.waits }

// Stat implements manager.Journal.
func (j *Journal) Stat() (file string, size int64) {
	info, err := os.Stat(j.file)
	if err != nil {
		return j.file, 0
	}
	return j.file, info.Size()
}

// Close closes the file.
func (j *Journal) Close() error {
	closer := j.db.Close
	if j.lost {
		closer = j.giveUp
	}
	if err := closer(); err != nil {
		return failure("close journal", j.file, err)
	}
	return nil
}

// giveUp closes the file without bbolt. The mapping that stays has the description, and with it the lock, if nobody unlocks it.
func (j *Journal) giveUp() error {
	_ = unlock(j.opened)
	return j.opened.Close()
}

// Load implements manager.Journal.
func (j *Journal) Load(numbers []uint64, each func(serve.Kept) error) error {
	err := guard(func() error {
		return j.db.View(func(tx *bolt.Tx) error {
			objects, entries := tx.Bucket(bucketObjects), tx.Bucket(bucketEntries)
			if numbers == nil {
				return objects.ForEach(func(key, record []byte) error { return load(entries, key, record, each) })
			}
			for _, n := range numbers {
				if record := objects.Get(key(n)); record != nil {
					if err := load(entries, key(n), record, each); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return failure("read journal", j.file, err)
	}
	return nil
}

// load reads an object.
func load(all *bolt.Bucket, number, record []byte, each func(serve.Kept) error) error {
	o := serve.Kept{}
	if len(number) != 8 {
		return damaged("the number of an object")
	}
	o.Number = binary.BigEndian.Uint64(number)
	record, err := unseal(record, number)
	if err != nil {
		return err
	}
	var s codec.Scanner
	s.Reset(record)
	n, err := s.Array()
	if err != nil || n != 3 {
		return damaged("an object")
	}
	name, err := s.Text()
	if err != nil {
		return err
	}
	typ, err := s.Text()
	if err != nil {
		return err
	}
	if o.Head, err = s.Value(); err != nil {
		return err
	}
	o.Name, o.Type = string(name), string(typ)
	var bad error
	entries := all.Bucket(number)
	o.Entries = func(yield func(uint64, []byte) bool) {
		if entries == nil {
			return
		}
		c := entries.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if len(k) != 8 {
				bad = damaged("the number of an entry")
				return
			}
			var b []byte
			if b, bad = unseal(v, number, k); bad != nil || !yield(binary.BigEndian.Uint64(k), b) {
				return
			}
		}
	}
	if err := each(o); err != nil && bad == nil {
		return err
	}
	return bad
}

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// What is in the file has a checksum over it and its keys, since pages have none.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte, keys ...[]byte) (sum uint32) {
	for _, k := range keys {
		sum = crc32.Update(sum, castagnoli, k)
	}
	return crc32.Update(sum, castagnoli, b)
}

// seal puts the checksum into the first four bytes of b.
func seal(b []byte, keys ...[]byte) []byte {
	binary.BigEndian.PutUint32(b, checksum(b[4:], keys...))
	return b
}

// unseal takes it off.
func unseal(b []byte, keys ...[]byte) ([]byte, error) {
	if len(b) < 5 || binary.BigEndian.Uint32(b) != checksum(b[4:], keys...) {
		return nil, damaged("a checksum")
	}
	return b[4:], nil
}

func damaged(what string) error {
	return &ipcerr.Error{Op: "read journal", Code: ipcerr.Corrupt, Hint: what + " does not fit what is there"}
}

// guard makes errors of the panics of reading what is damaged, or cut off under way.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(fmt.Sprint(r))
		}
	}()
	return do()
}

// failure is an error with the file's name and a cure.
func failure(op, file string, err error) error {
	var ours *ipcerr.Error
	if errors.As(err, &ours) {
		named := *ours
		if named.Name != file {
			named.Hint = strings.TrimPrefix(fmt.Sprintf("%s %q: %s", named.Op, named.Name, named.Hint), `"": `)
		}
		if named.Op, named.Name = op, file; named.Code == ipcerr.Corrupt {
			named.Hint += "; bring back a copy of the file, or give another one"
		}
		return &named
	}
	code, hint := ipcerr.Internal, "the disk, or the filesystem, failed: look into the system's log"
	switch {
	case noSpace(err):
		code, hint = ipcerr.NoSpace, "make room on its disk, or raise what limits it: a quota, ulimit -f"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		code, hint = ipcerr.Denied, "this user may not read and write it, or its directory: change the permission, or give another file"
	case errors.Is(err, unix.EROFS):
		code, hint = ipcerr.Denied, "its filesystem is mounted read-only: mount it writable, or give another file"
	case errors.Is(err, unix.ENOENT):
		code, hint = ipcerr.NotFound, "its directory does not exist: make it first"
	case errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENOTDIR):
		code, hint = ipcerr.Invalid, "it is a directory, or lies in what is none: give a file"
	}
	return &ipcerr.Error{Op: op, Name: file, Code: code, Hint: hint, Err: err}
}

// noSpace looks at the text, since bbolt does not wrap all errors.
func noSpace(err error) bool {
	for _, no := range []unix.Errno{unix.ENOSPC, unix.EDQUOT, unix.EFBIG} {
		if strings.HasSuffix(err.Error(), no.Error()) {
			return true
		}
	}
	return false
}
