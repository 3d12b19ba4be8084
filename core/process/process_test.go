package process

import (
	"os"
	"testing"
)

func TestNow(t *testing.T) {
	before := Now()
	if before.Goroutines < 2 || before.Threads < 1 || before.Heap == 0 || before.Memory < before.Heap {
		t.Errorf("%+v", before)
	}
	stop := make(chan struct{})
	defer close(stop)
	for range 100 {
		go func() { <-stop }()
	}
	ballast := make([]byte, 8<<20)
	ballast[len(ballast)-1] = 1
	if after := Now(); after.Goroutines < before.Goroutines+100 || after.Heap+after.Memory <= before.Heap+before.Memory {
		t.Errorf("%+v, before %+v", after, before)
	}
	_ = ballast[0]
}

func TestOpenFiles(t *testing.T) {
	before := Now().Files
	if before == 0 {
		t.Skip("this system does not say")
	}
	for range 5 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if n := Now().Files; n != before+5 {
		t.Errorf("%d files, before 5 were opened %d", n, before)
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		Now()
	}
}
