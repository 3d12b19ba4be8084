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

// startServer starts a timbred and points the options at it.
func startServer(o *options) (*server, error) {
	dir, err := os.MkdirTemp(o.dir, "timbench-")
	if err != nil {
		return nil, err
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	o.secret = hex.EncodeToString(secret[:])
	s := &server{dir: dir, cmd: exec.Command(o.start, "serve", "--listen", "127.0.0.1:0", "--data", dir, "--log-level", "warn",
		"--group-rate", "0")}
	s.cmd.Env = append(os.Environ(), "TIMBRED_APP="+o.app+":"+o.secret) // other users can read a command line
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if o.url, err = address(out); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
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
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	if err := s.cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "timbench: the server ended with:", err)
	}
	os.RemoveAll(s.dir)
}
