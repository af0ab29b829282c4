// Package resident measures the memory of the process, for the test that looks for leaks.
package resident

// #include <malloc.h>
import "C"

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// Kilobytes gives the resident memory after both heaps gave back what they only keep for later.
func Kilobytes() (int64, error) {
	for range 2 { // what the first round found unreachable, cleanups have released by the second
		runtime.GC()
	}
	debug.FreeOSMemory()
	C.malloc_trim(0)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := bytes.Cut(status, []byte("VmRSS:"))
	number, _, _ := bytes.Cut(after, []byte("kB"))
	return strconv.ParseInt(string(bytes.TrimSpace(number)), 10, 64)
}
