package main

import (
	"fmt"
	"strings"

	"timbre/api/catalogue"
)

// reference makes one page per header.
func reference(cat *catalogue.Catalogue, out *output) {
	for _, h := range cat.Headers {
		p := &page{cat: cat, header: h}
		p.write()
		out.add("docs/reference/"+pageName(h.Name), p.String())
	}
}

func pageName(header string) string { return strings.TrimSuffix(header, ".h") + ".md" }

// page is a reference page.
type page struct {
	text
	cat    *catalogue.Catalogue
	header *catalogue.Header
}

func (p *page) write() {
	h := p.header
	p.f("<!-- %s -->\n\n# %s\n", mark, joinNonEmpty(": ", h.Name, strings.TrimSpace(h.Title)))
	p.paragraph(h.Doc)
	p.functions()
	p.callbacks()
	p.enums()
	p.errors()
	p.structs()
	p.olderNames()
}

// paragraph writes a text of the catalogue; lines about error codes become a list.
func (p *page) paragraph(doc string) {
	doc = strings.TrimSpace(doc)
	if doc == "" {
		return
	}
	p.f("\n%s\n", codeList(doc))
}

func codeList(doc string) string {
	lines := strings.Split(markdown(doc), "\n")
	for i, l := range lines {
		if c := code.FindString(l); c != "" {
			lines[i] = "- `" + strings.TrimSuffix(c, ": ") + "`: " + l[len(c):]
		}
	}
	return strings.Join(lines, "\n")
}

func (p *page) functions() {
	if len(p.header.Functions) > 0 {
		p.f("\n## Functions\n")
	}
	for _, f := range p.header.Functions {
		p.f("\n### %s\n\n```c\n%s %s(%s);\n```\n", f.Name, f.Returns, f.Name, parameters(f.Params))
		p.paragraph(older(f.Older))
		p.paragraph(f.Doc)
		p.params(f.Params)
		for _, l := range labelled(f) {
			text := strings.TrimSpace(l.text)
			gap := " "
			if item(text) {
				gap = "\n\n"
			}
			if l.label == "Empty result" {
				text = "`" + text + "`"
			}
			p.f("\n**%s:**%s%s\n", l.label, gap, codeList(text))
		}
	}
}

// params writes the documented parameters as a list.
func (p *page) params(params []catalogue.Param) {
	gap := "\n"
	for _, param := range params {
		if doc := strings.TrimSpace(param.Doc); doc != "" {
			p.f("%s- `%s`: %s\n", gap, param.Name, oneLine(doc))
			gap = ""
		}
	}
}

func (p *page) callbacks() {
	if len(p.header.Callbacks) > 0 {
		p.f("\n## Callbacks\n")
	}
	for _, cb := range p.header.Callbacks {
		p.f("\n### %s\n\n```c\ntypedef void (*%s)(%s);\n```\n", cb.Name, cb.Name, parameters(cb.Params))
		p.paragraph(older(cb.Older))
		p.paragraph(cb.Doc)
		p.params(cb.Params)
	}
}

func (p *page) enums() {
	if len(p.header.Enums) > 0 {
		p.f("\n## Enumerations\n")
	}
	for _, e := range p.header.Enums {
		p.f("\n### %s\n", e.Name)
		p.paragraph(older(e.Older))
		p.paragraph(e.Doc)
		p.values(e.Values)
	}
}

func (p *page) errors() {
	if len(p.header.Errors) > 0 {
		p.f("\n## Error codes\n")
		p.values(p.header.Errors)
	}
}

func (p *page) values(values []catalogue.Value) {
	p.f("\n| Name | Value | |\n| --- | ---: | --- |\n")
	for _, v := range values {
		p.f("| `%s` | %d | %s |\n", v.Name, v.Value, cell(joinNonEmpty(" ", older(v.Older), v.Doc)))
	}
}

func (p *page) structs() {
	if len(p.header.Structs) > 0 {
		p.f("\n## Structures\n")
	}
	for _, s := range p.header.Structs {
		p.f("\n### %s\n", s.Name)
		p.paragraph(s.Doc)
		p.f("\n| Key | Constant | Type | Direction | |\n| --- | --- | --- | --- | --- |\n")
		for _, k := range s.Keys {
			p.f("| `%s` | `%s` | %s | %s | %s |\n", k.Key, k.Const, p.keyType(k), direction(k), cell(keyDoc(k)))
		}
	}
}

// keyType links the type of a key to what it refers to, when that has a section somewhere.
func (p *page) keyType(k catalogue.Key) string {
	if k.Ref == "" {
		return k.Type
	}
	for _, h := range p.cat.Headers {
		if !declares(h, k.Ref) {
			continue
		}
		target := "#" + strings.ToLower(k.Ref)
		if h != p.header {
			target = pageName(h.Name) + target
		}
		return strings.TrimSpace(fmt.Sprintf("%s [%s](%s)", k.Type, k.Ref, target))
	}
	return joinNonEmpty(" ", k.Type, k.Ref)
}

func declares(h *catalogue.Header, name string) bool {
	for _, s := range h.Structs {
		if s.Name == name {
			return true
		}
	}
	for _, e := range h.Enums {
		if e.Name == name {
			return true
		}
	}
	return false
}

func direction(k catalogue.Key) string {
	if k.Required {
		return joinNonEmpty(", ", k.Dir, "required")
	}
	return k.Dir
}

func keyDoc(k catalogue.Key) string {
	if len(k.Older) == 0 {
		return k.Doc
	}
	return joinNonEmpty(" ", k.Doc, "Earlier spelled `"+strings.Join(k.Older, "`, `")+"`.")
}

func (p *page) olderNames() {
	if len(p.header.OlderConstants) > 0 {
		p.f("\n## Constants of earlier versions\n\n| Constant | Key | |\n| --- | --- | --- |\n")
	}
	for _, k := range p.header.OlderConstants {
		p.f("| `%s` | `%s` | %s |\n", k.Const, k.Key, cell(k.Doc))
	}
	if len(p.header.Aliases) > 0 {
		p.f("\n## Earlier spellings of names\n\n| Earlier | Now |\n| --- | --- |\n")
	}
	for _, a := range p.header.Aliases {
		p.f("| `%s` | `%s` |\n", a.Name, a.Target)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(markdown(s)), " ") }

// markdown keeps "<user id>" from being taken for HTML, except inside code.
func markdown(s string) string {
	parts := strings.Split(s, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], "<", "&lt;")
	}
	return strings.Join(parts, "`")
}

// cell is a text that may stand in a table.
func cell(s string) string { return strings.ReplaceAll(oneLine(s), "|", "\\|") }
