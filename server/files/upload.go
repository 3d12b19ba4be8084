package files

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/blob"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// row is a file as the table has it.
type row struct {
	id    string
	who   who
	sum   []byte
	size  int64
	kind  string // media type
	state int
	used  int64
}

const columns = `id, app, uid, sum, size, type, state, used`

func (r *row) dest() []any {
	return []any{&r.id, &r.who.app, &r.who.uid, &r.sum, &r.size, &r.kind, &r.state, &r.used}
}

func (r *row) blob() *blob.File {
	return &blob.File{ID: r.id, Size: r.size, Part: model.FilePart, Sum: [sha256.Size]byte(r.sum)}
}

func byID(q sqlite.Queryer, id string) (r row, found bool, err error) {
	found, err = q.Get(`SELECT `+columns+` FROM file WHERE id=?`, r.dest(), id)
	return r, found, err
}

func bySum(q sqlite.Queryer, app uint64, sum []byte, size int64) (r row, found bool, err error) {
	found, err = q.Get(`SELECT `+columns+` FROM file WHERE app=? AND sum=? AND size=? AND state=1`, r.dest(), app, sum, size)
	return r, found, err
}

// check holds an announcement against the rules and returns the file's name and hash.
func (f *Files) check(b *protocol.FileBegin) (name string, sum []byte, err error) {
	kind := model.FileKind(b.Kind)
	most, set := f.cfg.Max[kind]
	if !set {
		most = kind.Max()
	}
	sum, err = hex.DecodeString(b.SHA256)
	name = cleanName(b.Name)
	switch {
	case kind.Max() == 0:
		return "", nil, refusal.New(tim.ErrSVRResInvalidParameters, "kind must be image, snapshot, sound, video or file")
	case err != nil || len(sum) != sha256.Size:
		return "", nil, refusal.New(tim.ErrSVRResInvalidParameters, "sha256 must have 64 hexadecimal digits")
	case b.Size <= 0:
		return "", nil, refusal.New(tim.ErrSVRResInvalidParameters, "an empty file cannot be sent")
	case b.Size > most:
		return "", nil, refusal.New(tim.ErrSVRResSizeLimit, fmt.Sprintf("a file of this kind may have %d bytes", most))
	case len(b.Holds) > model.MaxHeld:
		return "", nil, refusal.New(tim.ErrSVRResInvalidParameters, fmt.Sprintf("a file holds at most %d others", model.MaxHeld))
	case f.denied(name):
		return "", nil, refusal.New(tim.ErrSVRResAccessDeny, "files with this extension are not accepted here")
	}
	return name, sum, nil
}

func (f *Files) denied(name string) bool {
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	return ext != "" && slices.ContainsFunc(f.cfg.Denied, func(d string) bool {
		return ext == strings.ToLower(strings.TrimPrefix(d, "."))
	})
}

// cleanName makes the end of a URL of what a client calls a file: no folders, nothing that cannot be seen.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	for len(name) > model.MaxFileName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	if strings.Trim(name, ". ") == "" {
		return ""
	}
	return strings.TrimRight(name, ". ") // so that no extension hides behind them
}

// begin starts or continues an upload, or finds that the file is there.
func (f *Files) begin(ctx context.Context, u who, sum []byte, size int64) (protocol.FileState, error) {
	lost, err := f.lookup(ctx, u.app, sum, size)
	if err != nil {
		return protocol.FileState{}, err
	}
	var s protocol.FileState
	var refused error
	err = f.Store.Write(ctx, func(tx *sqlite.Tx) (err error) {
		s, refused, err = f.enter(tx, u, sum, size, lost)
		return err
	})
	return s, errors.Join(refused, err)
}

// lookup returns the id of a stored file whose bytes are gone, or "".
func (f *Files) lookup(ctx context.Context, app uint64, sum []byte, size int64) (lost string, err error) {
	var r row
	var found, has bool
	err = f.Store.Read(ctx, func(q sqlite.Queryer) (err error) {
		r, found, err = bySum(q, app, sum, size)
		return err
	})
	if err == nil && found {
		has, err = f.Blobs.Has(ctx, r.id, size)
	}
	if err != nil || !found || has {
		return "", err
	}
	f.Logger.Error("the bytes of a stored file are gone; it is being uploaded again", "file", r.id)
	return r.id, nil
}

func (f *Files) enter(tx *sqlite.Tx, u who, sum []byte, size int64, lost string) (s protocol.FileState, refused, err error) {
	now := f.Now().UnixMilli()
	r, found, err := bySum(tx, u.app, sum, size)
	if err != nil {
		return s, nil, err
	}
	if found && r.id != lost {
		return protocol.FileState{ID: r.id, Size: size, Parts: model.FileParts(size), Have: []int{}, Done: true}, nil,
			tx.Exec(`UPDATE file SET used=? WHERE id=?`, now, r.id)
	}
	if found { // the bytes are gone: this user brings them back, under the old id
		if err := f.revive(tx, r.id, u); err != nil {
			return s, nil, err
		}
	}
	found, err = tx.Get(`SELECT `+columns+` FROM file WHERE uid=? AND sum=? AND size=? AND state=0`, r.dest(), u.uid, sum, size)
	if err != nil {
		return s, nil, err
	}
	if !found {
		if refused, err = f.charge(tx, u.uid, size); refused != nil || err != nil {
			return s, refused, err
		}
		r = row{id: rand.Text(), who: u, sum: sum, size: size}
		err = tx.Exec(`INSERT INTO file (`+columns+`) VALUES (?,?,?,?,?,'',0,?)`, r.id, u.app, u.uid, sum, size, now)
	} else {
		err = tx.Exec(`UPDATE file SET used=? WHERE id=?`, now, r.id)
	}
	if err != nil {
		return s, nil, err
	}
	have, err := parts(tx, r.id)
	return protocol.FileState{ID: r.id, Size: size, Parts: model.FileParts(size), Have: have}, nil, err
}

