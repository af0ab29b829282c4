package graft

import (
	"context"
	"errors"
	"fmt"

	"graft.example/graft/internal/raw"
)

// Status is the library's code of a failure. It is an error itself, so errors.Is takes it; a number that this package
// does not know is kept.
type Status int32

// The codes of the library.
const (
	StatusOK               Status = raw.StatusOK
	StatusInvalidArgument  Status = raw.StatusInvalidArgument  // an argument is wrong; the text names it
	StatusInvalidState     Status = raw.StatusInvalidState     // right call, wrong moment
	StatusNotFound         Status = raw.StatusNotFound         // a file, a library, a tensor or a token does not exist
	StatusUnsupported      Status = raw.StatusUnsupported      // understood, but not offered by this release, model or machine
	StatusLimitExceeded    Status = raw.StatusLimitExceeded    // longer than the context, larger than a stated limit
	StatusBusy             Status = raw.StatusBusy             // the engine's waiting queue is full; try again later
	StatusOutOfMemory      Status = raw.StatusOutOfMemory      // host or device memory
	StatusDeviceError      Status = raw.StatusDeviceError      // the device or its driver failed
	StatusCommError        Status = raw.StatusCommError        // another rank died, hung or could not be reached
	StatusIOError          Status = raw.StatusIOError          // a file could not be read, written or loaded
	StatusCorruptData      Status = raw.StatusCorruptData      // a file is damaged or not what it claims to be
	StatusBufferTooSmall   Status = raw.StatusBufferTooSmall   // never given by this package
	StatusCancelled        Status = raw.StatusCancelled        // somebody cancelled it
	StatusTimeout          Status = raw.StatusTimeout          // the wait was over before anything came
	StatusDeadlineExceeded Status = raw.StatusDeadlineExceeded // the request's own deadline passed
	StatusClosed           Status = raw.StatusClosed           // the object was closed
	StatusVersionMismatch  Status = raw.StatusVersionMismatch  // two libraries of different versions met
	StatusEnd              Status = raw.StatusEnd              // nothing more will come: io.EOF in this package
	StatusInternal         Status = raw.StatusInternal         // a defect of Graft; please report it with the text
)

// What errors.Is compares with.
var (
	ErrInvalidArgument  error = StatusInvalidArgument
	ErrInvalidState     error = StatusInvalidState
	ErrNotFound         error = StatusNotFound
	ErrUnsupported      error = StatusUnsupported
	ErrLimitExceeded    error = StatusLimitExceeded
	ErrBusy             error = StatusBusy
	ErrOutOfMemory      error = StatusOutOfMemory
	ErrDeviceError      error = StatusDeviceError
	ErrCommError        error = StatusCommError
	ErrIOError          error = StatusIOError
	ErrCorruptData      error = StatusCorruptData
	ErrCancelled        error = StatusCancelled
	ErrTimeout          error = StatusTimeout
	ErrDeadlineExceeded error = StatusDeadlineExceeded
	ErrClosed           error = StatusClosed
	ErrVersionMismatch  error = StatusVersionMismatch
	ErrInternal         error = StatusInternal
)

// String gives the code's name, "BUSY" for example; "UNKNOWN" and the number for one that the library does not know.
func (s Status) String() string {
	name := raw.Graft_status_name(int32(s))
	if name == "UNKNOWN" {
		return fmt.Sprintf("UNKNOWN(%d)", int32(s))
	}
	return name
}

// Error makes a status usable as an error.
func (s Status) Error() string { return "graft: " + s.String() }

// Error is a call or a request that failed.
type Error struct {
	Status Status // what kind of failure
	Text   string // the library's text: what was wrong, what was found, what was expected
	cause  error  // the context's error, where a context ended the call
}

// Error gives the status and the text.
func (e *Error) Error() string {
	if e.Text == "" {
		return e.Status.Error()
	}
	return e.Status.Error() + ": " + e.Text
}

// Unwrap gives the status, and the context's error where a context ended the call.
func (e *Error) Unwrap() []error {
	if e.cause != nil {
		return []error{e.Status, e.cause}
	}
	return []error{e.Status}
}

// Is makes a request's own deadline a context.DeadlineExceeded too.
func (e *Error) Is(target error) bool {
	return target == context.DeadlineExceeded && e.Status == StatusDeadlineExceeded
}

// CallbackPanic is the error of a call whose callback panicked, or ended its goroutine.
type CallbackPanic struct {
	Value any    // what was given to panic; nil for runtime.Goexit
	Stack []byte // where
}

// Error says what the callback panicked with.
func (p *CallbackPanic) Error() string { return fmt.Sprintf("graft: a callback panicked: %v", p.Value) }

// Unwrap gives the value, where it is an error.
func (p *CallbackPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

var errClosed = &Error{Status: StatusClosed, Text: "the object was closed"}

// failed makes the public error of a raw one.
func failed(err error) error {
	if err == nil {
		return nil
	}
	var failure *raw.Failure
	if errors.As(err, &failure) {
		return &Error{Status: Status(failure.Status), Text: failure.Text}
	}
	return err
}

func invalid(format string, arguments ...any) error {
	return &Error{Status: StatusInvalidArgument, Text: fmt.Sprintf(format, arguments...)}
}

// ended is the error of a wait or a request that a context ended.
func ended(ctx context.Context, status Status, text string) error {
	return &Error{Status: status, Text: text + ": " + context.Cause(ctx).Error(), cause: contextError{ctx}}
}

// contextError is what the context says, by both of its words: the error and the cause.
type contextError struct{ ctx context.Context }

func (e contextError) Error() string   { return e.ctx.Err().Error() }
func (e contextError) Unwrap() []error { return []error{e.ctx.Err(), context.Cause(e.ctx)} }
