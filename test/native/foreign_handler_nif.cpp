// A library that knows nothing of Upcall, and handles faults itself: it says so, and hands them on.

#include <erl_nif.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <string_view>

namespace {

struct sigaction earlier {};

void handle(int signal, siginfo_t* info, void* context) {
  constexpr std::string_view line = "the foreign handler was here\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  if ((earlier.sa_flags & SA_SIGINFO) != 0) {
    earlier.sa_sigaction(signal, info, context);
  } else {
    std::signal(signal, earlier.sa_handler);
  }
}

int load(ErlNifEnv*, void**, ERL_NIF_TERM) {
  struct sigaction ours {};
  ours.sa_sigaction = &handle;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  return sigaction(SIGSEGV, &ours, &earlier);
}

ERL_NIF_TERM answer(ErlNifEnv* env, int, const ERL_NIF_TERM*) { return enif_make_int(env, 42); }

ErlNifFunc functions[] = {{"answer", 0, &answer, 0}};

}  // namespace

ERL_NIF_INIT(Elixir.UpcallTest.ForeignHandler, functions, &load, nullptr, nullptr, nullptr)
