package graft_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"graft.example/graft"
)

func TestProgressRises(t *testing.T) {
	last, falls := -1.0, false
	e, err := graft.Open(background, model(), graft.WithThreads(1), graft.WithProgress(func(fraction float64, what string) bool {
		falls = falls || fraction < last || what == ""
		last = fraction
		return true
	}))
	fine(t, err)
	defer e.Close()
	if falls || last != 1 {
		t.Fatal(falls, last)
	}
}

func TestProgressCancelsAndPanics(t *testing.T) {
	_, err := graft.Open(background, model(), graft.WithProgress(func(float64, string) bool { return false }))
	is(t, err, graft.ErrCancelled)

	thrown := errors.New("thrown")
	_, err = graft.Open(background, model(), graft.WithProgress(func(float64, string) bool { panic(thrown) }))
	is(t, err, thrown)
	var caught *graft.CallbackPanic
	if !errors.As(err, &caught) || !strings.Contains(string(caught.Stack), "callbacks_test.go") {
		t.Fatal(err)
	}
	_, err = graft.Open(background, model(), graft.WithProgress(func(float64, string) bool {
		runtime.Goexit()
		return true
	}))
	if !errors.As(err, &caught) || caught.Value != nil {
		t.Fatal(err)
	}
}

func TestLogLinesAndPanics(t *testing.T) {
	warns := graft.WithEngineJSON(`{"replace_method": "auto"}`)
	var lock sync.Mutex
	var lines []string
	fine(t, graft.SetLog(func(level graft.LogLevel, message string) {
		lock.Lock()
		defer lock.Unlock()
		if level == graft.LogWarning {
			lines = append(lines, message)
		}
	}))
	fine(t, graft.CheckEngineOptions(warns))
	lock.Lock()
	if len(lines) != 1 || !strings.Contains(lines[0], "replace_method") {
		t.Fatal(lines)
	}
	lock.Unlock()
	calls := 0
	fine(t, graft.SetLog(func(graft.LogLevel, string) { calls++; panic("dropped") }))
	fine(t, graft.CheckEngineOptions(warns))
	if calls != 1 {
		t.Fatal(calls)
	}
	fine(t, graft.SetLogLevel(graft.LogOff))
	fine(t, graft.CheckEngineOptions(warns))
	if calls != 1 {
		t.Fatal(calls)
	}
	is(t, graft.SetLogLevel(99), graft.ErrInvalidArgument)
	fine(t, graft.SetLogLevel(graft.LogWarning))
	fine(t, graft.SetLog(nil))
}
