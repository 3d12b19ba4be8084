package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"

	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
)

// photo is a picture with four coloured quarters: red, green / blue, white. Noise keeps it from compressing to nothing.
func photo(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	colours := [2][2]color.NRGBA{{{200, 20, 20, 255}, {20, 200, 20, 255}}, {{20, 20, 200, 255}, {200, 200, 200, 255}}}
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			c := colours[y*2/h][x*2/w]
			n := uint8(r.IntN(40))
			m.SetNRGBA(x, y, color.NRGBA{c.R + n, c.G + n, c.B + n, 255})
		}
	}
	return m
}

// quarters names the colours of a picture's quarters, from the upper left in reading order.
func quarters(m image.Image) string {
	b := m.Bounds()
	var s strings.Builder
	for _, p := range [][2]int{{1, 1}, {3, 1}, {1, 3}, {3, 3}} {
		r, g, bl, _ := m.At(b.Min.X+b.Dx()*p[0]/4, b.Min.Y+b.Dy()*p[1]/4).RGBA()
		switch {
		case r > 0x8000 && g > 0x8000 && bl > 0x8000:
			s.WriteByte('w')
		case r > 0x8000:
			s.WriteByte('r')
		case g > 0x8000:
			s.WriteByte('g')
		case bl > 0x8000:
			s.WriteByte('b')
		default:
			s.WriteByte('?')
		}
	}
	return s.String()
}

type encoder func(b *bytes.Buffer, m image.Image) error

func asJPEG(quality int) encoder {
	return func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: quality}) }
}
func asPNG(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }
func asBMP(b *bytes.Buffer, m image.Image) error { return bmp.Encode(b, m) }
func asGIF(b *bytes.Buffer, m image.Image) error {
	p := image.NewPaletted(m.Bounds(), color.Palette{color.RGBA{220, 40, 40, 255}, color.RGBA{40, 220, 40, 255},
		color.RGBA{40, 40, 220, 255}, color.RGBA{220, 220, 220, 255}})
	draw.Draw(p, p.Rect, m, m.Bounds().Min, draw.Src)
	return gif.Encode(b, p, nil)
}

