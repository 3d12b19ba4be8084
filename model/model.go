// Package model holds the rules that client and server share and that need no input or output: limits and checks. The
// server has the last word; the client uses the same rules to refuse early, with the same code.
package model
