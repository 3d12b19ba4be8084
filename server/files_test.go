package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timbre/model"
	"timbre/protocol"
	"timbre/server"
	"timbre/server/config"
)

// fileRequest makes a request of the file addresses.
func (s *running) fileRequest(t *testing.T, method, path, token string, body []byte, headers ...string) ([]byte, int) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, s.http+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text, a.StatusCode
}

// The token comes over the WebSocket, an upload goes on after a restart, and the file stays.
func TestFileFromTokenToDownload(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, nil)
	token := ask[protocol.FileToken](s.login(t, "alice"), protocol.OpFileToken, "", struct{}{})
	if left := time.Until(time.UnixMilli(token.Expire)); token.Base != "" || left < 59*time.Minute || left > 61*time.Minute {
		t.Errorf("%v left, base %q", left, token.Base)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), model.FilePart/16+1)
	sum := sha256.Sum256(data)
	begin := protocol.Marshal(protocol.FileBegin{Kind: "file", Name: "a.txt", Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
	for n := range 2 {
		var state protocol.FileState
		text, status := s.fileRequest(t, "POST", "/files", token.Token, begin)
		if err := json.Unmarshal(text, &state); status != http.StatusOK || err != nil || len(state.Have) != n {
			t.Fatalf("begin: %d %s", status, text)
		}
		part := data[n*model.FilePart : min((n+1)*model.FilePart, len(data))]
		text, status = s.fileRequest(t, "PUT", fmt.Sprintf("/files/%s/parts/%d", state.ID, n), token.Token, part,
			protocol.HeaderPartSum, fmt.Sprintf("%08x", crc32.Checksum(part, crc32.MakeTable(crc32.Castagnoli))))
		if status != http.StatusOK {
			t.Fatalf("part %d: %d %s", n, status, text)
		}
		if n == 1 {
			if text, status = s.fileRequest(t, "POST", "/files/"+state.ID+"/done", token.Token, nil); status != http.StatusOK {
				t.Fatalf("done: %d %s", status, text)
			}
		}
		s.stop()
		s = serve(t, dir, nil)
		if n == 1 {
			if got, status := s.fileRequest(t, "GET", "/files/"+state.ID+"/a.txt", "", nil); status != http.StatusOK || !bytes.Equal(got, data) {
				t.Errorf("download: %d, %d bytes", status, len(got))
			}
		}
	}
	if m := s.metrics(t); !strings.Contains(m, fmt.Sprintf("timbred_file_sent_bytes_total %v", float64(len(data)))) {
		t.Error("the bytes sent were not counted")
	}
	if _, err := os.Stat(filepath.Join(dir, "files")); err != nil {
		t.Error(err)
	}
}

func TestFileTokenNeedsALogin(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	if a := s.dial(t).call(protocol.OpFileToken, "", nil); a.Code == 0 {
		t.Errorf("%s", a.Body)
	}
	if text, status := s.fileRequest(t, "POST", "/files", "", []byte("{}")); status != http.StatusUnauthorized {
		t.Errorf("%d %s", status, text)
	}
}

func TestFileSettingsThatCannotBeMeant(t *testing.T) {
	for what, change := range map[string]func(*config.Config){
		"public url":     func(c *config.Config) { c.PublicURL = "chat.example.org" },
		"negative quota": func(c *config.Config) { c.Quota = -1 },
		"no bucket":      func(c *config.Config) { c.S3Endpoint = "https://s3.example.org" },
		"endpoint":       func(c *config.Config) { c.S3Endpoint, c.S3Bucket = "s3", "b" },
	} {
		cfg := defaults(t)
		cfg.Data, cfg.Listen, cfg.Apps = t.TempDir(), "127.0.0.1:0", []string{"1:a"}
		change(&cfg)
		if s, err := server.New(cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s was accepted: %s", what, s.Addr())
		}
	}
}
