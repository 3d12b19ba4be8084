package group

import (
	"maps"
	"slices"

	"timbre/model"
	"timbre/model/tim"
	"timbre/protocol"
	"timbre/server/refusal"
	"timbre/sqlite"
)

// attributeRate is how many times a second a user may write attributes of a group.
const attributeRate = 5

// attributes is a group's attributes with the versions in which they were written.
type attributes struct {
	values   map[string]string
	versions map[string]uint64
}

func attributesOf(q sqlite.Queryer, gid int64) (*attributes, error) {
	a := &attributes{map[string]string{}, map[string]uint64{}}
	err := q.Query(`SELECT key, value, version FROM attribute WHERE gid=?`, func(scan func(...any) error) error {
		var key, value string
		var version uint64
		err := scan(&key, &value, &version)
		a.values[key], a.versions[key] = value, version
		return err
	}, gid)
	return a, err
}

// SetAttributes writes attributes of a group and tells all its members. Of two who write the same key at once, the second
// one is refused: he has not seen what he would write over.
func (g *Groups) SetAttributes(tx *sqlite.Tx, a *Actor, gid int64, s *protocol.SetGroupAttributes) (protocol.GroupAttributes, Outcome, error) {
	return once(g, tx, a, func(o *Outcome) (answer protocol.GroupAttributes, err error) {
		r, err := top(tx, gid)
		if err != nil {
			return answer, err
		}
		if err = g.mayWriteAttributes(tx, a, r); err != nil {
			return answer, err
		}
		have, err := attributesOf(tx, gid)
		if err != nil {
			return answer, err
		}
		after, touched, err := have.after(s)
		if err != nil {
			return answer, err
		}
		if err = have.unseen(touched, s.Version, r.attrVersion); err != nil {
			return answer, err
		}
		answer.Attrs, answer.Version = after, r.attrVersion
		if len(touched) == 0 {
			return answer, nil
		}
		answer.Version++
		if err = writeAttributes(tx, gid, touched, after, answer.Version); err != nil {
			return answer, err
		}
		return answer, g.note(tx, r, o, protocol.EntryGroupAttributes, answer)
	})
}

func (g *Groups) mayWriteAttributes(tx *sqlite.Tx, a *Actor, r *record) error {
	if r.parent != 0 {
		return refusal.New(tim.ErrSVRGroupInvalidParameters, "a topic has no attributes")
	}
	if _, err := g.permit(tx, r, a.UID, model.GroupSetAttributes); err != nil {
		return err
	}
	if !g.writes.admit(r.gid, a.UID, attributeRate, g.now()) {
		return refusal.New(model.CodeAttributeRate, "attributes are written too often")
	}
	return nil
}

// after returns what the attributes become, and the keys that are written or taken away.
func (a *attributes) after(s *protocol.SetGroupAttributes) (after map[string]string, touched []string, err error) {
	after = maps.Clone(a.values)
	switch s.Way {
	case protocol.AttributesInit:
		touched = slices.Collect(maps.Keys(a.values))
		clear(after)
		maps.Copy(after, s.Attrs)
	case protocol.AttributesSet:
		maps.Copy(after, s.Attrs)
	case protocol.AttributesDelete:
		if len(s.Keys) == 0 {
			return map[string]string{}, slices.Collect(maps.Keys(a.values)), nil
		}
		for _, key := range s.Keys {
			if _, ok := a.values[key]; !ok {
				return nil, nil, refusal.New(model.CodeAttributeNotFound, "there is no such attribute")
			}
			if _, still := after[key]; still { // else it is named twice
				delete(after, key)
				touched = append(touched, key)
			}
		}
		return after, touched, nil
	default:
		return nil, nil, refusal.New(tim.ErrSVRGroupInvalidParameters, "attributes are written by init, set or delete")
	}
	for key := range s.Attrs { // of which there may be a hundred thousand still
		if _, there := a.values[key]; !there || s.Way == protocol.AttributesSet {
			touched = append(touched, key)
		}
	}
	return after, touched, checkAttributes(after)
}

func checkAttributes(attrs map[string]string) error {
	all := 0
	for key, value := range attrs {
		switch {
		case key == "":
			return refusal.New(tim.ErrSVRGroupInvalidParameters, "an attribute has a key")
		case len(key) > model.MaxAttributeKey:
			return refusal.New(model.CodeAttributeKeySize, "the key of an attribute has at most 32 bytes")
		case len(value) > model.MaxAttribute:
			return refusal.New(model.CodeAttributeSize, "an attribute has at most 4,000 bytes")
		}
		all += len(value)
	}
	switch {
	case len(attrs) > model.MaxAttributes:
		return refusal.New(model.CodeAttributeCount, "a group has at most 16 attributes")
	case all > model.MaxAllAttributes:
		return refusal.New(model.CodeAttributesSize, "all attributes together have at most 16,000 bytes")
	}
	return nil
}

// unseen refuses to touch keys that somebody wrote after the version that the writer has seen. The refusal tells him what
// there is.
func (a *attributes) unseen(touched []string, seen, newest uint64) error {
	for _, key := range touched {
		if a.versions[key] > seen {
			return refusal.With(tim.ErrSVRGroupAttributeWriteConfilct, "somebody else wrote this attribute meanwhile",
				protocol.Marshal(protocol.GroupAttributes{Attrs: a.values, Version: newest}))
		}
	}
	return nil
}

func writeAttributes(tx *sqlite.Tx, gid int64, touched []string, after map[string]string, version uint64) error {
	for _, key := range touched {
		value, stays := after[key]
		var err error
		if stays {
			err = tx.Exec(`INSERT INTO attribute (gid, key, value, version) VALUES (?,?,?,?)
				ON CONFLICT (gid, key) DO UPDATE SET value=excluded.value, version=excluded.version`, gid, key, value, int64(version))
		} else {
			err = tx.Exec(`DELETE FROM attribute WHERE gid=? AND key=?`, gid, key)
		}
		if err != nil {
			return err
		}
	}
	return tx.Exec(`UPDATE grp SET attr_version=? WHERE gid=?`, int64(version), gid)
}

// Attributes answers a group's attributes, those of some keys or all.
func (g *Groups) Attributes(q sqlite.Queryer, uid, gid int64, keys []string) (answer protocol.GroupAttributes, err error) {
	r, err := top(q, gid)
	if err != nil {
		return answer, err
	}
	if _, err = g.permit(q, r, uid, model.GroupGetAttributes); err != nil {
		return answer, err
	}
	a, err := attributesOf(q, gid)
	if err != nil {
		return answer, err
	}
	if len(keys) > 0 {
		maps.DeleteFunc(a.values, func(key, _ string) bool { return !slices.Contains(keys, key) })
	}
	return protocol.GroupAttributes{Attrs: a.values, Version: r.attrVersion}, nil
}
