package model

// Limits of the vendor, which applications were written for.
const (
	// MaxUserID is the longest user id in bytes. It is printable ASCII.
	MaxUserID = 32
	// MaxMessageSize is how many bytes the fields of a message may have together.
	MaxMessageSize = 12 << 10
	// MaxNesting is how deep a message's JSON may be nested.
	MaxNesting = 512
	// MaxUnreadInline is how many unread messages of a conversation come back after a long absence.
	MaxUnreadInline = 250
	// MaxUnreadConversations is for how many conversations they do.
	MaxUnreadConversations = 100
	// MaxKey is the longest idempotency key in bytes.
	MaxKey = 128
	// MaxDevice is the longest device id in bytes.
	MaxDevice = 64
	// MaxPlatform is the longest platform name in bytes.
	MaxPlatform = 16
	// MaxUsers is how many users one request may ask about.
	MaxUsers = 100
)

// FirstTinyID is what an account's row number is added to. It keeps tiny ids apart from other small numbers and far
// below 2^53.
const FirstTinyID = 1_000_000_000_000

// ValidUserID says whether a name may be a user's id.
func ValidUserID(name string) bool { return len(name) <= MaxUserID && printable(name) }

// ValidKey says whether a text may be an idempotency key: 1 to MaxKey printable ASCII characters.
func ValidKey(key string) bool { return len(key) <= MaxKey && printable(key) }

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
