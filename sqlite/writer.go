package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// maxBatch bounds one transaction, so that a flood cannot delay its first sender for long.
const maxBatch = 512

// Job is one change.
type Job struct {
	// Apply makes the change. It may run twice and must only use the Tx. It returns an error only when the change
	// must not happen; a refusal that wrote nothing is better kept in a variable and reported by Done.
	Apply func(*Tx) error
	// Done runs after the commit, or with the error that prevented it, on the writer's goroutine and in the order of
	// submission. It must not block. May be nil.
	Done func(error)
	// Durable asks for an fsync before Done.
	Durable bool

	alone []string // statements that cannot run in a transaction, instead of Apply
}

// Submit queues a job and returns at once. After Close the job's Done gets ErrClosed on the caller's goroutine. While
// Close still works off the queue, jobs are taken, so that a Done can see its matter to the end.
func (db *DB) Submit(j Job) {
	db.mu.Lock()
	if db.closing && !db.busy && len(db.queue) == 0 {
		db.mu.Unlock()
		j.finish(ErrClosed)
		return
	}
	db.queue = append(db.queue, j)
	db.mu.Unlock()
	db.signal()
}

// Write runs one change and waits for its commit. A cancelled context ends the waiting, not the change.
func (db *DB) Write(ctx context.Context, apply func(*Tx) error) error {
	done := make(chan error, 1)
	db.Submit(Job{Apply: apply, Done: func(err error) { done <- err }})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *Job) finish(err error) {
	if j.Done != nil {
		j.Done(err)
	}
}

func (db *DB) signal() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, at most one batch, and whether the database is closing.
func (db *DB) take() (batch []Job, closing bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	n := min(len(db.queue), maxBatch)
	for i := range n {
		if db.queue[i].alone != nil {
			n = max(i, 1)
			break
		}
	}
	if n == len(db.queue) {
		batch, db.queue = db.queue, nil
	} else {
		batch, db.queue = db.queue[:n:n], db.queue[n:]
	}
	if db.busy = len(batch) > 0; db.busy {
		db.busySince = time.Now()
	}
	return batch, db.closing
}

func (db *DB) run() {
	defer close(db.stopped)
	for {
		batch, closing := db.take()
		if len(batch) == 0 {
			if closing {
				return
			}
			<-db.wake
			continue
		}
		db.writer.batch(batch)
	}
}

// writer executes batches on the one connection that may write.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	full  bool // synchronous=FULL for all
	sync  bool // what the connection is set to now
	work  *work

	suspect func(error) // looks at every error for damage
}

func newWriter(conn *sql.Conn, full bool, w *work) writer {
	return writer{conn: conn, stmts: map[string]*sql.Stmt{}, full: full, sync: full, work: w}
}

func (w *writer) batch(jobs []Job) {
	if jobs[0].alone != nil {
		jobs[0].finish(w.run(jobs[0].alone))
		return
	}
	if err := w.try(jobs); err == nil {
		for i := range jobs {
			jobs[i].finish(nil)
		}
		return
	} else if len(jobs) == 1 {
		jobs[0].finish(err)
		return
	}
	for i := range jobs { // one of them failed: alone, each meets its own fate
		jobs[i].finish(w.try(jobs[i : i+1]))
	}
}

func (w *writer) try(jobs []Job) error {
	err := w.transact(jobs)
	w.suspect(err)
	if err != nil && len(jobs) == 1 { // more than one are tried again, each alone
		w.work.failed.Add(1)
	}
	return err
}

func (w *writer) run(statements []string) error {
	for _, s := range statements {
		if _, err := w.conn.ExecContext(context.Background(), s); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) transact(jobs []Job) (err error) {
	if err = w.setSync(jobs); err != nil {
		return err
	}
	tx, began := &Tx{w: w}, time.Now()
	if err = tx.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in a database job: %v", r)
		}
		if err != nil {
			_ = tx.Exec("ROLLBACK") // the first error matters
		}
	}()
	for i := range jobs {
		if err = jobs[i].Apply(tx); err != nil {
			return err
		}
	}
	if err = tx.flush(); err != nil {
		return err
	}
	return w.commit(tx, began, len(jobs))
}

func (w *writer) commit(tx *Tx, began time.Time, jobs int) error {
	committing := time.Now()
	if err := tx.Exec("COMMIT"); err != nil {
		return err
	}
	w.work.commits.Observe(time.Since(committing))
	w.work.transactions.Observe(time.Since(began))
	w.work.jobs.Add(uint64(jobs))
	return nil
}

// setSync switches to FULL while a batch must reach the disk and back to NORMAL afterwards.
func (w *writer) setSync(jobs []Job) error {
	want := w.full
	for i := range jobs {
		want = want || jobs[i].Durable
	}
	if want == w.sync {
		return nil
	}
	mode := "PRAGMA synchronous=NORMAL"
	if want {
		mode = "PRAGMA synchronous=FULL"
	}
	if _, err := w.conn.ExecContext(context.Background(), mode); err != nil {
		return err
	}
	w.sync = want
	return nil
}

func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	w.stmts[query] = s
	return s, nil
}

func (w *writer) closeStatements() {
	for _, s := range w.stmts {
		s.Close()
	}
}
