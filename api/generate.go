// Package api holds the catalogue of the public interface: one YAML file per public header, with every function,
// callback, enum, error code and JSON structure and the documentation of each. It is the one place where a name of the
// interface is written down by hand; the headers, the C shim, the Go names in model/tim and the reference pages are
// made from it.
//
// Package api/catalogue reads the files, api/gen writes what follows from them.
package api

//go:generate go run ./gen
