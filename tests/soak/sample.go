package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// process is one that is watched, and the folder of its databases.
type process struct {
	name   string
	pid    int
	folder string
}

// state is a process at one moment.
type state struct {
	memory, disk   int64 // bytes resident, bytes of all files in its folder but logs
	threads, files int
}

// talk is what the accounts say of themselves.
type talk struct {
	accepted, succeeded, failed, missing, received, expected, wrong, lost int64
}

// sample is one second.
type sample struct {
	at     time.Duration
	states [2]state
	talk
}

func take(at time.Duration, line string, watched []process) (s sample, err error) {
	s.at = at
	t := &s.talk
	if _, err := fmt.Sscan(line, &t.accepted, &t.succeeded, &t.failed, &t.missing, &t.received, &t.expected, &t.wrong, &t.lost); err != nil {
		return s, fmt.Errorf("the accounts' process said %q: %w", line, err)
	}
	for i, p := range watched {
		if s.states[i], err = p.look(); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (p *process) look() (s state, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) < 2:
		case f[0] == "VmRSS:":
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			s.memory = kb << 10
		case f[0] == "Threads:":
			s.threads, _ = strconv.Atoi(f[1])
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	s.files = len(open)
	if err == nil {
		s.disk, err = size(p.folder)
	}
	return s, err
}

// size adds up the files of databases, their journals and what was uploaded.
func size(folder string) (n int64, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".log") {
			return nil // a journal may go while we look
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n, err
}

// slope is the least-squares rise of a figure in an hour, over the samples after the warm-up.
func slope(samples []sample, value func(*sample) float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for i := range samples {
		x, y := samples[i].at.Hours(), value(&samples[i])
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
