package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// corpus makes Chinese chat: 30,000 words, most of two characters, used by Zipf's law. The commonest word is in about 6 %
// of the messages and the commonest character in about a third.
type corpus struct {
	rand  *rand.Rand
	words []string
	sums  []float64 // of the weights up to each word
}

// zipf returns the sums of the weights 1/(i+flat)^power.
func zipf(n int, flat, power float64) []float64 {
	sums, total := make([]float64, n), 0.0
	for i := range sums {
		total += math.Pow(float64(i)+flat, -power)
		sums[i] = total
	}
	return sums
}

func (c *corpus) draw(sums []float64) int {
	i, _ := slices.BinarySearch(sums, c.rand.Float64()*sums[len(sums)-1])
	return min(i, len(sums)-1)
}

func newCorpus() *corpus {
	c := &corpus{rand: rand.New(rand.NewPCG(1, 7)), sums: zipf(30000, 30, 1)}
	characters := zipf(3500, 1, 0.6)
	lengths := []int{1, 2, 2, 2, 2, 2, 2, 2, 3, 4}
	for range c.sums {
		var w strings.Builder
		for range lengths[c.rand.IntN(len(lengths))] {
			w.WriteRune(rune(0x4e00 + c.draw(characters)))
		}
		c.words = append(c.words, w.String())
	}
	return c
}

// message is 15 to 40 characters.
func (c *corpus) message() string {
	n := 15 + c.rand.IntN(26)
	var s []rune
	for len(s) < n {
		s = append(s, []rune(c.words[c.draw(c.sums)])...)
		if c.rand.IntN(8) == 0 {
			s = append(s, '，')
		}
	}
	return string(s[:n])
}

// keyword is n characters out of a message, so that common ones come often.
func (c *corpus) keyword(n int) string {
	for {
		for part := range strings.SplitSeq(c.message(), "，") {
			if s := []rune(part); len(s) >= n {
				at := c.rand.IntN(len(s) - n + 1)
				return string(s[at : at+n])
			}
		}
	}
}
