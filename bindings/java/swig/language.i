// The typemaps of the catalogue (bindings/swig/README.md) for Java. The raw layer is the package-private class Raw:
//
//   handles                 long
//   text, both ways         byte[] of UTF-8 (JNI's own strings are modified UTF-8: no NUL, no supplementary characters)
//   graft_status            thrown as GraftException; the method returns what the call made (a handle, a number, a count)
//                           as long, and 0 where it makes nothing
//   OUT_TEXT                the first element of a byte[][]
//   bytes in                a direct ByteBuffer: its whole capacity
//   graft_tensor_data       a direct ByteBuffer over the tensor's memory, as many bytes as the tensor has
%{
#include "graft_jni.h"
%}

%pragma(java) jniclassclassmodifiers="final class"
%pragma(java) moduleclassmodifiers="final class"
%pragma(java) jniclasscode=%{
  static {
    NativeLoader.load();
  }
%}
%javaconst(1);

// No way in for plain pointers to anything but a handle: the glue does not compile.
%define REFUSED(TYPE)
%typemap(in) TYPE "$1 = this_argument_has_no_pattern;"
%enddef
REFUSED(char *)
REFUSED(const char *)
REFUSED(void *)
REFUSED(const void *)
REFUSED(int64_t *)
REFUSED(const int64_t *)
REFUSED(int32_t *)
REFUSED(double *)
REFUSED(const double *)
REFUSED(SWIGTYPE **)

// Handles. `const SWIGTYPE *` is the same typemap to SWIG.
%typemap(jni) SWIGTYPE * "jlong"
%typemap(jtype) SWIGTYPE * "long"
%typemap(jstype) SWIGTYPE * "long"
%typemap(javain) SWIGTYPE * "$javainput"
%typemap(javaout) SWIGTYPE * { return $jnicall; }
%typemap(in) SWIGTYPE * "$1 = ($1_ltype)(intptr_t)$input;"
%typemap(out) SWIGTYPE * "$result = (jlong)(intptr_t)$1;"

// Statuses. BUFFER_TOO_SMALL is an answer: the count that is returned says it.
%typemap(jni) graft_status "jlong"
%typemap(jtype) graft_status "long"
%typemap(jstype) graft_status "long"
%typemap(javaout) graft_status { return $jnicall; }
%typemap(out) graft_status %{
  if ($1 != GRAFT_STATUS_OK && $1 != GRAFT_STATUS_BUFFER_TOO_SMALL) graft_jni_throw(jenv, $1);
%}
%typemap(jni) graft_status POLL "jint"
%typemap(jtype) graft_status POLL "int"
%typemap(jstype) graft_status POLL "int"
%typemap(javaout) graft_status POLL { return $jnicall; }
%typemap(out) graft_status POLL %{
  $result = $1;
  if ($1 != GRAFT_STATUS_OK && $1 != GRAFT_STATUS_TIMEOUT && $1 != GRAFT_STATUS_END) graft_jni_throw(jenv, $1);
%}
// The status of an event is what it says, not how the call went.
%typemap(jni) graft_status graft_event_status "jint"
%typemap(jtype) graft_status graft_event_status "int"
%typemap(jstype) graft_status graft_event_status "int"
%typemap(out) graft_status graft_event_status "$result = $1;"
%typemap(jni) graft_status status "jint"
%typemap(jtype) graft_status status "int"
%typemap(jstype) graft_status status "int"

// What a call makes is what it returns.
%typemap(in, numinputs=0) SWIGTYPE **OUT_HANDLE ($*1_ltype made = NULL) "$1 = &made;"
%typemap(argout) SWIGTYPE **OUT_HANDLE "jresult = (jlong)(intptr_t)*$1;"
%typemap(in, numinputs=0) int64_t *OUT_NUMBER (int64_t number = 0) "$1 = &number;"
%typemap(argout) int64_t *OUT_NUMBER "jresult = (jlong)*$1;"

%typemap(jni) graft_string **OUT_TEXT "jobjectArray"
%typemap(jtype) graft_string **OUT_TEXT "byte[][]"
%typemap(jstype) graft_string **OUT_TEXT "byte[][]"
%typemap(javain) graft_string **OUT_TEXT "$javainput"
%typemap(in) graft_string **OUT_TEXT (graft_string *text = NULL) "$1 = &text;"
%typemap(argout) graft_string **OUT_TEXT %{
  graft_jni_take_string(jenv, *$1, $input);
%}

