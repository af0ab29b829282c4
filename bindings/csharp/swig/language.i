// The catalogue's typemaps (bindings/swig/README.md) for C#. A handle is a Graft.Handle here, a SafeHandle: every raw
// function holds it for as long as its call takes, so that Dispose on another thread frees it only afterwards. What
// crosses the border is blittable: pointers, numbers and the three structs below, by value or by address.
//
// The class of native functions (graft_rawPINVOKE) and its module class (graft_raw) are internal.

%begin %{
#define SWIG_CSHARP_NO_EXCEPTION_HELPER 1
#define SWIG_CSHARP_NO_STRING_HELPER 1
#define SWIG_CSHARP_NO_STRING_WITH_LENGTH_HELPER 1
#define SWIG_CSHARP_NO_IMCLASS_STATIC_CONSTRUCTOR 1
%}

%{
#include "graft_csharp.h"
%}

%csconst(1);
%pragma(csharp) imclassclassmodifiers="internal static unsafe class"
%pragma(csharp) moduleclassmodifiers="internal static unsafe class"

// --- Handles -----------------------------------------------------------------------------------------------------

%typemap(ctype) SWIGTYPE *, const SWIGTYPE * "void *"
%typemap(imtype) SWIGTYPE *, const SWIGTYPE * "global::System.IntPtr"
%typemap(cstype) SWIGTYPE *, const SWIGTYPE * "global::Graft.Handle"
%typemap(in) SWIGTYPE *, const SWIGTYPE * %{ $1 = ($1_ltype)$input; %}
%typemap(csin, pre="    using (var held_$csinput = new global::Graft.Handle.Hold($csinput)) {", terminator="    }")
  SWIGTYPE *, const SWIGTYPE * "held_$csinput.Pointer"

%typemap(ctype) SWIGTYPE **OUT_HANDLE "void **"
%typemap(imtype) SWIGTYPE **OUT_HANDLE "out global::System.IntPtr"
%typemap(cstype) SWIGTYPE **OUT_HANDLE "global::Graft.Handle"
%typemap(in) SWIGTYPE **OUT_HANDLE %{ $1 = ($1_ltype)$input; %}
%typemap(csin, pre="    global::System.IntPtr made_$csinput = global::System.IntPtr.Zero;", post="      $csinput.Fill(made_$csinput);")
  SWIGTYPE **OUT_HANDLE "out made_$csinput"

// --- Failures ----------------------------------------------------------------------------------------------------

%typemap(ctype, out="graft_csharp_result") graft_status "int32_t"
%typemap(imtype, out="global::Graft.Raw.Result") graft_status "int"
%typemap(cstype, out="void") graft_status "int"
%typemap(out, null="{NULL, 0}") graft_status %{ $result = graft_csharp_check($1); %}
%typemap(csout) graft_status {
    $imcall.Check();
  }

%typemap(ctype, out="graft_csharp_result") graft_status POLL "int32_t"
%typemap(imtype, out="global::Graft.Raw.Result") graft_status POLL "int"
%typemap(cstype, out="int") graft_status POLL "int"
%typemap(out, null="{NULL, 0}") graft_status POLL %{ $result = graft_csharp_check($1); %}
%typemap(csout) graft_status POLL {
    return $imcall.Poll();
  }

// A getter whose value is a status: no failure of the call.
%typemap(ctype) graft_status graft_event_status "int32_t"
%typemap(imtype) graft_status graft_event_status "int"
%typemap(cstype) graft_status graft_event_status "int"
%typemap(out, null="0") graft_status graft_event_status %{ $result = $1; %}
%typemap(csout) graft_status graft_event_status {
    return $imcall;
  }

// --- In ----------------------------------------------------------------------------------------------------------

