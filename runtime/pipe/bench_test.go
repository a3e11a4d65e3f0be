package pipe

import "testing"

func BenchmarkSendRecv(b *testing.B) {
	p, q := pair(b, Options{})
	body := make([]byte, 64)
	for b.Loop() {
		_ = p.TrySend(body, Raw)
		_, _, _ = q.TryRecvInto(body)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	p := alone(b, Options{})
	child(b, p, "echo")
	body := make([]byte, 64)
	for b.Loop() {
		if err := p.Send(ctx, body, Raw); err != nil {
			b.Fatal(err)
		}
		if _, _, err := p.RecvInto(ctx, body); err != nil {
			b.Fatal(err)
		}
	}
}
