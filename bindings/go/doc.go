// Package graft runs Hugging Face transformers inside the process, through libgraft.so and its C ABI.
//
//	engine, err := graft.Open(ctx, "path/to/model")
//	if err != nil {
//		return err
//	}
//	defer engine.Close()
//	for event, err := range engine.Generate(ctx, graft.Text("Once upon a time"), graft.WithMaxTokens(64)) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(event.Text)
//	}
//
// # Errors
//
// What fails gives an *Error with the library's status and text, which names the file, key or argument. errors.Is takes
// the sentinels (ErrNotFound, ErrBusy, ErrClosed, ...). Nothing here panics, and a panic of a callback does not cross
// the library: it comes back as a *CallbackPanic, or is dropped when the callback is a log's.
//
// # Closing
//
// Close releases what the library holds. It never blocks, may be called twice and while other goroutines are inside
// methods of the same object: the calls that have begun end in peace, later ones fail with ErrClosed, and so does every
// method of a nil or zero object. An object that is never closed is released when it is collected. Objects keep alive
// in the library what they need: close them in any order.
//
// # Goroutines
//
// Every method may be called from any goroutine. Where the library lets one caller in at a time, others wait.
//
// # Waiting
//
// What waits takes a context. When it ends the wait is over within 20 milliseconds, and the error is both what the
// context says (context.Canceled, context.DeadlineExceeded) and ErrTimeout. A context that has ended already makes the
// call look once and not wait. A nil context is context.Background().
package graft
