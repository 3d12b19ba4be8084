package media

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"timbre/model"
)

// Names beside the target: the part, and what it is a part of.
const (
	partSuffix  = ".timbre-part"
	stateSuffix = ".timbre-part.json"
	maxBase     = 200 // bytes of a target's name; a longer one leaves no room for the suffix
)

// partFile is a download that has begun.
type partFile struct {
	name  string // of the part
	state string // of the file that says what it is
	of    partState
	size  int64 // bytes of it that are there
	known int64 // size of a complete target

	file   *os.File
	sum    hash.Hash // of the first summed bytes
	summed int64
	looked bool   // whether the target was looked at
	target string // SHA-256 of a target that may be complete
}

// partState says what a part is a part of. Without a tag nothing can be continued.
type partState struct {
	Source string `json:"source"`
	Tag    string `json:"tag"`
}

func newPartFile(path string, r Remote) *partFile {
	base := filepath.Base(path)
	if len(base) > maxBase {
		sum := sha256.Sum256([]byte(base))
		base = hex.EncodeToString(sum[:16])
	}
	base = filepath.Join(filepath.Dir(path), base)
	p := &partFile{name: base + partSuffix, state: base + stateSuffix, of: partState{Source: r.source()}, sum: sha256.New()}
	var old partState
	text, err := os.ReadFile(p.state)
	info, statErr := os.Stat(p.name)
	if err == nil && statErr == nil && json.Unmarshal(text, &old) == nil && old.Source == p.of.Source && old.Tag != "" {
		p.of, p.size = old, info.Size()
	}
	return p
}

// source names the file independently of addresses that expire.
func (r *Remote) source() string {
	if validID(r.ID) {
		return r.ID
	}
	return r.URL
}

// complete returns the SHA-256 of the target when it might be the file already: when it has the size that is expected, or,
// where nobody knows that, one that a file may have.
func (p *partFile) complete(target string, size int64) string {
	if p.looked {
		return p.target
	}
	p.looked = true
	info, err := os.Stat(target)
	if err != nil || info.Size() == 0 || size > 0 && info.Size() != size || info.Size() > max(size, model.MaxFile) {
		return ""
	}
	if sum, err := sumOf(target, info.Size()); err == nil {
		p.target, p.known = sum, info.Size()
	}
	return p.target
}

// resume says from where to go on, and the tag that the rest must have.
func (p *partFile) resume() (have int64, tag string) {
	if p.of.Tag == "" {
		return 0, ""
	}
	return p.size, p.of.Tag
}

// restart begins the part anew.
func (p *partFile) restart(tag string) error {
	p.close()
	p.of.Tag, p.size, p.summed, p.target = tag, 0, 0, ""
	p.sum.Reset()
	text, err := json.Marshal(p.of)
	if err != nil {
		return err
	}
	if err := os.Remove(p.name); err != nil && !errors.Is(err, os.ErrNotExist) { // before the state changes
		return err
	}
	if err := os.WriteFile(p.state, text, 0o600); err != nil {
		return err
	}
	p.file, err = os.OpenFile(p.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	return err
}

// goOn opens the part behind what it has.
func (p *partFile) goOn() (err error) {
	if p.summed != p.size {
		p.sum.Reset()
		p.summed = 0
		if err := hashFile(p.name, p.size, p.sum); err != nil {
			return err
		}
		p.summed = p.size
	}
	if p.file != nil {
		return nil
	}
	if p.file, err = os.OpenFile(p.name, os.O_WRONLY, 0); err != nil {
		return err
	}
	_, err = p.file.Seek(p.size, io.SeekStart)
	return err
}

// append writes what comes to the end of the part.
func (p *partFile) append(r io.Reader, moved func(n int)) error {
	buf := make([]byte, readBuffer)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			written, writeErr := p.file.Write(buf[:n])
			p.sum.Write(buf[:written])
			p.size, p.summed = p.size+int64(written), p.summed+int64(written)
			if writeErr != nil {
				return writeErr
			}
			moved(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// rename puts the part in the target's place.
func (p *partFile) rename(target string) error {
	err := p.file.Close()
	p.file = nil
	if err != nil {
		return err
	}
	if err := os.Rename(p.name, target); err != nil {
		return err
	}
	_ = os.Remove(p.state) // a state without a part means nothing
	return nil
}

// remove drops what there is.
func (p *partFile) remove() {
	p.close()
	p.size, p.summed, p.of.Tag = 0, 0, ""
	p.sum.Reset()
	_ = os.Remove(p.name) // restart complains if it cannot be removed
	_ = os.Remove(p.state)
}

func (p *partFile) close() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}
