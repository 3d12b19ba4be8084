package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// Sizes of the picture in pixels: one panel a figure, below each other.
const (
	width, panel    = 960, 150
	left, right     = 90, 20
	top, gap, below = 50, 44, 40
	points          = 900 // of a line; more are averaged
)

// series is one line of a panel.
type series struct {
	name, colour string
	value        func(*sample) float64
}

var (
	library = func(f func(*state) float64) func(*sample) float64 {
		return func(s *sample) float64 { return f(&s.states[0]) }
	}
	timbred = func(f func(*state) float64) func(*sample) float64 {
		return func(s *sample) float64 { return f(&s.states[1]) }
	}
)

func both(f func(*state) float64) []series {
	return []series{{"library", "#1668b8", library(f)}, {"timbred", "#c2521b", timbred(f)}}
}

// panels are what is drawn, and with the same names what stands in the CSV file.
func panels() []struct {
	title string
	lines []series
} {
	return []struct {
		title string
		lines []series
	}{
		{"memory, MB", both(func(s *state) float64 { return mb(s.memory) })},
		{"threads", both(func(s *state) float64 { return float64(s.threads) })},
		{"open files", both(func(s *state) float64 { return float64(s.files) })},
		{"databases, MB", both(func(s *state) float64 { return mb(s.disk) })},
		{"messages without their callback", []series{{"missing", "#2c7a3f", func(s *sample) float64 { return float64(s.missing) }}}},
		{"messages not there yet", []series{{"under way", "#2c7a3f", func(s *sample) float64 { return float64(s.expected - s.received) }}}},
	}
}

// write makes OUT.csv and OUT.svg.
func write(out string, samples []sample, cuts []time.Time) error {
	if err := table(out+".csv", samples); err != nil {
		return err
	}
	return os.WriteFile(out+".svg", []byte(picture(samples, len(cuts))), 0o644)
}

func table(name string, samples []sample) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := csv.NewWriter(f)
	head := []string{"seconds"}
	for _, p := range panels() {
		for _, l := range p.lines {
			head = append(head, p.title+", "+l.name)
		}
	}
	_ = w.Write(head) // Error tells below
	for i := range samples {
		row := []string{fmt.Sprintf("%.1f", samples[i].at.Seconds())}
		for _, p := range panels() {
			for _, l := range p.lines {
				row = append(row, fmt.Sprintf("%.2f", l.value(&samples[i])))
			}
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

func picture(samples []sample, cuts int) string {
	var b strings.Builder
	all := panels()
	height := top + len(all)*(panel+gap) + below
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	last := samples[len(samples)-1].at
	fmt.Fprintf(&b, `<text x="%d" y="24" font-size="16">Soak: %v, %d cuts</text>`+"\n", left, last.Round(time.Second), cuts)
	for i, p := range all {
		draw(&b, top+i*(panel+gap), p.title, p.lines, samples)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// draw makes a panel whose upper edge is at y.
func draw(b *strings.Builder, y int, title string, lines []series, samples []sample) {
	high := 0.0
	for _, l := range lines {
		for i := range samples {
			high = max(high, l.value(&samples[i]))
		}
	}
	high = nice(high)
	last := samples[len(samples)-1].at.Seconds()
	x := func(s float64) float64 { return left + s/last*(width-left-right) }
	level := func(v float64) float64 { return float64(y) + 16 + (1-v/high)*float64(panel-16) }
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", left, y+8, title)
	for i := range 5 {
		v := high * float64(i) / 4
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			left, width-right, level(v), level(v), left-6, level(v)+4, v)
	}
	for i := range 7 {
		s := last * float64(i) / 6
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#777">%.0f s</text>`+"\n", x(s), y+panel+14, s)
	}
	for n, l := range lines {
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+230+n*90, y+8, l.colour, l.name)
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="1.3" points="`, l.colour)
		step := (len(samples) + points - 1) / points
		for i := 0; i < len(samples); i += step {
			sum, part := 0.0, samples[i:min(i+step, len(samples))]
			for j := range part {
				sum += l.value(&part[j])
			}
			fmt.Fprintf(b, "%.1f,%.1f ", x(part[0].at.Seconds()), level(sum/float64(len(part))))
		}
		b.WriteString(`"/>` + "\n")
	}
}

// nice is the next number of the kind 1, 2, 4, 5, 8 times a power of ten.
func nice(v float64) float64 {
	if v <= 0 {
		return 4
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 4, 5, 8, 10} {
		if v <= n*unit {
			return n * unit
		}
	}
	return v
}