func encoded(t *testing.T, m image.Image, as encoder) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := as(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func prepare(t *testing.T, path string, level int) media.Image {
	t.Helper()
	m, err := media.Prepare(path, level, filepath.Join(t.TempDir(), "derived"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// load reads a version and compares it with what is said of it.
func load(t *testing.T, v media.Version) (image.Image, string) {
	t.Helper()
	data, err := os.ReadFile(v.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, decode := range map[string]func(*bytes.Reader) (image.Image, error){
		"jpeg": func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) },
		"png":  func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) },
		"gif":  func(r *bytes.Reader) (image.Image, error) { return gif.Decode(r) },
		"bmp":  func(r *bytes.Reader) (image.Image, error) { return bmp.Decode(r) },
	} {
		if m, err := decode(bytes.NewReader(data)); err == nil {
			if int64(len(data)) != v.Size || m.Bounds().Dx() != v.Width || m.Bounds().Dy() != v.Height {
				t.Errorf("%s: %+v is %v in %d bytes", name, v, m.Bounds(), len(data))
			}
			return m, name
		}
	}
	t.Fatalf("%s cannot be read", v.Path)
	return nil, ""
}

func sizes(m media.Image) [6]int {
	return [6]int{m.Orig.Width, m.Orig.Height, m.Large.Width, m.Large.Height, m.Thumb.Width, m.Thumb.Height}
}

func TestThreeSizes(t *testing.T) {
	for _, c := range []struct {
		w, h int
		want [6]int
	}{
		{1000, 800, [6]int{1000, 800, 900, 720, 248, 198}},
		{800, 1000, [6]int{800, 1000, 720, 900, 198, 248}},
		{721, 721, [6]int{721, 721, 720, 720, 198, 198}},
		{720, 900, [6]int{720, 900, 720, 900, 198, 248}},
		{199, 300, [6]int{199, 300, 199, 300, 198, 298}},
		{198, 300, [6]int{198, 300, 198, 300, 198, 300}},
		{1, 1, [6]int{1, 1, 1, 1, 1, 1}},
		{5000, 10, [6]int{5000, 10, 5000, 10, 5000, 10}},
	} {
		path := file(t, "a.jpg", encoded(t, photo(c.w, c.h), asJPEG(60)))
		m := prepare(t, path, media.LevelOriginal)
		if sizes(m) != c.want || m.Warning != "" || m.Format != media.FormatJPG || m.Orig.Path != path {
			t.Errorf("%d x %d: %+v", c.w, c.h, m)
		}
		if same := m.Large.Path == path; same != (min(c.w, c.h) <= 720) {
			t.Errorf("%d x %d: the large version is the original: %v", c.w, c.h, same)
		}
		if same := m.Thumb.Path == path; same != (min(c.w, c.h) <= 198) {
			t.Errorf("%d x %d: the thumb is the original: %v", c.w, c.h, same)
		}
		for _, v := range []media.Version{m.Orig, m.Large, m.Thumb} {
			if pic, _ := load(t, v); c.w > 100 && c.h > 100 && quarters(pic) != "rgbw" {
				t.Errorf("%d x %d: looks like %s", c.w, c.h, quarters(pic))
			}
		}
	}
}

func TestLevels(t *testing.T) {
	big := photo(2000, 750)
	for _, c := range []struct {
		what   string
		as     encoder
		level  int
		format int
		width  int // of the original that is sent
	}{
		{"original", asJPEG(95), 0, media.FormatJPG, 2000},
		{"compressed", asJPEG(95), 1, media.FormatJPG, 1920},
		{"HD", asJPEG(95), 2, media.FormatJPG, 2000},
		{"unknown level", asJPEG(95), 7, media.FormatJPG, 1920},
		{"PNG", asPNG, 1, media.FormatJPG, 1920},
		{"PNG as it is", asPNG, 0, media.FormatPNG, 2000},
		{"BMP", asBMP, 2, media.FormatJPG, 2000},
		{"BMP as it is", asBMP, 0, media.FormatBMP, 2000},
		{"GIF", asGIF, 1, media.FormatGIF, 2000},
	} {
		data := encoded(t, big, c.as)
		path := file(t, "a", data)
		m := prepare(t, path, c.level)
		if m.Format != c.format || m.Orig.Width != c.width || m.Warning != "" {
			t.Errorf("%s: %+v", c.what, m)
		}
		if m.Orig.Size > int64(len(data)) {
			t.Errorf("%s: grew from %d to %d bytes", c.what, len(data), m.Orig.Size)
		}
		if pic, _ := load(t, m.Orig); quarters(pic) != "rgbw" {
			t.Errorf("%s: looks like %s", c.what, quarters(pic))
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: the source was changed, %v", c.what, err)
		}
	}
}

func TestNeverBigger(t *testing.T) {
	data := encoded(t, photo(300, 300), asJPEG(5))
	for level := range 3 {
		path := file(t, "a.jpg", data)
		if m := prepare(t, path, level); m.Orig.Path != path || m.Orig.Size != int64(len(data)) {
			t.Errorf("level %d: %+v", level, m)
		}
	}
}

func TestTransparencyStays(t *testing.T) {
	m := photo(1000, 1000)
	draw.Draw(m, image.Rect(0, 0, 500, 500), image.Transparent, image.Point{}, draw.Src)
	p := prepare(t, file(t, "a.png", encoded(t, m, asPNG)), 1)
	if p.Format != media.FormatPNG {
		t.Errorf("format %d", p.Format)
	}
	for _, v := range []media.Version{p.Orig, p.Large, p.Thumb} {
		pic, name := load(t, v)
		_, _, _, corner := pic.At(v.Width/4, v.Height/4).RGBA()
		_, _, _, other := pic.At(v.Width*3/4, v.Height/4).RGBA()
		if name != "png" || corner != 0 || other != 0xffff {
			t.Errorf("%s with alpha %d and %d", name, corner, other)
		}
	}
}

// A frame of an animation may cover a part of the canvas only.
func TestAnimatedGIF(t *testing.T) {
	palette := color.Palette{color.Transparent, color.RGBA{200, 0, 0, 255}}
	frame := func(r image.Rectangle) *image.Paletted {
		p := image.NewPaletted(r, palette)
		draw.Draw(p, r, image.NewUniform(palette[1]), image.Point{}, draw.Src)
		return p
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame(image.Rect(400, 0, 800, 800)), frame(image.Rect(0, 0, 10, 10))},
		Delay: []int{10, 10}, Config: image.Config{Width: 800, Height: 800, ColorModel: palette}})
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "a.gif", b.Bytes())
	m := prepare(t, path, 1)
	if m.Orig.Path != path || m.Format != media.FormatGIF || sizes(m) != [6]int{800, 800, 720, 720, 198, 198} {
		t.Errorf("%+v", m)
	}
	pic, _ := load(t, m.Thumb)
	_, _, _, left := pic.At(50, 100).RGBA()
	r, _, _, right := pic.At(150, 100).RGBA()
	if left != 0 || right != 0xffff || r < 0xb000 {
		t.Errorf("alpha %d and %d, red %d", left, right, r)
	}
}

