package face

import (
	"fmt"
	"strconv"
	gosync "sync"
	"time"

	"timbre/core/client"
	"timbre/core/dispatch"
	"timbre/core/outbox"
	"timbre/core/process"
	"timbre/core/sync"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
	"timbre/sqlite/latency"
)

var diagnosticsHandlers = map[tim.Op]handler{
	tim.OpTIMExtGetDiagnostics: {run: func(c *call) { c.done(0, "", c.face.diagnostics(c.client)) }},
}

// heldUp is from when on a callback counts as slow. It is worth a line in the log later.
const heldUp = 100 * time.Millisecond

// callbacks watches those that run in the host. They may be nested: TIMUninit inside one runs what is queued.
type callbacks struct {
	mu      gosync.Mutex
	running string // function of the innermost one, "" when none is running
	slow    uint64
	slowest string
	longest time.Duration
}

// begin notes a callback and returns the one around it.
func (c *callbacks) begin(name string) (outer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	outer, c.running = c.running, name
	return outer
}

func (c *callbacks) end(name, outer string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = outer
	if took < heldUp {
		return
	}
	c.slow++
	if took > c.longest {
		c.slowest, c.longest = name, took
	}
}

// diagnostics is an ExtDiagnostics.
func (f *Face) diagnostics(cl *client.Client) string {
	d := cl.Diagnostics()
	all := figures{
		{tim.KeyExtDiagnosticsInstance, f.instance},
		{tim.KeyExtDiagnosticsVersion, client.Version},
		{tim.KeyExtDiagnosticsLoginState, d.Status},
		{tim.KeyExtDiagnosticsUser, d.User},
		{tim.KeyExtDiagnosticsConnection, connectionFigures(d.Server, d.Connection)},
		{tim.KeyExtDiagnosticsDispatcher, f.dispatcherFigures(f.queue.Stats())},
		{tim.KeyExtDiagnosticsProcess, processFigures(process.Now())},
	}
	if db := d.Database; db != nil {
		all = append(all, figures{
			{tim.KeyExtDiagnosticsOutbox, outboxFigures(db.Outbox)},
			{tim.KeyExtDiagnosticsSync, syncFigures(db.Sync)},
			{tim.KeyExtDiagnosticsDatabase, databaseFigures(db.SQLite)},
			{tim.KeyExtDiagnosticsFiles, figures{
				{tim.KeyExtDiagnosticsFilesUploads, db.Files.Uploads},
				{tim.KeyExtDiagnosticsFilesDownloads, db.Files.Downloads},
			}},
		}...)
	}
	return string(all.json(make([]byte, 0, 4096)))
}

// connectionFigures is an ExtDiagnosticsConnection.
func connectionFigures(server string, s transport.Stats) figures {
	why, ago := &transport.Error{}, time.Duration(0)
	if s.Failure != nil {
		why, ago = s.Failure, time.Since(s.FailedAt)
	}
	return figures{
		{tim.KeyExtDiagnosticsConnectionState, int(s.State)},
		{tim.KeyExtDiagnosticsConnectionStateMs, time.Since(s.Since).Milliseconds()},
		{tim.KeyExtDiagnosticsConnectionServer, server},
		{tim.KeyExtDiagnosticsConnectionSession, s.Session},
		{tim.KeyExtDiagnosticsConnectionRoundTripUs, s.RoundTrip.Microseconds()},
		{tim.KeyExtDiagnosticsConnectionSmoothedUs, s.Smoothed.Microseconds()},
		{tim.KeyExtDiagnosticsConnectionReconnects, max(s.Connections, 1) - 1},
		{tim.KeyExtDiagnosticsConnectionErrorCode, why.Code},
		{tim.KeyExtDiagnosticsConnectionErrorText, why.Text},
		{tim.KeyExtDiagnosticsConnectionErrorMs, ago.Milliseconds()},
		{tim.KeyExtDiagnosticsConnectionReceivedBytes, s.BytesIn},
		{tim.KeyExtDiagnosticsConnectionSentBytes, s.BytesOut},
		{tim.KeyExtDiagnosticsConnectionPending, s.Pending},
		{tim.KeyExtDiagnosticsConnectionHeartbeatMs, s.Heartbeat.Milliseconds()},
	}
}

// outboxFigures is an ExtDiagnosticsOutbox.
func outboxFigures(s outbox.Stats) figures {
	return figures{
		{tim.KeyExtDiagnosticsOutboxDepth, s.Depth},
		{tim.KeyExtDiagnosticsOutboxLanes, s.Lanes},
		{tim.KeyExtDiagnosticsOutboxOldestMs, s.Age.Milliseconds()},
		{tim.KeyExtDiagnosticsOutboxOldestState, string(s.State)},
	}
}

