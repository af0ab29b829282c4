#include "graft_jni.h"

JavaVM* graft_jni_vm;
jclass graft_jni_callbacks;
jmethodID graft_jni_callbacks_log;
jmethodID graft_jni_callbacks_progress;

static jclass exception_class;
static jmethodID exception_of; /* static GraftException of(int, byte[]) */
static jclass memory_class;

static jclass find(JNIEnv* env, const char* name) {
  jclass found = (*env)->FindClass(env, name);
  jclass kept = found == NULL ? NULL : (jclass)(*env)->NewGlobalRef(env, found);
  (*env)->DeleteLocalRef(env, found);
  return kept;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  JNIEnv* env = NULL;
  (void)reserved;
  graft_jni_vm = vm;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  if ((exception_class = find(env, "graft/GraftException")) == NULL) return JNI_ERR;
  if ((memory_class = find(env, "java/lang/OutOfMemoryError")) == NULL) return JNI_ERR;
  if ((graft_jni_callbacks = find(env, "graft/Callbacks")) == NULL) return JNI_ERR;
  exception_of = (*env)->GetStaticMethodID(env, exception_class, "of", "(I[B)Lgraft/GraftException;");
  if (exception_of == NULL) return JNI_ERR;
  graft_jni_callbacks_log = (*env)->GetStaticMethodID(env, graft_jni_callbacks, "log", "(I[B)V");
  if (graft_jni_callbacks_log == NULL) return JNI_ERR;
  graft_jni_callbacks_progress =
      (*env)->GetStaticMethodID(env, graft_jni_callbacks, "progress", "(Ljava/lang/Object;D[B)I");
  return graft_jni_callbacks_progress == NULL ? JNI_ERR : JNI_VERSION_1_8;
}

void graft_jni_throw(JNIEnv* env, graft_status status) {
  if ((*env)->ExceptionCheck(env)) return;
  const char* text = graft_last_error_message();
  jbyteArray message = graft_jni_bytes_out(env, text, (int64_t)strlen(text));
  if (message == NULL) return; /* out of memory is pending */
  jobject exception = (*env)->CallStaticObjectMethod(env, exception_class, exception_of, (jint)status, message);
  (*env)->DeleteLocalRef(env, message);
  if ((*env)->ExceptionCheck(env) || exception == NULL) return;
  (*env)->Throw(env, (jthrowable)exception);
  (*env)->DeleteLocalRef(env, exception);
}

void graft_jni_throw_out_of_memory(JNIEnv* env) {
  if (!(*env)->ExceptionCheck(env)) (*env)->ThrowNew(env, memory_class, "of the C library");
}

void graft_jni_release_bytes(graft_jni_bytes_copy* copy) { free(copy->owned); }
void graft_jni_release_numbers(graft_jni_numbers_copy* copy) { free(copy->owned); }
void graft_jni_release_texts(graft_jni_texts_copy* copy) {
  for (int64_t i = 0; copy->data != NULL && i < copy->size; ++i) free(copy->data[i]);
  free(copy->data);
}

int graft_jni_bytes_in(JNIEnv* env, jbyteArray array, graft_jni_bytes_copy* copy, char* room) {
  const jsize size = array == NULL ? 0 : (*env)->GetArrayLength(env, array);
  copy->data = size <= GRAFT_JNI_ROOM ? room : (copy->owned = malloc((size_t)size));
  copy->size = size;
  if (copy->data == NULL) return graft_jni_throw_out_of_memory(env), 0;
  if (size > 0) (*env)->GetByteArrayRegion(env, array, 0, size, (jbyte*)copy->data);
  return 1;
}

int graft_jni_numbers_room(JNIEnv* env, jarray array, graft_jni_numbers_copy* copy, int64_t* room) {
  const jsize size = array == NULL ? 0 : (*env)->GetArrayLength(env, array);
  copy->data = size <= GRAFT_JNI_ROOM ? room : (copy->owned = malloc((size_t)size * sizeof(int64_t)));
  copy->size = size;
  if (copy->data == NULL) return graft_jni_throw_out_of_memory(env), 0;
  return 1;
}

int graft_jni_numbers_in(JNIEnv* env, jlongArray array, graft_jni_numbers_copy* copy, int64_t* room) {
  if (!graft_jni_numbers_room(env, array, copy, room)) return 0;
  if (copy->size > 0) (*env)->GetLongArrayRegion(env, array, 0, (jsize)copy->size, (jlong*)copy->data);
  return 1;
}

int graft_jni_texts_in(JNIEnv* env, jobjectArray array, graft_jni_texts_copy* copy) {
  const jsize count = array == NULL ? 0 : (*env)->GetArrayLength(env, array);
  copy->data = calloc((size_t)count + 1, sizeof(char*));
  if (copy->data == NULL) return graft_jni_throw_out_of_memory(env), 0;
  copy->size = count;
  for (jsize i = 0; i < count; ++i) {
    jbyteArray text = (jbyteArray)(*env)->GetObjectArrayElement(env, array, i);
    const jsize size = text == NULL ? 0 : (*env)->GetArrayLength(env, text);
    copy->data[i] = malloc((size_t)size + 1);
    if (copy->data[i] == NULL) return graft_jni_throw_out_of_memory(env), 0;
    if (size > 0) (*env)->GetByteArrayRegion(env, text, 0, size, (jbyte*)copy->data[i]);
    copy->data[i][size] = 0;
    (*env)->DeleteLocalRef(env, text);
  }
  return 1;
}

void graft_jni_numbers_out(JNIEnv* env, const int64_t* numbers, int64_t count, jlongArray array) {
  if (count > 0) (*env)->SetLongArrayRegion(env, array, 0, (jsize)count, (const jlong*)numbers);
}

void graft_jni_values_out(JNIEnv* env, const double* values, int64_t count, jdoubleArray array) {
  if (count > 0) (*env)->SetDoubleArrayRegion(env, array, 0, (jsize)count, values);
}

jbyteArray graft_jni_bytes_out(JNIEnv* env, const char* bytes, int64_t size) {
  if (size > INT32_MAX - 8) return graft_jni_throw_out_of_memory(env), NULL;
  jbyteArray array = (*env)->NewByteArray(env, (jsize)size);
  if (array != NULL && size > 0) (*env)->SetByteArrayRegion(env, array, 0, (jsize)size, (const jbyte*)bytes);
  return array;
}

void graft_jni_take_string(JNIEnv* env, graft_string* text, jobjectArray out) {
  if (text != NULL && !(*env)->ExceptionCheck(env)) {
    jbyteArray bytes = graft_jni_bytes_out(env, graft_string_data(text), graft_string_size(text));
    if (bytes != NULL) (*env)->SetObjectArrayElement(env, out, 0, bytes);
    (*env)->DeleteLocalRef(env, bytes);
  }
  graft_string_free(text);
}
