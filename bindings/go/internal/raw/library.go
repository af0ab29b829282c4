// Package raw is the C ABI in Go: graft_raw.go and graft_wrap.c are written by SWIG (bindings/swig), the rest is what
// SWIG cannot give. Nothing here keeps a handle alive or looks whether it is: that is package graft's work.
package raw

// #cgo pkg-config: graft
// #include <graft/graft.h>
import "C"

import (
	"errors"
	"unsafe"
)

// ABIVersion is the version of the headers that this package was compiled with.
const ABIVersion = C.GRAFT_ABI_VERSION

// Failure is a call that failed: the status and the library's text of it.
type Failure struct {
	Status int32
	Text   string
}

func (f *Failure) Error() string { return f.Text }

// Answers of calls that poll, and no failures.
var (
	ErrTimeout = errors.New("nothing yet")
	ErrEnd     = errors.New("nothing more will come")
)

func freeString(text unsafe.Pointer) { C.graft_string_free((*C.graft_string)(text)) }
