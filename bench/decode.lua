-- JSON against Debian's lua-cjson on the same input. Usage: decode.lua [all|whole|streams] [COUNT]
--
-- A ratio says how many times faster than lua-cjson (or how many times less memory), the median of paired rounds, and
-- the quartiles. Whole texts: bench/whole.lua. Streams: COUNT different installations in a file, each run a process of
-- its own, CPU time of all of it: lua-cjson reads the file, decodes it and loops; we read 16 KiB at a time and loop.
-- BENCH_ROWS names a file for the rows as one JSON document. PORTABLE_CPATH finds a build without SIMD. BENCH_ROUNDS:
-- how often each stream runs (3).
package.path = "bench/?.lua;" .. package.path

local core = require "ampersand.core"
local race = require "support.race"
local rows = require "support.rows"
local texts = require "support.texts"

local PART, COUNT = arg[1] or "all", tonumber(arg[2]) or 100000
local LUA, PORTABLE = os.getenv "LUA" or "lua", os.getenv "PORTABLE_CPATH"
local OURS, BASE = "ampersand", "lua-cjson"

-- Whole texts -----------------------------------------------------------------------------------

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

--- Races in a process of its own, whose heap holds nothing but the text: what lies about would be collected, too.
local function race_set(name, directory)
  local kept = directory .. "/rows.json"
  local command = ("BENCH_ROWS='%s' %s bench/whole.lua '%s' %s"):format(kept, LUA, name, directory)
  local done = os.execute(command)
  assert(done == true or done == 0, command)
  local file = assert(io.open(kept, "rb"))
  for _, row in ipairs(assert(core.decode((file:read "*a")))) do rows.add(row) end
  file:close()
end

local function whole()
  local directory = os.tmpname()
  os.remove(directory)
  assert(os.execute("mkdir " .. directory))
  local ok, problem = pcall(function()
    for _, set in ipairs(texts.sets) do
      local path = directory .. "/" .. set.name .. "-"
      write_file(path .. "1", set.installation(7))
      for _, count in ipairs { 100, 10000 } do write_file(path .. count, texts.installations(set, count)) end
      race_set(set.name, directory)
    end
    write_file(directory .. "/coordinates", texts.coordinates(300))
    race_set("coordinates", directory)
  end)
  os.execute("rm -r " .. directory)
  if not ok then error(problem, 0) end
end

-- Streams ---------------------------------------------------------------------------------------

local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS" or 3)
local WAYS = {
  { "iterate", "iterate", "iterate" },
  { "select of 3 fields", "select", "iterate" },
  { "where healthStatus, 1 in 20", "where", "where" },
  { "select of a field that comes last", "select-late", "iterate" },
  { "where on a field that comes last, 1 in 20", "where-late", "where-late" },
}

--- One run of one library in a process of its own; LUA_CPATH may name another build of ours.
local function measure(who, way, set, path, cpath)
  local setting = cpath and ("LUA_CPATH='" .. cpath .. "'") or ""
  local command = ("%s %s bench/stream.lua %s %s '%s' %s"):format(setting, LUA, who, way, set.name, path)
  local pipe = assert(io.popen(command))
  local count, seconds, kib = pipe:read("*a"):match "(%S+)\t(%S+)\t(%S+)"
  pipe:close()
  return { count = assert(tonumber(count), command), seconds = tonumber(seconds), mb = tonumber(kib) / 1024 }
end

--- Every way once. What lua-cjson does is the same for some of them.
local function round(set, path)
  local result, theirs = {}, {}
  for _, way in ipairs(WAYS) do
    local name, base = way[2], way[3]
    theirs[base] = theirs[base] or measure("cjson", base, set, path)
    local ours = measure("ampersand", name, set, path)
    assert(ours.count == theirs[base].count, name .. ": different answers")
    result[name] = { ours, theirs[base], PORTABLE and measure("ampersand", name, set, path, PORTABLE) or nil }
  end
  return result
end

local function column(rounds, name, library, figure)
  local samples = {}
  for i, result in ipairs(rounds) do samples[i] = result[name][library][figure] end
  return samples
end

local function show_streams(set, rounds)
  local libraries = { OURS, BASE, PORTABLE and OURS .. ", no SIMD" or nil }
  for i, way in ipairs(WAYS) do
    for library, shown in ipairs(libraries) do
      race.show({ library = shown, work = way[1], data = set.name, unit = "s", n = COUNT },
        column(rounds, way[2], library, "seconds"), column(rounds, way[2], 2, "seconds"))
    end
    for library = 1, i <= 3 and 2 or 0 do
      race.show({ library = libraries[library], work = way[1] .. ", peak", data = set.name, unit = "MB", n = COUNT },
        column(rounds, way[2], library, "mb"), column(rounds, way[2], 2, "mb"))
    end
  end
end

local function streams()
  local path = os.tmpname()
  for _, set in ipairs(texts.sets) do
    local ok, problem = pcall(function()
      texts.write(set, COUNT, path)
      print(("%d installations %s from a file:"):format(COUNT, set.about))
      local rounds = {}
      for i = 1, ROUNDS do rounds[i] = round(set, path) end
      show_streams(set, rounds)
    end)
    os.remove(path)
    if not ok then error(problem, 0) end
  end
end

--- What a set consists of: bytes, tables and strings in a record.
local function describe(set)
  local count = { bytes = 0, tables = 0, strings = 0 }
  local function walk(value)
    if type(value) == "string" then count.strings = count.strings + 1 end
    if type(value) ~= "table" then return end
    count.tables = count.tables + 1
    for _, inner in pairs(value) do walk(inner) end
  end
  for i = 1, 1000 do
    local text = set.installation(i)
    count.bytes = count.bytes + #text
    walk(core.decode(text))
  end
  print(("%s: installations %s; %.0f bytes, %.1f tables, %.1f strings in each"):format(set.name, set.about,
    count.bytes / 1000, count.tables / 1000, count.strings / 1000))
end

local version = rawget(_G, "jit") and "LuaJIT" or _VERSION
print(version .. "; median, times lua-cjson (quartiles)")
for _, set in ipairs(texts.sets) do describe(set) end
if PART ~= "streams" then whole() end
if PART ~= "whole" then streams() end
rows.write()
