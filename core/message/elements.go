package message

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"timbre/core/event"
	"timbre/core/media"
	"timbre/core/transport"
	"timbre/model"
	"timbre/model/tim"
	"timbre/sqlite"
)

// Keys of elements with files beyond the vendor's interface.
const (
	keyCRC32  = "ext_elem_crc32"  // of the file, IEEE
	keyHash   = "ext_elem_hash"   // its SHA-256, 64 hexadecimal digits
	keyFormat = "ext_elem_format" // end of its name without the dot
)

// part is one file of an element.
type part struct {
	kind                model.FileKind
	path, id, url, size string // keys of the element
}

// parts are the files of an element by its type; an image is one file here.
var parts = map[int64][]part{
	tim.ElemImage: {{model.FileImage, tim.KeyImageElemOrigPath, tim.KeyImageElemOrigId, tim.KeyImageElemOrigUrl, tim.KeyImageElemOrigPicSize}},
	tim.ElemSound: {{model.FileSound, tim.KeySoundElemFilePath, tim.KeySoundElemFileId, tim.KeySoundElemUrl, tim.KeySoundElemFileSize}},
	tim.ElemFile:  {{model.FileOther, tim.KeyFileElemFilePath, tim.KeyFileElemFileId, tim.KeyFileElemUrl, tim.KeyFileElemFileSize}},
	tim.ElemVideo: {
		{model.FileVideo, tim.KeyVideoElemVideoPath, tim.KeyVideoElemVideoId, tim.KeyVideoElemVideoUrl, tim.KeyVideoElemVideoSize},
		{model.FileSnapshot, tim.KeyVideoElemImagePath, tim.KeyVideoElemImageId, tim.KeyVideoElemImageUrl, tim.KeyVideoElemImageSize},
	},
}

// waits says whether this file of an element is not on the server yet.
func (p *part) waits(e gjson.Result) bool {
	return e.Get(p.path).String() != "" && e.Get(p.id).String() == "" && e.Get(p.url).String() == ""
}

// uploadNeeded says whether something of an element has to be on the server before it can be sent.
func uploadNeeded(e gjson.Result) bool {
	typ := e.Get(tim.KeyElemType).Int()
	if typ == tim.ElemMerge {
		return len(e.Get(tim.KeyMergerElemMsgArray).Array()) > 0 && model.FieldsSize(e) > MaxContent/2
	}
	for _, p := range parts[typ] {
		if p.waits(e) {
			return true
		}
	}
	return false
}

// checkFiles finds the elements that need an upload, or the first file that cannot be sent.
func checkFiles(elements string) (need []int, bad *transport.Error) {
	for i, e := range gjson.Parse(elements).Array() {
		if uploadNeeded(e) {
			need = append(need, i)
		}
		for n, p := range parts[e.Get(tim.KeyElemType).Int()] {
			switch {
			case p.waits(e):
				if _, err := media.Check(e.Get(p.path).String(), p.kind); err != nil {
					return nil, transport.AsError(err)
				}
			case n == 0 && e.Get(p.path).String() == "" && e.Get(p.id).String() == "" && e.Get(p.url).String() == "":
				return nil, &transport.Error{Code: tim.ErrSDKCommFileNotFound, Text: "the element names no file"}
			}
		}
	}
	return need, nil
}

// uploadElement uploads the files of an element and returns it with their ids.
func (m *Messages) uploadElement(ctx context.Context, a announced, index int, e gjson.Result, alive func()) (string, error) {
	switch e.Get(tim.KeyElemType).Int() {
	case tim.ElemMerge:
		return m.uploadMerged(ctx, e, alive)
	case tim.ElemImage:
		return m.uploadImage(ctx, a, index, e, alive)
	}
	out := newEdit(e.Raw)
	list := parts[e.Get(tim.KeyElemType).Int()]
	var total, before int64
	for _, p := range list {
		if p.waits(e) {
			size, err := media.Check(e.Get(p.path).String(), p.kind)
			if err != nil {
				return "", err
			}
			total += size
		}
	}
	for i, p := range list {
		if !p.waits(e) {
			continue
		}
		path := e.Get(p.path).String()
		got, err := m.files.Upload(ctx, media.Local{Path: path, Name: name(e, path), Kind: p.kind}, m.progress(a, index, before, total, alive))
		if err != nil {
			return "", err
		}
		before += got.Size
		out.set(p.id, got.ID)
		out.set(p.url, got.URL)
		out.set(p.size, got.Size)
		if i == 0 {
			out.proof(path, got)
		}
	}
	if e.Get(tim.KeyElemType).Int() == tim.ElemFile && e.Get(tim.KeyFileElemFileName).String() == "" {
		out.set(tim.KeyFileElemFileName, filepath.Base(e.Get(tim.KeyFileElemFilePath).String()))
	}
	return out.text, out.err
}

// name is what the receiver may call the file.
func name(e gjson.Result, path string) string {
	if n := e.Get(tim.KeyFileElemFileName).String(); n != "" {
		return n
	}
	return filepath.Base(path)
}

