package main

import "timbre/api/catalogue"

// status makes the page that says what is built.
func status(cat *catalogue.Catalogue, out *output) {
	var rows, missing text
	total, built := 0, 0
	for _, h := range cat.Headers {
		if len(h.Functions) == 0 {
			continue
		}
		have := builtIn(h)
		total += len(h.Functions)
		built += have
		rows.f("| [%s](reference/%s) | %d | %d |\n", h.Name, pageName(h.Name), have, len(h.Functions))
		if have < len(h.Functions) {
			missing.f("\n### %s\n\n", h.Name)
		}
		for _, f := range h.Functions {
			if !f.Built {
				missing.f("- `%s`\n", f.Name)
			}
		}
	}
	var t text
	t.f("<!-- %s -->\n\n# What is built\n\n", mark)
	t.f("%d of %d functions are built. The others are exported and check their arguments and the state as usual, then\n", built, total)
	t.f("answer `ERR_SDK_INTERFACE_NOT_SUPPORT` (7013).\n\n")
	t.f("| Header | Built | Functions |\n| --- | ---: | ---: |\n%s| | %d | %d |\n", rows.String(), built, total)
	t.f("\n## Not built\n%s", missing.String())
	out.add("docs/status.md", t.String())
}

func builtIn(h *catalogue.Header) int {
	n := 0
	for _, f := range h.Functions {
		if f.Built {
			n++
		}
	}
	return n
}
