#include <node_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

// Each callback leaves two handles. A scope for every one costs more, and one for all of them
// lets them pile up.
constexpr std::int64_t callbacks_per_scope = 64;

bool call(napi_env env, napi_value receiver, napi_value f, std::int64_t x, std::int64_t* value) {
  napi_value argument = nullptr;
  napi_value result = nullptr;
  return napi_create_int64(env, x, &argument) == napi_ok &&
         napi_call_function(env, receiver, f, 1, &argument, &result) == napi_ok &&
         napi_get_value_int64(env, result, value) == napi_ok;
}

// What JavaScript threw goes on by itself once this addon returns.
napi_value fail(napi_env env) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) {
    napi_throw_type_error(env, nullptr, "loop takes a function from a number to a number, a count");
  }
  return nullptr;
}

// loop(f, count): the loop of Bench.Callback.
napi_value loop(napi_env env, napi_callback_info info) {
  std::size_t argument_count = 2;
  napi_value arguments[2] = {};
  napi_value receiver = nullptr;
  std::int64_t count = 0;
  if (napi_get_cb_info(env, info, &argument_count, arguments, nullptr, nullptr) != napi_ok ||
      napi_get_undefined(env, &receiver) != napi_ok ||
      napi_get_value_int64(env, arguments[1], &count) != napi_ok) {
    return fail(env);
  }

  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < count;) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return fail(env);
    bool called = true;
    for (const std::int64_t end = std::min(count, i + callbacks_per_scope); called && i < end;
         ++i) {
      std::int64_t value = 0;
      called = call(env, receiver, arguments[0], i & 1023, &value);
      sum = (sum + value) % 1009;
    }
    if (napi_close_handle_scope(env, scope) != napi_ok || !called) return fail(env);
  }

  napi_value result = nullptr;
  return napi_create_int64(env, sum, &result) == napi_ok ? result : fail(env);
}

}  // namespace

// The addon is the function itself.
NAPI_MODULE_INIT() {
  static_cast<void>(exports);
  napi_value function = nullptr;
  const napi_status status =
      napi_create_function(env, "loop", NAPI_AUTO_LENGTH, &loop, nullptr, &function);
  return status == napi_ok ? function : fail(env);
}
