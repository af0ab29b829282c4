package graft

import (
	"runtime/debug"

	"graft.example/graft/internal/raw"
)

// Version gives the release of the library, "MAJOR.MINOR.PATCH".
func Version() string { return raw.Graft_version() }

// ABIVersion gives the ABI version of the library that was loaded.
func ABIVersion() int32 { return raw.Graft_abi_version() }

// Doctor says what this machine offers, as a JSON object: versions, where LibTorch was looked for and found, devices.
// What is missing is a line of the answer and no failure. Its first call loads LibTorch, which takes about a second.
func Doctor() (string, error) {
	if linked != nil {
		return "", linked
	}
	var text string
	err := raw.Graft_doctor(&text)
	return text, failed(err)
}

// LogLevel says how grave a log line is.
type LogLevel int32

// The levels, the gravest first.
const (
	LogOff     LogLevel = raw.LogOff
	LogError   LogLevel = raw.LogError
	LogWarning LogLevel = raw.LogWarning // the default
	LogInfo    LogLevel = raw.LogInfo
	LogDebug   LogLevel = raw.LogDebug
)

// SetLogLevel lets through lines of this level and graver ones; LogOff silences all. It holds for the whole process.
func SetLogLevel(level LogLevel) error { return failed(raw.Graft_log_set_level(int32(level))) }

// SetLog sends the log lines of the whole process to f; nil brings stderr back. It is called from any goroutine,
// possibly from several at once, should return soon, and may call Graft. A panic in it is dropped. A line that is just
// being written may reach the function before it after SetLog has returned.
func SetLog(f func(level LogLevel, message string)) error {
	if f == nil {
		return failed(raw.SetLog(nil))
	}
	return failed(raw.SetLog(func(level int32, message string) {
		_ = guarded(func() { f(LogLevel(level), message) })
	}))
}

// guarded runs a callback on a goroutine of its own, so that neither a panic nor runtime.Goexit unwinds frames of C.
func guarded(f func()) *CallbackPanic {
	failure := make(chan *CallbackPanic, 1)
	go func() {
		caught := &CallbackPanic{}
		defer func() {
			if caught != nil {
				caught.Value, caught.Stack = recover(), debug.Stack()
			}
			failure <- caught
		}()
		f()
		caught = nil
	}()
	return <-failure
}
