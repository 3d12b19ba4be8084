package message

import (
	"github.com/tidwall/gjson"

	"timbre/protocol"
	"timbre/sqlite"
)

// Said is the content as it is stored and as others get it. The sender's name card stands in it, so whatever brings the
// message brings the card as it was then, and a message without one costs nothing.
func (o *Outgoing) Said() []byte { return withCard(o.Content, o.Card) }

// withCard adds a name card to a content that passed Check: it is an object with members, and none of them is a card.
func withCard(content []byte, card string) []byte {
	if card == "" {
		return content
	}
	b := make([]byte, 0, len(content)+len(card)+16)
	b = append(b, content[:len(content)-1]...)
	b = append(b, `,"`+protocol.ContentCard+`":`...)
	return append(protocol.AppendString(b, card), '}')
}

// cardOf returns the name card in a stored content.
func cardOf(content []byte) string { return gjson.GetBytes(content, protocol.ContentCard).String() }

// contentOf reads the content of a message that is stored.
func contentOf(q sqlite.Queryer, conv int64, seq uint64) (content []byte, err error) {
	_, err = q.Get(`SELECT content FROM msg WHERE pair=? AND seq=?`, []any{&content}, conv, int64(seq))
	return content, err
}
