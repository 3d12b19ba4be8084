package vault_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"

	"timbre/sqlite"
)

func BenchmarkRows(b *testing.B) { // 100,000 rows of 200 bytes, 100 in a transaction; a small cache, so that reading reads
	for _, name := range []string{"plain", "encrypted"} {
		key := map[string][]byte{"encrypted": keyA}[name]
		path := func() string { return filepath.Join(b.TempDir(), "x.db") }
		body := make([]byte, 100)
		rand.Read(body)
		insert := func(db *sqlite.DB) {
			for from := 0; from < 100_000; from += 100 {
				err := db.Write(context.Background(), func(tx *sqlite.Tx) error {
					for i := from; i < from+100; i++ {
						if err := tx.Exec(`INSERT INTO n VALUES (?,?)`, i, fmt.Sprintf("%x", body)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		start := func(path string) *sqlite.DB {
			db, err := sqlite.Open(sqlite.Config{Path: path, Key: key, Schemas: []sqlite.Schema{schema}})
			if err != nil {
				b.Fatal(err)
			}
			return db
		}
		b.Run("insert/"+name, func(b *testing.B) {
			for b.Loop() {
				db := start(path())
				insert(db)
				db.Close()
			}
		})
		b.Run("scan/"+name, func(b *testing.B) {
			db := start(path())
			defer db.Close()
			insert(db)
			read(b, db, `SELECT t FROM n`, func(int) []any { return nil }, 1)
		})
		b.Run("lookup/"+name, func(b *testing.B) {
			db := start(path())
			defer db.Close()
			insert(db)
			read(b, db, `SELECT t FROM n WHERE i=?`, func(i int) []any { return []any{i * 7919 % 100_000} }, 100_000)
		})
	}
}

// read runs the query times times and wants 100,000 rows.
func read(b *testing.B, db *sqlite.DB, query string, args func(int) []any, times int) {
	for b.Loop() {
		n := 0
		err := db.Read(context.Background(), func(q sqlite.Queryer) error {
			for i := range times {
				err := q.Query(query, func(scan func(...any) error) error {
					var s string
					n++
					return scan(&s)
				}, args(i)...)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n != 100_000 {
			b.Fatal(n, err)
		}
	}
}
