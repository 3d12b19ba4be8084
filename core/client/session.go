package client

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	gosync "sync"
	"sync/atomic"
	"time"

	"timbre/core/account"
	"timbre/core/community"
	"timbre/core/conversation"
	"timbre/core/group"
	"timbre/core/live"
	"timbre/core/media"
	"timbre/core/message"
	"timbre/core/outbox"
	"timbre/core/store"
	"timbre/core/sync"
	"timbre/core/trans"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/sqlite"
)

// session is a user's database and the modules that work on it.
type session struct {
	client *Client
	user   string
	sig    string
	device string
	tinyID atomic.Uint64

	store       *store.Store
	book        *conversation.Book
	messages    *message.Messages
	outbox      *outbox.Outbox
	sync        *sync.Engine
	files       *media.Files
	users       *account.Users
	groups      *group.Groups
	communities *community.Communities
	live        *live.Rooms
	trans       *trans.Trans

	life      context.Context // ends with the session
	end       context.CancelFunc
	begins    atomic.Int64 // logins
	preparing gosync.Mutex
	loaded    bool // what an earlier process left has been taken up
}

const metaDevice, metaTinyID = "device", "tinyid"

// newSession opens the database and puts the modules together.
func (c *Client) newSession(user string) (*session, error) {
	key := c.cfg.Settings.Get().Key
	st, err := store.OpenWithKey(c.folder(user), key, c.cfg.Log, []sqlite.Schema{conversation.Schema, message.Schema, outbox.Schema, sync.Schema,
		message.SearchSchema, group.Schema, community.Schema})
	if err != nil {
		return nil, err
	}
	s := &session{client: c, user: user, store: st}
	s.life, s.end = context.WithCancel(context.Background())
	saved := s.salvage(key)
	if err := st.Write(context.Background(), s.identify); err != nil {
		st.Close()
		return nil, err
	}
	settings, log := c.cfg.Settings, c.cfg.Log
	s.book = conversation.New(c.cfg.Sink, func(q sqlite.Queryer, conv *conversation.Conversation) string {
		return message.ConversationJSON(q, conv, user)
	})
	s.live = live.New(live.Config{Link: c.link, Log: log, Timeout: settings.timeout, Waiting: c.cfg.Sink.Waiting})
	s.messages = message.New(message.Self{User: user, TinyID: s.tinyID.Load, Device: s.device,
		Platform: func() int { return settings.Get().Platform }, Timeout: settings.timeout, Patient: func() bool { return settings.Get().KeepTrying }, Now: c.Now, Ended: c.endedBy,
		Live: s.live,
	}, st, s.book, c.cfg.Sink, log)
	s.outbox = outbox.New(st, c.link, log, map[string]outbox.Kind{
		message.KindSend: message.Sender{M: s.messages}, message.KindRead: message.Position{M: s.messages, Kind: message.KindRead},
		message.KindClear: message.Position{M: s.messages, Kind: message.KindClear},
		message.KindHide:  message.Position{M: s.messages, Kind: message.KindHide}})
	s.groups = group.New(group.Config{User: user, Link: c.link, Store: st, Messages: s.messages, Rooms: s.live, Sink: c.cfg.Sink, Log: log, Timeout: settings.timeout, Ended: c.endedBy})
	s.communities = community.New(community.Config{User: user, Groups: s.groups, Messages: s.messages, Store: st, Sink: c.cfg.Sink}, s.book)
	s.sync = sync.New(st, c.link, log, &applier{Messages: s.messages, parts: []part{s.groups, s.communities, s.live}}, s.book, c.cfg.Sink.Waiting)
	s.files = media.New(media.Config{Base: func() string { return media.Base(settings.ServerURL()) }, Ask: c.link,
		Client: c.files, Folder: c.folder(user), Log: log})
	s.messages.Connect(s.outbox, c.link, s.sync, s.files)
	s.users = account.New(c.link, settings.timeout)
	s.trans = trans.New(user, c.link, c.cfg.Sink, settings.timeout)
	s.live.Connect(s.messages, s.groups)
	if err := s.messages.OpenAccepted(c.folder(user), key); err != nil {
		st.Close()
		return nil, err
	}
	if saved != nil {
		s.messages.TakeUp(saved)
	}
	return s, nil
}

