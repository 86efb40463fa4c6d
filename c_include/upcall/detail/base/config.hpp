#pragma once

#if __cplusplus < 202002L
#error "Upcall is C++20: compile with -std=c++20 (CMake: target_compile_features, cxx_std_20)"
#endif
#if !defined(__cpp_exceptions)
#error "Upcall unwinds native calls by exceptions: compile without -fno-exceptions"
#endif
#if !defined(__cpp_rtti)
#error "Upcall names the types of objects and exceptions: compile without -fno-rtti"
#endif

// Our names stay inside the library that includes us, whatever flags it is built with: two NIF
// libraries, or two builds of one, must never share a static (GCC makes those of templates unique
// in the whole process). The attribute holds for one namespace body, so every header repeats it.
#define UPCALL_HIDDEN __attribute__((visibility("hidden")))

// Without -fvisibility=hidden GCC warns of each class of the user's that has a member of ours, a
// coroutine's frame among them, that it is more visible than the member: which is as it should be.
// The place of the warning is in the user's code, so it is off from here on.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wattributes"
#endif

// The runtime is all that is no template and not hot: definitions in the files *.ipp. Each header
// includes its own, which are inline then, unless UPCALL_SEPARATE_COMPILATION is defined: then a
// library compiles the files in upcall/src once, as `upcall_add_nif` has it do.
#if defined(UPCALL_SEPARATE_COMPILATION)
#define UPCALL_RUNTIME
#else
#define UPCALL_HEADER_ONLY
#define UPCALL_RUNTIME inline
// Tells the runtime of a file that does without it.
extern "C" {
inline __attribute__((visibility("hidden"), used)) constinit char upcall_header_only_file = 0;
}
#endif

#define UPCALL_NOINLINE __attribute__((noinline))
// For the few functions between a fiber switch and its caller: each return that crosses a switch is
// one that the processor predicts wrongly.
#define UPCALL_ALWAYS_INLINE inline __attribute__((always_inline))
#define UPCALL_COLD __attribute__((cold))

// Says what stack each native function needs (`Upcall.info/1`), for some microseconds a call: each
// of those whose file is compiled with it.
#if defined(UPCALL_MEASURE_STACKS)
#define UPCALL_MEASURES_STACKS true
#else
#define UPCALL_MEASURES_STACKS false
#endif

#define UPCALL_CONCATENATE_(left, right) left##right
#define UPCALL_CONCATENATE(left, right) UPCALL_CONCATENATE_(left, right)

#if defined(__SANITIZE_ADDRESS__)
#define UPCALL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UPCALL_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define UPCALL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UPCALL_TSAN 1
#endif
#endif
