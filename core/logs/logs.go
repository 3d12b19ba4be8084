// Package logs writes the engine's log: into a file a day, to the console and to the host's log callback, each with its
// own level. Files are named imsdk_yyyyMMdd.log, continue in _1, _2 when they grow over MaxSize, and are removed after
// Keep. A line that cannot be written is lost: a full disk must not stop the engine.
//
// Instances of one process may share a folder. Instance 2 writes imsdk-2_yyyyMMdd.log and its lines say instance=2;
// instance 0, the only one that most programs have, has no number. Each removes old files whatever their number, because
// nobody may come back to clear up after an instance that is gone.
//
// What is logged: ids, codes, times, sizes. What never is: message bodies, UserSigs, passwords, tokens.
//
// Rejected: a rotation library (none names files by day and size as hosts of this interface expect).
package logs

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"timbre/model/tim"
)

// Limits of the files.
const (
	MaxSize = 50 << 20
	Keep    = 7 * 24 * time.Hour
)

// Levels says what goes where, with the numbers of TIMLogLevel.
type Levels struct {
	File, Callback int
	Console        bool
}

// Log is the sinks of one engine. All methods may be called from any goroutine.
type Log struct {
	instance int64
	callback func(level int, line string)

	mu     sync.Mutex
	levels Levels
	folder string
	file   *os.File
	day    string
	size   int64
}

// New returns the log of an instance, without a file. callback gets the lines for the host and must not block.
func New(instance int64, levels Levels, callback func(level int, line string)) *Log {
	return &Log{instance: instance, levels: levels, callback: callback}
}

// Logger returns the log as slog's front end.
func (l *Log) Logger() *slog.Logger { return slog.New(&handler{log: l}) }

// SetLevels changes what goes where.
func (l *Log) SetLevels(v Levels) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.levels = v
}

// Levels returns what goes where.
func (l *Log) Levels() Levels {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.levels
}

// Open directs the file part into a folder and removes old files there.
func (l *Log) Open(folder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	l.folder = folder
	l.purge(time.Now())
	return nil
}

// Close closes the file. Later lines go to the console and the callback only.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
	l.folder = ""
}

func (l *Log) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}

// Write puts one line out. level has the numbers of TIMLogLevel.
func (l *Log) Write(level int, now time.Time, text string) {
	line := now.Format("2006-01-02 15:04:05.000 ") + levelName(level) + " "
	if l.instance != 0 {
		line += fmt.Sprintf("instance=%d ", l.instance)
	}
	line += text
	l.mu.Lock()
	if level >= l.levels.File && l.levels.File != tim.LogOff && l.folder != "" {
		l.toFile(now, line+"\n")
	}
	if l.levels.Console && level >= l.levels.File && l.levels.File != tim.LogOff {
		fmt.Fprintln(os.Stderr, line)
	}
	tell := level >= l.levels.Callback && l.levels.Callback != tim.LogOff
	l.mu.Unlock()
	if tell && l.callback != nil {
		l.callback(level, line)
	}
}

func (l *Log) toFile(now time.Time, line string) {
	day := now.Format("20060102")
	if l.file == nil || day != l.day || l.size > MaxSize {
		l.rotate(now, day)
	}
	if l.file == nil {
		return
	}
	n, _ := l.file.WriteString(line) // a log that cannot be written is no reason to fail
	l.size += int64(n)
}

// rotate opens the file of the day, or its next part.
func (l *Log) rotate(now time.Time, day string) {
	l.close()
	if l.day != "" && l.day != day {
		l.purge(now)
	}
	l.day = day
	for part := 0; part < 1000; part++ {
		name := l.name() + day
		if part > 0 {
			name += fmt.Sprintf("_%d", part)
		}
		path := filepath.Join(l.folder, name+".log")
		info, err := os.Stat(path)
		if err == nil && info.Size() > MaxSize {
			continue
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		l.file, l.size = f, 0
		if info != nil {
			l.size = info.Size()
		}
		return
	}
}

// name is what the names of this instance's files begin with.
func (l *Log) name() string {
	if l.instance == 0 {
		return "imsdk_"
	}
	return fmt.Sprintf("imsdk-%d_", l.instance)
}

// purge removes files of all instances that nobody has written to for longer than Keep. One that is still open belongs to
// an instance with nothing to say; its next line goes into the file of another day.
func (l *Log) purge(now time.Time) {
	first, _ := filepath.Glob(filepath.Join(l.folder, "imsdk_*.log"))
	others, _ := filepath.Glob(filepath.Join(l.folder, "imsdk-[0-9]*_*.log"))
	for _, f := range append(first, others...) {
		if info, err := os.Stat(f); err == nil && now.Sub(info.ModTime()) > Keep {
			os.Remove(f)
		}
	}
}

func levelName(level int) string {
	switch level {
	case tim.LogTest:
		return "TEST"
	case tim.LogVerbose:
		return "VERB"
	case tim.LogDebug:
		return "DEBUG"
	case tim.LogInfo:
		return "INFO"
	case tim.LogWarn:
		return "WARN"
	case tim.LogError:
		return "ERROR"
	}
	return "ASSERT"
}

// handler is the bridge from slog.
type handler struct {
	log    *Log
	attrs  string
	groups string
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	l := h.log.Levels()
	n := levelOf(level)
	return n >= l.File && l.File != tim.LogOff || n >= l.Callback && l.Callback != tim.LogOff
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		h.attr(&b, a)
		return true
	})
	h.log.Write(levelOf(r.Level), r.Time, strings.ReplaceAll(b.String(), "\n", " "))
	return nil
}

func (h *handler) attr(b *bytes.Buffer, a slog.Attr) {
	fmt.Fprintf(b, " %s%s=%v", h.groups, a.Key, a.Value.Resolve())
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b bytes.Buffer
	for _, a := range attrs {
		h.attr(&b, a)
	}
	return &handler{log: h.log, attrs: h.attrs + b.String(), groups: h.groups}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{log: h.log, attrs: h.attrs, groups: h.groups + name + "."}
}

func levelOf(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return tim.LogError
	case level >= slog.LevelWarn:
		return tim.LogWarn
	case level >= slog.LevelInfo:
		return tim.LogInfo
	case level >= slog.LevelDebug:
		return tim.LogDebug
	}
	return tim.LogVerbose
}
