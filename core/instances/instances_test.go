package instances

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"timbre/core/event"
	"timbre/core/face"
	"timbre/model/tim"
	"timbre/tests/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// process is a host program: it notes which instance each callback came from, by the word given with the call.
type process struct {
	mu   sync.Mutex
	came map[uint64][]int64
	hook func(instance int64, word uint64) // runs inside every callback; may be nil
}

func newProcess() *process { return &process{came: map[uint64][]int64{}} }

// host is the process as one instance sees it.
type host struct {
	*process
	instance int64
}

func (p *process) begin(instance int64) *face.Face {
	return face.New(host{p, instance}, instance)
}

func (h host) Getenv(string) string { return "ws://127.0.0.1:9" }

func (h host) Invoke(_ tim.Callback, _, word uint64, _ []event.Arg) {
	h.mu.Lock()
	h.came[word] = append(h.came[word], h.instance)
	h.mu.Unlock()
	if h.hook != nil {
		h.hook(h.instance, word)
	}
}

func (p *process) of(word uint64) []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.came[word]
}

func outsideOf(instance int64) Caller { return Caller{Current: instance, Within: Nowhere} }

// ask makes a call that calls back with the word, in every state.
func ask(r *Registry, from Caller, word uint64) int64 {
	return r.Call(from, tim.OpTIMSetConfig, []face.Value{{Text: "{}"}, {Num: 1}, {Num: word}})
}

func create(r *Registry) int64 { return r.Call(outsideOf(0), tim.OpTIMExtInstanceCreate, nil) }

func choose(r *Registry, instance int64) int64 {
	return r.Call(outsideOf(0), tim.OpTIMExtInstanceSetCurrent, []face.Value{{Num: uint64(instance)}})
}

func destroy(r *Registry, from Caller, instance int64) int64 {
	return r.Call(from, tim.OpTIMExtInstanceDestroy, []face.Value{{Num: uint64(instance)}})
}

// TestNumbers holds random makings and endings against a set.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, live, last := New(newProcess().begin), map[int64]bool{0: true}, int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				last++
				if got := create(r); got != last {
					t.Fatalf("a new instance is %d, want %d", got, last)
				}
				live[last] = true
			},
			"destroy": func(t *rapid.T) {
				id := rapid.Int64Range(-1, last+1).Draw(t, "instance")
				want := int64(tim.ResultErrParam)
				if id != 0 && live[id] {
					want = tim.ResultSucc
					delete(live, id)
				}
				if got := destroy(r, outsideOf(0), id); got != want {
					t.Fatalf("destroying %d of %d gave %d, want %d", id, last, got, want)
				}
			},
			"": func(t *rapid.T) {
				for id := int64(-1); id <= last+1; id++ {
					if ok := choose(r, id) == tim.ResultSucc; ok != live[id] {
						t.Fatalf("instance %d can be selected: %v, want %v", id, ok, live[id])
					}
				}
			},
		})
	})
}

func TestAThousandBesideTheFirst(t *testing.T) {
	r := New(newProcess().begin)
	for i := range int64(Max) {
		if got := create(r); got != i+1 {
			t.Fatalf("instance %d is %d", i+1, got)
		}
	}
	if got := create(r); got != -1 {
		t.Errorf("one more is %d, want -1", got)
	}
	if got := destroy(r, outsideOf(0), 500); got != tim.ResultSucc {
		t.Errorf("destroying one gave %d", got)
	}
	if got := create(r); got != Max+1 {
		t.Errorf("after one was destroyed the next is %d, want %d", got, Max+1)
	}
}

func TestEachHasItsOwnState(t *testing.T) {
	p := newProcess()
	r := New(p.begin)
	one, two := create(r), create(r)
	dir := t.TempDir()
	config := `{"sdk_config_log_file_path":"` + dir + `","sdk_config_config_file_path":"` + dir + `"}`
	if got := r.Call(outsideOf(one), tim.OpTIMInit, []face.Value{{Num: 1}, {Text: config}}); got != tim.ResultSucc {
		t.Fatalf("TIMInit gave %d", got)
	}
	for i, id := range []int64{0, one, two} {
		word := uint64(10 + i)
		if got := r.Call(outsideOf(id), tim.OpTIMConvGetConvList, []face.Value{{Num: 1}, {Num: word}}); got != tim.ResultSucc {
			t.Errorf("a call of instance %d gave %d", id, got)
		}
	}
	for _, id := range []int64{one, two} {
		if got := destroy(r, outsideOf(0), id); got != tim.ResultSucc {
			t.Errorf("destroying %d gave %d", id, got)
		}
	}
	for i, id := range []int64{one, two} { // their queues have drained, in Destroy
		if got := p.of(uint64(11 + i)); len(got) != 1 || got[0] != id {
			t.Errorf("the call of instance %d called back in %v", id, got)
		}
	}
}

