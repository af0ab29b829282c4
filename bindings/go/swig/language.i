// The catalogue of ../../swig/README.md in Go. C mode: no panic is raised in the glue, and every number has the width
// that the header gives it. Text and arrays go in as they lie in Go's memory, by the header of the string or slice.
//
// A failure is the call's result: the glue takes its text on the thread that failed, so no goroutine holds a thread.

// Constants are read from the headers by cgo (internal/raw/constants.go), without a call for each.
%rename("$ignore", %$isenumitem) "";
%ignore GRAFT_ABI_VERSION;

%insert(go_header) %{
// Handle is an object of the library; nil is none.
type Handle unsafe.Pointer
%}

// ---- Numbers -------------------------------------------------------------------------------------------------------
%define GRAFT_NUMBER(C_TYPE, GO_TYPE)
%typemap(gotype) C_TYPE "GO_TYPE"
%typemap(in) C_TYPE %{ $1 = (C_TYPE)$input; %}
%typemap(out) C_TYPE %{ $result = $1; %}
%typemap(goout) C_TYPE ""
%enddef
GRAFT_NUMBER(int32_t, int32)
GRAFT_NUMBER(int64_t, int64)

// ---- Handles -------------------------------------------------------------------------------------------------------
%typemap(gotype) SWIGTYPE *, const SWIGTYPE * "Handle"
%typemap(in) SWIGTYPE *, const SWIGTYPE * %{ $1 = ($1_ltype)$input; %}

%typemap(gotype) SWIGTYPE **OUT_HANDLE "*Handle"
%typemap(in) SWIGTYPE **OUT_HANDLE %{ $1 = ($1_ltype)$input; %}

%typemap(gotype) int64_t *OUT_NUMBER "*int64"
%typemap(in) int64_t *OUT_NUMBER %{ $1 = ($1_ltype)$input; %}

// ---- Failures ------------------------------------------------------------------------------------------------------
%{
/* A failure on its way to Go is a text that begins with the code's four bytes, or the code alone as the size of no text. */
static _gostring_ graft_go_failed(graft_status status) {
  const char *text = graft_last_error_message();
  const size_t size = strlen(text);
  _gostring_ failure = {malloc(sizeof(status) + size), status};
  if (failure.p == NULL) return failure;
  memcpy(failure.p, &status, sizeof(status));
  memcpy(failure.p + sizeof(status), text, size);
  failure.n = sizeof(status) + size;
  return failure;
}
%}
%insert(go_wrapper) %{
func taken(failure string) error {
	if len(failure) == 0 {
		return nil
	}
	p := unsafe.Pointer(unsafe.StringData(failure))
	if p == nil {
		return &Failure{Status: int32(len(failure))}
	}
	e := &Failure{Status: *(*int32)(p), Text: strings.Clone(failure[4:])}
	Swig_free(uintptr(p))
	return e
}

func polled(failure string) error {
	if unsafe.StringData(failure) == nil {
		switch len(failure) {
		case StatusTimeout:
			return ErrTimeout
		case StatusEnd:
			return ErrEnd
		}
	}
	return taken(failure)
}
%}
%typemap(gotype) graft_status "error"
%typemap(imtype) graft_status "string"
%typemap(out) graft_status %{
  if ($1 == GRAFT_STATUS_OK || $1 == GRAFT_STATUS_BUFFER_TOO_SMALL) {
    $result = (_gostring_){NULL, 0};
  } else {
    $result = graft_go_failed($1);
  }
%}
%typemap(goout) graft_status %{ $result = taken($1) %}

%typemap(gotype) graft_status POLL "error"
%typemap(imtype) graft_status POLL "string"
%typemap(out) graft_status POLL %{
  if ($1 == GRAFT_STATUS_OK || $1 == GRAFT_STATUS_TIMEOUT || $1 == GRAFT_STATUS_END) {
    $result = (_gostring_){NULL, $1};
  } else {
    $result = graft_go_failed($1);
  }
%}
%typemap(goout) graft_status POLL %{ $result = polled($1) %}

// A status as a number: an argument, or what an event holds.
%typemap(gotype) graft_status status "int32"
%typemap(imtype) graft_status status "int32"
%typemap(in) graft_status status %{ $1 = $input; %}
%typemap(gotype) graft_status graft_event_status "int32"
%typemap(imtype) graft_status graft_event_status "int32"
%typemap(out) graft_status graft_event_status %{ $result = $1; %}
%typemap(goout) graft_status graft_event_status ""

// ---- Text ----------------------------------------------------------------------------------------------------------
%typemap(gotype) (const char *TEXT, int64_t SIZE) "string"
%typemap(in) (const char *TEXT, int64_t SIZE) %{ $1 = $input.p; $2 = $input.n; %}

