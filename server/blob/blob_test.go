package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"timbre/server/blob"
)

const part = 1 << 20

// content is the same random bytes at every call.
func content(size int) []byte {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}

func fileOf(id string, data []byte) *blob.File {
	return &blob.File{ID: id, Size: int64(len(data)), Part: part, Sum: sha256.Sum256(data)}
}

func put(t *testing.T, s blob.Store, f *blob.File, data []byte, n int) {
	t.Helper()
	p := data[n*part : min((n+1)*part, len(data))]
	if err := s.PutPart(t.Context(), f, n, bytes.NewReader(p), int64(len(p))); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s blob.Store, id string) []byte {
	t.Helper()
	c, err := s.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil || int64(len(b)) != c.Size {
		t.Fatalf("%d of %d bytes, %v", len(b), c.Size, err)
	}
	return b
}

// stores runs a test with each kind of store.
func stores(t *testing.T, test func(t *testing.T, s blob.Store)) {
	t.Run("disk", func(t *testing.T) { test(t, blob.NewDisk(filepath.Join(t.TempDir(), "files"))) })
	t.Run("s3", func(t *testing.T) { test(t, fakeS3(t)) })
}

func fakeS3(t *testing.T) blob.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	cfg := blob.S3Config{Endpoint: server.URL, Bucket: "bucket", Region: "us-east-1", Key: "key", Secret: "secret"}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	s, err := blob.NewS3(t.Context(), cfg, transport)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bucket = "other"
	if _, err := blob.NewS3(t.Context(), cfg, transport); err == nil {
		t.Error("a bucket that does not exist was accepted")
	}
	return s
}

func TestPartsInAnyOrder(t *testing.T) {
	stores(t, func(t *testing.T, s blob.Store) {
		for _, size := range []int{1, part, part + 1, 3*part - 7} {
			data := content(size)
			f := fileOf("ABC"+string(rune('a'+size%7))+"file", data)
			for n := (size - 1) / part; n >= 0; n-- {
				put(t, s, f, data, n)
			}
			if err := s.Seal(t.Context(), f); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if !bytes.Equal(read(t, s, f.ID), data) {
				t.Errorf("%d bytes came back otherwise", size)
			}
			if err := s.Seal(t.Context(), f); err != nil {
				t.Errorf("sealing again: %v", err)
			}
			if has, err := s.Has(t.Context(), f.ID, f.Size); !has || err != nil {
				t.Errorf("has: %v, %v", has, err)
			}
			if has, _ := s.Has(t.Context(), f.ID, f.Size+1); has {
				t.Error("a file of another size counts as there")
			}
			if err := s.Delete(t.Context(), f.ID, 3); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Open(t.Context(), f.ID); !errors.Is(err, blob.ErrMissing) {
				t.Errorf("deleted, and yet: %v", err)
			}
		}
	})
}

func TestDamageShowsWhenSealed(t *testing.T) {
	stores(t, func(t *testing.T, s blob.Store) {
		data := content(2*part + 5)
		f := fileOf("DAMAGED", data)
		seal := func(what string) {
			t.Helper()
			if err := s.Seal(t.Context(), f); !errors.Is(err, blob.ErrDamaged) {
				t.Errorf("%s: %v", what, err)
			}
		}
		seal("no part")
		put(t, s, f, data, 0)
		put(t, s, f, data, 2)
		seal("a part is missing")
		put(t, s, f, make([]byte, len(data)), 1)
		seal("a part is another one")
		put(t, s, f, data, 1)
		if err := s.Seal(t.Context(), f); err != nil {
			t.Errorf("repaired: %v", err)
		}
		if !bytes.Equal(read(t, s, f.ID), data) {
			t.Error("the repaired file is another one")
		}
	})
}

func TestPartThatEndsEarly(t *testing.T) {
	stores(t, func(t *testing.T, s blob.Store) {
		data := content(part)
		f := fileOf("SHORT", data)
		for what, rest := range map[string]io.Reader{"broke off": cut{}, "ended": bytes.NewReader(nil)} {
			r := io.MultiReader(bytes.NewReader(data[:100]), rest)
			if err := s.PutPart(t.Context(), f, 0, r, part); err == nil {
				t.Errorf("a part that %s was accepted", what)
			}
		}
		if err := s.Delete(t.Context(), f.ID, 1); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), f.ID, 1); err != nil {
			t.Errorf("deleting nothing: %v", err)
		}
	})
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, errors.New("cut") }

func TestIDsAreNoPaths(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := blob.NewDisk(filepath.Join(dir, "files"))
	for _, id := range []string{"", "a", "..", "../secret", "../../secret", "ab/../../secret", `ab\c`, "abc.d", "abc\x00d", "äöüß", "C:ab"} {
		f := fileOf(id, []byte("y"))
		if err := s.PutPart(t.Context(), f, 0, bytes.NewReader([]byte("y")), 1); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("%q: put %v", id, err)
		}
		if err := s.Seal(t.Context(), f); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("%q: seal %v", id, err)
		}
		if _, err := s.Open(t.Context(), id); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("%q: open %v", id, err)
		}
		if err := s.Delete(t.Context(), id, 1); err != nil {
			t.Errorf("%q: delete %v", id, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "files")); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was written")
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "x" {
		t.Errorf("the file outside was touched: %q, %v", b, err)
	}
}

func TestS3Endpoints(t *testing.T) {
	for _, e := range []string{"", "host", "host:9000", "ftp://host", "http://host/path", "://"} {
		if _, err := blob.NewS3(context.Background(), blob.S3Config{Endpoint: e, Bucket: "b"}, nil); err == nil {
			t.Errorf("%q was accepted", e)
		}
	}
}
