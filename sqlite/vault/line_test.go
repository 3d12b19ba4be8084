package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"timbre/sqlite/vault"
)

func TestLines(t *testing.T) {
	line := []byte(`{"text":"` + marker + `"}`)
	sealed, err := vault.SealLine(keyA, line)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := vault.SealLine(keyA, line)
	if bytes.Contains(sealed, []byte(marker)) || bytes.ContainsRune(sealed, '\n') || bytes.Equal(sealed, again) {
		t.Errorf("sealed twice: %q, %q", sealed, again)
	}
	if got, err := vault.OpenLine(keyA, append(sealed, '\n')); err != nil || !bytes.Equal(got, line) {
		t.Errorf("opened: %q, %v", got, err)
	}
	altered := bytes.Clone(sealed)
	altered[5] ^= 1
	for name, try := range map[string]struct{ key, sealed []byte }{
		"another key": {keyB, sealed}, "altered": {keyA, altered}, "torn": {keyA, sealed[:9]}, "plain": {keyA, line}, "empty": {keyA, nil},
		"short key": {keyA[:4], sealed},
	} {
		if got, err := vault.OpenLine(try.key, try.sealed); !errors.Is(err, vault.ErrKey) {
			t.Errorf("%s: %q, %v, want ErrKey", name, got, err)
		}
	}
	if got, err := vault.SealLine(nil, line); err != nil || !bytes.Equal(got, line) {
		t.Errorf("without a key: %q, %v", got, err)
	}
	if got, err := vault.OpenLine(nil, line); err != nil || !bytes.Equal(got, line) {
		t.Errorf("without a key: %q, %v", got, err)
	}
}
