package media

import (
	"bytes"
	"encoding/binary"
)

// Numbers of image formats in messages.
const (
	FormatJPG     = 1
	FormatGIF     = 2
	FormatPNG     = 3
	FormatBMP     = 4
	FormatUnknown = 0xff
)

// sniffed is how many bytes of a file its format and its orientation are looked for in.
const sniffed = 256 << 10

// header is what the beginning of an image says.
type header struct {
	format      int
	orientation int  // of EXIF, 1 to 8; 1 is upright
	progressive bool // a JPEG that needs its whole data in memory several times
}

func sniff(b []byte) header {
	h := header{format: FormatUnknown, orientation: 1}
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		h.format = FormatJPG
		h.segments(b[2:])
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		h.format = FormatGIF
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		h.format = FormatPNG
	case bytes.HasPrefix(b, []byte("BM")) && len(b) >= 26:
		h.format = FormatBMP
	}
	return h
}

// Markers of JPEG.
const (
	markerSOF2 = 0xc2 // progressive
	markerSOS  = 0xda // the picture begins
	markerEXIF = 0xe1
)

// segments walks through what comes before the picture of a JPEG.
func (h *header) segments(b []byte) {
	for len(b) >= 4 && b[0] == 0xff {
		if b[1] == 0xff { // a filler
			b = b[1:]
			continue
		}
		size := int(binary.BigEndian.Uint16(b[2:]))
		if size < 2 || b[1] == markerSOS {
			return
		}
		end := min(2+size, len(b))
		switch b[1] {
		case markerSOF2:
			h.progressive = true
		case markerEXIF:
			if tiff, ok := bytes.CutPrefix(b[4:end], []byte("Exif\x00\x00")); ok {
				h.orientation = orientation(tiff)
			}
		}
		b = b[end:]
	}
}

// tagOrientation is the EXIF tag that says how the camera was held.
const tagOrientation = 0x0112

// orientation reads the tag in the first directory of a TIFF structure.
func orientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == tagOrientation {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}
