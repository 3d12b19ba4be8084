// Command soak runs twenty accounts in one process against timbred for a long time, cuts their connections each minute, and
// watches both processes: memory, threads, open files, sizes of the databases. It writes what it saw to a CSV file and an SVG,
// and ends with a verdict: nothing lost or doubled, and memory that does not grow.
//
// It never loads the library; run.sh builds everything and starts it.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"timbre/model/usersig"
)

const (
	appID  = 1400000001
	secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

type options struct {
	seconds, accounts, rate, fill int
	cutEvery                      time.Duration
	timbred, program, out         string
	folder, clients, database     string
}

func main() {
	var o options
	flag.IntVar(&o.seconds, "seconds", 3600, "how long")
	flag.IntVar(&o.accounts, "accounts", 20, "accounts in the process")
	flag.IntVar(&o.rate, "rate", 1, "messages that an account sends in a second")
	flag.IntVar(&o.fill, "fill", 4000, "messages of 2 KB that each account sends before, so that all caches are full")
	flag.DurationVar(&o.cutEvery, "cut", time.Minute, "time between two cuts")
	flag.StringVar(&o.timbred, "timbred", "", "the server")
	flag.StringVar(&o.program, "program", "", "accounts.c, compiled")
	flag.StringVar(&o.out, "out", "soak", "where the figures go: OUT.csv, OUT.svg")
	flag.Parse()
	bad, err := run(&o)
	if err != nil {
		fmt.Println("soak:", err)
	}
	if bad || err != nil {
		os.Exit(1)
	}
}

func run(o *options) (bad bool, err error) {
	if o.folder, err = os.MkdirTemp("", "timbre-soak-"); err != nil {
		return true, err
	}
	defer os.RemoveAll(o.folder)
	o.clients, o.database = filepath.Join(o.folder, "clients"), filepath.Join(o.folder, "server")
	server, addr, err := o.serve()
	if err != nil {
		return true, err
	}
	defer end(server)
	p, err := newProxy(addr)
	if err != nil {
		return true, err
	}
	client, in, lines, err := o.begin(p.listener.Addr().String())
	if err != nil {
		return true, err
	}
	defer end(client)
	fmt.Printf("soak: %d accounts in one process, %d messages a second, a cut every %v, %d s\n", o.accounts, o.accounts*o.rate+1,
		o.cutEvery, o.seconds)
	samples, err := o.watch(p, []process{{"library", client.Process.Pid, o.clients}, {"timbred", server.Process.Pid, o.database}}, in, lines)
	if err != nil {
		return true, err
	}
	if err := client.Wait(); err != nil {
		return true, fmt.Errorf("the accounts' process: %w", err)
	}
	if err := write(o.out, samples, p.cuts); err != nil {
		return true, err
	}
	return !verdict(samples, p.cuts, o), nil
}

// serve starts timbred and returns its address.
func (o *options) serve() (*exec.Cmd, string, error) {
	c := exec.Command(o.timbred, "serve", "--data", o.database, "--listen", "127.0.0.1:0", "--app", fmt.Sprintf("%d:%s", appID, secret))
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := c.Start(); err != nil {
		return nil, "", err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go io.Copy(io.Discard, out)
			return c, addr, nil
		}
	}
	return nil, "", errors.New("timbred did not start")
}

// begin starts the process of the accounts and tells it who they are.
func (o *options) begin(addr string) (c *exec.Cmd, in io.WriteCloser, lines <-chan string, err error) {
	c = exec.Command(o.program, fmt.Sprint(o.accounts), fmt.Sprint(o.rate), fmt.Sprint(o.fill), o.clients)
	c.Env = append(os.Environ(), "TIM_SERVER_URL=ws://"+addr)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := os.MkdirAll(o.clients, 0o700); err != nil {
		return nil, nil, nil, err
	}
	c.Stderr = os.Stderr
	if in, err = c.StdinPipe(); err != nil {
		return nil, nil, nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := c.Start(); err != nil {
		return nil, nil, nil, err
	}
	for i := range o.accounts {
		user := fmt.Sprintf("soak%02d", i)
		if _, err := fmt.Fprintf(in, "%s %s\n", user, usersig.Make(appID, secret, user, time.Now(), 100*time.Hour)); err != nil {
			return nil, nil, nil, err
		}
	}
	told := make(chan string)
	go func() {
		defer close(told)
		for s := bufio.NewScanner(out); s.Scan(); {
			told <- s.Text()
		}
	}()
	return c, in, told, nil
}

// watch takes a sample with every line of the accounts' process, until the time is over and it has said its last.
func (o *options) watch(p *proxy, watched []process, in io.Closer, lines <-chan string) (samples []sample, err error) {
	filled := time.Now()
	<-lines // the databases are filled
	fmt.Printf("soak: %d messages before it in %d s\n", o.accounts*o.fill, int(time.Since(filled).Seconds()))
	begun := time.Now()
	stop := time.After(time.Duration(o.seconds) * time.Second)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	cut := time.NewTicker(o.cutEvery)
	defer cut.Stop()
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return samples, nil
			}
			s, err := take(time.Since(begun), line, watched)
			if err != nil {
				return nil, err
			}
			samples = append(samples, s)
		case <-cut.C:
			p.cut()
		case <-interrupted:
			in.Close()
		case <-stop:
			cut.Stop()
			in.Close()
		}
	}
}

func end(c *exec.Cmd) {
	_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = c.Wait()
}
