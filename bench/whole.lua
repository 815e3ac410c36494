-- Whole texts of one set, in turns in one process, the garbage collected inside the timing. Started by decode.lua:
-- whole.lua SET DIRECTORY, where SET-1, SET-100 and SET-10000 are; or the file coordinates.
package.path = "bench/?.lua;" .. package.path

local cjson = require "cjson"
local core = require "ampersand.core"
local race = require "support.race"
local rivals = require "support.rivals"
local rows = require "support.rows"

local SET, DIRECTORY = arg[1], arg[2]

local function text_of(name)
  local file = assert(io.open(DIRECTORY .. "/" .. name, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Races libraries at one work; the second is the base of all.
local function compete(work, libraries, rounds, repeats, stopped)
  local ways = {}
  for i, library in ipairs(libraries) do ways[i] = library[2] end
  local samples = race.run(ways, rounds, repeats, stopped)
  for i, library in ipairs(libraries) do
    race.show({ library = library[1], work = work, data = SET, unit = "s" }, samples[i], samples[2])
  end
end

local function decoders(text)
  return {
    { "ampersand", function() return core.decode(text) end }, { "lua-cjson", function() return cjson.decode(text) end },
  }
end

local function decode_row(work, text, rounds, repeats)
  assert(race.equal(core.decode(text), cjson.decode(text)), "different answers")
  compete(work, decoders(text), rounds, repeats)
end

local found, floor = pcall(require, "floor")
if not found then print "(no floors: make bench builds them)" end

--- In addition: the same tables from a finished tape, the lower bound for any decoder on this Lua; other libraries.
local function field_rows(text)
  local libraries = decoders(text)
  if found then
    local build = floor.prepare(text)
    assert(race.equal(build(), cjson.decode(text)))
    libraries[3] = { "table-building floor", build }
  end
  for _, rival in ipairs(rivals.all()) do
    -- a rival's null may be a value of its own: where ours says null, it may say what it likes
    assert(race.equal(core.decode(text), rival.decode(text), core.null), rival.name .. ": different answers")
    libraries[#libraries + 1] = { rival.name, function() return rival.decode(text) end }
  end
  compete("full decode, 100, all", libraries, 11, 5)
end

--- With the lower bound for any encoder on this Lua: a walk over the value and a string of that length.
local function encoders(text)
  local value = core.decode(text)
  return {
    { "ampersand", function() return core.encode(value) end },
    { "lua-cjson", function() return cjson.encode(value) end },
    found and { "walking floor", floor.walker(value, text) } or nil,
  }, value
end

local function encode_rows(text)
  local libraries, value = encoders(text)
  compete("encode, 100", libraries, 15, 10)
  libraries[3] = nil
  for _, rival in ipairs(rivals.all()) do
    local can, answer = pcall(rival.encode, value) -- not all can write our null, or empty arrays and objects
    if can and race.equal(core.decode(answer), value) then
      libraries[#libraries + 1] = { rival.name, function() return rival.encode(value) end }
    else
      print(("(%s writes something else, and is left out)"):format(rival.name))
    end
  end
  if #libraries > 2 then compete("encode, 100, all", libraries, 11, 5) end
end

if SET == "coordinates" then
  decode_row("numbers", text_of "coordinates", 15, 1)
else
  decode_row("full decode, 1", text_of(SET .. "-1"), 15, 10000)
  local hundred = text_of(SET .. "-100")
  decode_row("full decode, 100", hundred, 25, 20)
  encode_rows(hundred)
  field_rows(hundred)
  local all = text_of(SET .. "-10000")
  decode_row("full decode, 10,000", all, 7, 1)
  compete("full decode, 10,000, collector stopped", decoders(all), 5, 1, true)
  compete("encode, 10,000", (encoders(all)), 7, 1)
end
rows.write()
