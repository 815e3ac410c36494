-- Random JSON documents, the same for the same seed on every Lua.
local random_json = {}

--- A small generator of our own: math.random differs between Luas.
---@param seed integer
---@return fun(n: integer): integer random from 1 to n
function random_json.random(seed)
  local state = seed % 2147483647
  if state == 0 then state = 1 end
  return function(n)
    state = state * 16807 % 2147483647
    return state % n + 1
  end
end

local NAMES = { "id", "a", "b", "status", "group", "x.y", "config", "objects", "caf\195\169", "" }
local WORDS = { "ok", "bad", "unhealthy", "", "a", "\\u0061", "\\ud83d\\ude00", "caf\195\169", "line\\n", "2024-01-02",
  "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+01:00", ("long "):rep(9) }
local NUMBERS = { "0", "-1", "1", "2", "2.5", "1e2", "-0.25", "9007199254740993", "1.7976931348623157e308", "100" }
local SPACES = { "", "", "", " ", "\n", "\t ", "\r\n" }

--- A document's text.
---@param random fun(n: integer): integer
---@param depth integer how deep it may nest
---@param unique boolean? no object has two members of one name
---@return string
function random_json.document(random, depth, unique)
  local function space() return SPACES[random(#SPACES)] end
  local function value(left)
    local kind = random(left > 0 and 12 or 7)
    if kind == 1 then return "null" end
    if kind == 2 then return random(2) == 1 and "true" or "false" end
    if kind <= 4 then return NUMBERS[random(#NUMBERS)] end
    if kind <= 7 then return '"' .. WORDS[random(#WORDS)] .. '"' end
    local parts, taken = {}, {}
    for _ = 1, random(5) - 1 do
      local text, name = value(left - 1), NAMES[random(#NAMES)]
      if kind > 8 then text = '"' .. name .. '"' .. space() .. ":" .. space() .. text end
      if not (unique and kind > 8 and taken[name]) then parts[#parts + 1] = space() .. text .. space() end
      taken[name] = true
    end
    local body = table.concat(parts, ",")
    if kind > 8 then return "{" .. body .. "}" end
    return "[" .. body .. "]"
  end
  return value(depth)
end

--- An object's text: what filters and projections are made for.
function random_json.object(random, depth, unique)
  local text
  repeat text = random_json.document(random, depth, unique) until text:sub(1, 1) == "{"
  return text
end

--- An array that is mostly right, with a byte changed in every other one.
function random_json.damaged(random)
  local parts = {}
  for i = 1, 4 do parts[i] = random_json.document(random, 4) end
  local text = "[" .. table.concat(parts, ",") .. "]"
  if random(2) == 1 then return text end
  local at, bytes = random(#text), { '"', "\\", "{", "]", "\0", "\255", " ", "" }
  return text:sub(1, at - 1) .. bytes[random(#bytes)] .. text:sub(at + 1)
end

return random_json
