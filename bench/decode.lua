-- JSON against lua-cjson on the same input. Usage: decode.lua [whole|streams|peak WAY FILE] [COUNT]
-- Other decoders are shown where they are found, also through RIVAL_PATH and RIVAL_CPATH; RIVALS names more of them as
-- module.function.
package.path = "bench/?.lua;" .. package.path

local cjson = require "cjson"
local core = require "ampersand.core"
local json = require "ampersand.json"
local race = require "support.race"
local texts = require "support.texts"

package.path = package.path .. ";" .. (os.getenv "RIVAL_PATH" or "")
package.cpath = package.cpath .. ";" .. (os.getenv "RIVAL_CPATH" or "")
local RIVALS = "dkjson.decode rapidjson.decode simdjson.parse " .. (os.getenv "RIVALS" or "")

local COUNT = tonumber(arg[2]) or 100000
local CHUNK = 16384

local function decode_row(name, text, rounds, repeats)
  assert(race.equal(core.decode(text), cjson.decode(text)), "different answers")
  race.show(name, race.run(function() return core.decode(text) end, function() return cjson.decode(text) end, rounds,
    repeats))
end

--- The same tables from a tape that is ready: what no decoder on this Lua can beat.
local function floor_row(text, rounds, repeats)
  local found, floor = pcall(require, "floor")
  if not found then return print "(no table-building floor: make bench builds it)" end
  local build = floor.prepare(text)
  assert(race.equal(build(), cjson.decode(text)))
  race.show("  table-building floor, 100", race.run(build, function() return cjson.decode(text) end, rounds, repeats))
end

--- Ours against every other decoder at hand; they need not agree with us on null.
local function rival_rows(text, rounds, repeats)
  for module, name in RIVALS:gmatch "(%S+)%.([%w_]+)" do
    local found, rival = pcall(require, module)
    if found then
      local decode = rival[name]
      assert(#decode(text) == #core.decode(text), "different answers")
      race.show("  against " .. module .. ", 100", race.run(function() return core.decode(text) end,
        function() return decode(text) end, rounds, repeats))
    end
  end
end

local function whole()
  local hundred = texts.installations(100)
  decode_row("full decode, 1 installation", texts.installation(7), 25, 1000)
  decode_row("full decode, 100", hundred, 25, 20)
  floor_row(hundred, 25, 20)
  rival_rows(hundred, 7, 5)
  decode_row("full decode, 10,000", texts.installations(10000), 7, 1)
  decode_row("numbers (coordinates)", texts.coordinates(300), 15, 1)
  local value = core.decode(hundred)
  race.show("encode, 100", race.run(function() return core.encode(value) end, function() return cjson.encode(value) end,
    25, 20))
end

--- Reads the file in chunks; returns how many elements came.
local function stream(path, options, use)
  local file, count = assert(io.open(path, "rb")), 0
  for element in json.each(function() return file:read(CHUNK) end, options) do
    count = count + 1
    use(element)
  end
  file:close()
  return count
end

local function read_all(path)
  local file = assert(io.open(path, "rb"))
  local list = cjson.decode((file:read "*a"))
  file:close()
  return list
end

local function id_of(element) return element.id end

local WAYS = {
  { "iterate", nil, id_of },
  { "select of 3 fields", { select = { "id", "group.groupRef", "connection.provider" } }, id_of },
  { "where healthStatus, 5 % match", { where = { healthStatus = "unhealthy" } }, id_of,
    function(element) return element.healthStatus == "unhealthy" end },
  { "select of a field that comes last", { select = { "zz.last" } }, function(element) return element.zz end },
  { "where on a field that comes last", { where = { ["zz.last"] = { gt = 950 } } }, id_of,
    function(element) return element.zz.last > 950 end },
}

local function rivals_way(path, filter, use)
  local count = 0
  for _, element in ipairs(read_all(path)) do
    if not filter or filter(element) then
      count = count + 1
      use(element)
    end
  end
  return count
end

local function streams()
  local path = texts.file(COUNT)
  for _, way in ipairs(WAYS) do
    local name, options, use, filter = way[1], way[2], way[3], way[4]
    local function ours() return stream(path, options, use) end
    local function theirs() return rivals_way(path, filter, use) end
    local expected = theirs()
    assert(ours() == expected, name)
    race.show(("%s, %d from a file"):format(name, COUNT), race.run(ours, theirs, 3, 1))
  end
end

local function peak_memory()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmHWM:%s*(%d+)"
    if kib then return tonumber(kib) end
  end
end

--- In a process of its own: how much more memory one way of streaming takes at its peak.
local function peak(index, path)
  local before = peak_memory()
  local way = WAYS[tonumber(index)]
  local count = stream(path, way[2], way[3])
  print(("%-52s %d elements, peak %.1f MB (%.1f before)"):format("  memory: " .. way[1], count, peak_memory() / 1024,
    before / 1024))
end

if arg[1] == "peak" then
  peak(arg[2], arg[3])
elseif arg[1] == "file" then
  print(texts.file(COUNT))
else
  local lua = rawget(_G, "jit") and "LuaJIT" or _VERSION
  print(("%s, scanner %s, against cjson: ours, theirs, ratio"):format(lua, core.scanner()))
  if arg[1] ~= "streams" then whole() end
  if arg[1] ~= "whole" then streams() end
end