func (m *Messages) uploadImage(ctx context.Context, a announced, index int, e gjson.Result, alive func()) (string, error) {
	path := e.Get(tim.KeyImageElemOrigPath).String()
	image, err := m.files.Prepare(path, int(e.Get(tim.KeyImageElemLevel).Int()))
	if err != nil {
		return "", err
	}
	defer image.Remove()
	out := newEdit(e.Raw)
	out.set(tim.KeyImageElemFormat, image.Format)
	total := image.Thumb.Size + image.Large.Size + image.Orig.Size
	var before int64
	for _, v := range []struct {
		version                      media.Version
		id, url, size, width, height string
	}{
		{image.Thumb, tim.KeyImageElemThumbId, tim.KeyImageElemThumbUrl, tim.KeyImageElemThumbPicSize, tim.KeyImageElemThumbPicWidth, tim.KeyImageElemThumbPicHeight},
		{image.Large, tim.KeyImageElemLargeId, tim.KeyImageElemLargeUrl, tim.KeyImageElemLargePicSize, tim.KeyImageElemLargePicWidth, tim.KeyImageElemLargePicHeight},
		{image.Orig, tim.KeyImageElemOrigId, tim.KeyImageElemOrigUrl, tim.KeyImageElemOrigPicSize, tim.KeyImageElemOrigPicWidth, tim.KeyImageElemOrigPicHeight},
	} {
		got, err := m.files.Upload(ctx, media.Local{Path: v.version.Path, Name: filepath.Base(v.version.Path), Kind: model.FileImage},
			m.progress(a, index, before, total, alive))
		if err != nil {
			return "", err
		}
		before += v.version.Size
		out.set(v.id, got.ID)
		out.set(v.url, got.URL)
		out.set(v.size, got.Size)
		out.set(v.width, v.version.Width)
		out.set(v.height, v.version.Height)
		if v.id == tim.KeyImageElemOrigId {
			out.proof(v.version.Path, got)
		}
	}
	return out.text, out.err
}

// uploadMerged puts the merged messages into a file, because they are too many for the message itself.
func (m *Messages) uploadMerged(ctx context.Context, e gjson.Result, alive func()) (string, error) {
	file, err := os.CreateTemp("", "timbre-merged-*.json")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(e.Get(tim.KeyMergerElemMsgArray).Raw)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", err
	}
	got, err := m.files.Upload(ctx, media.Local{Path: file.Name(), Kind: model.FileOther, Holds: held(e)},
		func(int64, int64) { alive() })
	if err != nil {
		return "", err
	}
	out := newEdit(e.Raw)
	out.set(keyMergerLayers, layers(e))
	out.set(tim.KeyMergerElemRelayJsonKey, got.ID)
	out.drop(tim.KeyMergerElemMsgArray)
	return out.text, out.err
}

// held is the files that the messages of a merger name.
func held(merger gjson.Result) []string {
	ids := model.FileIDs(merger)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(len(ids), model.MaxHeld)]
}

// announced is a message as the events of its upload show it.
type announced struct{ id, json string }

func (m *Messages) announce(ctx context.Context, row *Row) (a announced, err error) {
	a.id = row.MsgID
	err = m.store.Read(ctx, func(q sqlite.Queryer) error {
		a.json, err = m.publicJSON(q, row)
		return err
	})
	return a, err
}

// progress tells the host how far an element is, and that something moves.
func (m *Messages) progress(a announced, index int, before, total int64, alive func()) media.Progress {
	key := fmt.Sprint("upload ", a.id, " ", index)
	return func(done, _ int64) {
		alive()
		m.sink.Emit(event.Event{Setter: tim.OpTIMSetMsgElemUploadProgressCallback, Key: key, Args: []event.Arg{event.Text(a.json),
			event.Num(index), event.Num(min(before+done, total)), event.Num(total)}})
	}
}

// edit changes members of a JSON object.
type edit struct {
	text string
	err  error
}

func newEdit(text string) *edit { return &edit{text: text} }

func (x *edit) set(key string, value any) {
	if x.err == nil {
		x.text, x.err = sjson.Set(x.text, key, value)
	}
}

// raw sets a member to a value that is JSON already.
func (x *edit) raw(key, value string) {
	if x.err == nil {
		x.text, x.err = sjson.SetRaw(x.text, key, value)
	}
}

func (x *edit) drop(key string) {
	if x.err == nil {
		x.text, x.err = sjson.Delete(x.text, key)
	}
}

// proof sets what lets a receiver check the file.
func (x *edit) proof(path string, got media.Stored) {
	x.set(keyCRC32, got.CRC32)
	x.set(keyHash, got.SHA256)
	if ext := filepath.Ext(path); len(ext) > 1 {
		x.set(keyFormat, ext[1:])
	}
}

// replaced returns the elements with one of them exchanged.
func replaced(elements string, index int, element string) (string, error) {
	return sjson.SetRaw(elements, fmt.Sprint(index), element)
}

// withoutPaths returns the elements as they travel: where a file lies on the sender's disk is nobody's business.
func withoutPaths(elements string) string {
	for i, e := range gjson.Parse(elements).Array() {
		for _, p := range parts[e.Get(tim.KeyElemType).Int()] {
			if e.Get(p.path).String() != "" {
				if changed, err := sjson.Set(elements, fmt.Sprint(i)+"."+p.path, ""); err == nil {
					elements = changed
				}
			}
		}
	}
	return elements
}
