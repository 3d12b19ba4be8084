package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// transferTime is how long each way of a file may take.
const transferTime = 200 * time.Second

// transfer is a file that goes from the first client to the second while connections are cut and processes are killed.
type transfer struct {
	t         *test
	data      []byte
	from, to  *client
	step      int64 // bytes between two misfortunes
	cut, kill int
}

// transferFile sends a file of so many MB through the misfortunes: all of them, or one cut.
func (t *test) transferFile(mb int, all bool) error {
	if mb == 0 {
		return nil
	}
	x := &transfer{t: t, data: make([]byte, mb<<20), from: t.clients[0], to: t.clients[1]}
	r := rand.NewPCG(t.seed, 1<<32)
	for i := range x.data {
		x.data[i] = byte(r.Uint64())
	}
	up, down := []func() error{x.cutAll}, []func() error(nil)
	if all {
		up = []func() error{x.cutAll, x.killServer, x.cutAll, x.killer(x.from)}
		down = []func() error{x.killer(x.to), x.cutAll, x.killServer}
	}
	x.step = int64(len(x.data) / (len(up) + 2)) // with what a cut takes back, the file is not there before the last of them
	name := filepath.Join(t.folder, "sent.bin")
	if err := os.WriteFile(name, x.data, 0o600); err != nil {
		return err
	}
	id, send := "", sync.OnceValue(func() error {
		if err := x.from.loggedIn(); err != nil { // the last misfortune may have been a start that the quiet did not wait for
			return err
		}
		return x.from.tell("file " + name)
	})
	err := x.through(&t.proxy.up, up, send, func() (bool, error) {
		a, err := x.to.ask("local", time.Now().Add(settleTime))
		for i := range a.local {
			if f := a.local[i].file(); f != "" && a.local[i].Status == statusSent {
				id = f
			}
		}
		return id != "", err
	})
	if err != nil {
		return fmt.Errorf("uploading a file: %w", err)
	}
	if err := x.fetch(id, down); err != nil {
		return fmt.Errorf("downloading a file: %w", err)
	}
	fmt.Printf("a file of %d MB came whole: %d cuts, %d kills\n", mb, x.cut, x.kill)
	return nil
}

// fetch downloads the file and compares it with what was sent.
func (x *transfer) fetch(id string, down []func() error) error {
	name := filepath.Join(x.t.folder, "received.bin")
	asked := -1
	ask := func() error { // who was killed must ask again
		if asked == x.to.kills {
			return nil
		}
		asked = x.to.kills
		if err := x.to.loggedIn(); err != nil {
			return err
		}
		return x.to.tell("fetch " + id + " " + name)
	}
	err := x.through(&x.t.proxy.down, down, ask, func() (bool, error) {
		_, err := os.Stat(name)
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	got, err := os.ReadFile(name)
	if err == nil && !bytes.Equal(got, x.data) {
		x.t.report.bad("file", "%d bytes came that are not the %d which were sent", len(got), len(x.data))
	}
	return err
}

// through starts a transfer, stops it after every step for a misfortune, and waits for its end. begin is called again after
// each of them.
func (x *transfer) through(g *gate, misfortunes []func() error, begin func() error, done func() (bool, error)) error {
	held := g.allow(x.step)
	if err := begin(); err != nil {
		return err
	}
	for n, misfortune := range misfortunes {
		select {
		case <-held:
		case <-time.After(transferTime):
			return fmt.Errorf("it did not come to misfortune %d", n+1)
		}
		if err := misfortune(); err != nil {
			return err
		}
		held = g.allow(x.step)
		if err := begin(); err != nil {
			return err
		}
	}
	g.release()
	for deadline := time.Now().Add(transferTime); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // between two looks
		if ready, err := done(); ready || err != nil {
			return err
		}
	}
	return errors.New("it did not end")
}

func (x *transfer) cutAll() error {
	x.cut++
	x.t.proxy.cutAll()
	return nil
}

func (x *transfer) killServer() error {
	x.kill++
	x.t.server.kill()
	addr, err := x.t.server.start()
	if err == nil {
		x.t.proxy.target.Store(addr)
	}
	return err
}

func (x *transfer) killer(c *client) func() error {
	return func() error {
		x.kill++
		c.kill()
		return c.start()
	}
}
