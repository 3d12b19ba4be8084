package message

import (
	"strconv"

	"timbre/protocol"
)

// The encoders below exist because encoding/json would rewrite the messages' content, which travels byte for byte.

func appendRanged(b []byte, r protocol.Ranged, msgs [][]byte) []byte {
	b = appendNumber(b, `{"lo":`, r.Lo)
	b = appendNumber(b, `,"hi":`, r.Hi)
	b = appendNumber(b, `,"max":`, r.Max)
	b = appendNumber(b, `,"min":`, r.Min)
	return append(appendMessages(b, msgs), '}')
}

func appendConversation(b []byte, c *protocol.Conversation, msgs [][]byte) []byte {
	b = protocol.AppendString(append(b, `{"peer":`...), c.Peer)
	b = appendNumber(b, `,"max":`, c.Max)
	b = appendNumber(b, `,"peer_count":`, c.PeerCount)
	b = appendNumber(b, `,"read_seq":`, c.ReadSeq)
	b = appendNumber(b, `,"read_count":`, c.ReadCount)
	b = appendNumber(b, `,"seen_seq":`, c.SeenSeq)
	b = appendNumber(b, `,"seen_time":`, uint64(c.SeenTime))
	b = appendNumber(b, `,"clear_seq":`, c.ClearSeq)
	b = appendNumber(b, `,"hide_seq":`, c.HideSeq)
	b = appendNumber(b, `,"time":`, uint64(c.Time))
	if c.Option != 0 {
		b = appendNumber(b, `,"opt":`, uint64(c.Option))
	}
	return append(appendMessages(b, msgs), '}')
}

func appendMessages(b []byte, msgs [][]byte) []byte {
	b = append(b, `,"msgs":[`...)
	for i, m := range msgs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, m...)
	}
	return append(b, ']')
}

func appendNumber(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(append(b, name...), n, 10)
}
