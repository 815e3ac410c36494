-- Two commits on one machine: `make bench-compare BASE=commit`. Their JSON benchmarks run in turns; a row is a ratio.
-- Usage: compare.lua BASE-DIRECTORY LUA_VERSION [ROUNDS]
package.path = "bench/?.lua;" .. package.path

local json = require "ampersand.json"
local rows = require "support.rows"

local BASE, VERSION, ROUNDS = arg[1], arg[2], tonumber(arg[3]) or 3

-- The rows of one run in a tree: "work data" -> seconds.
local function measure(tree)
  local name = os.tmpname()
  local command = ("cd '%s' && env -u LUA_PATH -u LUA_CPATH -u MAKEFLAGS BENCH_ROWS=%s "
    .. "make -s bench-json BENCH_PART=whole LUA_VERSION=%s >/dev/null"):format(tree, name, VERSION)
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
  local file = assert(io.open(name))
  local found = {}
  for _, row in ipairs(assert(json.decode(file:read "*a"))) do
    if row.library == "ampersand" then found[row.work .. ", " .. tostring(row.data)] = row.figure end
  end
  file:close()
  os.remove(name)
  return found
end

local samples = {}
for _ = 1, ROUNDS do
  local before, now = measure(BASE), measure "."
  for work, seconds in pairs(now) do
    if before[work] then
      samples[work] = samples[work] or {}
      table.insert(samples[work], seconds / before[work])
    end
  end
end

local works = {}
for work in pairs(samples) do works[#works + 1] = work end
table.sort(works)
print(("%-60s %s"):format("now / " .. BASE:match "[^/]+$" .. " (less is better)", "median (quartiles)"))
for _, work in ipairs(works) do
  print(("%-60s %.2f (%.2f-%.2f)"):format(work, rows.middle(samples[work])))
end
