package client

import (
	"net/url"
	"sync"
	"time"

	"timbre/core/message"
)

// DefaultServer is where a client connects when nobody says otherwise.
const DefaultServer = "ws://127.0.0.1:7800"

// Settings is what a host may change before and after TIMInit. The zero value is not usable; see NewSettings. All
// methods may be called from any goroutine.
type Settings struct {
	mu sync.Mutex
	v  Values
}

// Values is the settings at one moment.
type Values struct {
	OperatorServer    string        // from the environment variable TIM_SERVER_URL at TIMInit, "" when not set
	ServerCA          string        // from TIM_SERVER_CA likewise: a file with root certificates
	Server            string        // from the experimental interface, "" when not set
	InitServer        string        // from TIMInit's JSON, "" when not set
	Timeout           time.Duration // how long a request may take
	Retries           int           // how often a request may be written again after a cut
	KeepTrying        bool          // messages wait for the network without a deadline
	IgnoreRepeatLogin bool          // a login of the user who is just logging in shares its outcome
	Platform          int           // TIMPlatform shown in messages
	UIPlatform        string        // what the user interface is built with, for the log
	NoStorage         bool          // keep nothing on disk
	Key               []byte        // of the databases, 16 bytes; nil: they are not encrypted
	HTTPProxy         *url.URL
	Socks5Proxy       *url.URL
	LogFolder         string
	DataFolder        string
	Retention         message.Retention // bounds of the local databases
}

// NewSettings returns the defaults.
func NewSettings() *Settings {
	return &Settings{v: Values{Timeout: 30 * time.Second, Retries: 5, Platform: platform(),
		LogFolder: "timbre_log", DataFolder: "timbre_data"}}
}

// Get returns the settings as they are now.
func (s *Settings) Get() Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v
}

// Change changes settings.
func (s *Settings) Change(fn func(*Values)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.v)
}

// ServerURL is where to connect. The operator who starts a program wins over what is built into it.
func (s *Settings) ServerURL() string {
	v := s.Get()
	for _, u := range []string{v.OperatorServer, v.Server, v.InitServer} {
		if u != "" {
			return u
		}
	}
	return DefaultServer
}

// Proxy is the way to the server, nil for the direct one.
func (s *Settings) Proxy() (*url.URL, error) {
	v := s.Get()
	if v.Socks5Proxy != nil {
		return v.Socks5Proxy, nil
	}
	return v.HTTPProxy, nil
}

func (s *Settings) timeout() time.Duration {
	v := s.Get()
	if v.KeepTrying {
		return 24 * time.Hour
	}
	return v.Timeout
}
