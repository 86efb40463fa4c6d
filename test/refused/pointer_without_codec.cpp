// says: take and give the object as an upcall::resource<T>
#include <memory>
#include <upcall.hpp>

std::unique_ptr<int> f() { return nullptr; }
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
