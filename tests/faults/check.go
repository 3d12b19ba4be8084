package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	_ "modernc.org/sqlite" // the driver
)

// Statuses of a message.
const (
	statusSent   = 2
	statusFailed = 3
)

// intent is one send as the journal tells it.
type intent struct {
	content, id string
	run         int
	order       int   // among the accepted ones of its sender
	at          int64 // when the call returned, in milliseconds
	accepted    bool
	refused     bool
	codes       []int // of its callbacks
}

func (i *intent) succeeded() bool { return slices.Contains(i.codes, 0) }
func (i *intent) failed() bool    { return len(i.codes) > 0 && !i.succeeded() }

// journal is what one user's processes wrote, all runs after each other.
type journal struct {
	intents map[string]*intent
	order   []*intent  // accepted ones
	arrived [][]string // contents of the messages that arrived, by run
	runs    int
	kicks   []string
}

func readJournal(name string) (*journal, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	j := &journal{intents: map[string]*intent{}}
	s := bufio.NewScanner(bytes.NewReader(text))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) < 2 {
			return nil, fmt.Errorf("%s: strange line %q", name, s.Text())
		}
		if err := j.line(f); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, s.Text(), err)
		}
	}
	return j, s.Err()
}

func (j *journal) line(f []string) error {
	switch f[1] {
	case "S":
		j.runs++
		j.arrived = append(j.arrived, nil)
	case "I":
		j.intents[f[2]] = &intent{content: f[2], run: j.runs}
	case "A":
		i := j.intents[f[2]]
		i.accepted, i.id, i.order = true, f[3], len(j.order)
		i.at, _ = strconv.ParseInt(f[0], 10, 64)
		j.order = append(j.order, i)
	case "X":
		j.intents[f[2]].refused = true
	case "C":
		code, err := strconv.Atoi(f[3])
		if err != nil {
			return err
		}
		j.intents[f[2]].codes = append(j.intents[f[2]].codes, code)
	case "R":
		j.arrived[j.runs-1] = append(j.arrived[j.runs-1], f[2])
	case "K", "E":
		j.kicks = append(j.kicks, f[1]+" at "+f[0])
	}
	return nil
}

// report collects violations.
type report struct {
	lines         []string
	count         map[string]int
	lost, doubled int
	known         int
}

// bad notes a violation; of each kind the first ten are shown.
func (r *report) bad(kind, format string, args ...any) {
	if r.count == nil {
		r.count = map[string]int{}
	}
	if r.count[kind]++; r.count[kind] <= 10 {
		r.lines = append(r.lines, kind+": "+fmt.Sprintf(format, args...))
	}
}

func contents(list []message, status int) []string {
	var out []string
	for i := range list {
		if list[i].Status == status {
			out = append(out, list[i].content())
		}
	}
	return out
}

// once checks that nothing is in a history twice, and that its numbers ascend and leave nothing out.
func (r *report) once(name string, list []message) {
	seen := map[string]int{}
	next := uint64(1)
	for i := range list {
		m := &list[i]
		if seen[m.content()]++; seen[m.content()] == 2 {
			r.doubled++
			r.bad("doubled", "%s holds %s more than once", name, m.content())
		}
		switch m.Status {
		case statusSent:
			if m.Seq != next {
				r.bad("numbers", "%s: %s has seq %d, not %d", name, m.content(), m.Seq, next)
			}
			next = m.Seq + 1
		case statusFailed:
		default:
			r.bad("undecided", "%s: %s has status %d", name, m.content(), m.Status)
		}
	}
}

// same checks that a history is the server's, message by message.
func (r *report) same(name string, got, want []string) {
	if slices.Equal(got, want) {
		return
	}
	have := map[string]bool{}
	for _, c := range got {
		have[c] = true
	}
	missing := 0
	for _, c := range want {
		if !have[c] {
			missing++
			r.bad("missing in "+name, "%s", c)
		}
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			r.bad("order", "%s and the server differ from place %d on: %s, not %s (%d and %d messages, %d missing)",
				name, i, got[i], want[i], len(got), len(want), missing)
			return
		}
	}
	r.bad("order", "%s has %d messages, the server %d", name, len(got), len(want))
}