%typemap(ctype) (const char *TEXT, int64_t SIZE) "graft_csharp_span"
%typemap(imtype) (const char *TEXT, int64_t SIZE) "global::Graft.Raw.NativeSpan"
%typemap(cstype) (const char *TEXT, int64_t SIZE) "string"
%typemap(in) (const char *TEXT, int64_t SIZE) %{ $1 = ($1_ltype)$input.data; $2 = $input.size; %}
%typemap(csin, pre="    byte[] utf8_$csinput = global::Graft.Raw.Utf8.Bytes($csinput, \"$csinput\");
    fixed (byte* at_$csinput = utf8_$csinput) {", terminator="    }")
  (const char *TEXT, int64_t SIZE) "new global::Graft.Raw.NativeSpan(at_$csinput, utf8_$csinput.Length - 1)"

%typemap(ctype) (const char *const *TEXTS, int64_t COUNT) "graft_csharp_span"
%typemap(imtype) (const char *const *TEXTS, int64_t COUNT) "global::Graft.Raw.NativeSpan"
%typemap(cstype) (const char *const *TEXTS, int64_t COUNT) "string[]"
%typemap(in) (const char *const *TEXTS, int64_t COUNT) %{ $1 = ($1_ltype)$input.data; $2 = $input.size; %}
%typemap(csin, pre="    using (var texts_$csinput = new global::Graft.Raw.Utf8Array($csinput, \"$csinput\")) {", terminator="    }")
  (const char *const *TEXTS, int64_t COUNT) "texts_$csinput.Span"

%define GRAFT_SPAN_IN(ELEMENT, POINTER, SIZE)
%typemap(ctype) (POINTER, SIZE) "graft_csharp_span"
%typemap(imtype) (POINTER, SIZE) "global::Graft.Raw.NativeSpan"
%typemap(cstype) (POINTER, SIZE) "global::System.ReadOnlySpan<ELEMENT>"
%typemap(csin, pre="    fixed (ELEMENT* at_$csinput = &global::System.Runtime.InteropServices.MemoryMarshal.GetReference($csinput)) {", terminator="    }")
  (POINTER, SIZE) "new global::Graft.Raw.NativeSpan(at_$csinput, $csinput.Length)"
%enddef
GRAFT_SPAN_IN(long, const int64_t *NUMBERS, int64_t COUNT)
GRAFT_SPAN_IN(long, const int64_t *SHAPE, int32_t RANK)
GRAFT_SPAN_IN(byte, const void *BYTES, int64_t SIZE)
%typemap(in) (const int64_t *NUMBERS, int64_t COUNT) %{ $1 = ($1_ltype)$input.data; $2 = $input.size; %}
%typemap(in) (const int64_t *SHAPE, int32_t RANK) %{ $1 = ($1_ltype)$input.data; $2 = (int32_t)$input.size; %}
%typemap(in) (const void *BYTES, int64_t SIZE) %{ $1 = ($1_ltype)$input.data; $2 = $input.size; %}

// Two arrays of one length: the caller pins them.
%typemap(ctype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "graft_csharp_buffer *"
%typemap(imtype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "ref global::Graft.Raw.NativeBuffer"
%typemap(cstype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "ref global::Graft.Raw.NativeBuffer"
%typemap(in) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) %{
  $1 = $input->numbers; $2 = $input->values; $3 = $input->capacity; %}
%typemap(csin) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "ref $csinput"

// --- Out ---------------------------------------------------------------------------------------------------------

%typemap(ctype) graft_string **OUT_TEXT "graft_csharp_text *"
%typemap(imtype) graft_string **OUT_TEXT "out global::Graft.Raw.NativeText"
%typemap(cstype) graft_string **OUT_TEXT "out string"
%typemap(in) graft_string **OUT_TEXT (graft_string *made) %{ made = NULL; $1 = &made; %}
%typemap(argout) graft_string **OUT_TEXT %{ graft_csharp_give(*$1, $input); %}
%typemap(csin, pre="    var text_$csinput = new global::Graft.Raw.NativeText();", post="      $csinput = text_$csinput.Take();")
  graft_string **OUT_TEXT "out text_$csinput"

%typemap(ctype) int64_t *OUT_NUMBER "int64_t *"
%typemap(imtype) int64_t *OUT_NUMBER "out long"
%typemap(cstype) int64_t *OUT_NUMBER "out long"
%typemap(in) int64_t *OUT_NUMBER %{ $1 = $input; %}
%typemap(csin) int64_t *OUT_NUMBER "out $csinput"

%define GRAFT_BUFFER_OUT(ARGUMENTS...)
%typemap(ctype) (ARGUMENTS) "graft_csharp_buffer *"
%typemap(imtype) (ARGUMENTS) "ref global::Graft.Raw.NativeBuffer"
%typemap(cstype) (ARGUMENTS) "ref global::Graft.Raw.NativeBuffer"
%typemap(csin) (ARGUMENTS) "ref $csinput"
%enddef
GRAFT_BUFFER_OUT(int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT)
GRAFT_BUFFER_OUT(double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT)
GRAFT_BUFFER_OUT(int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT)
%typemap(in) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $1 = $input->numbers; $2 = $input->capacity; $3 = &$input->count; %}
%typemap(in) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $1 = $input->values; $2 = $input->capacity; $3 = &$input->count; %}
%typemap(in) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  $1 = $input->numbers; $2 = $input->values; $3 = $input->capacity; $4 = &$input->count; %}

// Borrowed text as result, copied before the handle is let go. There is no way in: a text argument needs its size.
%typemap(ctype, out="const char *") const char * "graft_no_plain_text_in"
%typemap(imtype, out="global::System.IntPtr") const char * "graft_no_plain_text_in"
%typemap(cstype, out="string") const char * "graft_no_plain_text_in"
%typemap(out) const char * %{ $result = $1; %}
%typemap(csout) const char * {
    return global::Graft.Raw.Utf8.Text($imcall);
  }

%define GRAFT_SPAN_RESULT(DECLARATION, CSTYPE, TAKE, SIZE)
%typemap(ctype, out="graft_csharp_span") DECLARATION "graft_csharp_span"
%typemap(imtype, out="global::Graft.Raw.NativeSpan") DECLARATION "global::Graft.Raw.NativeSpan"
%typemap(cstype, out=CSTYPE) DECLARATION CSTYPE
%typemap(out, null="{NULL, 0}") DECLARATION %{ $result.data = (void *)$1; $result.size = SIZE; %}
%typemap(csout) DECLARATION {
    return $imcall.TAKE;
  }
%enddef
GRAFT_SPAN_RESULT(const char *graft_event_text, "string", Text(), *arg2)
GRAFT_SPAN_RESULT(const int64_t *graft_tensor_shape, "long[]", Numbers(), graft_tensor_rank(arg1))
GRAFT_SPAN_RESULT(const void *graft_tensor_data, "global::Graft.Raw.NativeSpan", Itself(), graft_tensor_byte_size(arg1))
%typemap(in, numinputs=0) int64_t *out_size (int64_t size) %{ size = 0; $1 = &size; %}
