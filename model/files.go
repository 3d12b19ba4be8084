package model

// Limits of files. A server may have others; its answer decides.
const (
	// MaxImageFile is the largest image or cover of a video in bytes.
	MaxImageFile = 28 << 20
	// MaxSoundFile is the largest sound in bytes.
	MaxSoundFile = 28 << 20
	// MaxVideoFile is the largest video in bytes.
	MaxVideoFile = 100 << 20
	// MaxFile is the largest other file in bytes.
	MaxFile = 100 << 20
	// FilePart is how many bytes travel in one request of an upload. The last part is shorter.
	FilePart = 4 << 20
	// MaxFileName is the longest name of a file in bytes.
	MaxFileName = 255
	// MaxHeld is how many other files a file may hold.
	MaxHeld = 1000
)

// FileKind is what a file is for. It decides how large it may be.
type FileKind string

// The kinds of files.
const (
	FileImage    FileKind = "image"
	FileSnapshot FileKind = "snapshot" // the cover of a video
	FileSound    FileKind = "sound"
	FileVideo    FileKind = "video"
	FileOther    FileKind = "file"
)

// Max is how many bytes a file of this kind may have, 0 for a kind that does not exist.
func (k FileKind) Max() int64 {
	switch k {
	case FileImage, FileSnapshot:
		return MaxImageFile
	case FileSound:
		return MaxSoundFile
	case FileVideo:
		return MaxVideoFile
	case FileOther:
		return MaxFile
	}
	return 0
}

// FileParts is in how many parts a file of this size travels.
func FileParts(size int64) int { return int((size + FilePart - 1) / FilePart) }

// FilePartSize is how long part n, counted from 0, of a file is.
func FilePartSize(size int64, n int) int64 { return min(FilePart, size-int64(n)*FilePart) }
