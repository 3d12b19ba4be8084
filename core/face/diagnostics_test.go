package face

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"timbre/core/event"
	"timbre/model/tim"
)

// diagnose asks for the diagnostics and returns the code and the object.
func diagnose(t testing.TB, f *Face, host *counter) (int32, map[string]any) {
	t.Helper()
	const word = 77
	if r := f.Call(tim.OpTIMExtGetDiagnostics, arguments(tim.OpTIMExtGetDiagnostics.Function(), word), false); r != tim.ResultSucc {
		t.Fatalf("returned %d", r)
	}
	f.queue.Idle()
	host.mu.Lock()
	defer host.mu.Unlock()
	var v map[string]any
	if text := host.text[word]; text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	return host.code[word], v
}

func TestDiagnosticsInEachState(t *testing.T) {
	noServer(t)
	host := newCounter(t)
	f := New(host, 3)
	if code, v := diagnose(t, f, host); code != tim.ErrSDKNotInitialized || v != nil {
		t.Errorf("before TIMInit: %d %v", code, v)
	}
	start(t, f, t.TempDir())
	code, v := diagnose(t, f, host)
	want := []string{tim.KeyExtDiagnosticsConnection, tim.KeyExtDiagnosticsDispatcher, tim.KeyExtDiagnosticsInstance,
		tim.KeyExtDiagnosticsLoginState, tim.KeyExtDiagnosticsProcess, tim.KeyExtDiagnosticsUser, tim.KeyExtDiagnosticsVersion}
	if got := slices.Sorted(maps.Keys(v)); code != 0 || !slices.Equal(got, want) {
		t.Errorf("after TIMInit: %d with %v", code, got)
	}
	if v[tim.KeyExtDiagnosticsInstance] != 3.0 || v[tim.KeyExtDiagnosticsUser] != "" || v[tim.KeyExtDiagnosticsLoginState] != float64(tim.LoginStatusUnLogined) {
		t.Errorf("after TIMInit: %v", v)
	}
	link := v[tim.KeyExtDiagnosticsConnection].(map[string]any)
	if link[tim.KeyExtDiagnosticsConnectionServer] != "127.0.0.1:9" {
		t.Errorf("the connection: %v", link)
	}
	if err := f.current().OpenCache("alice"); err != nil {
		t.Fatal(err)
	}
	if _, v = diagnose(t, f, host); v[tim.KeyExtDiagnosticsUser] != "alice" || len(v) != len(want)+4 {
		t.Errorf("with a database: %v", v)
	}
	db := v[tim.KeyExtDiagnosticsDatabase].(map[string]any)
	if db[tim.KeyExtDiagnosticsDatabaseBytes].(float64) == 0 || db[tim.KeyExtDiagnosticsDatabaseCommits].(float64) == 0 {
		t.Errorf("the database: %v", db)
	}
	f.Call(tim.OpTIMUninit, nil, false)
	if code, _ := diagnose(t, f, host); code != tim.ErrSDKNotInitialized {
		t.Errorf("after TIMUninit: %d", code)
	}
}

// dawdler is a host whose callbacks take a while.
type dawdler struct {
	takes map[uint64]time.Duration // by user data
	seen  []string
	face  *Face
}

func (*dawdler) Getenv(string) string { return "" }

func (d *dawdler) Invoke(_ tim.Callback, _, userData uint64, _ []event.Arg) {
	time.Sleep(d.takes[userData])
	d.seen = append(d.seen, d.face.callbacks.running)
}

func TestSlowCallbacksAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := &dawdler{takes: map[uint64]time.Duration{1: 99 * time.Millisecond, 2: 100 * time.Millisecond, 3: 300 * time.Millisecond, 4: 200 * time.Millisecond}}
		f := New(host, 0)
		host.face = f
		for word, op := range map[uint64]tim.Op{1: tim.OpTIMSetConfig, 2: tim.OpTIMSetConfig, 3: tim.OpTIMLogin, 4: tim.OpTIMSetConfig} {
			texts := []string{"{}"}
			if op == tim.OpTIMLogin {
				texts = []string{"alice", "ticket"}
			}
			f.Call(op, arguments(op.Function(), word, texts...), false)
		}
		f.queue.Idle()
		got := f.dispatcherFigures(f.queue.Stats())
		have := map[string]any{}
		for _, it := range got {
			have[it.key] = it.value
		}
		for key, want := range map[string]any{tim.KeyExtDiagnosticsDispatcherSlow: uint64(3), tim.KeyExtDiagnosticsDispatcherSlowest: "TIMLogin",
			tim.KeyExtDiagnosticsDispatcherSlowestMs: int64(300), tim.KeyExtDiagnosticsDispatcherCallbacks: uint64(4),
			tim.KeyExtDiagnosticsDispatcherRunning: ""} {
			if have[key] != want {
				t.Errorf("%s is %v, want %v", key, have[key], want)
			}
		}
		slices.Sort(host.seen)
		if list := strings.Join(host.seen, " "); list != "TIMLogin TIMSetConfig TIMSetConfig TIMSetConfig" {
			t.Errorf("the callbacks that ran knew themselves as %s", list)
		}
	})
}

// BenchmarkDiagnostics is one call with a database open, without its callback.
func BenchmarkDiagnostics(b *testing.B) {
	noServer(b)
	host := newCounter(b)
	f := New(host, 0)
	start(b, f, b.TempDir())
	defer f.Call(tim.OpTIMUninit, nil, false)
	cl := f.current()
	if err := cl.OpenCache("alice"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.diagnostics(cl)
	}
}
