package sync

import (
	"context"
	"encoding/json"
	"errors"

	"timbre/core/store"
	"timbre/protocol"
	"timbre/sqlite"
)

// metaAttributes says that everything that the user has attached to his conversations was taken once; since then the log
// tells of changes. "" lets the next catch-up take it.
const metaAttributes = "attributes"

// Doubt says that an entry about attributes did not fit what is here. The next catch-up takes all attributes anew.
func (e *Engine) Doubt(tx *store.Tx) error { return store.SetMeta(tx.Tx, metaAttributes, "") }

// attributes takes all attributes if that was never done with this database, or in doubt.
func (e *Engine) attributes(ctx context.Context) error {
	var taken string
	err := e.store.Read(ctx, func(q sqlite.Queryer) (err error) {
		taken, err = store.Meta(q, metaAttributes)
		return err
	})
	if err != nil || taken != "" {
		return err
	}
	all, err := e.askAttributes(ctx)
	if err != nil {
		return err
	}
	return e.store.Write(ctx, func(tx *store.Tx) error { return e.takeAttributes(tx, all) })
}

// takeAttributes applies them; nil, of a server that knows none, changes nothing.
func (e *Engine) takeAttributes(tx *store.Tx, all *protocol.AllAttributes) error {
	if all == nil {
		return nil
	}
	if err := e.apply.Attributes(tx, all); err != nil {
		return err
	}
	return store.SetMeta(tx.Tx, metaAttributes, "taken")
}

// askAttributes asks for all pages. It returns nil when the server knows no attributes.
func (e *Engine) askAttributes(ctx context.Context) (*protocol.AllAttributes, error) {
	all := &protocol.AllAttributes{}
	for {
		a, err := e.link.Ask(ctx, protocol.OpAttributes, "", protocol.Marshal(protocol.AskAttributes{Cursor: all.Cursor}), askTimeout)
		switch {
		case err != nil:
			return nil, err
		case a.Code == protocol.CodeOp:
			return nil, nil
		case a.Code != 0:
			return nil, errors.New(a.Desc)
		}
		var page protocol.AllAttributes
		if err := json.Unmarshal(a.Body, &page); err != nil {
			return nil, err
		}
		all.Convs, all.Groups = append(all.Convs, page.Convs...), append(all.Groups, page.Groups...)
		if all.Cursor = page.Cursor; all.Cursor == "" {
			return all, nil
		}
	}
}
