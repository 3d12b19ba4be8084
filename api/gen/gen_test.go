package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"timbre/api/catalogue"
)

func TestGoNames(t *testing.T) {
	for _, c := range []struct{ enum, c, want string }{
		{"TIMConvType", "kTIMConv_C2C", "ConvC2C"},
		{"TIMResult", "TIM_SUCC", "ResultSucc"},
		{"TIMResult", "TIM_ERR_JSON", "ResultErrJSON"},
		{"TIMResult", "TIM_ERR_SDKUNINIT", "ResultErrSDKUninit"},
		{"V2TIMTopicPermissionValue", "V2TIM_TOPIC_PERMISSION_AT_ALL", "TopicPermissionAtAll"},
		{"TIMSignalingActionType", "TIMSignalingActionType_Invite", "SignalingActionTypeInvite"},
		{"TIMFriendType", "FriendTypeBoth", "FriendTypeBoth"},
	} {
		if got := enumName(c.enum, c.c); got != c.want {
			t.Errorf("%s became %s, want %s", c.c, got, c.want)
		}
	}
	for c, want := range map[string]string{
		"kTIMMsgElemArray": "KeyMsgElemArray", "TIMGroupAttributeKey": "KeyGroupAttributeKey",
		"kIOSOfflinePushNoSound": "KeyIOSOfflinePushNoSound",
	} {
		if got := keyName(c); got != want {
			t.Errorf("%s became %s, want %s", c, got, want)
		}
	}
	if got := words("ERR_SVR_ACCOUNT_TLS_USER_ID"); got != "ErrSVRAccountTLSUserID" {
		t.Error(got)
	}
	if got := opName("callExperimentalAPI"); got != "OpCallExperimentalAPI" {
		t.Error(got)
	}
}

func TestWrap(t *testing.T) {
	got := wrap("one two three four\nfive\n\n- an item that is long\n-3: bad\n    as it is", 14)
	want := []string{"one two three", "four five", "", "- an item that", "  is long", "-3: bad", "    as it is"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if got := wrap("https://example.org/very/long", 8); len(got) != 1 {
		t.Errorf("a word was broken: %q", got)
	}
}

// fixture is a catalogue with one of everything the C writers must look at.
func fixture(doc string) *catalogue.Catalogue {
	cb := []catalogue.Param{
		{Name: "text", Type: "const char*"}, {Name: "done", Type: "bool"}, {Name: "user_data", Type: "const void*"},
	}
	in := []catalogue.Param{
		{Name: "id", Type: "const char*"}, {Name: "kind", Type: "enum TIMKind"}, {Name: "n", Type: "uint32_t"},
		{Name: "buffer", Type: "char*"}, {Name: "cb", Type: "TIMDoneCallback"}, {Name: "user_data", Type: "const void*"},
	}
	return &catalogue.Catalogue{Headers: []*catalogue.Header{{
		Name: "TIMThing.h",
		Enums: []catalogue.Enum{{Name: "TIMKind", Values: []catalogue.Value{
			{Name: "kTIMKind_Least", Value: -1 << 31}, {Name: "kTIMKind_One", Value: 1},
		}}},
		Callbacks: []catalogue.Callback{{Name: "TIMDoneCallback", Params: cb}},
		Functions: []catalogue.Function{{Name: "TIMDo", Returns: "int", Params: in, Doc: doc, Built: true}},
	}}}
}

// contains checks a generated file.
func contains(t *testing.T, out *output, path string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(string(out.files[path]), want) {
			t.Errorf("%s lacks %q:\n%s", path, want, out.files[path])
		}
	}
}

func TestGenerate(t *testing.T) {
	out, err := generate(fixture("It \u201cdoes\u201d */ things."))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, out, "include/TIMThing.h", "/* It \"does\" * / things. */",
		"kTIMKind_Least = (-2147483647 - 1),\n", "kTIMKind_One = 1\n",
		"typedef void (TIM_DECL *TIMDoneCallback)(const char* text, bool done, const void* user_data);")
	contains(t, out, "capi/ops_gen.h", "TIMBRE_OP_TIMDo = 0,", `"snnocu"`)
	contains(t, out, "capi/shim_gen.c", "{timbre_ptr(id), (uint64_t)(int64_t)kind, (uint64_t)n, timbre_ptr(buffer), "+
		"timbre_fn((void (*)(void))cb), timbre_ptr(user_data)}", "timbre_enter(TIMBRE_OP_TIMDo, args, 6)")
	contains(t, out, "capi/callbacks_gen.c",
		"((TIMDoneCallback)fn)((const char *)(uintptr_t)w[0], (bool)w[1], user_data);")
	contains(t, out, "model/tim/callbacks_gen.go", "Params: []Kind{KindText, KindNumber}}")
	for path, text := range out.files {
		first, _, _ := bytes.Cut(text, []byte("\n"))
		if !bytes.Contains(first, []byte(mark)) {
			t.Errorf("%s does not begin with the mark: %s", path, first)
		}
	}
}

// A character without an ASCII spelling is a mistake that names its place.
func TestHeaderRefusesOtherScripts(t *testing.T) {
	_, err := generate(fixture("greets with \u4f60\u597d"))
	if err == nil || !strings.Contains(err.Error(), "TIMDo") || !strings.Contains(err.Error(), "U+4F60") {
		t.Errorf("error: %v", err)
	}
}

func TestCollidingNamesAreRefused(t *testing.T) {
	cat := fixture("")
	cat.Headers[0].Enums[0].Values = append(cat.Headers[0].Enums[0].Values, catalogue.Value{Name: "kTIMKindOne", Value: 2})
	if _, err := generate(cat); err == nil || !strings.Contains(err.Error(), "KindOne") {
		t.Errorf("error: %v", err)
	}
}

// The whole catalogue gives the same files every time.
func TestDeterministic(t *testing.T) {
	cat, err := catalogue.Load("..")
	if err != nil {
		t.Fatal(err)
	}
	first, err := generate(cat)
	if err != nil {
		t.Fatal(err)
	}
	second, err := generate(cat)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range first.files {
		if !bytes.Equal(text, second.files[path]) {
			t.Errorf("%s came out differently", path)
		}
	}
	contains(t, first, "include/TIMCloud.h", "#include \"TIMMessageManager.h\"\n")
}