// identify reads the device's id and the account's number, and makes the id on the first time.
func (s *session) identify(tx *store.Tx) error {
	device, err := store.Meta(tx, metaDevice)
	if err != nil {
		return err
	}
	if device == "" {
		if device = s.device; device == "" {
			device = rand.Text()[:deviceSize]
		}
		if err := store.SetMeta(tx.Tx, metaDevice, device); err != nil {
			return err
		}
	}
	number, err := store.Meta(tx, metaTinyID)
	if err != nil {
		return err
	}
	tiny, _ := strconv.ParseUint(number, 10, 64) // "" before the first login
	s.tinyID.Store(tiny)
	s.device = device
	return nil
}

// begin works on after each login. A disk that is full for the moment only delays it.
func (s *session) begin(in protocol.LoggedIn) {
	n := s.begins.Add(1)
	for err := s.prepare(in); err != nil; err = s.prepare(in) {
		s.client.cfg.Log.Error("the session cannot begin yet", "err", err)
		select {
		case <-time.After(storePause):
		case <-s.life.Done():
			return
		}
		if errors.Is(err, store.ErrClosed) || s.begins.Load() != n { // another login has come
			return
		}
	}
	s.outbox.Online()
	s.live.Online()
	s.sync.Begin(in)
}

// reported tells the host of reports that stand in no log.
func (s *session) reported(l protocol.Log) {
	for i := range l.Entries {
		s.groups.Show(&l.Entries[i])
	}
}

// storePause is the pause before something is stored again that the database has refused.
const storePause = time.Second

// prepare stores who the user is, and the first time takes up what an earlier process left.
func (s *session) prepare(in protocol.LoggedIn) error {
	s.preparing.Lock()
	defer s.preparing.Unlock()
	ctx := context.Background()
	if err := s.store.Write(ctx, func(tx *store.Tx) error {
		number := strconv.FormatUint(in.TinyID, 10)
		if known, err := store.Meta(tx, metaTinyID); err != nil || known == number {
			return err
		}
		return store.SetMeta(tx.Tx, metaTinyID, number)
	}); err != nil || s.loaded {
		return err
	}
	if err := s.store.Write(ctx, s.outbox.Load); err != nil {
		return err
	}
	if err := s.store.Write(ctx, s.messages.LoadUploads); err != nil {
		return err
	}
	s.loaded = true
	s.client.Go(s.retain)
	return nil
}

func (s *session) close(why error) {
	s.end()
	s.live.Close()
	s.sync.Stop()
	s.messages.StopUploads(why)
	if err := s.store.Close(); err != nil {
		s.client.cfg.Log.Error("the database did not close cleanly", "err", err)
	}
	s.messages.Close()
}

func (c *Client) endedBy() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == 0 {
		return tim.ErrSDKNotLoggedIn
	}
	return c.ended
}

// Account is what a logged-in user can do, or what can be read of one whose login failed.
type Account struct {
	Messages    *message.Messages
	Users       *account.Users
	Groups      *group.Groups
	Communities *community.Communities
	Live        *live.Rooms
	Trans       *trans.Trans
	Files       *media.Files
	Device      string // names this installation at the server
	Online      bool   // logged in; the connection may be broken all the same
}

// Account returns the open account, nil when there is none.
func (c *Client) Account() *Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	if s == nil || c.status == tim.LoginStatusLogouting {
		return nil
	}
	return &Account{Messages: s.messages, Users: s.users, Groups: s.groups, Communities: s.communities, Live: s.live, Trans: s.trans, Files: s.files, Device: s.device, Online: c.status == tim.LoginStatusLogined}
}
