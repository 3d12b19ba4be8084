// Command faults proves that nothing is lost: two programs that use the library send texts to each other through a proxy
// that damages their connections, while they and the server are killed with SIGKILL at random moments. Afterwards
// everything is healed, a file goes the same way, and what the programs were told is compared with both histories, with the server's database and
// with what a new device of each user gets.
//
// It never loads the library; run.sh builds everything and starts it.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"timbre/model/usersig"
)

const (
	app    = "1400000001"
	secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	// settleTime is how long everything may take to become quiet after the healing: a client that was turned away many
	// times pauses for half a minute before it dials again.
	settleTime = 90 * time.Second
)

func ticket(user string) string { return usersig.Make(1400000001, secret, user, time.Now(), time.Hour) }

func main() {
	seconds := flag.Int("seconds", 15, "how long to do damage")
	seed := flag.Uint64("seed", 0, "seed of the damage, 0: a random one")
	program := flag.String("client", "", "client.c, compiled")
	timbred := flag.String("timbred", "", "the server")
	mb := flag.Int("file-mb", 5, "size of the file that is sent in the end, 0: none")
	all := flag.Bool("file-kills", false, "cut it three times and kill each side, not one cut alone")
	keep := flag.String("keep", "", "folder for databases, logs and journals, which stays")
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(rand.Uint32())
	}
	fmt.Printf("faults: seed %d, %d seconds\n", *seed, *seconds)
	t, err := newTest(*seed, *program, *timbred, *keep)
	t.file.mb, t.file.all = *mb, *all
	if err == nil {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
		go func() {
			<-interrupted
			if !t.keep {
				os.RemoveAll(t.folder)
			}
			os.Exit(130) // the children die with this process
		}()
		err = t.run(time.Duration(*seconds) * time.Second)
	}
	os.Exit(t.finish(err))
}

// test is one run.
type test struct {
	seed    uint64
	folder  string
	keep    bool
	proxy   *proxy
	server  *server
	clients []*client
	report  report
	file    struct {
		mb  int
		all bool
	}
	totals struct{ accepted, succeeded, failed int }
}

func newTest(seed uint64, program, timbred, keep string) (t *test, err error) {
	t = &test{seed: seed, folder: keep, keep: keep != ""}
	if keep == "" {
		if t.folder, err = os.MkdirTemp("", "timbre-faults-"); err != nil {
			return t, err
		}
	} else if err = os.MkdirAll(keep, 0o700); err != nil {
		return t, err
	}
	if t.folder, err = filepath.Abs(t.folder); err != nil {
		return t, err
	}
	if t.proxy, err = newProxy(); err != nil {
		return t, err
	}
	t.server = &server{program: timbred, folder: t.folder}
	for _, c := range [...][2]string{{"alice", "bob"}, {"bob", "alice"}} {
		t.clients = append(t.clients, t.newClient(program, c[0], c[1], c[0], "150"))
	}
	return t, nil
}

func (t *test) newClient(program, user, peer, name, rate string) *client {
	return &client{program: program, user: user, peer: peer, rate: rate, folder: filepath.Join(t.folder, name),
		journal: filepath.Join(t.folder, name+".journal"), url: "ws://" + t.proxy.listener.Addr().String()}
}

func (t *test) run(d time.Duration) error {
	if err := t.begin(); err != nil {
		return err
	}
	if err := t.damage(d); err != nil {
		return err
	}
	t.proxy.heal()
	deadline := time.Now().Add(settleTime)
	for _, c := range t.clients {
		if err := c.tell("quiet"); err != nil {
			return err
		}
	}
	for _, c := range t.clients {
		if _, err := c.read("quiet", deadline); err != nil {
			return err
		}
	}
	if err := t.transferFile(t.file.mb, t.file.all); err != nil {
		return err
	}
	if err := t.caughtUp(time.Now().Add(settleTime)); err != nil {
		return err
	}
	if err := t.compare(); err != nil {
		return err
	}
	return t.stop()
}

// begin starts everything; the clients begin to send when both have logged in.
func (t *test) begin() error {
	addr, err := t.server.start()
	if err != nil {
		return err
	}
	t.proxy.target.Store(addr)
	for _, c := range t.clients {
		if err := c.start(); err != nil {
			return err
		}
	}
	for _, c := range t.clients {
		select {
		case <-c.ready:
		case <-time.After(settleTime):
			return fmt.Errorf("%s did not log in", c.user)
		}
		if _, err := c.ask("go", time.Now().Add(settleTime)); err != nil {
			return err
		}
	}
	return nil
}

