package cross

import (
	"os"
	"strings"
)

func init() {
	scenarios = append(scenarios, scenario{"references", references}, scenario{"reference_gone", referenceGone},
		scenario{"references_to_memory_and_pipes", referencesToMemoryAndPipes})
}

// references sends anonymous objects of every kind that the sender lets go of before they are received.
func references(p *pair) {
	p.queue(0, 0)
	qa, qb := p.qa, p.qb
	inner := p.a.Do("create - 0 0 -")
	p.a.Do("put %s -1 x0102", inner)
	objects := []string{"queue." + inner}
	kinds := strings.Fields("lock rlock semaphore bounded_semaphore condition event barrier rwlock")
	values := map[string]int{"semaphore": 3, "bounded_semaphore": 4, "barrier": 2}
	for _, kind := range kinds {
		objects = append(objects, "sync."+p.a.Do("sync.create %s - %d -", kind, values[kind]))
	}
	p.a.Do("sync.set %s", strings.TrimPrefix(objects[6], "sync."))
	p.a.Do("ref.put %s -1 %s", qa, strings.Join(objects, " "))
	p.a.Do("ref.put %s -1 %s", qa, objects[0])
	for _, o := range objects {
		noun, n, _ := strings.Cut(o, ".")
		p.a.Do("%s %s", map[string]string{"queue": "close", "sync": "sync.close"}[noun], n)
	}
	got := strings.Fields(p.b.Do("ref.get %s -1", qb))
	if len(got) != len(objects) {
		p.Fatalf("sent %v, got %v", objects, got)
	}
	p.says(p.b, "x0102", "get %s 0", strings.TrimPrefix(got[0], "queue."))
	numbers := map[string]string{}
	for i, kind := range kinds {
		numbers[kind] = strings.TrimPrefix(got[1+i], "sync.")
	}
	p.says(p.b, "1", "sync.is_set %s", numbers["event"])
	p.says(p.b, "3", "sync.value %s", numbers["semaphore"])
	p.says(p.b, "4", "sync.value %s", numbers["bounded_semaphore"])
	p.says(p.b, "0", "sync.acquire %s 0", numbers["lock"])
	p.says(p.b, "", "sync.release %s 1", numbers["lock"])
	again := p.b.Do("ref.get %s -1", qb)
	p.says(p.b, "0", "size %s", strings.TrimPrefix(again, "queue."))
	for _, o := range append(got, again) {
		noun, n, _ := strings.Cut(o, ".")
		p.b.Do("%s %s", map[string]string{"queue": "close", "sync": "sync.close"}[noun], n)
	}
}

// referenceGone sends what is removed by hand before it is received.
func referenceGone(p *pair) {
	p.queue(0, 0)
	qa, qb := p.qa, p.qb
	inner := p.a.Do("create - 0 0 -")
	name := p.a.Do("name %s", inner)
	p.a.Do("ref.put %s -1 queue.%s", qa, inner)
	p.a.Do("close %s", inner)
	for file := range strings.FieldsSeq(files(p, p.root)) {
		if file == name || strings.Contains(file, ".o") {
			if err := os.Remove(p.root + "/" + file); err != nil {
				p.Fatal(err)
			}
		}
	}
	p.b.Fails("GONE", "ref.get %s -1", qb)
}

// referencesToMemoryAndPipes sends a segment and an end of a pipe, which the sender lets go of at once.
func referencesToMemoryAndPipes(p *pair) {
	p.queue(0, 0)
	memory := p.a.Do("segment.create - 0 0 <q 8 t")
	p.a.Do("segment.write %s 8 0700000000000000", memory)
	ends := strings.Fields(p.a.Do("pipe.pair - 0 t"))
	p.a.Do("ref.put %s -1 segment.%s pipe.%s", p.qa, memory, ends[1])
	p.a.Do("segment.close %s", memory)
	p.a.Do("pipe.close %s", ends[1])
	p.says(p.a, "0", "pipe.poll %s 0", ends[0]) // no end of file
	got := strings.Fields(p.b.Do("ref.get %s -1", p.qb))
	segment, end := strings.TrimPrefix(got[0], "segment."), strings.TrimPrefix(got[1], "pipe.")
	p.says(p.b, "x0700000000000000", "segment.read %s 8 8", segment)
	p.a.Do("pipe.send %s -1 x0102", ends[0])
	p.says(p.b, "x0102", "pipe.recv %s -1", end)
	p.b.Do("pipe.close %s", end)
	p.b.Do("segment.close %s", segment)
	p.fails(p.a, "END_OF_FILE", "pipe.recv %s -1", ends[0])
	p.a.Do("pipe.close %s", ends[0])
}
