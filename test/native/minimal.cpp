// The least that a library has to have: what the runtime is linked with in tests of linking.

#include <upcall/coroutines.hpp>

static upcall::task<int> one() { co_return 1; }

UPCALL_NIF(one);
UPCALL_INIT("Elixir.UpcallTest.Minimal");
