#include <lua.hpp>

namespace {

// loop(f, count): the loop of Bench.Callback.
int loop(lua_State* lua) {
  const lua_Integer count = luaL_checkinteger(lua, 2);
  lua_Integer sum = 0;
  for (lua_Integer i = 0; i < count; ++i) {
    lua_pushvalue(lua, 1);
    lua_pushinteger(lua, i & 1023);
    // lua_call would jump past the caller's destructors where f raises an error. The other runtimes
    // hand the error to the loop as well.
    if (lua_pcall(lua, 1, 1, 0) != LUA_OK) return lua_error(lua);
    int is_integer = 0;
    const lua_Integer value = lua_tointegerx(lua, -1, &is_integer);
    if (!is_integer) return luaL_error(lua, "loop takes a function that returns an integer");
    lua_pop(lua, 1);
    sum = (sum + value) % 1009;
  }
  lua_pushinteger(lua, sum);
  return 1;
}

}  // namespace

// The module is the function itself.
extern "C" int luaopen_loop(lua_State* lua) {
  lua_pushcfunction(lua, &loop);
  return 1;
}
