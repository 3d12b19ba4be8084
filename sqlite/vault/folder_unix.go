//go:build unix

package vault

import (
	"errors"
	"os"
)

// syncFolder brings a rename to the disk.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
