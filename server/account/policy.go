package account

import (
	"fmt"
	"strconv"
	"strings"
)

// Policy says which devices of a user may be logged in at the same time: of each kind a number, and the oldest login
// gives way. The zero value lets everybody stay.
type Policy struct {
	kind kind
	each int // how many of a kind; 0: any number
}

// kind says which devices compete for the same places.
type kind int

const (
	anyDevice kind = iota
	sameClass
	samePlatform
)

// ParsePolicy reads a policy: one, all, class, platform or platform:N.
func ParsePolicy(s string) (Policy, error) {
	switch s {
	case "all":
		return Policy{}, nil
	case "one":
		return Policy{anyDevice, 1}, nil
	case "class":
		return Policy{sameClass, 1}, nil
	case "platform":
		return Policy{samePlatform, 1}, nil
	}
	if number, ok := strings.CutPrefix(s, "platform:"); ok {
		if n, err := strconv.Atoi(number); err == nil && n > 0 {
			return Policy{samePlatform, n}, nil
		}
	}
	return Policy{}, fmt.Errorf("device policy %q: want one, all, class, platform or platform:N with N from 1 on", s)
}

// compete says whether devices on two platforms compete for the same places.
func (p Policy) compete(a, b string) bool {
	switch p.kind {
	case sameClass:
		return class(a) == class(b)
	case samePlatform:
		return a == b
	}
	return true
}

// class is what kind of machine a platform is. One that is not known is a class of its own.
func class(platform string) string {
	switch platform {
	case "android", "ios":
		return "mobile"
	case "windows", "mac", "linux":
		return "desktop"
	}
	return platform
}
