package raw

// #include <stdint.h>
// int32_t graft_go_set_progress(void *options, uintptr_t user);
// int32_t graft_go_set_log(int32_t enabled);
import "C"

import (
	"runtime/cgo"
	"sync/atomic"
	"unsafe"
)

// Progress is told how far a load is, on the thread that loads; false cancels it. It must not panic.
type Progress func(fraction float64, what string) bool

// SetProgress has the options' loads tell f. The options borrow it: release it after they were freed.
func SetProgress(options Handle, f Progress) (release func(), err error) {
	user := cgo.NewHandle(f)
	if status := C.graft_go_set_progress(unsafe.Pointer(options), C.uintptr_t(user)); status != 0 {
		user.Delete()
		return nil, &Failure{Status: int32(status), Text: "the options take no progress callback"}
	}
	return user.Delete, nil
}

//export graftGoProgress
func graftGoProgress(user C.uintptr_t, fraction C.double, what *C.char) C.int32_t {
	if cgo.Handle(user).Value().(Progress)(float64(fraction), C.GoString(what)) {
		return 0
	}
	return 1
}

// Log receives one line, on any thread. It must not panic.
type Log func(level int32, message string)

// A line may still be on its way to the function before, so none is ever released: one variable holds the newest.
var logged atomic.Pointer[Log]

// SetLog sends log lines to f; nil brings stderr back.
func SetLog(f Log) error {
	var enabled C.int32_t
	if f != nil {
		logged.Store(&f)
		enabled = 1
	}
	if status := C.graft_go_set_log(enabled); status != 0 {
		return &Failure{Status: int32(status), Text: "the log callback was not set"}
	}
	if f == nil {
		logged.Store(nil)
	}
	return nil
}

//export graftGoLog
func graftGoLog(level C.int32_t, message *C.char) {
	if f := logged.Load(); f != nil {
		(*f)(int32(level), C.GoString(message))
	}
}
