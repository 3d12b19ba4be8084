package logs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"timbre/model/tim"
)

func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func opened(t *testing.T, levels Levels) (*Log, string) {
	folder := filepath.Join(t.TempDir(), "log")
	l := New(0, levels, nil)
	if err := l.Open(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, folder
}

func TestAFileADay(t *testing.T) {
	l, folder := opened(t, Levels{File: tim.LogDebug})
	day := time.Date(2026, 3, 31, 23, 59, 59, 0, time.Local)
	l.Write(tim.LogInfo, day, "before midnight")
	l.Write(tim.LogInfo, day.Add(time.Second), "after midnight")
	want := []string{"imsdk_20260331.log", "imsdk_20260401.log"}
	if got := files(t, folder); !slices.Equal(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	text, _ := os.ReadFile(filepath.Join(folder, want[1]))
	if got := string(text); got != "2026-04-01 00:00:00.000 INFO after midnight\n" {
		t.Errorf("the line is %q", got)
	}
}

func TestAFileGrowsToItsLimit(t *testing.T) {
	l, folder := opened(t, Levels{File: tim.LogDebug})
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.Local)
	l.Write(tim.LogInfo, now, "first")
	if err := os.Truncate(filepath.Join(folder, "imsdk_20260331.log"), MaxSize+1); err != nil {
		t.Fatal(err)
	}
	l.size = MaxSize + 1
	l.Write(tim.LogInfo, now, "second")
	l.Write(tim.LogInfo, now, "third")
	if got, want := files(t, folder), []string{"imsdk_20260331.log", "imsdk_20260331_1.log"}; !slices.Equal(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	l.Close()
	if err := l.Open(folder); err != nil { // a restart goes on in the part that has room
		t.Fatal(err)
	}
	l.Write(tim.LogInfo, now, "fourth")
	text, _ := os.ReadFile(filepath.Join(folder, "imsdk_20260331_1.log"))
	for _, word := range []string{"second", "third", "fourth"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("the second part lacks %q: %q", word, text)
		}
	}
}

func TestOldFilesArePurged(t *testing.T) {
	folder := t.TempDir()
	for name, age := range map[string]time.Duration{"imsdk_20200101.log": Keep + time.Hour, "imsdk_20200102_1.log": Keep + time.Hour,
		"imsdk-7_20200101.log": Keep + time.Hour, "imsdk-7_20200107.log": Keep - time.Hour, "imsdk_20200107.log": Keep - time.Hour,
		"notes.txt": 10 * Keep, "imsdk-ours.log": 10 * Keep} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	l := New(0, Levels{File: tim.LogDebug}, nil)
	if err := l.Open(folder); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, want := files(t, folder), []string{"imsdk-7_20200107.log", "imsdk-ours.log", "imsdk_20200107.log", "notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("files after the purge %v, want %v", got, want)
	}
}

func TestInstancesInOneFolder(t *testing.T) {
	folder := t.TempDir()
	var told []string
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.Local)
	for _, instance := range []int64{0, 2, 20} {
		l := New(instance, Levels{File: tim.LogDebug, Callback: tim.LogDebug}, func(_ int, line string) { told = append(told, line) })
		if err := l.Open(folder); err != nil {
			t.Fatal(err)
		}
		l.Write(tim.LogInfo, now, "first")
		if err := os.Truncate(l.file.Name(), MaxSize+1); err != nil {
			t.Fatal(err)
		}
		l.size = MaxSize + 1
		l.Write(tim.LogInfo, now, "second") // rotates
		l.Close()
	}
	want := []string{"imsdk-20_20260331.log", "imsdk-20_20260331_1.log", "imsdk-2_20260331.log", "imsdk-2_20260331_1.log",
		"imsdk_20260331.log", "imsdk_20260331_1.log"}
	if got := files(t, folder); !slices.Equal(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	for file, line := range map[string]string{"imsdk_20260331_1.log": "INFO second", "imsdk-2_20260331_1.log": "INFO instance=2 second",
		"imsdk-20_20260331_1.log": "INFO instance=20 second"} {
		text, _ := os.ReadFile(filepath.Join(folder, file))
		if got := string(text); got != "2026-03-31 12:00:00.000 "+line+"\n" {
			t.Errorf("%s holds %q", file, got)
		}
	}
	if !strings.HasSuffix(told[2], "INFO instance=2 first") {
		t.Errorf("the callback got %q", told)
	}
}

func TestLevelsDecideWhatGoesWhere(t *testing.T) {
	var told []string
	folder := t.TempDir()
	l := New(0, Levels{File: tim.LogWarn, Callback: tim.LogInfo}, func(level int, line string) { told = append(told, line) })
	if err := l.Open(folder); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log := l.Logger()
	log.Debug("to nobody")
	log.With("user", "x").Info("to the callback", "n", 1)
	log.WithGroup("g").Warn("to both\nin one line", "err", errors.New("bad"))
	if len(told) != 2 || !strings.HasSuffix(told[0], "INFO to the callback user=x n=1") || !strings.HasSuffix(told[1], "WARN to both in one line g.err=bad") {
		t.Errorf("the callback got %q", told)
	}
	text, _ := os.ReadFile(filepath.Join(folder, files(t, folder)[0]))
	if lines := bytes.Count(text, []byte("\n")); lines != 1 {
		t.Errorf("the file has %d lines, want the warning alone: %q", lines, text)
	}
	l.SetLevels(Levels{File: tim.LogOff, Callback: tim.LogOff})
	log.Error("to nobody")
	if len(told) != 2 {
		t.Errorf("the callback got a line at level off: %q", told)
	}
}

func TestNoFolderNoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	l := New(0, Levels{File: tim.LogDebug}, nil)
	l.Logger().Error("before Open")
	if err := os.WriteFile("file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Open(filepath.Join("file", "log")); err == nil {
		t.Error("a folder inside of a file was opened")
	}
	l.Logger().Error("after a failed Open")
	l.Close()
	if got := files(t, "."); !slices.Equal(got, []string{"file"}) {
		t.Errorf("files %v without a folder", got)
	}
}