// withEXIF puts an orientation into a JPEG.
func withEXIF(jpg []byte, orientation uint16, order binary.AppendByteOrder) []byte {
	tiff := map[bool]string{true: "MM\x00*", false: "II*\x00"}[order == binary.AppendByteOrder(binary.BigEndian)]
	b := order.AppendUint32([]byte(tiff), 8)
	b = order.AppendUint16(b, 2)
	b = append(order.AppendUint16(b, 0x010f), make([]byte, 10)...) // another tag before it
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, orientation)
	b = append(b, make([]byte, 6)...)
	segment := append([]byte("Exif\x00\x00"), b...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(segment)+2))
	return append(append(head, segment...), jpg[2:]...)
}

func TestOrientation(t *testing.T) {
	jpg := encoded(t, photo(900, 750), asJPEG(90))
	for o, want := range map[uint16]string{0: "rgbw", 1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb", 9: "rgbw"} {
		for level, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			size := [6]int{900, 750, 864, 720, 238, 198}
			if o >= 5 && o <= 8 {
				size = [6]int{750, 900, 720, 864, 198, 238}
			}
			m := prepare(t, file(t, "a.jpg", withEXIF(jpg, o, order)), level)
			if sizes(m) != size || m.Warning != "" {
				t.Errorf("orientation %d: %+v", o, m)
			}
			for _, v := range []media.Version{m.Orig, m.Large, m.Thumb}[1-level:] { // level 0 leaves the original as it lies
				if pic, _ := load(t, v); quarters(pic) != want {
					t.Errorf("orientation %d: %s, want %s", o, quarters(pic), want)
				}
			}
		}
	}
}

// bombPNG is a small file that says that it is a very large picture.
func bombPNG(t *testing.T, w, h uint32) []byte {
	data := encoded(t, photo(8, 8), asPNG)
	binary.BigEndian.PutUint32(data[16:], w)
	binary.BigEndian.PutUint32(data[20:], h)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func TestUnreadableIsSentAsItIs(t *testing.T) {
	jpg, gifData := encoded(t, photo(400, 400), asJPEG(80)), encoded(t, photo(400, 400), asGIF)
	for what, c := range map[string]struct {
		data   []byte
		format int
	}{
		"text":           {[]byte("this is no image"), media.FormatUnknown},
		"WebP":           {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), media.FormatUnknown},
		"one byte":       {[]byte{0xff}, media.FormatUnknown},
		"truncated JPEG": {jpg[:len(jpg)/2], media.FormatJPG},
		"JPEG's start":   {jpg[:4], media.FormatJPG},
		"truncated PNG":  {encoded(t, photo(400, 400), asPNG)[:3000], media.FormatPNG},
		"truncated GIF":  {gifData[:len(gifData)/2], media.FormatGIF},
		"truncated BMP":  {encoded(t, photo(400, 400), asBMP)[:3000], media.FormatBMP},
		"bomb":           {bombPNG(t, 60_000, 60_000), media.FormatPNG},
		"wide bomb":      {bombPNG(t, 1<<31-1, 1<<31-1), media.FormatPNG},
	} {
		path := file(t, "a", c.data)
		m := prepare(t, path, 1)
		want := media.Version{Path: path, Size: int64(len(c.data))}
		if m.Warning == "" || m.Format != c.format || m.Orig != want || m.Large != want || m.Thumb != want {
			t.Errorf("%s: %+v", what, m)
		}
		m.Remove()
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: the original was deleted: %v", what, err)
		}
	}
}

