package gateway

import (
	"context"

	"timbre/protocol"
)

func (c *conn) translate(r *protocol.Request) {
	body, err := decode[protocol.Translate](r.Body)
	c.inquire(r.ID, err, func(ctx context.Context) ([]byte, error) {
		texts, err := c.g.Language.Translate(ctx, body.Texts, body.From, body.To)
		return protocol.Marshal(protocol.Translated{Texts: texts}), err
	})
}

func (c *conn) transcribe(r *protocol.Request) {
	body, err := decode[protocol.Transcribe](r.Body)
	c.inquire(r.ID, err, func(ctx context.Context) ([]byte, error) {
		text, err := c.g.Language.Transcribe(ctx, body.URL, body.Language)
		return protocol.Marshal(protocol.Transcribed{Text: text}), err
	})
}

// inquire answers a request from outside the server. That takes seconds, so the next requests do not wait for it, and
// neither does the end of the connection: the question is given up then, and the client puts it again where it comes
// back. Only a drain waits until it is given up.
func (c *conn) inquire(id uint64, err error, fn func(context.Context) ([]byte, error)) {
	if err != nil {
		c.reply(id, nil, err)
		c.Wake()
		return
	}
	c.g.open.Add(1)
	if !c.g.Language.Go(func() {
		defer c.g.open.Done()
		ctx, cancel := c.lifetime()
		defer cancel()
		body, err := fn(ctx)
		c.reply(id, body, err)
		c.Wake()
	}) {
		c.g.open.Done()
		c.sayBusy(id)
	}
}

// lifetime returns a context that ends with the connection.
func (c *conn) lifetime() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-c.written:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