// TestCallsOfADestroyedInstance: each function is refused, and nothing calls back.
func TestCallsOfADestroyedInstance(t *testing.T) {
	p := newProcess()
	r := New(p.begin)
	gone := create(r)
	destroy(r, outsideOf(0), gone)
	answers := map[tim.Op]int64{tim.OpTIMGetLoginStatus: tim.LoginStatusUnLogined, tim.OpTIMGetServerTime: 0,
		tim.OpTIMExtInstanceCreate: gone + 1, tim.OpTIMExtInstanceSetCurrent: tim.ResultErrParam, tim.OpTIMExtInstanceDestroy: tim.ResultErrParam}
	for _, fn := range tim.Functions() {
		args := make([]face.Value, len(fn.Params))
		for i, param := range fn.Params {
			switch param.Kind {
			case tim.KindText:
				args[i].Text = "{}"
			case tim.KindNumber:
				args[i].Num = uint64(gone)
			default:
				args[i].Num, args[i].Out = 7, func(string) { t.Errorf("%s wrote into its buffer", fn.Name) }
			}
		}
		want, known := answers[fn.Op]
		if !known {
			want = tim.ResultErrSDKUninit
		}
		if got := r.Call(outsideOf(gone), fn.Op, args); got != want {
			t.Errorf("%s gave %d, want %d", fn.Name, got, want)
		}
	}
	if got := p.of(7); len(got) != 0 {
		t.Errorf("%d callbacks came from %v", len(got), got)
	}
}

// TestDestroyInsideItsOwnCallback: what waits runs on that very thread before it returns.
func TestDestroyInsideItsOwnCallback(t *testing.T) {
	p := newProcess()
	r := New(p.begin)
	id := create(r)
	over, start := make(chan struct{}), make(chan struct{})
	p.hook = func(instance int64, word uint64) {
		if word != 1 {
			return
		}
		<-start
		inside := Caller{Current: id, Within: instance}
		if got := destroy(r, inside, id); got != tim.ResultSucc {
			t.Errorf("destroying gave %d", got)
		}
		if len(p.of(2)) != 1 || len(p.of(3)) != 1 {
			t.Error("what waited had not run when Destroy returned")
		}
		if got := ask(r, inside, 4); got != tim.ResultErrSDKUninit {
			t.Errorf("a call of the instance that is gone gave %d", got)
		}
		close(over)
	}
	for word := uint64(1); word <= 3; word++ {
		ask(r, outsideOf(id), word)
	}
	close(start)
	<-over
}

// TestDestroyInsideAnothersCallback: callbacks of an instance come one at a time, on its own thread, whoever ends it.
func TestDestroyInsideAnothersCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProcess()
		r := New(p.begin)
		one, two := create(r), create(r)
		release, ended := make(chan struct{}), make(chan struct{})
		p.hook = func(instance int64, word uint64) {
			switch word {
			case 1: // of instance one
				if got := destroy(r, Caller{Current: one, Within: instance}, two); got != tim.ResultSucc {
					t.Errorf("destroying gave %d", got)
				}
				close(ended)
			case 2: // of instance two
				<-release
			}
		}
		ask(r, outsideOf(two), 2)
		ask(r, outsideOf(two), 3)
		ask(r, outsideOf(one), 1)
		synctest.Wait()
		if len(p.of(3)) != 0 {
			t.Error("a second callback ran beside the first")
		}
		close(release)
		<-ended
		if len(p.of(3)) != 1 {
			t.Error("the second callback had not run when Destroy returned")
		}
	})
}

// TestTwoEndEachOther: each inside its own callback. Both give up waiting in the end.
func TestTwoEndEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProcess()
		r := New(p.begin)
		one, two := create(r), create(r)
		var both, done sync.WaitGroup
		both.Add(2)
		done.Add(2)
		p.hook = func(instance int64, word uint64) {
			both.Done()
			both.Wait()
			if got := destroy(r, Caller{Current: instance, Within: instance}, one+two-instance); got != tim.ResultSucc {
				t.Errorf("destroying gave %d", got)
			}
			done.Done()
		}
		ask(r, outsideOf(one), 1)
		ask(r, outsideOf(two), 2)
		done.Wait()
	})
}

// TestUnderLoad: many threads call instances that others make and destroy. What was accepted calls back once, in its own
// instance, before Destroy returns; what was refused never.
func TestUnderLoad(t *testing.T) {
	const threads, each = 8, 300
	p := newProcess()
	r := New(p.begin)
	var accepted sync.Map // word: instance
	var wg sync.WaitGroup
	newest := func() int64 {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return r.last
	}
	for thread := range threads {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(thread), 1))
			for i := range each {
				word := uint64(thread*each + i + 1)
				id := max(newest()-random.Int64N(6), 1)
				switch random.IntN(12) {
				case 0:
					create(r)
				case 1:
					destroy(r, outsideOf(0), id)
				default:
					if ask(r, outsideOf(id), word) == tim.ResultSucc {
						accepted.Store(word, id)
					}
				}
			}
		})
	}
	wg.Wait()
	for id := range newest() + 1 {
		destroy(r, outsideOf(0), id)
	}
	calls := 0
	for word := uint64(1); word <= threads*each; word++ {
		got := p.of(word)
		id, ok := accepted.Load(word)
		switch {
		case !ok && len(got) != 0:
			t.Errorf("a refused call called back in %v", got)
		case ok && (len(got) != 1 || got[0] != id):
			t.Errorf("a call of instance %d called back in %v", id, got)
		case ok:
			calls++
		}
	}
	if calls < threads*each/10 {
		t.Errorf("only %d calls were accepted: this tests nothing", calls)
	}
}
