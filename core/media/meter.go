package media

import "sync"

// reports is in about how many steps progress is told.
const reports = 200

// meter adds up what the parts of a transfer have moved and tells of it, in steps and never backwards.
type meter struct {
	mu    sync.Mutex
	tell  Progress
	total int64
	done  int64
	told  int64
}

func newMeter(tell Progress, total int64) *meter {
	if tell == nil {
		tell = func(int64, int64) {}
	}
	return &meter{tell: tell, total: total, told: -1}
}

// add moves the meter. What has to be sent again is taken back.
func (m *meter) add(n int64) { m.change(func() { m.done += n }) }

// set says how far the transfer is.
func (m *meter) set(done, total int64) { m.change(func() { m.done, m.total = done, total }) }

func (m *meter) change(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
	step := max(m.total/reports, 1)
	if m.done >= m.told+step || m.done == m.total && m.told != m.total {
		m.told = m.done
		m.tell(m.done, m.total)
	}
}
