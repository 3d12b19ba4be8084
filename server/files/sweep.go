package files

import (
	"context"
	"errors"
	"time"

	"timbre/model"
	"timbre/sqlite"
)

// Sweep deletes files that nobody used for longer than the retention, uploads that nobody continued for a week, and
// what an earlier sweep could not delete.
func (f *Files) Sweep(ctx context.Context) error {
	if err := f.Store.Write(ctx, f.condemn); err != nil {
		return err
	}
	var errs error
	for after := ""; ; {
		list, err := f.condemned(ctx, after)
		if err != nil || len(list) == 0 {
			return errors.Join(errs, err)
		}
		for _, r := range list {
			errs = errors.Join(errs, f.erase(ctx, &r))
			after = r.id
		}
	}
}

// condemn hides what is to go. Its bytes go next, its row last.
func (f *Files) condemn(tx *sqlite.Tx) error {
	now := f.Now()
	if err := tx.Exec(`UPDATE file SET state=2 WHERE state=0 AND used<?`, now.Add(-uploadLife).UnixMilli()); err != nil {
		return err
	}
	day := now.Unix()/int64(24*time.Hour/time.Second) - quotaKept
	if err := tx.Exec(`DELETE FROM file_quota WHERE day<?`, day); err != nil {
		return err
	}
	keep := f.cfg.Retention()
	if keep <= 0 {
		return nil
	}
	return tx.Exec(`UPDATE file SET state=2 WHERE state=1 AND used<?`, now.Add(-keep).UnixMilli())
}

func (f *Files) condemned(ctx context.Context, after string) (list []row, err error) {
	err = f.Store.Read(ctx, func(q sqlite.Queryer) error {
		return q.Query(`SELECT `+columns+` FROM file WHERE state=2 AND id>? ORDER BY id LIMIT ?`,
			func(scan func(...any) error) error {
				var r row
				if err := scan(r.dest()...); err != nil {
					return err
				}
				list = append(list, r)
				return nil
			}, after, sweepAtOnce)
	})
	return list, err
}

// erase leaves a file to the next sweep to which something is just being written, so that nothing comes after the end
// and nobody slow holds up the sweep.
func (f *Files) erase(ctx context.Context, r *row) error {
	leave, ok := f.gates.try(r.id)
	if !ok {
		return nil
	}
	defer leave()
	if err := f.Blobs.Delete(ctx, r.id, model.FileParts(r.size)); err != nil {
		return err
	}
	return f.Store.Write(ctx, func(tx *sqlite.Tx) error {
		for _, rows := range []string{`file_part WHERE id=?`, `file_held WHERE holder=?`, `file WHERE id=?`} {
			if err := tx.Exec(`DELETE FROM `+rows, r.id); err != nil {
				return err
			}
		}
		return nil
	})
}
