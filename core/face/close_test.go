package face

import (
	"path/filepath"
	"runtime"
	"testing"

	"timbre/core/event"
	"timbre/model/tim"
)

// TestCloseIsForGood: with a client or without one, what was asked calls back before Close returns; nothing is accepted
// afterwards.
func TestCloseIsForGood(t *testing.T) {
	noServer(t)
	for _, begun := range []bool{false, true} {
		host := newCounter(t)
		f := New(host, 1)
		if begun {
			start(t, f, t.TempDir())
		}
		ask := func(word uint64) int64 {
			return f.Call(tim.OpTIMConvGetConvList, arguments(tim.OpTIMConvGetConvList.Function(), word), false)
		}
		if got := ask(1); got != tim.ResultSucc {
			t.Fatalf("a call gave %d", got)
		}
		f.Close(false)
		if got := host.count(1, 0); got != 1 {
			t.Errorf("when Close returned the call had called back %d times", got)
		}
		if got := ask(2); got != tim.ResultErrSDKUninit {
			t.Errorf("a call after Close gave %d", got)
		}
		if got := f.Call(tim.OpTIMInit, []Value{{Num: 1}, {Null: true}}, false); got != tim.ResultErrSDKUninit {
			t.Errorf("TIMInit after Close gave %d", got)
		}
		f.Close(false)
		f.queue.Idle()
		if got := host.count(2, 0); got != 0 {
			t.Errorf("a refused call called back %d times", got)
		}
	}
}

// hooked is a host that does something inside the callback of one word.
type hooked struct {
	*counter
	word uint64
	hook func()
}

func (h *hooked) Invoke(cb tim.Callback, fn, word uint64, args []event.Arg) {
	h.counter.Invoke(cb, fn, word, args)
	if word == h.word {
		h.hook()
	}
}

func (f *Face) isLeaving() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.leaving
}

// TestCloseInsideUninit: a callback that TIMUninit waits for closes the face. TIMUninit still answers everything, and then
// the face is closed.
func TestCloseInsideUninit(t *testing.T) {
	noServer(t)
	host := &hooked{counter: newCounter(t), word: 1}
	f := New(host, 1)
	start(t, f, t.TempDir())
	leaving := make(chan struct{})
	host.hook = func() {
		<-leaving
		f.Close(true)
	}
	for word := uint64(1); word <= 3; word++ {
		f.Call(tim.OpTIMConvGetConvList, arguments(tim.OpTIMConvGetConvList.Function(), word), false)
	}
	ended := make(chan struct{})
	go func() {
		f.Call(tim.OpTIMUninit, nil, false)
		close(ended)
	}()
	for !f.isLeaving() {
		runtime.Gosched()
	}
	close(leaving)
	<-ended
	for word := uint64(1); word <= 3; word++ {
		if got := host.count(word, 0); got != 1 {
			t.Errorf("call %d called back %d times", word, got)
		}
	}
	if got := f.Call(tim.OpTIMConvGetConvList, arguments(tim.OpTIMConvGetConvList.Function(), 4), false); got != tim.ResultErrSDKUninit {
		t.Errorf("a call afterwards gave %d", got)
	}
}

// TestInstancesShareALogFolder: each in files of its own.
func TestInstancesShareALogFolder(t *testing.T) {
	noServer(t)
	dir := t.TempDir()
	for id := range int64(3) {
		f := New(newCounter(t), id)
		start(t, f, dir)
		f.Close(false)
	}
	for _, pattern := range []string{"imsdk_*.log", "imsdk-1_*.log", "imsdk-2_*.log"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 0 { // two at midnight
			t.Errorf("no file %s", pattern)
		}
	}
}