// syncFigures is an ExtDiagnosticsSync.
func syncFigures(s sync.Stats) figures {
	return figures{
		{tim.KeyExtDiagnosticsSyncEpoch, s.Epoch},
		{tim.KeyExtDiagnosticsSyncPosition, s.Position},
		{tim.KeyExtDiagnosticsSyncCatchingUp, s.CatchingUp},
		{tim.KeyExtDiagnosticsSyncCaughtUp, s.CaughtUp},
		{tim.KeyExtDiagnosticsSyncGaps, s.Gaps},
		{tim.KeyExtDiagnosticsSyncHeld, s.Held},
		{tim.KeyExtDiagnosticsSyncGroups, s.Groups},
	}
}

// dispatcherFigures is an ExtDiagnosticsDispatcher.
func (f *Face) dispatcherFigures(s dispatch.Stats) figures {
	c := &f.callbacks
	c.mu.Lock()
	defer c.mu.Unlock()
	return figures{
		{tim.KeyExtDiagnosticsDispatcherDepth, s.Waiting},
		{tim.KeyExtDiagnosticsDispatcherMaxDepth, s.Most},
		{tim.KeyExtDiagnosticsDispatcherOldestMs, s.Oldest.Milliseconds()},
		{tim.KeyExtDiagnosticsDispatcherCallbacks, s.Ran},
		{tim.KeyExtDiagnosticsDispatcherRunningMs, s.Running.Milliseconds()},
		{tim.KeyExtDiagnosticsDispatcherRunning, c.running},
		{tim.KeyExtDiagnosticsDispatcherSlow, c.slow},
		{tim.KeyExtDiagnosticsDispatcherSlowest, c.slowest},
		{tim.KeyExtDiagnosticsDispatcherSlowestMs, c.longest.Milliseconds()},
	}
}

// databaseFigures is an ExtDiagnosticsDatabase.
func databaseFigures(s sqlite.Stats) figures {
	return figures{
		{tim.KeyExtDiagnosticsDatabaseBytes, s.Size},
		{tim.KeyExtDiagnosticsDatabaseWalBytes, s.WALSize},
		{tim.KeyExtDiagnosticsDatabaseQueue, s.Queued},
		{tim.KeyExtDiagnosticsDatabaseBusyMs, s.Busy.Milliseconds()},
		{tim.KeyExtDiagnosticsDatabaseChanges, s.Jobs},
		{tim.KeyExtDiagnosticsDatabaseFailed, s.Failed},
		{tim.KeyExtDiagnosticsDatabaseCommits, s.Commits.Count()},
		{tim.KeyExtDiagnosticsDatabaseTransaction, timesFigures(s.Transactions)},
		{tim.KeyExtDiagnosticsDatabaseCommit, timesFigures(s.Commits)},
		{tim.KeyExtDiagnosticsDatabaseRead, timesFigures(s.Reads)},
	}
}

// timesFigures is an ExtDiagnosticsTimes.
func timesFigures(h *latency.Histogram) figures {
	r := h.Recent()
	return figures{
		{tim.KeyExtDiagnosticsTimesCount, r.Count},
		{tim.KeyExtDiagnosticsTimesP50Us, r.P50.Microseconds()},
		{tim.KeyExtDiagnosticsTimesP99Us, r.P99.Microseconds()},
		{tim.KeyExtDiagnosticsTimesMaxUs, r.Max.Microseconds()},
	}
}

// processFigures is an ExtDiagnosticsProcess.
func processFigures(s process.Stats) figures {
	all := figures{
		{tim.KeyExtDiagnosticsProcessGoroutines, s.Goroutines},
		{tim.KeyExtDiagnosticsProcessThreads, s.Threads},
		{tim.KeyExtDiagnosticsProcessHeapBytes, s.Heap},
		{tim.KeyExtDiagnosticsProcessMemoryBytes, s.Memory},
	}
	if s.Files > 0 {
		all = append(all, figure{tim.KeyExtDiagnosticsProcessOpenFiles, s.Files})
	}
	return all
}

// figures is a JSON object whose keys keep their order. encoding/json would take longer than the rest of the call.
type figures []figure

type figure struct {
	key   string
	value any
}

func (f figures) json(b []byte) []byte {
	b = append(b, '{')
	for i, it := range f {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), it.key...), '"', ':')
		switch v := it.value.(type) {
		case string:
			b = protocol.AppendString(b, v)
		case bool:
			b = strconv.AppendBool(b, v)
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case uint64:
			b = strconv.AppendUint(b, v, 10)
		case figures:
			b = v.json(b)
		default:
			panic(fmt.Sprintf("face: a figure of type %T", v)) // a mistake that every test of diagnostics finds
		}
	}
	return append(b, '}')
}