// Several texts: each followed by a NUL, in one string; so none may hold one, which the public layer sees to.
%typemap(gotype) (const char *const *TEXTS, int64_t COUNT) "string"
%typemap(in) (const char *const *TEXTS, int64_t COUNT) (const char **texts, intgo at) %{
  texts = malloc(($input.n + 1) * sizeof(*texts));
  $2 = 0;
  for (at = 0; texts != NULL && at < $input.n; at += strlen($input.p + at) + 1) texts[$2++] = $input.p + at;
  $1 = (void *)texts;
%}
%typemap(freearg) (const char *const *TEXTS, int64_t COUNT) %{ free((void *)$1); %}

// Owned text: where it lies comes back, it is copied, and the string freed, in the same call.
%{
struct graft_go_text {
  graft_string *string;
  const char *data;
  int64_t size;
};
%}
%insert(go_wrapper) %{
type ownedText struct {
	string unsafe.Pointer
	data   unsafe.Pointer
	size   int64
}

func (t *ownedText) take() string {
	if t.string == nil {
		return ""
	}
	text := string(unsafe.Slice((*byte)(t.data), t.size))
	freeString(t.string)
	return text
}
%}
%typemap(gotype) graft_string **OUT_TEXT "*string"
%typemap(imtype) graft_string **OUT_TEXT "*ownedText"
%typemap(goin) graft_string **OUT_TEXT %{ $result = new(ownedText) %}
%typemap(in) graft_string **OUT_TEXT %{ $1 = &((struct graft_go_text *)$input)->string; %}
%typemap(argout) graft_string **OUT_TEXT %{
  ((struct graft_go_text *)$input)->data = graft_string_data(*$1);
  ((struct graft_go_text *)$input)->size = graft_string_size(*$1);
%}
%typemap(goargout) graft_string **OUT_TEXT %{ *$1 = $input.take() %}

// Borrowed text.
%typemap(gotype) const char * "string"
%typemap(imtype) const char * "string"
%typemap(out) const char * %{ $result.p = (char *)$1; $result.n = $1 == NULL ? 0 : strlen($1); %}
%typemap(goout) const char * %{ $result = strings.Clone($1) %}
%go_import("slices", "strings")

// ---- Arrays in -----------------------------------------------------------------------------------------------------
%typemap(gotype) (const int64_t *NUMBERS, int64_t COUNT), (const int64_t *SHAPE, int32_t RANK) "[]int64"
%typemap(in) (const int64_t *NUMBERS, int64_t COUNT) %{ $1 = $input.array; $2 = $input.len; %}
%typemap(in) (const int64_t *SHAPE, int32_t RANK) %{
  $1 = $input.array;
  $2 = $input.len > INT32_MAX ? INT32_MAX : (int32_t)$input.len;
%}
%typemap(gotype) (const void *BYTES, int64_t SIZE) "[]byte"
%typemap(in) (const void *BYTES, int64_t SIZE) %{ $1 = $input.array; $2 = $input.len; %}

// Numbers, then as many doubles by their bits, in one slice.
%typemap(gotype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "[]int64"
%typemap(in) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) %{
  $3 = $input.len / 2;
  $1 = $input.array;
  $2 = (double *)$input.array + $3;
%}

// ---- Arrays out: the first element receives the count, the others are the buffer; it must have at least that one -----
%typemap(gotype) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) "[]int64"
%typemap(in) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $3 = $input.array;
  $1 = $3 + 1;
  $2 = $input.len - 1;
%}
%typemap(gotype) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "[]float64"
%typemap(in) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $3 = $input.array;
  $1 = (double *)$input.array + 1;
  $2 = $input.len - 1;
%}
%typemap(gotype) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "[]int64"
%typemap(in) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $4 = $input.array;
  $3 = ($input.len - 1) / 2;
  $1 = $4 + 1;
  $2 = (double *)($4 + 1 + $3);
%}

// ---- Event and tensor ----------------------------------------------------------------------------------------------
// The text of an event, with its size.
%typemap(in, numinputs=0) int64_t *out_size (int64_t size) %{ size = 0; $1 = &size; %}
%typemap(out) const char *graft_event_text %{ $result.p = (char *)$1; $result.n = *arg2; %}

%typemap(gotype) const int64_t *graft_tensor_shape "[]int64"
%typemap(imtype) const int64_t *graft_tensor_shape "[]int64"
%typemap(out) const int64_t *graft_tensor_shape %{
  $result.array = (void *)$1;
  $result.len = $result.cap = graft_tensor_rank(arg1);
%}
%typemap(goout) const int64_t *graft_tensor_shape %{ $result = slices.Clone($1) %}
%typemap(gotype) const void *graft_tensor_data "[]byte"
%typemap(imtype) const void *graft_tensor_data "[]byte"
%typemap(out) const void *graft_tensor_data %{
  $result.array = (void *)$1;
  $result.len = $result.cap = graft_tensor_byte_size(arg1);
%}
%typemap(goout) const void *graft_tensor_data ""
