package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"timbre/sqlite"
	"timbre/sqlite/latency"
)

func scrape(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}

func TestDatabase(t *testing.T) {
	var transactions, commits, reads latency.Histogram
	for range 3 {
		transactions.Observe(300 * time.Microsecond)
	}
	transactions.Observe(3 * time.Second)
	commits.Observe(time.Millisecond)
	m := New(func() sqlite.Stats {
		return sqlite.Stats{Size: 4096, WALSize: 512, Queued: 7, Busy: 250 * time.Millisecond, Jobs: 40, Failed: 2,
			Transactions: &transactions, Commits: &commits, Reads: &reads}
	}, func() int { return 99 })
	has(t, scrape(m), "timbred_database_bytes 4096", "timbred_database_wal_bytes 512", "timbred_database_queue 7",
		"timbred_database_busy_seconds 0.25", "timbred_database_jobs_total 40", "timbred_database_failed_total 2", "timbred_outbound_bytes 99",
		`timbred_database_transaction_seconds_bucket{le="0.000256"} 0`, `timbred_database_transaction_seconds_bucket{le="0.000512"} 3`,
		`timbred_database_transaction_seconds_bucket{le="+Inf"} 4`, "timbred_database_transaction_seconds_sum 3.0009",
		"timbred_database_commit_seconds_count 1", "timbred_database_read_seconds_count 0")
}

func TestRequests(t *testing.T) {
	m := New(func() sqlite.Stats {
		return sqlite.Stats{Transactions: &latency.Histogram{}, Commits: &latency.Histogram{}, Reads: &latency.Histogram{}}
	}, func() int { return 0 })
	op := m.Operation("msg.send")
	op.Answered(2 * time.Millisecond)
	op.Answered(2 * time.Second)
	m.Refusal(20009)
	m.Refusal(20009)
	m.Sessions.Inc()
	m.Kicks.Inc()
	has(t, scrape(m), `timbred_request_seconds_bucket{op="msg.send",le="0.001"} 0`, `timbred_request_seconds_bucket{op="msg.send",le="0.004"} 1`,
		`timbred_request_seconds_count{op="msg.send"} 2`, `timbred_refusals_total{code="20009"} 2`, "timbred_sessions 1", "timbred_kicks_total 1")
}
