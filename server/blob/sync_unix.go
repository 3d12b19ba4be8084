//go:build !windows

package blob

import (
	"errors"
	"os"
)

// syncFolder makes a new name in the folder outlast a power cut.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
