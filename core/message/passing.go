package message

import (
	"context"
	"sync"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
)

// errTaken ends the upload of a message that is taken back and is not stored.
var errTaken error = &transport.Error{Code: tim.ErrSDKSendMessageFailedWithCancel, Text: "cancelled"}

// passing is messages that are not stored, by their ids, while their files are on their way: as long as they can be taken back.
type passing struct {
	mu   sync.Mutex
	byID map[string]*pass
}

// pass is one of them.
type pass struct {
	cancel context.CancelCauseFunc
	told   []event.Done // who took it back
}

func (p *passing) enter(id string, cancel context.CancelCauseFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = map[string]*pass{}
	}
	p.byID[id] = &pass{cancel: cancel}
}

// leave says that a message cannot be taken back any more, and returns who has done so.
func (p *passing) leave(id string) []event.Done {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.byID[id]
	delete(p.byID, id)
	if one == nil {
		return nil
	}
	return one.told
}

// take takes a message back, if it can be, and tells told how it ended after its sender has heard.
func (p *passing) take(id string, told event.Done) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.byID[id]
	if one == nil {
		return false
	}
	one.told = append(one.told, told)
	one.cancel(errTaken)
	return true
}
