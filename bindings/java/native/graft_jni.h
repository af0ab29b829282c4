/* What the generated glue and the glue by hand share: the virtual machine, failures, arrays in and out. */
#ifndef GRAFT_JNI_H
#define GRAFT_JNI_H

#include <graft/graft.h>
#include <jni.h>
#include <stdlib.h>
#include <string.h>

/* Looked up once, when the library is loaded. */
extern JavaVM* graft_jni_vm;
extern jclass graft_jni_callbacks;             /* graft.Callbacks */
extern jmethodID graft_jni_callbacks_log;      /* void log(int, byte[]) */
extern jmethodID graft_jni_callbacks_progress; /* int progress(Object, double, byte[]) */

/* Throws a GraftException with the status and the text of this thread's last failure, unless something is pending. */
void graft_jni_throw(JNIEnv* env, graft_status status);
void graft_jni_throw_out_of_memory(JNIEnv* env);

/*
 * Copies of Java arrays, in the caller's room on the stack where they are small. They are released where their variable
 * ends, whichever way the function is left, so that generated code may return in the middle.
 */
enum { GRAFT_JNI_ROOM = 256 };

typedef struct {
  char* data;
  int64_t size;
  void* owned; /* NULL when data is in the caller's room */
} graft_jni_bytes_copy;

typedef struct {
  int64_t* data;
  int64_t size;
  void* owned;
} graft_jni_numbers_copy;

typedef struct {
  char** data;
  int64_t size;
} graft_jni_texts_copy;

void graft_jni_release_bytes(graft_jni_bytes_copy* copy);
void graft_jni_release_numbers(graft_jni_numbers_copy* copy);
void graft_jni_release_texts(graft_jni_texts_copy* copy);

#define graft_jni_bytes __attribute__((cleanup(graft_jni_release_bytes))) graft_jni_bytes_copy
#define graft_jni_numbers __attribute__((cleanup(graft_jni_release_numbers))) graft_jni_numbers_copy
#define graft_jni_texts __attribute__((cleanup(graft_jni_release_texts))) graft_jni_texts_copy
#define GRAFT_JNI_NOTHING \
  { NULL, 0, NULL }
#define GRAFT_JNI_NO_TEXTS \
  { NULL, 0 }

/* Each is 0 with an exception pending when it fails. A null array is an empty one. */
int graft_jni_bytes_in(JNIEnv* env, jbyteArray array, graft_jni_bytes_copy* copy, char* room);
int graft_jni_numbers_in(JNIEnv* env, jlongArray array, graft_jni_numbers_copy* copy, int64_t* room);
int graft_jni_texts_in(JNIEnv* env, jobjectArray array, graft_jni_texts_copy* copy);
/* Room for as many numbers or doubles as the array has, not filled. */
int graft_jni_numbers_room(JNIEnv* env, jarray array, graft_jni_numbers_copy* copy, int64_t* room);

void graft_jni_numbers_out(JNIEnv* env, const int64_t* numbers, int64_t count, jlongArray array);
void graft_jni_values_out(JNIEnv* env, const double* values, int64_t count, jdoubleArray array);
jbyteArray graft_jni_bytes_out(JNIEnv* env, const char* bytes, int64_t size);
/* Puts the text into out[0] and frees it; only frees it while an exception is pending. */
void graft_jni_take_string(JNIEnv* env, graft_string* text, jobjectArray out);

#endif
