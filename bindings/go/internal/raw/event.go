package raw

// #include <graft/graft.h>
//
// struct graft_go_event {
//   int64_t tag, sequence, token, usage[3], text_size, top_count;
//   const char *text;
//   double logprob, progress;
//   int32_t kind, finish, status, last;
// };
//
// static void graft_go_read(const void *event, struct graft_go_event *out) {
//   out->kind = graft_event_kind(event);
//   out->tag = graft_event_tag(event);
//   out->sequence = graft_event_sequence(event);
//   out->token = graft_event_token(event);
//   out->text = graft_event_text(event, &out->text_size);
//   out->logprob = graft_event_logprob(event);
//   graft_event_top_logprobs(event, NULL, NULL, 0, &out->top_count);
//   for (int32_t usage = 0; usage < 3; ++usage) out->usage[usage] = graft_event_usage(event, usage);
//   out->progress = graft_event_progress(event);
//   out->finish = graft_event_finish_reason(event);
//   out->status = graft_event_status(event);
//   out->last = graft_event_last(event);
// }
//
// static graft_status graft_go_pull(void *request, int64_t timeout_ms, void *event, struct graft_go_event *out) {
//   const graft_status status = graft_request_next(request, timeout_ms, event);
//   if (status == GRAFT_STATUS_OK) graft_go_read(event, out);
//   return status;
// }
import "C"

import "unsafe"

// Fields is what an event holds, apart from the message and the most likely tokens: read by one call instead of a dozen,
// for what costs is the way into C, not the reading.
type Fields struct{ c C.struct_graft_go_event }

// Pull is Graft_request_next and Read in one call.
func (f *Fields) Pull(request Handle, milliseconds int64, event Handle) error {
	switch C.graft_go_pull(unsafe.Pointer(request), C.int64_t(milliseconds), unsafe.Pointer(event), &f.c) {
	case StatusOK:
		return nil
	case StatusTimeout:
		return ErrTimeout
	case StatusEnd:
		return ErrEnd
	}
	// It fails for what the request is, and so again, with its text; should it not, there is an event to read.
	if err := Graft_request_next(request, 0, event); err != nil {
		return err
	}
	f.Read(event)
	return nil
}

// Read fills f.
func (f *Fields) Read(event Handle)    { C.graft_go_read(unsafe.Pointer(event), &f.c) }
func (f *Fields) Kind() int32          { return int32(f.c.kind) }
func (f *Fields) Tag() int64           { return int64(f.c.tag) }
func (f *Fields) Sequence() int64      { return int64(f.c.sequence) }
func (f *Fields) Token() int64         { return int64(f.c.token) }
func (f *Fields) Logprob() float64     { return float64(f.c.logprob) }
func (f *Fields) Progress() float64    { return float64(f.c.progress) }
func (f *Fields) Finish() int32        { return int32(f.c.finish) }
func (f *Fields) Status() int32        { return int32(f.c.status) }
func (f *Fields) Last() bool           { return f.c.last != 0 }
func (f *Fields) TopCount() int        { return int(f.c.top_count) }
func (f *Fields) Usage(what int) int64 { return int64(f.c.usage[what]) }

// Text copies the event's text, once: where it lay may be anybody's memory later, and the collector looks at pointers.
func (f *Fields) Text() string {
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(f.c.text)), f.c.text_size))
	f.c.text, f.c.text_size = nil, 0
	return text
}