// Text in. A null array is no text.
%typemap(jni) (const char *TEXT, int64_t SIZE) "jbyteArray"
%typemap(jtype) (const char *TEXT, int64_t SIZE) "byte[]"
%typemap(jstype) (const char *TEXT, int64_t SIZE) "byte[]"
%typemap(javain) (const char *TEXT, int64_t SIZE) "$javainput"
%typemap(in) (const char *TEXT, int64_t SIZE) (graft_jni_bytes bytes = GRAFT_JNI_NOTHING, char room[GRAFT_JNI_ROOM]) %{
  if (!graft_jni_bytes_in(jenv, $input, &bytes, room)) return $null;
  $1 = bytes.data;
  $2 = bytes.size;
%}
// Several texts in; each array holds its text without a NUL.
%typemap(jni) (const char *const *TEXTS, int64_t COUNT) "jobjectArray"
%typemap(jtype) (const char *const *TEXTS, int64_t COUNT) "byte[][]"
%typemap(jstype) (const char *const *TEXTS, int64_t COUNT) "byte[][]"
%typemap(javain) (const char *const *TEXTS, int64_t COUNT) "$javainput"
%typemap(in) (const char *const *TEXTS, int64_t COUNT) (graft_jni_texts texts = GRAFT_JNI_NO_TEXTS) %{
  if (!graft_jni_texts_in(jenv, $input, &texts)) return $null;
  $1 = texts.data;
  $2 = texts.size;
%}

// Arrays in. They are copied: the garbage collector would otherwise wait for the call.
%define ARRAY_IN(ARGUMENTS, COUNT_TYPE)
%typemap(jni) ARGUMENTS "jlongArray"
%typemap(jtype) ARGUMENTS "long[]"
%typemap(jstype) ARGUMENTS "long[]"
%typemap(javain) ARGUMENTS "$javainput"
%typemap(in) ARGUMENTS (graft_jni_numbers numbers = GRAFT_JNI_NOTHING, int64_t room[GRAFT_JNI_ROOM]) %{
  if (!graft_jni_numbers_in(jenv, $input, &numbers, room)) return $null;
  $1 = numbers.data;
  $2 = (COUNT_TYPE)numbers.size;
%}
%enddef
ARRAY_IN((const int64_t *NUMBERS, int64_t COUNT), int64_t)
ARRAY_IN((const int64_t *SHAPE, int32_t RANK), int32_t)

// Two arrays of one length: the values travel as the bits of doubles behind the numbers, [n numbers, n values].
%typemap(jni) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "jlongArray"
%typemap(jtype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "long[]"
%typemap(jstype) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "long[]"
%typemap(javain) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT) "$javainput"
%typemap(in) (const int64_t *NUMBERS, const double *VALUES, int64_t COUNT)
    (graft_jni_numbers numbers = GRAFT_JNI_NOTHING, int64_t room[GRAFT_JNI_ROOM]) %{
  if (!graft_jni_numbers_in(jenv, $input, &numbers, room)) return $null;
  $1 = numbers.data;
  $3 = numbers.size / 2;
  $2 = (double *)(void *)(numbers.data + $3);
%}

%typemap(jni) (const void *BYTES, int64_t SIZE) "jobject"
%typemap(jtype) (const void *BYTES, int64_t SIZE) "java.nio.ByteBuffer"
%typemap(jstype) (const void *BYTES, int64_t SIZE) "java.nio.ByteBuffer"
%typemap(javain) (const void *BYTES, int64_t SIZE) "$javainput"
%typemap(in) (const void *BYTES, int64_t SIZE) %{
  $1 = (*jenv)->GetDirectBufferAddress(jenv, $input);
  $2 = (*jenv)->GetDirectBufferCapacity(jenv, $input);
%}

