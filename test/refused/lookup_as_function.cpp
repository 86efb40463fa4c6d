// says: nothing is looked up before it is awaited
#include <string>
#include <upcall.hpp>

using upcase = upcall::async_function<std::string(std::string)>;
upcall::task<std::string> f() {
  const upcase g = upcase::named({"Elixir.String", "upcase"});
  co_return co_await g("a");
}
UPCALL_NIF(f);
UPCALL_INIT("Elixir.Refused");
