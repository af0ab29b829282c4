/* Buffers over a part of a tensor, by hand: a Java buffer shows 2 GiB at most, and a tensor may have more. */
#include "graft_jni.h"

JNIEXPORT jobject JNICALL Java_graft_Views_of(JNIEnv* env, jclass type, jlong tensor, jlong offset, jint size) {
  (void)type;
  const char* data = graft_tensor_data((const graft_tensor*)(intptr_t)tensor);
  return (*env)->NewDirectByteBuffer(env, (void*)(intptr_t)(data + offset), size);
}
