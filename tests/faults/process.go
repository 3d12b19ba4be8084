package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is timbred, which is killed and started again.
type server struct {
	program, folder string
	cmd             *exec.Cmd
	kills, outages  int
}

// start returns the address that the server listens on.
func (s *server) start() (string, error) {
	log, err := os.OpenFile(filepath.Join(s.folder, "timbred.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close()
	s.cmd = exec.Command(s.program, "serve", "--data", filepath.Join(s.folder, "server"), "--listen", "127.0.0.1:0",
		"--app", app+":"+secret, "--devices", "all")
	s.cmd.Stderr = log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := s.cmd.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			go io.Copy(io.Discard, out)
			return addr, nil
		}
	}
	return "", errors.New("timbred did not start: see timbred.log")
}

func (s *server) kill() {
	s.kills++
	s.cmd.Process.Kill()
	s.cmd.Wait()
}

func (s *server) stop() error {
	s.cmd.Process.Signal(syscall.SIGTERM)
	return waitOr(s.cmd, settleTime)
}

// client is a program of client.c.
type client struct {
	program, user, peer, folder, journal, url, rate string

	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // what it prints; closed at its end
	ready chan struct{}

	kills, exits int
	ends         []int64 // of each process that has ended: when it was killed, in milliseconds, or 0
}

func (c *client) start() error {
	c.cmd = exec.Command(c.program, c.user, c.peer, ticket(c.user), c.folder, c.journal, c.rate)
	c.cmd.Env = append(os.Environ(), "TIMBRE_APP="+app, "TIM_SERVER_URL="+c.url)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(c.folder, "stderr.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c.cmd.Stderr = log
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	lines, ready := make(chan string, 1024), make(chan struct{})
	c.lines, c.ready = lines, ready
	go func() {
		defer close(lines)
		var once sync.Once
		s := bufio.NewScanner(out)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			if s.Text() == `{"ready":true}` {
				once.Do(func() { close(ready) })
				continue
			}
			lines <- s.Text()
		}
	}()
	return nil
}

// loggedIn waits for the login of the process that runs now.
func (c *client) loggedIn() error {
	select {
	case <-c.ready:
		return nil
	case <-time.After(settleTime):
		return fmt.Errorf("%s did not log in", c.user)
	}
}

// tell writes a command and does not wait for its answer.
func (c *client) tell(command string) error {
	_, err := io.WriteString(c.in, command+"\n")
	return err
}

// answer is what a command brought.
type answer struct {
	cloud, local []message
	unread       int
	code         int
}

// message is what matters of a message's JSON.
type message struct {
	ID       string    `json:"message_msg_id"`
	Seq      uint64    `json:"message_seq"`
	Sender   string    `json:"message_sender"`
	Status   int       `json:"message_status"`
	Elements []element `json:"message_elem_array"`
}

type element struct {
	Text string `json:"text_elem_content"`
	Name string `json:"file_elem_file_name"`
	File string `json:"file_elem_file_id"`
}

func (m *message) content() string {
	if len(m.Elements) != 1 {
		return fmt.Sprintf("(%d elements)", len(m.Elements))
	}
	return cmp.Or(m.Elements[0].Text, m.Elements[0].Name)
}

// file is the id of the file that the message carries, "" when it has none.
func (m *message) file() string {
	if len(m.Elements) != 1 {
		return ""
	}
	return m.Elements[0].File
}

// ask writes a command and reads its answer; histories are turned so that the oldest message comes first.
func (c *client) ask(command string, deadline time.Time) (a answer, err error) {
	if err := c.tell(command); err != nil {
		return a, err
	}
	return c.read(command, deadline)
}

func (c *client) read(command string, deadline time.Time) (a answer, err error) {
	late := time.NewTimer(time.Until(deadline))
	defer late.Stop()
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				return a, fmt.Errorf("%s ended during %q", c.user, command)
			}
			v := struct {
				Cloud, Local *message
				Unread, End  *int
			}{}
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				return a, fmt.Errorf("%s answered %q to %q", c.user, line, command)
			}
			switch {
			case v.Cloud != nil:
				a.cloud = append(a.cloud, *v.Cloud)
			case v.Local != nil:
				a.local = append(a.local, *v.Local)
			case v.Unread != nil:
				a.unread = *v.Unread
			case v.End != nil:
				a.code = *v.End
				reverse(a.cloud)
				reverse(a.local)
				return a, nil
			}
		case <-late.C:
			return a, fmt.Errorf("%s did not answer %q in time", c.user, command)
		}
	}
}

func reverse(list []message) {
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
}

func (c *client) kill() {
	c.kills++
	c.cmd.Process.Kill()
	c.cmd.Wait()
	c.ends = append(c.ends, time.Now().UnixMilli())
}

func (c *client) quit(deadline time.Time) error {
	if _, err := c.ask("quit", deadline); err != nil {
		return err
	}
	c.exits++
	c.ends = append(c.ends, 0)
	return waitOr(c.cmd, time.Until(deadline))
}

// waitOr waits for a process and kills it when it does not end in time.
func waitOr(cmd *exec.Cmd, patience time.Duration) error {
	killer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer killer.Stop()
	return cmd.Wait()
}
