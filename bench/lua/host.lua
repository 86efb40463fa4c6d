-- Answers each line "COUNT TIMES" with the sum of TIMES native loops of COUNT callbacks.
local loop = assert(package.loadlib(arg[1], "luaopen_loop"))()

local function square(x)
  return x * x
end

local function run(count, times)
  local total = 0
  for _ = 1, times do
    total = (total + loop(square, count)) % 1009
  end
  return total
end

for line in io.lines() do
  local count, times = line:match("(%d+) (%d+)")
  print(run(math.tointeger(count), math.tointeger(times)))
  io.flush()
end
