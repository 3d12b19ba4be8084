package conversation

import (
	"slices"
	"testing"

	"timbre/core/store"
	"timbre/model/tim"
	"timbre/sqlite"
)

// What is said in a topic is neither in the list nor in the total nor in the events of conversations. Who tells of topics hears
// of it once a batch, with the state that the batch leaves.
func TestTopicsStandInNoList(t *testing.T) {
	s := open(t, "")
	defer s.store.Close()
	s.book.ArmTotal()
	var told []uint64
	s.book.TellTopics(func(_ *sqlite.Tx, c *Conversation, after *store.Tx) error {
		unread := c.Unread()
		after.After(func() { told = append(told, unread) })
		return nil
	})
	const topic = "team@TOPIC#_1"
	s.write(func(tx *store.Tx) error {
		for i := range 2 {
			e, err := s.book.Open(tx, tim.ConvGroup, topic)
			if err != nil {
				return err
			}
			e.PeerCount = uint64(i) + 1
			e.Touch(tx, true)
			e.Place(tx, 1000)
		}
		return nil
	})
	err := s.store.Read(t.Context(), func(q sqlite.Queryer) error {
		list, err := List(q)
		if err != nil || len(list) != 0 {
			t.Errorf("the list: %v, %v", list, err)
		}
		c, err := Find(q, tim.ConvGroup, topic)
		if err != nil || c == nil || c.Unread() != 2 || c.Away() || !c.Topic() {
			t.Errorf("the topic's conversation: %+v, %v", c, err)
		}
		if n, err := Total(q); n != 0 || err != nil {
			t.Errorf("the total is %d, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.host.told) != 0 || !slices.Equal(told, []uint64{2}) {
		t.Errorf("the host heard %v, and of the topic %v", s.host.told, told)
	}
}

// A user may be called as topics are, and a group whose id only begins so is none.
func TestWhatIsNoTopic(t *testing.T) {
	for _, c := range []Conversation{{Type: tim.ConvC2C, Peer: "a@TOPIC#_b"}, {Type: tim.ConvGroup, Peer: "a@TOPIC#_"}, {Type: tim.ConvGroup, Peer: "a"}} {
		if c.Topic() || !c.Away() {
			t.Errorf("%d %s is taken for a topic", c.Type, c.Peer)
		}
	}
}
