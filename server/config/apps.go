package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"timbre/server/account"
)

// appFile keeps the app that was made at the first start, as ID:SECRET. Only its owner may read it.
const appFile = "app"

// ParseApp reads "ID:SECRET".
func ParseApp(s string) (id uint64, secret string, err error) {
	text, secret, ok := strings.Cut(strings.TrimSpace(s), ":")
	if id, err = strconv.ParseUint(text, 10, 53); err != nil || !ok || id == 0 || secret == "" {
		return 0, "", errors.New("an app is written ID:SECRET, the id being a number") // the text may hold a secret
	}
	return id, secret, nil
}

// Secrets returns the secrets of the apps to serve. When none are configured, it is the app in the data folder.
func (c *Config) Secrets() (account.Secrets, error) {
	apps := c.Apps
	if len(apps) == 0 {
		text, err := os.ReadFile(filepath.Join(c.Data, appFile))
		if err != nil {
			return nil, err
		}
		apps = []string{string(text)}
	}
	secrets := account.Secrets{}
	for _, app := range apps {
		id, secret, err := ParseApp(app)
		if err != nil {
			return nil, err
		}
		secrets[id] = secret
	}
	return secrets, nil
}

// EnsureApp makes an app when none is configured and the data folder has none. It returns what it made, for the
// operator's eyes only, or "".
func (c *Config) EnsureApp() (made string, err error) {
	if len(c.Apps) > 0 {
		return "", nil
	}
	name := filepath.Join(c.Data, appFile)
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(99_999_999))
	if err != nil {
		return "", err
	}
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	made = fmt.Sprintf("%d:%s", 1_400_000_001+n.Int64(), hex.EncodeToString(secret[:]))
	return made, os.WriteFile(name, []byte(made+"\n"), 0o600)
}
