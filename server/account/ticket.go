package account

import (
	"errors"
	"time"

	"timbre/model"
	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/refusal"
)

// Secrets maps an app's id to its secret.
type Secrets map[uint64]string

// Check verifies a login's UserSig and returns when it expires. The order matters: a ticket of another app carries
// another app's signature, and is better called that than forged.
func (s Secrets) Check(l *protocol.Login, now time.Time) (expires time.Time, err error) {
	ticket, err := usersig.Parse(l.Sig)
	secret, known := s[l.App]
	switch {
	case !model.ValidUserID(l.User):
		return expires, refusal.New(tim.ErrSDKCommInvalidIdentifier, "the user id must be 1 to 32 printable ASCII characters")
	case errors.Is(err, usersig.ErrEmpty):
		return expires, refusal.New(tim.ErrSVRAccountUsersigEmpty, "the UserSig is empty")
	case err != nil:
		return expires, refusal.New(tim.ErrSVRAccountUsersigCheckFailed, "the UserSig cannot be read")
	case !known:
		return expires, refusal.New(tim.ErrSVRAccountSdkappidNotFound, "this server does not serve this app id")
	case ticket.App != l.App:
		return expires, refusal.New(tim.ErrSVRAccountUsersigMismatchSdkappid, "the UserSig was made for another app id")
	case !ticket.Signed(secret):
		return expires, refusal.New(tim.ErrSVRAccountUsersigCheckFailedEx, "the UserSig was not made with this app's secret")
	case ticket.User != l.User:
		return expires, refusal.New(tim.ErrSVRAccountUsersigMismatchID, "the UserSig was made for another user")
	case ticket.Expired(now):
		return expires, refusal.New(tim.ErrSVRAccountUsersigExpired, "the UserSig has expired")
	}
	return ticket.Expires, nil
}