func TestRemove(t *testing.T) {
	folder := t.TempDir()
	path := file(t, "a.png", encoded(t, photo(1000, 1000), asPNG))
	m, err := media.Prepare(path, 1, folder)
	if err != nil {
		t.Fatal(err)
	}
	made := func() int {
		list, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if made() != 3 {
		t.Errorf("made %d files", made())
	}
	m.Remove()
	if made() != 0 {
		t.Errorf("%d files are left", made())
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("the original was deleted")
	}
}

func code(err error) int {
	var e *transport.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestFilesThatCannotBeSent(t *testing.T) {
	dir := t.TempDir()
	sparse := func(name string, size int64) string {
		path := file(t, name, nil)
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		what string
		path string
		kind model.FileKind
		want int
	}{
		{"missing", filepath.Join(dir, "none"), model.FileImage, tim.ErrSDKCommFileNotFound},
		{"no path", "", model.FileImage, tim.ErrSDKCommFileNotFound},
		{"a folder", dir, model.FileImage, tim.ErrSDKCommFileOpenFailed},
		{"empty", file(t, "a", nil), model.FileImage, tim.ErrSDKCommFileSizeEmpty},
		{"image", sparse("b", 28<<20+1), model.FileImage, tim.ErrSDKCommFileTooLarge},
		{"cover", sparse("b", 28<<20+1), model.FileSnapshot, tim.ErrSDKCommFileTooLarge},
		{"sound", sparse("b", 28<<20+1), model.FileSound, tim.ErrSDKCommFileTooLarge},
		{"video", sparse("b", 100<<20+1), model.FileVideo, tim.ErrSDKCommFileTooLarge},
		{"file", sparse("b", 100<<20+1), model.FileOther, tim.ErrSDKCommFileTooLarge},
		{"large image", sparse("b", 28<<20), model.FileImage, 0},
		{"large video", sparse("b", 100<<20), model.FileVideo, 0},
		{"device", os.DevNull, model.FileOther, tim.ErrSDKCommFileOpenFailed},
	} {
		if _, err := media.Check(c.path, c.kind); code(err) != c.want {
			t.Errorf("%s: %v, want %d", c.what, err, c.want)
		}
	}
	if _, err := media.Prepare(filepath.Join(dir, "none"), 1, dir); code(err) != tim.ErrSDKCommFileNotFound {
		t.Errorf("prepare: %v", err)
	}
}

func TestBase(t *testing.T) {
	for ws, want := range map[string]string{"ws://a:7800": "http://a:7800", "wss://a/ws": "https://a", "ws://[::1]:1/ws?x=/": "http://[::1]:1"} {
		if got := media.Base(ws); got != want {
			t.Errorf("%s: %s, want %s", ws, got, want)
		}
	}
}

func FuzzPrepare(f *testing.F) {
	var b bytes.Buffer
	_ = png.Encode(&b, photo(4, 4)) // into memory
	f.Add(bytes.Clone(b.Bytes()))
	b.Reset()
	_ = jpeg.Encode(&b, photo(9, 5), nil)
	f.Add(withEXIF(b.Bytes(), 6, binary.BigEndian))
	f.Add([]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,"))
	f.Add([]byte("BM" + strings.Repeat("\x00", 60)))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		path := filepath.Join(dir, "a")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := media.Prepare(path, 1, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Remove()
		if m.Warning == "" && (m.Orig.Width < 1 || m.Thumb.Height < 1 || m.Orig.Size > int64(len(data))) {
			t.Errorf("%+v", m)
		}
	})
}

func BenchmarkPrepare12MP(b *testing.B) {
	var data bytes.Buffer
	_ = jpeg.Encode(&data, photo(4000, 3000), &jpeg.Options{Quality: 90}) // into memory
	path := filepath.Join(b.TempDir(), "a.jpg")
	if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		m, err := media.Prepare(path, 1, b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		m.Remove()
	}
}