// Arrays out: as many as fit are written; the count is what the call returns.
%typemap(jni) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) "jlongArray"
%typemap(jtype) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) "long[]"
%typemap(jstype) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) "long[]"
%typemap(javain) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) "$javainput"
%typemap(in) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT)
    (graft_jni_numbers numbers = GRAFT_JNI_NOTHING, int64_t room[GRAFT_JNI_ROOM], int64_t count = 0) %{
  if (!graft_jni_numbers_room(jenv, $input, &numbers, room)) return $null;
  $1 = numbers.data;
  $2 = numbers.size;
  $3 = &count;
%}
%typemap(argout) (int64_t *OUT_NUMBERS, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  jresult = (jlong)*$3;
  if (!(*jenv)->ExceptionCheck(jenv)) graft_jni_numbers_out(jenv, $1, *$3 < $2 ? *$3 : $2, $input);
%}
%typemap(jni) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "jdoubleArray"
%typemap(jtype) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "double[]"
%typemap(jstype) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "double[]"
%typemap(javain) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "$javainput"
%typemap(in) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT)
    (graft_jni_numbers numbers = GRAFT_JNI_NOTHING, int64_t room[GRAFT_JNI_ROOM], int64_t count = 0) %{
  if (!graft_jni_numbers_room(jenv, $input, &numbers, room)) return $null;
  $1 = (double *)(void *)numbers.data;
  $2 = numbers.size;
  $3 = &count;
%}
%typemap(argout) (double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  jresult = (jlong)*$3;
  if (!(*jenv)->ExceptionCheck(jenv)) graft_jni_values_out(jenv, $1, *$3 < $2 ? *$3 : $2, $input);
%}
// As two arrays in: room for n numbers, then for the bits of n doubles.
%typemap(jni) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "jlongArray"
%typemap(jtype) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "long[]"
%typemap(jstype) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "long[]"
%typemap(javain) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) "$javainput"
%typemap(in) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT)
    (graft_jni_numbers numbers = GRAFT_JNI_NOTHING, int64_t room[GRAFT_JNI_ROOM], int64_t count = 0) %{
  if (!graft_jni_numbers_in(jenv, $input, &numbers, room)) return $null;
  $1 = numbers.data;
  $3 = numbers.size / 2;
  $2 = (double *)(void *)(numbers.data + $3);
  $4 = &count;
%}
%typemap(argout) (int64_t *OUT_NUMBERS, double *OUT_VALUES, int64_t CAPACITY, int64_t *OUT_COUNT) %{
  jresult = (jlong)*$4;
  if (!(*jenv)->ExceptionCheck(jenv)) graft_jni_numbers_out(jenv, $1, 2 * $3, $input);
%}

// Borrowed text, copied.
%typemap(jni) const char * "jbyteArray"
%typemap(jtype) const char * "byte[]"
%typemap(jstype) const char * "byte[]"
%typemap(javaout) const char * { return $jnicall; }
%typemap(out) const char * "$result = graft_jni_bytes_out(jenv, $1, (int64_t)strlen($1));"
// null for no text: most events of a stream have some, but none need make an empty array.
%typemap(in, numinputs=0) int64_t *out_size (int64_t size = 0) "$1 = &size;"
%typemap(out) const char *graft_event_text "$result = *arg2 > 0 ? graft_jni_bytes_out(jenv, $1, *arg2) : NULL;"

%typemap(jni) const int64_t *graft_tensor_shape "jlongArray"
%typemap(jtype) const int64_t *graft_tensor_shape "long[]"
%typemap(jstype) const int64_t *graft_tensor_shape "long[]"
%typemap(javaout) const int64_t *graft_tensor_shape { return $jnicall; }
%typemap(out) const int64_t *graft_tensor_shape %{
  $result = (*jenv)->NewLongArray(jenv, graft_tensor_rank(arg1));
  if ($result != NULL) graft_jni_numbers_out(jenv, $1, graft_tensor_rank(arg1), $result);
%}

%typemap(jni) const void *graft_tensor_data "jobject"
%typemap(jtype) const void *graft_tensor_data "java.nio.ByteBuffer"
%typemap(jstype) const void *graft_tensor_data "java.nio.ByteBuffer"
%typemap(javaout) const void *graft_tensor_data { return $jnicall; }
%typemap(out) const void *graft_tensor_data %{
  $result = (*jenv)->NewDirectByteBuffer(jenv, (void *)(intptr_t)$1, graft_tensor_byte_size(arg1));
%}
