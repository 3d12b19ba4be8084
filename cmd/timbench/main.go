// Command timbench loads a timbred through its protocol and says how fast it was.
//
// A pair is a sender and a receiver, each with a connection of its own. The sender keeps a window: so many messages may
// be on their way at a time, counted until the receiver has them. What it may send at once goes into one frame, as a
// client's library does it. Latency runs from just before the sender's write to the moment when the receiver has parsed
// the message; both are in this process and read the same monotonic clock. Every message is counted and must arrive
// exactly once and be acknowledged; the acknowledgement comes after the server's fsync.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

type options struct {
	url, app, secret, start, dir string
	seconds, body                int
	window                       int
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
	flag.IntVar(&o.window, "window", 16, "messages on their way for each of the 50 pairs")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "timbench:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.start != "" {
		s, err := startServer(o)
		if err != nil {
			return err
		}
		defer s.stop()
	}
	if o.secret == "" {
		return errors.New("--secret is missing (or let --start make a server)")
	}
	fmt.Printf("timbench: %d bytes of text, %d s a scenario, %d CPUs shared by server and generator, %s\n\n",
		o.body, o.seconds, runtime.NumCPU(), runtime.Version())
	header()
	for _, s := range []scenario{
		{name: "1 to 1", pairs: 1, window: 1},
		{name: "1 to 1, saturated", pairs: 1, window: 64},
		{name: "50 pairs", pairs: 50, window: o.window},
	} {
		r, err := s.run(o, time.Duration(o.seconds)*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.print(&s)
	}
	fmt.Println(method)
	return nil
}

const method = `
Method: every message is durable (fsync) before its acknowledgement, and was checked to arrive exactly once. Latency is
from the sender's write to the receiver having parsed the message, on one monotonic clock. The window counts messages
until the receiver has them; so at saturation latency is about window x pairs / rate.`
