package model

// Limits of what a user may attach to his conversations.
const (
	// MaxConvs is how many conversations one request may change.
	MaxConvs = 100
	// MaxPinned is how many conversations a user may pin.
	MaxPinned = 50
	// MaxAttributed is how many conversations of a user may have marks, how many custom data, and how many may stand in
	// conversation groups.
	MaxAttributed = 1000
	// MaxConvGroups is how many conversation groups a user may have.
	MaxConvGroups = 20
	// MaxConvGroupName is the longest name of a conversation group in bytes.
	MaxConvGroupName = 32
	// MaxConvCustom is the longest custom data of a conversation in bytes.
	MaxConvCustom = 256
	// MaxDeviceList is how many of a user's devices are listed.
	MaxDeviceList = 100
)

// CodePinnedLimit says that a user has pinned as many conversations as he may. The interface's headers do not name it.
const CodePinnedLimit = 51012

// validMarks are the bits that the interface defines: star, unread, fold, hide, and 32 to 63 for the application.
const validMarks = 1<<0 | 1<<1 | 1<<2 | 1<<3 | 0xFFFFFFFF<<32

// ValidMarks says whether bits are marks of a conversation: at least one, and none that is not defined.
func ValidMarks(bits uint64) bool { return bits != 0 && bits&^uint64(validMarks) == 0 }

// ValidConvGroupName says whether a name may be a conversation group's.
func ValidConvGroupName(name string) bool { return name != "" && len(name) <= MaxConvGroupName }