// damage breaks connections and kills processes for some time. When it returns, all processes run.
func (t *test) damage(d time.Duration) error {
	stop := make(chan struct{})
	time.AfterFunc(d, func() { close(stop) })
	var wg sync.WaitGroup
	errs := make(chan error, 4)
	number := uint64(0)
	loop := func(lo, hi int, fn func(*rand.Rand, func(int, int) bool) error) {
		number++
		r := rand.New(rand.NewPCG(t.seed, number))
		pause := func(lo, hi int) bool {
			timer := time.NewTimer(time.Duration(lo+r.IntN(hi-lo)) * time.Millisecond)
			defer timer.Stop()
			select {
			case <-timer.C:
				return true
			case <-stop:
				return false
			}
		}
		wg.Go(func() {
			for pause(lo, hi) {
				if err := fn(r, pause); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	weather := rand.New(rand.NewPCG(t.seed, 0)) // some runs are rougher than others
	loop(20, 150+weather.IntN(600), func(r *rand.Rand, _ func(int, int) bool) error {
		t.proxy.damage(r)
		return nil
	})
	loop(1000, 3000+weather.IntN(5000), func(r *rand.Rand, pause func(int, int) bool) error {
		t.server.kill()
		if r.IntN(6) == 0 { // longer than a send may take
			t.server.outages++
			pause(5000, 7000)
		} else {
			pause(1, 800)
		}
		addr, err := t.server.start()
		if err == nil {
			t.proxy.target.Store(addr)
		}
		return err
	})
	for _, c := range t.clients {
		loop(200, 1500+weather.IntN(5000), func(r *rand.Rand, pause func(int, int) bool) error {
			if r.IntN(5) == 0 { // the host ends it properly, with sends on their way
				if err := c.quit(time.Now().Add(settleTime)); err != nil {
					return err
				}
			} else {
				c.kill()
			}
			pause(1, 1000)
			if err := c.start(); err != nil {
				return err
			}
			_, err := c.ask("go", time.Now().Add(settleTime))
			return err
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func (t *test) serverFile() string { return filepath.Join(t.folder, "server", "timbred.db") }

// caughtUp waits until both clients have what the server has and nothing is undecided. When the deadline passes it
// returns all the same: comparing tells what is wrong.
func (t *test) caughtUp(deadline time.Time) error {
	why := ""
	for time.Now().Before(deadline) {
		s, err := readServer(t.serverFile())
		if err != nil {
			return err
		}
		want := contents(s.messages, statusSent)
		why = ""
		for _, c := range t.clients {
			a, err := c.ask("local", deadline.Add(settleTime))
			if err != nil {
				return err
			}
			undecided := slices.ContainsFunc(a.local, func(m message) bool { return m.Status != statusSent && m.Status != statusFailed })
			have := contents(a.local, statusSent)
			if undecided || a.unread != s.unread[c.user] || !slices.Equal(have, want) {
				why += fmt.Sprintf("; %s: undecided %v, %d of %d messages, unread %d of %d", c.user, undecided, len(have),
					len(want), a.unread, s.unread[c.user])
			}
		}
		if why == "" {
			return nil
		}
		time.Sleep(50 * time.Millisecond) // between two looks
	}
	fmt.Println("faults: the clients did not catch up in time" + why)
	return nil
}

// compare checks everything.
func (t *test) compare() error {
	deadline := time.Now().Add(settleTime)
	s, err := readServer(t.serverFile())
	if err != nil {
		return err
	}
	r := &t.report
	sent := contents(s.messages, statusSent)
	r.once("the server", s.messages)
	for _, c := range t.clients {
		local, err := c.ask("local", deadline) // before the other history is asked for, which would fill holes
		if err != nil {
			return err
		}
		a, err := c.ask("dump", deadline)
		if err != nil {
			return err
		}
		if a.code != 0 {
			return fmt.Errorf("%s cannot read its history: %d", c.user, a.code)
		}
		if err := t.fresh(c, s, sent, deadline); err != nil {
			return err
		}
		r.once(c.user+"'s history", a.cloud)
		r.once(c.user+"'s local history", local.local)
		r.same(c.user+"'s history", contents(a.cloud, statusSent), sent)
		r.same(c.user+"'s local history", contents(local.local, statusSent), sent)
		if a.unread != s.unread[c.user] {
			r.bad("unread", "%s has %d, the server %d", c.user, a.unread, s.unread[c.user])
		}
		j, err := readJournal(c.journal)
		if err != nil {
			return err
		}
		t.count(j)
		r.sender(c.user, j, a.local, s.messages, sent, c.ends)
		r.arrivals(c.user, c.peer, j, s.messages)
		for _, k := range j.kicks {
			r.bad("kicked", "%s: %s", c.user, k)
		}
	}
	return nil
}

func (t *test) count(j *journal) {
	t.totals.accepted += len(j.order)
	for _, i := range j.order {
		if i.succeeded() {
			t.totals.succeeded++
		} else if i.failed() {
			t.totals.failed++
		}
	}
}

// fresh logs a new device of the client's user in, compares what it gets, and reads: then nobody has unread messages.
func (t *test) fresh(c *client, s *serverState, sent []string, deadline time.Time) error {
	r := &t.report
	n := t.newClient(c.program, c.user, c.peer, c.user+"-new", "0")
	if err := n.start(); err != nil {
		return err
	}
	select {
	case <-n.ready:
	case <-time.After(time.Until(deadline)):
		return fmt.Errorf("a new device of %s cannot log in", c.user)
	}
	unread := -2
	a, err := until(n, "dump", deadline, func(a answer) bool { return a.unread == s.unread[c.user] && len(a.cloud) == len(sent) })
	if err != nil {
		return err
	}
	unread = a.unread
	r.once("a new device of "+c.user, a.cloud)
	r.same("a new device of "+c.user, contents(a.cloud, statusSent), sent)
	if unread != s.unread[c.user] {
		r.bad("unread", "a new device of %s has %d, the server %d", c.user, unread, s.unread[c.user])
	}
	if a, err = n.ask("read", deadline); err != nil || a.code != 0 {
		return fmt.Errorf("%s cannot report as read: %d %w", c.user, a.code, err)
	}
	for name, d := range map[string]*client{"the new device": n, "the old device": c} {
		a, err := until(d, "local", time.Now().Add(settleTime), func(a answer) bool { return a.unread == 0 })
		if err != nil {
			return err
		}
		if a.unread != 0 {
			r.bad("unread", "%s of %s has %d after reading", name, c.user, a.unread)
		}
	}
	return n.quit(deadline)
}

// until asks until the answer is as wanted, or for a minute.
func until(c *client, command string, deadline time.Time, good func(answer) bool) (answer, error) {
	patience := time.Now().Add(time.Minute)
	for {
		a, err := c.ask(command, deadline)
		if err != nil || good(a) || time.Now().After(patience) {
			return a, err
		}
		time.Sleep(20 * time.Millisecond) // between two looks
	}
}

// stop ends all processes politely and looks at what they leave.
func (t *test) stop() error {
	deadline := time.Now().Add(settleTime)
	for _, c := range t.clients {
		if err := c.quit(deadline); err != nil {
			return fmt.Errorf("%s did not end well: %w", c.user, err)
		}
	}
	if err := t.server.stop(); err != nil {
		return fmt.Errorf("timbred did not end well: %w", err)
	}
	t.report.integrity("the server's database", t.serverFile(), false)
	for _, name := range []string{"alice", "bob", "alice-new", "bob-new"} {
		user := strings.TrimSuffix(name, "-new")
		t.report.integrity(name+"'s database", filepath.Join(t.folder, name, fmt.Sprintf("%s_%x", app, user), "timbre.db"), true)
	}
	return nil
}

// finish prints the result and returns the exit status.
func (t *test) finish(err error) int {
	r := &t.report
	for _, line := range r.lines {
		fmt.Println(line)
	}
	for kind, n := range r.count {
		if n > 10 {
			fmt.Printf("%s: %d in all\n", kind, n)
		}
	}
	if err != nil {
		fmt.Println("faults:", err)
	}
	bad := err != nil || len(r.lines) > 0
	if bad {
		fmt.Printf("faults: FAILED with seed %d; databases, logs and journals: %s\n", t.seed, t.folder)
	} else if !t.keep {
		os.RemoveAll(t.folder)
	}
	if p := t.proxy; p != nil && len(t.clients) == 2 {
		p.mu.Lock()
		fmt.Printf("%d outages, %d exits of a client, %d delays, %d throttlings, %d stalls, %d half-open, %d refusals; %d left by a killed process marked failed\n",
			t.server.outages, t.clients[0].exits+t.clients[1].exits, p.delays, p.throttles, p.stalls, p.halves, p.refusals, r.known)
		fmt.Printf("%d sends accepted: %d succeeded, %d failed; kills %d/%d, %d cuts, %d resets, %d truncations: lost %d, doubled %d\n",
			t.totals.accepted, t.totals.succeeded, t.totals.failed, t.clients[0].kills+t.clients[1].kills, t.server.kills,
			p.cuts, p.resets, p.truncations, r.lost, r.doubled)
		p.mu.Unlock()
	}
	if bad {
		return 1
	}
	return 0
}
