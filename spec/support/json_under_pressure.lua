-- Run by json_host with allocators that fail: everything JSON does, small. An error of memory may come anywhere.
local core = require "ampersand.core"

-- LuaJIT's compiler does not survive allocators that fail; constructors of shapes are only interpreted.
local compiler = rawget(_G, "jit")
if compiler and compiler.off then compiler.off() end

local text = [=[[{"id":"a","s":"é\n\u00e9","n":[1,2.5,-3,1e300,12345678901234567890],"o":{"x":{"k":true},"y":null}},
  {"id":"b","deep":[[[[[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]]]]],"list":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]}]]=]

local function check(condition, message)
  if not condition then error(message or "wrong", 0) end
end

local value = core.decode(text)
check(value[2].id == "b" and value[1].s == "é\né")
check(core.encode(core.decode(core.encode(value, { sort_keys = true })), { sort_keys = true })
  == core.encode(value, { sort_keys = true }))
check(core.decode "[1,}" == nil)
local parts = core.decode('{"a":[' .. ("1,"):rep(100):rep(50) .. '{"b":[' .. ("2,"):rep(100):rep(50) .. "3]}]}") -- read in parts
check(#parts.a == 5001 and #parts.a[5001].b == 5001)
check(core.encode { print } == nil)

local shaped = '{"one":1,"two":{"x":1,"y":2,"z":3},"three":[{"x":4,"y":5,"z":6}]}' -- often enough to be compiled on LuaJIT
for _ = 1, 20 do check(core.decode(shaped).three[1].z == 6) end
check(core.decode('{"one":1,"two":{"x":1,"y":2,"other":3},"three":[]}').two.other == 3)

local long = { value, ("x"):rep(1000):rep(70), value }
local encoder, written = core.encoder(long, { indent = 1, sort_keys = true }), ""
repeat
  local piece = encoder:next()
  written = written .. (piece or "")
until not piece
check(written == core.encode(long, { indent = 1, sort_keys = true }))

local plan = core.plan {
  tests = { { op = "in", operands = { "b", 1, true } }, { op = "present" } },
  program = { 1, 2, "or" },
  where = { names = { "id", { tests = { 1 }, resets = { 1 } }, "o", { tests = { 2 }, resets = { 2 } } } },
  select = { names = { "id", { keep = true }, "o", { star = { names = { "k", { keep = true } } } } } },
}
for size = 1, #text + 1, 40 do
  local decoder = core.decoder { path = { "p" }, plan = size > 41 and plan or nil, nulls = "drop" }
  local whole = '{"before":{"x":[1,2]},"p":' .. text .. ',"after":1}'
  local list = {}
  for from = 1, #whole, size do
    decoder:feed(whole:sub(from, from + size - 1))
    check(decoder:collect(list) == "more")
  end
  decoder:finish()
  check(decoder:next() == "end")
  check(#list == 2 and list[2].id == "b")
  check(decoder:envelope().before.x[2] == 2)
  if size > 100 then decoder:close() end
end
check(#core.decode(text, { plan = plan }) == 2)

local broken = core.decoder { path = { "data" } }
broken:feed '{"data":[1],"x":}'
broken:finish()
for _ = 1, 4 do -- an error that there was no memory for does not become the end
  local ok, status = pcall(broken.next, broken)
  check(not (ok and status == "end"))
end

local thread = coroutine.wrap(function()
  local decoder = core.decoder()
  decoder:feed(text)
  coroutine.yield(decoder:next())
  coroutine.yield(decoder:next())
end)
check(thread() == "value")

-- Last, since each later allocation would repeat it: more than the encoder keeps. (Lua's rep copies piece by piece.)
check(#core.encode(("y"):rep(1000):rep(2000)) == 2000002)
