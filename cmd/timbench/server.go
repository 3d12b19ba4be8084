package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// server is a timbred that this program started.
type server struct {
	cmd *exec.Cmd
	dir string
}

// startServer starts a timbred with a new data folder and points the options at it.
func startServer(o *options) (*server, error) {
	dir, err := os.MkdirTemp(o.dir, "timbench-")
	if err != nil {
		return nil, err
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	o.secret = hex.EncodeToString(secret[:])
	s := &server{dir: dir}
	if err := s.run(o); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// run starts the program, for the first time or again.
func (s *server) run(o *options) error {
	s.cmd = exec.Command(o.start, "serve", "--listen", "127.0.0.1:0", "--data", s.dir, "--log-level", "warn", "--group-rate", "0")
	s.cmd.Env = append(os.Environ(), "TIMBRED_APP="+o.app+":"+o.secret) // other users can read a command line
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return err
	}
	o.pid = s.cmd.Process.Pid
	if o.url, err = address(out); err != nil {
		s.end()
	}
	return err
}

// address reads where the server listens.
func address(out io.Reader) (string, error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return "ws://" + addr, nil
		}
	}
	return "", fmt.Errorf("the server ended without listening")
}

func (s *server) stop() {
	s.end()
	os.RemoveAll(s.dir)
}

// end stops the program. Its data stays.
func (s *server) end() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	if err := s.cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "timbench: the server ended with:", err)
	}
}
