package tim

import "testing"

// Some names and numbers, as the C headers have them.
func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"KeyMsgElemArray":              KeyMsgElemArray == "message_elem_array",
		"ConvC2C":                      ConvC2C == 1,
		"MsgSendSucc":                  MsgSendSucc == 2,
		"ElemInvalid":                  ElemInvalid == -1,
		"ResultErrParam":               ResultErrParam == -4,
		"ErrSDKNotLoggedIn":            ErrSDKNotLoggedIn == 6014,
		"ErrRequestTimeout":            ErrRequestTimeout == 6012,
		"TopicPermissionAtAll":         TopicPermissionAtAll != 0,
		"GroupTipPinnedMessageAdded":   GroupTipPinnedMessageAdded != 0,
		"GroupModifyInfoFlagOwner":     GroupModifyInfoFlagOwner == -1<<31,
		"KeyConversationListResult":    KeyConversationListResultConvList != "",
		"KeySetConfigCallbackLogLevel": KeySetConfigCallbackLogLevel != "",
	} {
		if !ok {
			t.Errorf("%s has the wrong value", name)
		}
	}
}

func TestEveryFunctionIsFoundUnderItsNumber(t *testing.T) {
	if len(Functions()) < 245 {
		t.Fatalf("%d functions", len(Functions()))
	}
	for i, f := range Functions() {
		if int(f.Op) != i {
			t.Errorf("function %d is called %s and has the number %d", i, f.Name, f.Op)
		}
		if op, ok := Lookup(f.Name); !ok || op.Function().Name != f.Name || op.String() != f.Name {
			t.Errorf("Lookup(%q) = %d, %v", f.Name, op, ok)
		}
	}
	if _, ok := Lookup("TIMNothing"); ok {
		t.Error("TIMNothing was found")
	}
	if Op(len(functions)).Valid() || Op(-1).Valid() {
		t.Error("numbers outside the table are valid")
	}
}

func TestLogin(t *testing.T) {
	f := OpTIMLogin.Function()
	want := []Kind{KindText, KindText, KindCallback, KindUserData}
	if len(f.Params) != len(want) {
		t.Fatalf("TIMLogin has %d parameters", len(f.Params))
	}
	for i, p := range f.Params {
		if p.Kind != want[i] {
			t.Errorf("parameter %s is of kind %d, want %d", p.Name, p.Kind, want[i])
		}
	}
	if f.State != StateInit || f.Setter || f.Returns != "int" || f.Params[2].Callback != CallbackTIMCommCallback {
		t.Errorf("%+v", f)
	}
}

// Callback types exist, and nothing but another callback and user_data follows a callback.
func TestCallbacks(t *testing.T) {
	for _, f := range Functions() {
		seen := false
		for _, p := range f.Params {
			if p.Kind == KindCallback && (!p.Callback.Valid() || p.Callback.String() == "") {
				t.Errorf("%s takes the unknown callback %d", f.Name, p.Callback)
			}
			if seen && p.Kind != KindCallback && p.Kind != KindUserData {
				t.Errorf("%s: %s follows a callback", f.Name, p.Name)
			}
			seen = seen || p.Kind == KindCallback
		}
	}
	for i, c := range callbackTypes {
		for _, k := range c.Params {
			if k != KindText && k != KindNumber {
				t.Errorf("callback type %d %s has a parameter of kind %d", i, c.Name, k)
			}
		}
	}
}

func TestOlderSpellings(t *testing.T) {
	if got, ok := CurrentKey("group_detial_info_owener_identifier"); !ok || got != KeyGroupDetailInfoOwnerIdentifier {
		t.Errorf("%q, %v", got, ok)
	}
	if got, ok := CurrentKey(KeyMsgElemArray); ok {
		t.Errorf("a current key was taken for %q", got)
	}
	for old, current := range older {
		if _, again := older[current]; again {
			t.Errorf("%s leads to %s, which is an older spelling itself", old, current)
		}
		found := false
		for _, spelling := range OlderKeys(current) {
			found = found || spelling == old
		}
		if !found {
			t.Errorf("OlderKeys(%q) lacks %s", current, old)
		}
	}
}
