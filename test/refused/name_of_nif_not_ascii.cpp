// says: a NIF's name is ASCII here
#include <upcall.hpp>

int largest() { return 1; }
UPCALL_NIF_AS("größte", &largest);
UPCALL_INIT("Elixir.Refused");
