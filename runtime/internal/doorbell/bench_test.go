package doorbell

import "testing"

// BenchmarkRing is what a put costs its producer beside one loop that sleeps, and the loop the take that empties the jar.
func BenchmarkRing(b *testing.B) {
	root := newRoot(b)
	loop, producer := openJar(b, root, "jar"), openJar(b, root, "jar")
	loop.fd(b)
	for b.Loop() {
		producer.put()
		if err := loop.take(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnarmed is the same without a loop.
func BenchmarkUnarmed(b *testing.B) {
	root := newRoot(b)
	consumer, producer := openJar(b, root, "jar"), openJar(b, root, "jar")
	for b.Loop() {
		producer.put()
		if err := consumer.take(); err != nil {
			b.Fatal(err)
		}
	}
}
