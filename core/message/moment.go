package message

import (
	"time"

	"timbre/sqlite"
)

// slack is by how much a message's time may contradict its place: not every clock is right.
const slack = int64(10 * time.Minute / time.Millisecond)

// placeAt returns the last place of a conversation that begins at a time in milliseconds or before, -1 when there is none.
// Times ascend with the places, so it looks at a few rows and not at all of them.
func placeAt(q sqlite.Queryer, conv, moment int64) (place int64, err error) {
	const first = `SELECT sort, moment FROM message WHERE conv=? AND sort>=? ORDER BY sort, moment LIMIT 1`
	lo, hi := int64(0), int64(0)
	if _, err := q.Get(`SELECT sort+1 FROM message WHERE conv=? ORDER BY sort DESC LIMIT 1`, []any{&hi}, conv); err != nil {
		return 0, err
	}
	place = -1
	for lo < hi { // everything before lo begins in time; from hi on nothing does
		mid := lo + (hi-lo)/2
		var sort, begins int64
		found, err := q.Get(first, []any{&sort, &begins}, conv, mid)
		switch {
		case err != nil:
			return 0, err
		case found && begins <= moment:
			place, lo = sort, sort+1
		default:
			hi = mid
		}
	}
	return place, nil
}

// since is a condition for rows that may be from a time on, with its arguments.
func since(q sqlite.Queryer, conv, moment int64) (string, []any, error) {
	place, err := placeAt(q, conv, moment-slack)
	return `(sort,moment)>=(?,?)`, []any{place, moment - slack}, err
}

// until is a condition for rows that may be from a time or before, with its arguments.
func until(q sqlite.Queryer, conv, moment int64) (string, []any, error) {
	place, err := placeAt(q, conv, moment+slack)
	return `(sort,moment)<=(?,?)`, []any{place, moment + slack}, err
}
