// Loaded before all others (LD_PRELOAD), it lets no thread start while the file that
// UPCALL_TEST_NO_THREADS names is there, and notes each one that it refused in a file beside it.

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) noexcept {
  using create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  const char* const path = std::getenv("UPCALL_TEST_NO_THREADS");
  if (path != nullptr && access(path, F_OK) == 0) {
    if (std::FILE* const refused = std::fopen((std::string(path) + ".refused").c_str(), "w"))
      std::fclose(refused);
    return EAGAIN;
  }
  return reinterpret_cast<create>(dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, run,
                                                                      argument);
}
