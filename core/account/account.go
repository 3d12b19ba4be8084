// Package account answers what the server knows of users: profiles, the numbers behind their names, the own devices.
//
// Nothing is cached yet: the questions are rare and the answers must be fresh.
package account

import (
	"context"
	"time"

	"timbre/core/event"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

// Asker puts questions to the server.
type Asker interface {
	Ask(ctx context.Context, op, key string, body []byte, timeout time.Duration) (protocol.Answer, error)
}

// Users is the account's window on other users.
type Users struct {
	link    Asker
	timeout func() time.Duration
}

// New returns the window.
func New(link Asker, timeout func() time.Duration) *Users {
	return &Users{link: link, timeout: timeout}
}

// Profiles answers the public profiles of the named users; unknown ones are left out.
func (u *Users) Profiles(names []string, done event.Done) {
	found, err := u.ask(protocol.OpProfiles, protocol.Users{Names: names})
	if err != nil {
		done(err.Code, err.Text, "")
		return
	}
	list := make([]map[string]any, 0, len(found))
	for _, p := range found {
		list = append(list, map[string]any{
			tim.KeyUserProfileIdentifier: p.User, tim.KeyUserProfileNickName: p.Nick, tim.KeyUserProfileFaceUrl: p.Face,
			tim.KeyUserProfileGender: tim.GenderTypeUnknown, tim.KeyUserProfileFriendRemark: "",
			tim.KeyUserProfileSelfSignature: "", tim.KeyUserProfileAddPermission: tim.ProfileAddPermissionUnknown,
			tim.KeyUserProfileLocation: "", tim.KeyUserProfileLanguage: 0, tim.KeyUserProfileBirthDay: 0,
			tim.KeyUserProfileLevel: 0, tim.KeyUserProfileRole: 0, tim.KeyUserProfileCustomStringArray: []any{},
		})
	}
	done(0, "", string(protocol.Marshal(list)))
}

// Numbers finds users by name or by number.
func (u *Users) Numbers(q protocol.Users) ([]protocol.Profile, *transport.Error) {
	return u.ask(protocol.OpTinyIDs, q)
}

func (u *Users) ask(op string, q protocol.Users) ([]protocol.Profile, *transport.Error) {
	var found protocol.Profiles
	if err := u.question(op, protocol.Marshal(q), &found); err != nil {
		return nil, err
	}
	return found.Profiles, nil
}
