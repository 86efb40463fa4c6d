#include <jni.h>

namespace {

// An ID of a method holds while its class is loaded, and the runtime's own are never unloaded.
jmethodID apply_as_long = nullptr;

}  // namespace

extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void*) {
  void* env = nullptr;
  if (vm->GetEnv(&env, JNI_VERSION_1_8) != JNI_OK) return JNI_ERR;
  JNIEnv* const jni = static_cast<JNIEnv*>(env);
  const jclass type = jni->FindClass("java/util/function/LongUnaryOperator");
  if (!type) return JNI_ERR;
  apply_as_long = jni->GetMethodID(type, "applyAsLong", "(J)J");
  return apply_as_long ? JNI_VERSION_1_8 : JNI_ERR;
}

// The loop of Bench.Callback.
extern "C" JNIEXPORT jlong JNICALL Java_Host_loop(JNIEnv* env, jclass, jobject f, jlong count) {
  jlong sum = 0;
  for (jlong i = 0; i < count; ++i) {
    jvalue x;
    x.j = i & 1023;
    // CallLongMethod goes through a va_list, which costs some nanoseconds more.
    const jlong value = env->CallLongMethodA(f, apply_as_long, &x);
    // No further call is allowed while an exception is pending.
    if (env->ExceptionCheck()) return 0;
    sum = (sum + value) % 1009;
  }
  return sum;
}
