package media

import (
	"image"
	"image/draw"
	"math"
)

// picture is an image as it was decoded and how it must be turned to stand upright. It is turned after it was made
// smaller, because turning costs memory.
type picture struct {
	image.Image
	orientation int
}

// size is width and height of the upright picture.
func (p picture) size() (w, h int) {
	w, h = p.Bounds().Dx(), p.Bounds().Dy()
	if p.orientation >= 5 {
		return h, w
	}
	return w, h
}

func (p picture) shorter() int { return min(p.Bounds().Dx(), p.Bounds().Dy()) }
func (p picture) longer() int  { return max(p.Bounds().Dx(), p.Bounds().Dy()) }

// shrink makes a picture to/from as large. Every pixel becomes the mean of the area that it covers, row by row, so that
// even a very large picture needs no second copy.
func (p picture) shrink(to, from int) picture {
	b := p.Bounds()
	part := func(n int) int { return max((n*to+from/2)/from, 1) }
	small := image.NewRGBA(image.Rect(0, 0, part(b.Dx()), part(b.Dy())))
	columns := spans(b.Dx(), small.Rect.Dx())
	rows := spans(b.Dy(), small.Rect.Dy())
	area := float64(b.Dx()) * float64(b.Dy()) / float64(small.Rect.Dx()) / float64(small.Rect.Dy())
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	line := make([]float64, 4*small.Rect.Dx())
	now, next := make([]float64, len(line)), make([]float64, len(line))
	for y, r := range rows {
		draw.Draw(row, row.Rect, p.Image, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		clear(line)
		gather(line, row.Pix, columns)
		for i, v := range line {
			now[i] += v * r.first
			next[i] += v * (1 - r.first)
		}
		if y+1 == len(rows) || rows[y+1].to != r.to {
			emit(small.Pix[r.to*small.Stride:], now, area)
			now, next = next, now
			clear(next)
		}
	}
	return picture{small, p.orientation}
}

// span says to which pixel of the smaller side one of the larger side goes, and how much of it; the rest goes to the
// next one.
type span struct {
	to    int
	first float64
}

func spans(from, to int) []span {
	list := make([]span, from)
	ratio := float64(from) / float64(to)
	for i := range list {
		n := min(int(float64(i)/ratio), to-1)
		list[i] = span{n, 1}
		if end := float64(n+1) * ratio; n+1 < to && end < float64(i+1) {
			list[i].first = max(end-float64(i), 0)
		}
	}
	return list
}

// gather adds up a row of pixels.
func gather(line []float64, pix []uint8, columns []span) {
	for x, c := range columns {
		to := line[4*c.to:]
		for i, v := range pix[4*x : 4*x+4] {
			to[i] += float64(v) * c.first
			if c.first < 1 {
				to[4+i] += float64(v) * (1 - c.first)
			}
		}
	}
}

func emit(pix []uint8, sums []float64, area float64) {
	for i, v := range sums {
		pix[i] = uint8(min(math.Round(v/area), 255))
	}
}

// upright returns the picture turned and mirrored as the camera was held.
func (p picture) upright() image.Image {
	if p.orientation <= 1 {
		return p.Image
	}
	b := p.Bounds()
	from := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(from, from.Rect, p.Image, b.Min, draw.Src)
	w, h := p.size()
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := source(p.orientation, x, y, b.Dx(), b.Dy())
			copy(to.Pix[to.PixOffset(x, y):][:4], from.Pix[from.PixOffset(sx, sy):][:4])
		}
	}
	return to
}

// source is where in a picture of w by h the pixel of the upright one comes from.
func source(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}
