/* For CallbackTest: a log line from a thread that Java knows nothing of. */
#include <graft/graft.h>
#include <jni.h>
#include <pthread.h>

static void* warn(void* unused) {
  graft_engine_options* options = NULL;
  (void)unused;
  if (graft_engine_options_new(&options) == GRAFT_STATUS_OK) {
    graft_engine_options_set_json(options, "{\"replace_method\": \"auto\"}", -1);
  }
  graft_engine_options_free(options);
  return NULL;
}

JNIEXPORT void JNICALL Java_graft_CallbackTest_warnFromAThreadOfC(JNIEnv* env, jclass type) {
  pthread_t thread;
  (void)env;
  (void)type;
  if (pthread_create(&thread, NULL, warn, NULL) == 0) pthread_join(thread, NULL);
}
