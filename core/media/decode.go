package media

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
)

// Limits against images that are small as files and huge in memory.
const (
	maxPixels = 100_000_000
	maxMemory = 512 << 20 // bytes while decoding
)

// codec reads one format.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// codecs are called by format and not registered with package image, which would change what the host's process reads.
func codecs(format int) (codec, bool) {
	switch format {
	case FormatJPG:
		return codec{jpeg.DecodeConfig, jpeg.Decode}, true
	case FormatGIF:
		return codec{gif.DecodeConfig, gif.Decode}, true // the first picture
	case FormatPNG:
		return codec{png.DecodeConfig, png.Decode}, true
	case FormatBMP:
		return codec{bmp.DecodeConfig, bmp.Decode}, true
	}
	return codec{}, false
}

// decode reads an image unless it is too large to.
func decode(file io.ReadSeeker, h header) (p picture, err error) {
	defer func() {
		if r := recover(); r != nil { // a decoder's mistake must not end the host
			p, err = picture{}, fmt.Errorf("the decoder failed: %v", r)
		}
	}()
	c, ok := codecs(h.format)
	if !ok {
		return p, errors.New("the format is none of JPEG, GIF, PNG and BMP")
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return p, err
	}
	cfg, err := c.config(bufio.NewReader(file))
	if err != nil {
		return p, err
	}
	if err := bearable(cfg, h); err != nil {
		return p, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return p, err
	}
	m, err := c.decode(bufio.NewReaderSize(file, readBuffer))
	if err != nil {
		return p, err
	}
	return picture{whole(m, cfg), h.orientation}, nil
}

// bearable refuses what would cost too much memory.
func bearable(cfg image.Config, h header) error {
	w, ht := int64(cfg.Width), int64(cfg.Height)
	if w < 1 || ht < 1 || w > maxPixels || ht > maxPixels || w*ht > maxPixels {
		return fmt.Errorf("%d x %d pixels are too many", w, ht)
	}
	if w*ht*pixelCost(cfg.ColorModel, h) > maxMemory {
		return fmt.Errorf("%d x %d pixels would need too much memory", w, ht)
	}
	return nil
}

// pixelCost is how many bytes of memory a pixel needs at most.
func pixelCost(m color.Model, h header) int64 {
	switch {
	case h.progressive:
		return 15 // three planes, each with its coefficients
	case m == color.NRGBA64Model, m == color.RGBA64Model, m == color.Gray16Model:
		return 8
	}
	return 4
}

// whole returns the picture on its canvas: that of a GIF may cover a part of it.
func whole(m image.Image, cfg image.Config) image.Image {
	canvas := image.Rect(0, 0, cfg.Width, cfg.Height)
	if m.Bounds() == canvas {
		return m
	}
	full := image.NewNRGBA(canvas)
	draw.Draw(full, m.Bounds(), m, m.Bounds().Min, draw.Src)
	return full
}

// opaque says whether a picture can be a JPEG without losing its transparency.
func opaque(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return ok && o.Opaque()
}
