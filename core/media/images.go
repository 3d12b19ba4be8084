package media

import (
	"errors"
	"image/jpeg"
	"image/png"
	"io"
	"os"

	"timbre/model"
	"timbre/model/tim"
)

// Levels of image_elem_level.
const (
	LevelOriginal   = 0 // the original's own bytes
	LevelCompressed = 1 // and every level that does not exist
	LevelHD         = 2
)

// Shorter sides of the derived versions in pixels.
const (
	LargeSide = 720
	ThumbSide = 198
)

// compression is what a level makes of the original.
type compression struct {
	quality int // of JPEG
	longest int // longer side in pixels
}

// compressionOf returns that of a level above 0.
func compressionOf(level int) compression {
	if level == LevelHD {
		return compression{quality: 90, longest: 4096}
	}
	return compression{quality: 75, longest: 1920}
}

// derivedQuality is the JPEG quality of the large version and the thumb.
const derivedQuality = 80

// Version is one size of an image.
type Version struct {
	Path          string
	Width, Height int // pixels, as it is to be shown; 0 when the image cannot be read
	Size          int64
}

// Image is what a message carries of an image. Versions that are the same have the same path.
type Image struct {
	Format  int // of Orig: 1 JPG, 2 GIF, 3 PNG, 4 BMP, 0xff unknown
	Orig    Version
	Large   Version
	Thumb   Version
	Warning string // why the image could not be read; it is sent as it is, in one size

	source string
}

// Prepare makes the versions of an image that is to be sent, and logs when it cannot be read.
func (f *Files) Prepare(path string, level int) (Image, error) {
	m, err := Prepare(path, level, f.cfg.Folder)
	if m.Warning != "" {
		f.cfg.Log.Warn("the image cannot be read; it is sent as it is", "file", path, "why", m.Warning)
	}
	return m, err
}

// Prepare makes the versions of an image in a folder, "" being the system's for temporary files; Remove deletes what it
// made.
//
// Level 0 leaves the original alone. Level 1 makes a JPEG of quality 75 with at most 1920 pixels on the longer side, level
// 2 one of quality 90 with at most 4096; where that is not smaller in bytes, the original stays. What is transparent
// becomes a PNG, a GIF always stays, because it may move, and other levels count as 1. A JPEG's orientation is followed,
// and widths and heights are those of the upright picture.
//
// An image that cannot be read, or has more than 100 million pixels, is no error: its versions are the file itself. The
// errors are those of Check. One call may need 512 MiB for an extreme image: make few at a time.
func Prepare(path string, level int, folder string) (Image, error) {
	file, size, err := open(path, model.FileImage)
	if err != nil {
		return Image{}, err
	}
	defer file.Close()
	head := make([]byte, sniffed)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return Image{}, failed(tim.ErrSDKCommFileOpenFailed, err.Error())
	}
	h := sniff(head[:n])
	v := Version{Path: path, Size: size}
	m := Image{Format: h.format, Orig: v, Large: v, Thumb: v, source: path}
	pic, err := decode(file, h)
	if err != nil {
		m.Warning = err.Error()
		return m, nil
	}
	m.Orig.Width, m.Orig.Height = pic.size()
	if err := m.derive(pic, level, folder); err != nil {
		m.Remove()
		return Image{}, failed(tim.ErrSDKImageConvertError, "the smaller versions cannot be made: "+err.Error())
	}
	return m, nil
}

// Remove deletes the versions that Prepare made. The original stays.
func (m *Image) Remove() {
	for _, v := range []Version{m.Orig, m.Large, m.Thumb} {
		if v.Path != m.source && v.Path != "" {
			_ = os.Remove(v.Path) // versions may be the same
		}
	}
}

func (m *Image) derive(pic picture, level int, folder string) (err error) {
	if pic, err = m.compress(pic, level, folder); err != nil {
		return err
	}
	m.Large, m.Thumb = m.Orig, m.Orig
	if pic.shorter() > LargeSide {
		pic = pic.shrink(LargeSide, pic.shorter())
		if m.Large, _, err = save(pic, derivedQuality, folder); err != nil {
			return err
		}
		m.Thumb = m.Large
	}
	if pic.shorter() > ThumbSide {
		m.Thumb, _, err = save(pic.shrink(ThumbSide, pic.shorter()), derivedQuality, folder)
	}
	return err
}

// compress replaces the original by a smaller one, if there is one, and returns the picture that the other versions are
// made of.
func (m *Image) compress(pic picture, level int, folder string) (picture, error) {
	if level == LevelOriginal || m.Format == FormatGIF {
		return pic, nil
	}
	c, small := compressionOf(level), pic
	if l := pic.longer(); l > c.longest {
		small = pic.shrink(c.longest, l)
	}
	v, format, err := save(small, c.quality, folder)
	if err != nil {
		return pic, err
	}
	if v.Size >= m.Orig.Size {
		return pic, os.Remove(v.Path)
	}
	m.Orig, m.Format = v, format
	return small, nil
}

// save writes a picture, as JPEG unless it is transparent.
func save(p picture, quality int, folder string) (v Version, format int, err error) {
	m := p.upright()
	format, pattern := FormatJPG, "image-*.jpg"
	if !opaque(m) {
		format, pattern = FormatPNG, "image-*.png"
	}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return v, 0, err
		}
	}
	file, err := os.CreateTemp(folder, pattern)
	if err != nil {
		return v, 0, err
	}
	if format == FormatJPG {
		err = jpeg.Encode(file, m, &jpeg.Options{Quality: quality})
	} else {
		err = png.Encode(file, m)
	}
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		return v, 0, errors.Join(err, os.Remove(file.Name()))
	}
	return Version{Path: file.Name(), Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), Size: info.Size()}, format, nil
}