// revive turns a stored file back into an upload of this user. One that he had begun for the same content gives way.
func (f *Files) revive(tx *sqlite.Tx, id string, u who) error {
	err := tx.Exec(`UPDATE file SET state=2 WHERE uid=? AND state=0 AND (sum, size) = (SELECT sum, size FROM file WHERE id=?)`,
		u.uid, id)
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE file SET state=0, uid=? WHERE id=?`, u.uid, id)
}

// charge takes a new upload from the user's quota. Continuing one costs nothing, nor does what is there already.
func (f *Files) charge(tx *sqlite.Tx, uid, size int64) (refused, err error) {
	day := f.Now().Unix() / int64(24*time.Hour/time.Second)
	var used int64
	if _, err := tx.Get(`SELECT bytes FROM file_quota WHERE uid=? AND day=?`, []any{&used}, uid, day); err != nil {
		return nil, err
	}
	if f.cfg.Quota > 0 && used+size > f.cfg.Quota {
		return refusal.New(tim.ErrSVRResSizeLimit, "the quota of this day is used up"), nil
	}
	return nil, tx.Exec(`INSERT INTO file_quota VALUES (?,?,?)
		ON CONFLICT(uid, day) DO UPDATE SET bytes=bytes+excluded.bytes`, uid, day, size)
}

func parts(q sqlite.Queryer, id string) ([]int, error) {
	have := []int{}
	err := q.Query(`SELECT n FROM file_part WHERE id=? ORDER BY n`, func(scan func(...any) error) error {
		var n int
		if err := scan(&n); err != nil {
			return err
		}
		have = append(have, n)
		return nil
	}, id)
	return have, err
}

// own returns a file of the user that is being uploaded or was, and whether it has part n. An upload that gave way to
// another one of the same content, which was faster, is taken for that one.
func (f *Files) own(ctx context.Context, u who, id string, n int) (r row, have bool, err error) {
	var found bool
	err = f.Store.Read(ctx, func(q sqlite.Queryer) (err error) {
		if r, found, err = byID(q, id); err != nil {
			return err
		}
		if r.state == dead {
			return r.replace(q)
		}
		have, err = q.Get(`SELECT n FROM file_part WHERE id=? AND n=?`, []any{new(int)}, id, n)
		return err
	})
	switch {
	case err != nil:
	case !found || r.state == dead:
		err = refusal.New(tim.ErrSVRResNotFound, "there is no such file")
	case r.who != u:
		err = refusal.New(tim.ErrSVRResAccessDeny, "this upload is somebody else's")
	}
	return r, have, err
}

func (r *row) replace(q sqlite.Queryer) error {
	first, found, err := bySum(q, r.who.app, r.sum, r.size)
	if found {
		r.id, r.state = first.id, stored
	}
	return err
}

// noted says that a part has arrived.
func (f *Files) noted(ctx context.Context, id string, n int) error {
	return f.Store.Write(ctx, func(tx *sqlite.Tx) error {
		if err := tx.Exec(`INSERT INTO file_part VALUES (?,?) ON CONFLICT DO NOTHING`, id, n); err != nil {
			return err
		}
		return tx.Exec(`UPDATE file SET used=? WHERE id=?`, f.Now().UnixMilli(), id)
	})
}

// finish seals an upload and returns the id of the stored file, which is another one's when that was faster.
func (f *Files) finish(ctx context.Context, r *row) (id string, err error) {
	if r.state == stored {
		return r.id, nil
	}
	err = f.Blobs.Seal(ctx, r.blob())
	if errors.Is(err, blob.ErrDamaged) {
		err = f.Store.Write(ctx, func(tx *sqlite.Tx) error { return tx.Exec(`DELETE FROM file_part WHERE id=?`, r.id) })
		return "", errors.Join(refusal.New(tim.ErrSVRResInvalidFileMd5, "parts are missing or not the announced content: begin again"), err)
	}
	if err != nil {
		return "", err
	}
	kind, err := f.sniff(ctx, r.id)
	if err != nil {
		return "", err
	}
	err = f.Store.Write(ctx, func(tx *sqlite.Tx) (err error) {
		id, err = f.publish(tx, r, kind)
		return err
	})
	return id, err
}

func (f *Files) publish(tx *sqlite.Tx, r *row, kind string) (id string, err error) {
	if err := tx.Exec(`DELETE FROM file_part WHERE id=?`, r.id); err != nil {
		return "", err
	}
	first, found, err := bySum(tx, r.who.app, r.sum, r.size)
	if err != nil {
		return "", err
	}
	now := f.Now().UnixMilli()
	if found {
		if err := tx.Exec(`UPDATE file SET state=2 WHERE id=?`, r.id); err != nil {
			return "", err
		}
		return first.id, f.Touch(tx, []string{first.id})
	}
	return r.id, tx.Exec(`UPDATE file SET state=1, type=?, used=? WHERE id=?`, kind, now, r.id)
}

// sniff finds the media type in the content: what the client says does not count.
func (f *Files) sniff(ctx context.Context, id string) (string, error) {
	c, err := f.Blobs.Open(ctx, id)
	if err != nil {
		return "", err
	}
	defer c.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(c, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return "", err
	}
	return http.DetectContentType(head[:n]), nil
}
