package journal

import (
	bolt "go.etcd.io/bbolt"

	"github.com/polyipc/polyipc/codec"
	"github.com/polyipc/polyipc/runtime/internal/crash"
	"github.com/polyipc/polyipc/runtime/internal/serve"
	"github.com/polyipc/polyipc/runtime/ipcerr"
)

// Commit implements manager.Journal: one transaction. With its end the changes are in the file, whatever dies then; if the disk
// is waited for, on the disk.
func (j *Journal) Commit(changes []serve.Change) error {
	const op = "write journal"
	if j.lost {
		return failure(op, j.file, damaged("what an earlier commit met"))
	}
	err := guard(func() error {
		j.lost = true // if this panics
		err := j.write(changes)
		j.lost = false
		return err
	})
	if err != nil {
		return failure(op, j.file, err)
	}
	return nil
}

// write is Commit, but for panics.
func (j *Journal) write(changes []serve.Change) error {
	tx, err := j.db.Begin(true)
	if err != nil {
		return err
	}
	w := writer{objects: tx.Bucket(bucketObjects), entries: tx.Bucket(bucketEntries), open: map[uint64]*bolt.Bucket{}, heads: map[uint64]codec.Raw{}}
	for i := range changes {
		if err == nil {
			err = w.do(&changes[i])
		}
	}
	if err == nil {
		err = w.writeHeads()
	}
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	crash.Point("journal.commit.changed")
	return j.commit(tx)
}

// commit ends a transaction. It has failed for good only if the page that makes it count was not written.
func (j *Journal) commit(tx *bolt.Tx) error {
	mine := tx.ID()
	err := tx.Commit()
	if err == nil || !noSpace(err) {
		return err
	}
	_ = j.db.View(func(now *bolt.Tx) error {
		if now.ID() >= mine {
			err = &ipcerr.Error{Op: "write journal", Name: j.file, Code: ipcerr.Internal, Hint: "it is not known whether the last changes are on the disk: start the server again", Err: err}
		}
		return nil
	})
	return err
}

// writer makes changes in a transaction.
type writer struct {
	objects, entries *bolt.Bucket
	open             map[uint64]*bolt.Bucket // of entries
	heads            map[uint64]codec.Raw    // to be written at last: they change often
}

func (w *writer) do(c *serve.Change) error {
	number := key(c.Object)
	switch c.What {
	case serve.Make:
		b := codec.AppendText(codec.AppendArray(make([]byte, 4, 64), 3), c.Key)
		return w.objects.Put(number, seal(codec.AppendNil(append(b, c.Value...)), number))
	case serve.Remove:
		delete(w.heads, c.Object)
		if err := w.objects.Delete(number); err != nil {
			return err
		}
		return w.clear(c.Object, number)
	case serve.Head:
		w.heads[c.Object] = c.Value
		return nil
	case serve.Clear:
		return w.clear(c.Object, number)
	}
	b, err := w.bucket(c.Object, number)
	if err != nil {
		return err
	}
	at := key(c.Number)
	if c.What == serve.Delete {
		return b.Delete(at)
	}
	value := append(append(append(make([]byte, 0, 4+len(c.Key)+len(c.Value)), 0, 0, 0, 0), c.Key...), c.Value...)
	return b.Put(at, seal(value, number, at))
}

// bucket is that of an object's entries.
func (w *writer) bucket(object uint64, number []byte) (b *bolt.Bucket, err error) {
	if b = w.open[object]; b != nil {
		return b, nil
	}
	if b, err = w.entries.CreateBucketIfNotExists(number); err == nil {
		b.FillPercent = 0.9 // most entries come at the end, and are not put into pages that are full
		w.open[object] = b
	}
	return b, err
}

func (w *writer) clear(object uint64, number []byte) error {
	delete(w.open, object)
	if w.entries.Bucket(number) == nil {
		return nil
	}
	return w.entries.DeleteBucket(number)
}

// writeHeads puts the last head of each object behind its name and type.
func (w *writer) writeHeads() error {
	for object, head := range w.heads {
		number := key(object)
		record, err := unseal(w.objects.Get(number), number)
		if err != nil {
			return err
		}
		_, rest := codec.Split(record[1:]) // behind the array's head: the name, and the type
		_, rest = codec.Split(rest)
		size := len(record) - len(rest)
		b := append(append(make([]byte, 4, 4+size+len(head)), record[:size]...), head...)
		if err := w.objects.Put(number, seal(b, number)); err != nil {
			return err
		}
	}
	return nil
}
