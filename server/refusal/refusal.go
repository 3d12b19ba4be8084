// Package refusal is how a module says no to a client: an error with a code of the public interface. Whatever else goes
// wrong is the server's own trouble and reaches the client as CodeInside, without details.
package refusal

import (
	"errors"
	"fmt"
)

// Refusal is a rule's answer. It is safe to show to the client.
type Refusal struct {
	Code int
	Desc string
	Body []byte // JSON that goes with it, nil for none
}

// New returns a refusal.
func New(code int, desc string) error { return &Refusal{Code: code, Desc: desc} }

// With returns a refusal that comes with a body.
func With(code int, desc string, body []byte) error { return &Refusal{code, desc, body} }

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("refused with %d: %s", r.Code, r.Desc) }

// Of returns the refusal in err, or nil.
func Of(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
