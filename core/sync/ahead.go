package sync

import (
	"context"
	"errors"

	"timbre/core/guard"
	"timbre/protocol"
)

// ahead asks for the piece of a log that follows the one which is being applied, so that the server works while the database
// does. At most one question is on its way.
type ahead struct {
	engine *Engine
	pos    uint64
	answer chan reply // nil: nothing was asked
	cancel context.CancelFunc
}

type reply struct {
	answer protocol.Answer
	err    error
}

// ask sends the question.
func (a *ahead) ask(ctx context.Context, d protocol.Diff) {
	ctx, cancel := context.WithCancel(ctx)
	answer := make(chan reply, 1)
	a.pos, a.answer, a.cancel = d.Pos, answer, cancel
	go func() {
		r := reply{err: errors.New("the question panicked")}
		guard.Run(a.engine.log, "asking ahead", func() { r.answer, r.err = a.engine.askDiff(ctx, d) })
		answer <- r
	}()
}

// drop lets go of a question that nobody needs any more and waits for its end.
func (a *ahead) drop() {
	if a.answer != nil {
		a.cancel()
		<-a.answer
		a.answer = nil
	}
}

// take returns the answer to this question, which was asked before if the position is the expected one.
func (a *ahead) take(ctx context.Context, d protocol.Diff) (protocol.Answer, error) {
	if a.answer == nil || a.pos != d.Pos {
		a.drop()
		return a.engine.askDiff(ctx, d)
	}
	r := <-a.answer
	a.cancel()
	a.answer = nil
	return r.answer, r.err
}

func (e *Engine) askDiff(ctx context.Context, d protocol.Diff) (protocol.Answer, error) {
	return e.link.Ask(ctx, protocol.OpDiff, "", protocol.Marshal(d), askTimeout)
}
