package main

import (
	"fmt"
	"math/bits"
	"strings"

	"timbre/model"
)

// rights is what permission groups decide.
func rights(b *strings.Builder) {
	b.WriteString("\n### Where permission groups decide\n\n")
	b.WriteString("A member may do what one of the bits allows that everybody has or that one of his permission groups has; the owner may do\n")
	b.WriteString("everything. In a topic a bit of the whole community is enough, or one of that topic. What is not in this table is as above,\n")
	b.WriteString("without admins. Who is in a permission group says whoever has bit 3 of the community. Bit 8, or bit 4 of a topic, shows\n")
	b.WriteString("newcomers what was said before, if everybody has it.\n")
	head(b, "", []string{"in the community: its bit", "in a topic: bit of the community", "or of the topic"})
	for _, a := range append(model.GroupActions(), model.GroupKeepOut) {
		if r, decided := model.GroupRightTo(a); decided {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", a, bit(r.Community), bit(r.Everywhere), bit(r.Topic))
		}
	}
}

// bit is the number of the one bit of a right.
func bit(right uint64) string {
	if right == 0 {
		return "–"
	}
	return fmt.Sprint(bits.TrailingZeros64(right))
}
