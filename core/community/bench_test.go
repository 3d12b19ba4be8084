package community

import (
	"fmt"
	"testing"

	"timbre/core/event"
	"timbre/protocol"
)

// BenchmarkTopics lists a community with as many topics as it may have, each with a last message.
func BenchmarkTopics(b *testing.B) {
	d := start(b)
	defer d.store.Close()
	var all protocol.Topics
	for n := range 200 {
		id := fmt.Sprint("team@TOPIC#_", n)
		d.made(id, "a topic")
		d.says(id, "bob", 1)
		all.List = append(all.List, protocol.FoundGroup{Group: *of(id, "a topic")})
	}
	d.answer(protocol.OpTopics, all)
	for b.Loop() {
		d.asked = nil
		d.Topics("team", nil, event.Done(func(int, string, string) {}))
	}
}

// BenchmarkMessage is a message in a topic, from its entry in the log to what the host hears.
func BenchmarkMessage(b *testing.B) {
	d := start(b)
	defer d.store.Close()
	d.made(news, "News")
	seq := uint64(0)
	for b.Loop() {
		seq++
		d.says(news, "bob", seq)
		d.told = nil
	}
}
