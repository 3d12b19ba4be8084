package message

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"timbre/model/tim"
	"timbre/sqlite/faulty"
)

// The disk fails at every one of its steps in turn while messages are sent, and has room again later in the same session:
// each message is on the server once and known here as sent, or its caller has heard of an error and it is not there.
func TestEveryWriteMayFail(t *testing.T) {
	disk, err := faulty.Install()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() { // no power fails here: a disk that costs nothing will do
		t.Setenv("TMPDIR", "/dev/shm")
	}
	kinds := []faulty.Kind{faulty.Full}
	if os.Getenv("TIMBRE_TEST") == "full" || os.Getenv("CI") == "true" {
		kinds = append(kinds, faulty.Broken)
	}
	for _, kind := range kinds {
		steps := 0
		for hit := true; hit; {
			steps++
			synctest.Test(t, func(t *testing.T) { hit = sendOn(t, disk, steps, kind) })
		}
		t.Logf("kind %d: %d steps", kind, steps-1)
		if steps < 20 {
			t.Errorf("kind %d: only %d steps: the script writes too little", kind, steps-1)
		}
	}
}

// sendOn runs the script with a disk that fails from a step on, and says whether there was such a step.
func sendOn(t *testing.T, disk *faulty.Disk, step int, kind faulty.Kind) bool {
	d := newDesk(t, uint64(step))
	defer func() {
		disk.Heal()
		d.now.finish()
		d.server.Close()
	}()
	disk.FailAt(step, kind)
	for i := range 4 {
		d.send(i == 3)
		synctest.Wait()
	}
	d.now.files.end(d.random, nil)
	_ = d.now.store.Settle(t.Context())
	d.send(false)
	d.send(false)
	synctest.Wait()
	d.now.Erase([]Subject{d.subject(t)}, false, func(int, string, string) {})
	time.Sleep(3 * time.Second)
	refused := disk.Heal()
	for d.now.files.end(d.random, nil) {
		synctest.Wait()
	}
	d.send(false)
	time.Sleep(5 * time.Second)
	synctest.Wait()
	if last := d.all[len(d.all)-1]; last.code.Load() != 0 || last.calls.Load() != 1 {
		t.Errorf("step %d: there is room again, and a message ends with code %d", step, last.code.Load())
	}
	for _, s := range d.all {
		if !s.file && d.status(s) == tim.MsgSending {
			t.Errorf("step %d: there is room again, and %s is still on its way", step, s.text)
		}
	}
	d.kill()
	_ = d.settle()
	for _, s := range d.all {
		if why := d.unkept(s); why != "" {
			t.Errorf("kind %d, step %d: %s (file %v, code %d): %s", kind, step, s.text, s.file, s.code.Load(), why)
		}
	}
	return refused > 0
}

// subject is the first message.
func (d *desk) subject(t *testing.T) Subject {
	t.Helper()
	s := Subject{Type: tim.ConvC2C, Peer: d.all[0].peer, ID: d.all[0].id}
	s.row = d.now.own(s.Type, s.Peer, s.ID)
	return s
}

// unkept is what is wrong with a message that was sent on a disk that failed.
func (d *desk) unkept(s *sending) string {
	there, status, code := 0, d.status(s), s.code.Load()
	for _, text := range d.texts[s.peer] {
		if text == s.text {
			there++
		}
	}
	struck := s == d.all[0] && status == tim.MsgDeleted
	switch {
	case s.calls.Load() != 1 && !s.killed:
		return fmt.Sprintf("%d callbacks", s.calls.Load())
	case there > 1:
		return "doubled"
	case there == 1 && status != tim.MsgSendSucc && !struck:
		return fmt.Sprintf("the server has it, and here its status is %d", status)
	case there == 0 && (code == 0 || status == tim.MsgSendSucc):
		return fmt.Sprintf("lost, its status is %d", status)
	}
	return ""
}
