package account

import "testing"

func TestParsePolicy(t *testing.T) {
	for text, want := range map[string]Policy{
		"all": {}, "one": {anyDevice, 1}, "class": {sameClass, 1}, "platform": {samePlatform, 1}, "platform:1": {samePlatform, 1},
		"platform:12": {samePlatform, 12},
	} {
		if got, err := ParsePolicy(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "two", "platform:", "platform:0", "platform:-1", "platform:x", "one:2", "class:2"} {
		if got, err := ParsePolicy(text); err == nil {
			t.Errorf("%q was taken as %+v", text, got)
		}
	}
}
