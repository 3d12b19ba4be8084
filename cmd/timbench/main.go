// Command timbench loads a timbred through its protocol and says how fast it was.
//
//	timbench pairs    senders and receivers, two by two (what it does when nothing is said)
//	timbench group    a group whose members are all online, one or more of which send
//	timbench live     a live room with a large audience, in which one user speaks
//	timbench groups   groups of 10, 1,000 and 100,000 members: making, joining, listing, messages
//	timbench storm    clients that all come back at the same moment
//	timbench fill     no figures: users who have logged in once, and a history
//
// A pair is a sender and a receiver, each with a connection of its own. The sender keeps a window: so many messages may
// be on their way at a time, counted until the receiver has them, in a group until the last member has them. What it may
// send at once goes into one frame, as a client's library does it. Latency runs from just before the sender's write to
// the moment when the receiver has parsed the message, in a group when it has read the frame; both are in this process
// and read the same monotonic clock. Every message is counted and must arrive exactly once and be acknowledged; the
// acknowledgement comes after the server's fsync.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type options struct {
	url, app, secret, start, dir string
	seconds, body                int
	window                       int
	members, senders             int
	users, to                    string
	count, messages              int
	each                         bool
	clients, rate                int
	sizes                        []int
	online                       int
	pid                          int     // of the server that was started, 0: none
	server                       *server // likewise
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "ws://127.0.0.1:7800", "the server")
	flag.StringVar(&o.app, "app", "1400000001", "app id")
	flag.StringVar(&o.secret, "secret", "", "the app's secret")
	flag.StringVar(&o.start, "start", "", "start this timbred for the test, on a free port with a new data folder")
	flag.StringVar(&o.dir, "dir", "", "where to put that data folder, the system's temporary folder by default")
	flag.IntVar(&o.seconds, "seconds", 5, "measured seconds for each scenario, after one second to warm up")
	flag.IntVar(&o.body, "body", 100, "bytes of text in a message")
	flag.IntVar(&o.window, "window", 16, "messages on their way for each of the 50 pairs, or for each sender of a group")
	flag.IntVar(&o.members, "members", 200, "members of the group, all online")
	flag.IntVar(&o.senders, "senders", 1, "how many of them send")
	flag.StringVar(&o.users, "users", "user", "fill: names of the users, each with a number from 0 behind it")
	flag.IntVar(&o.count, "count", 1, "fill: how many users")
	flag.StringVar(&o.to, "to", "", "fill: another user, who has logged in before and to whom the first one writes")
	flag.IntVar(&o.messages, "messages", 0, "fill: how many messages")
	flag.BoolVar(&o.each, "each", false, "fill: every user writes his share of them, not the first one all")
	flag.IntVar(&o.clients, "clients", 0, "storm, live: how many clients; 0: 1,000 and 5,000")
	flag.IntVar(&o.rate, "rate", 40, "live: messages a second")
	flag.Func("sizes", "groups: members of each group (default 10,1000,100000)", o.setSizes)
	flag.IntVar(&o.online, "online", 1000, "groups: members of the largest one that are online")
	mode, args := "pairs", os.Args[1:]
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		mode, args = args[0], args[1:]
	}
	_ = flag.CommandLine.Parse(args) // it exits on errors
	if err := run(&o, mode); err != nil {
		fmt.Fprintln(os.Stderr, "timbench:", err)
		os.Exit(1)
	}
}

func run(o *options, mode string) error {
	load, known := map[string]func(*options) error{"pairs": pairs, "group": group, "live": live, "groups": groups, "storm": storm, "fill": fill}[mode]
	switch {
	case !known:
		return fmt.Errorf("%q: want pairs, group, live, groups, storm or fill", mode)
	case o.members < 2 || o.senders < 1 || o.senders >= o.members || o.window < 1:
		return errors.New("want at least two members, and more of them than senders, and a window")
	}
	if o.clients == 0 {
		o.clients = map[string]int{"live": 5000}[mode]
		o.clients = cmp.Or(o.clients, 1000)
	}
	if o.start != "" {
		s, err := startServer(o)
		if err != nil {
			return err
		}
		defer s.stop()
		o.server = s
	}
	if o.secret == "" {
		return errors.New("--secret is missing (or let --start make a server)")
	}
	return load(o)
}

// setSizes reads numbers with commas.
func (o *options) setSizes(text string) error {
	o.sizes = nil
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 2 {
			return errors.New("want numbers of 2 or more, with commas")
		}
		o.sizes = append(o.sizes, n)
	}
	return nil
}

func title(o *options) {
	fmt.Printf("timbench: %d bytes of text, %d s a scenario, %d CPUs shared by server and generator, %s\n\n",
		o.body, o.seconds, runtime.NumCPU(), runtime.Version())
}

func pairs(o *options) error {
	title(o)
	header("msg/s")
	for _, s := range []scenario{
		{name: "1 to 1", pairs: 1, window: 1},
		{name: "1 to 1, saturated", pairs: 1, window: 64},
		{name: "50 pairs", pairs: 50, window: o.window},
	} {
		r, err := s.run(o, time.Duration(o.seconds)*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.print(s.name, s.window)
	}
	fmt.Println(method)
	return nil
}

func group(o *options) error {
	c, err := gather(o, o.senders)
	if err != nil {
		return err
	}
	r, err := c.run(time.Duration(o.seconds) * time.Second)
	if err != nil {
		return err
	}
	title(o)
	header("deliv./s")
	r.print(fmt.Sprintf("%d members, %d send", o.members, o.senders), o.window)
	fmt.Println(groupMethod)
	return nil
}

const method = `
Method: every message is durable (fsync) before its acknowledgement, and was checked to arrive exactly once. Latency is
from the sender's write to the receiver having parsed the message, on one monotonic clock. The window counts messages
until the receiver has them; so at saturation latency is about window x pairs / rate.`

const stormMethod = `
Method: all clients are logged in; their connections end, and at the same moment every one dials, logs in again and asks for
what it missed. Served is who has got both answers. Real clients come back spread over some hundred milliseconds.`

const groupMethod = `
Method: every message is durable (fsync) before it is delivered; each member but its sender gets it over a connection of
his own, checked to be in order and without a hole. Latency is of each delivery, from the sender's write to the member
having read the frame, on one monotonic clock. The window counts a sender's messages until the last member has them.`
