/*
 * Callbacks, by hand: log lines and the load's progress. Java's half is graft.Callbacks, whose methods throw nothing;
 * what is thrown all the same (no memory, no stack) ends here. No Java exception crosses a frame of Graft's.
 */
#include "graft_jni.h"

/* An exception that was pending before the callback is set aside for it: Graft may log while one is under way. */
static jthrowable set_aside(JNIEnv* env) {
  jthrowable pending = (*env)->ExceptionOccurred(env);
  if (pending != NULL) (*env)->ExceptionClear(env);
  return pending;
}

static int clear_exception(JNIEnv* env) {
  if (!(*env)->ExceptionCheck(env)) return 0;
  (*env)->ExceptionClear(env);
  return 1;
}

static void log_line(void* user, graft_log_level level, const char* message) {
  JNIEnv* env = NULL;
  (void)user;
  int attached = 0;
  const jint found = (*graft_jni_vm)->GetEnv(graft_jni_vm, (void**)&env, JNI_VERSION_1_8);
  if (found == JNI_EDETACHED) {
    JavaVMAttachArgs arguments = {JNI_VERSION_1_8, (char*)"graft", NULL};
    if ((*graft_jni_vm)->AttachCurrentThreadAsDaemon(graft_jni_vm, (void**)&env, &arguments) != JNI_OK) return;
    attached = 1;
  } else if (found != JNI_OK) {
    return;
  }
  jthrowable pending = set_aside(env);
  jbyteArray text = graft_jni_bytes_out(env, message, (int64_t)strlen(message));
  if (text != NULL) (*env)->CallStaticVoidMethod(env, graft_jni_callbacks, graft_jni_callbacks_log, (jint)level, text);
  clear_exception(env);
  (*env)->DeleteLocalRef(env, text);
  if (pending != NULL) {
    (*env)->Throw(env, pending);
    (*env)->DeleteLocalRef(env, pending);
  }
  if (attached) (*graft_jni_vm)->DetachCurrentThread(graft_jni_vm);
}

/* Always on a thread of Java's: the one inside Engine.open. */
static int32_t progress(void* listener, double fraction, const char* what) {
  JNIEnv* env = NULL;
  if ((*graft_jni_vm)->GetEnv(graft_jni_vm, (void**)&env, JNI_VERSION_1_8) != JNI_OK) return 1;
  if ((*env)->ExceptionCheck(env)) return 1;
  jint answer = 1;
  jbyteArray text = graft_jni_bytes_out(env, what, (int64_t)strlen(what));
  if (text != NULL) {
    answer = (*env)->CallStaticIntMethod(env, graft_jni_callbacks, graft_jni_callbacks_progress, (jobject)listener,
                                         (jdouble)fraction, text);
  }
  if (clear_exception(env)) answer = 1;
  (*env)->DeleteLocalRef(env, text);
  return answer;
}

JNIEXPORT void JNICALL Java_graft_Callbacks_setLog(JNIEnv* env, jclass type, jboolean on) {
  (void)type;
  const graft_status status = graft_log_set_callback(on ? log_line : NULL, NULL);
  if (status != GRAFT_STATUS_OK) graft_jni_throw(env, status);
}

/* Returns what keeps the listener alive: to be given to releaseProgress after the options were freed. */
JNIEXPORT jlong JNICALL Java_graft_Callbacks_setProgress(JNIEnv* env, jclass type, jlong options, jobject listener) {
  (void)type;
  jobject kept = (*env)->NewGlobalRef(env, listener);
  if (kept == NULL) return graft_jni_throw_out_of_memory(env), 0;
  const graft_status status =
      graft_engine_options_set_progress((graft_engine_options*)(intptr_t)options, progress, kept);
  if (status == GRAFT_STATUS_OK) return (jlong)(intptr_t)kept;
  graft_jni_throw(env, status);
  (*env)->DeleteGlobalRef(env, kept);
  return 0;
}

JNIEXPORT void JNICALL Java_graft_Callbacks_releaseProgress(JNIEnv* env, jclass type, jlong listener) {
  (void)type;
  (*env)->DeleteGlobalRef(env, (jobject)(intptr_t)listener);
}