// sender checks what became of everything that one user wanted to send. ends is when his processes were
// killed, 0 for those that ended by themselves.
func (r *report) sender(user string, j *journal, own, stored []message, sent []string, ends []int64) {
	delivered := map[string]int{} // place
	for i, c := range sent {
		delivered[c] = i
	}
	status := map[string]*message{}
	for i := range own {
		status[own[i].content()] = &own[i]
	}
	killed := func(i *intent) bool { return i.run <= len(ends) && ends[i.run-1] != 0 }
	for _, i := range j.order {
		m := status[i.content]
		_, there := delivered[i.content]
		switch {
		case len(i.codes) > 1:
			r.bad("callbacks", "%s: %s got %d callbacks: %v", user, i.content, len(i.codes), i.codes)
		case len(i.codes) == 0 && !killed(i):
			r.bad("callbacks", "%s: %s got no callback", user, i.content)
		}
		switch {
		case i.succeeded() && !there:
			r.lost++
			r.bad("lost", "%s was told that %s had been sent; the server does not have it", user, i.content)
		case there || i.failed():
		case m == nil:
			r.lost++
			r.bad("lost", "%s: %s was accepted and nobody knows it", user, i.content)
		case m.Status != statusFailed:
			r.bad("undecided", "%s: %s ended with status %d and without the server", user, i.content, m.Status)
		default:
			r.known++
		}
		if m != nil && m.ID != i.id {
			r.bad("ids", "%s: %s was given the id %s and has %s", user, i.content, i.id, m.ID)
		}
		if i.failed() && m == nil {
			r.bad("failed", "%s: %s was reported failed and is not in the history", user, i.content)
		}
	}
	for _, i := range j.intents {
		if _, there := delivered[i.content]; there && i.refused {
			r.bad("refused", "%s: %s was refused and delivered", user, i.content)
		}
	}
	r.sequence(user, j, stored)
}

// sequence checks that what a user sent arrived in the order in which he sent it. What was reported failed may come when
// it wants.
func (r *report) sequence(user string, j *journal, stored []message) {
	var last *intent
	for k := range stored {
		m := &stored[k]
		if m.Sender != user {
			continue
		}
		i := j.intents[m.content()]
		switch {
		case i == nil:
			r.bad("unknown", "the server has %s, which nobody sent", m.content())
			continue
		case !i.accepted || i.failed(): // killed before it could be written down
			continue
		case last != nil && last.order > i.order:
			r.bad("sequence", "%s sent %s before %s; the server has them as %d and %d", user, i.content, last.content,
				m.Seq, m.Seq-1)
		}
		last = i
	}
}

// arrivals checks the events: nothing twice, and within a process nothing left out and nothing out of order.
func (r *report) arrivals(user, peer string, j *journal, stored []message) {
	place := map[string]int{}
	n := 0
	for i := range stored {
		if stored[i].Sender == peer {
			place[stored[i].content()] = n
			n++
		}
	}
	seen := map[string]bool{}
	for run, list := range j.arrived {
		last := -1
		for _, c := range list {
			if seen[c] {
				r.doubled++
				r.bad("announced twice", "%s heard of %s twice", user, c)
			}
			seen[c] = true
			at, known := place[c]
			switch {
			case !known:
				r.bad("unknown", "%s heard of %s, which the server does not have", user, c)
			case last >= 0 && at != last+1:
				r.bad("announced", "%s, process %d, heard of %s, the peer's message %d, after number %d", user, run+1, c, at, last)
			}
			last = at
		}
	}
	if len(j.arrived) > 0 && n > 0 {
		if final := j.arrived[len(j.arrived)-1]; len(final) > 0 && place[final[len(final)-1]] != n-1 {
			r.bad("announced", "%s did not hear of the last %d messages", user, n-1-place[final[len(final)-1]])
		}
	}
}

// serverState reads the server's database, which may be in use.
type serverState struct {
	messages []message
	unread   map[string]int // by user: the peer's messages behind the user's read position
}

func readServer(file string) (*serverState, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(60000)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	var lo, hi string
	var readLo, readHi uint64
	err = tx.QueryRow(`SELECT a.name, b.name, p.read_lo, p.read_hi FROM pair p JOIN account a ON a.uid=p.lo
		JOIN account b ON b.uid=p.hi`).Scan(&lo, &hi, &readLo, &readHi)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`SELECT m.seq, a.name, m.content FROM msg m JOIN account a ON a.uid=m.sender ORDER BY m.seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	s := &serverState{unread: map[string]int{}}
	for rows.Next() {
		m := message{Status: statusSent}
		var content []byte
		if err := rows.Scan(&m.Seq, &m.Sender, &content); err != nil {
			return nil, err
		}
		m.Elements = append(m.Elements, element{Text: textOf(content)})
		s.messages = append(s.messages, m)
		if m.Sender == hi && m.Seq > readLo {
			s.unread[lo]++
		}
		if m.Sender == lo && m.Seq > readHi {
			s.unread[hi]++
		}
	}
	return s, rows.Err()
}

// textOf finds the text in a message's content, or the name of its file, wherever its element array stands.
func textOf(content []byte) string {
	for _, key := range []string{`"text_elem_content":`, `"file_elem_file_name":`} {
		if at := bytes.Index(content, []byte(key)); at >= 0 {
			return gjson.ParseBytes(content[at+len(key):]).String()
		}
	}
	return "(no text)"
}

// integrity checks a database that nobody uses any more.
func (r *report) integrity(name, file string, outbox bool) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		r.bad("integrity", "%s: %v", name, err)
		return
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		r.bad("integrity", "%s: %s %v", name, verdict, err)
	}
	if !outbox {
		return
	}
	var left int
	if err := db.QueryRow(`SELECT count(*) FROM outbox`).Scan(&left); err != nil || left != 0 {
		r.bad("outbox", "%s: %d intents are left over %v", name, left, err)
	}
}
