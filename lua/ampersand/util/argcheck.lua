--- Checks arguments: known names and right types, and an error at the caller's line where something is wrong.

local argcheck = {}

-- "@lua/ampersand/util/argcheck.lua" -> "@lua/ampersand": the prefix that marks a chunk as ours.
local getinfo = debug and debug.getinfo or function() end -- a sandbox may have none: then messages name no line
local HOME = (getinfo(1, "S") or { source = "" }).source:gsub("[/\\]util[/\\]argcheck%.lua$", "")

local function is_ours(source)
  if source:sub(1, #HOME) ~= HOME then return false end
  local rest = source:sub(#HOME + 1)
  return rest == ".lua" or rest:match("^[/\\]") ~= nil
end

--- Raises `message` at the line of the program that called into this library.
---@param message string
function argcheck.raise(message)
  local level = 2
  while true do
    local info = getinfo(level, "S")
    if not info then error(message, 0) end
    if info.what ~= "C" and info.what ~= "tail" and not is_ours(info.source) then break end
    level = level + 1
  end
  error(message, level)
end

--- Raises what is wrong with the arguments of a call.
---@param what string the call, such as "installations:get"
---@param words string for string.format
function argcheck.raise_in(what, words, ...)
  argcheck.raise(what .. ": " .. words:format(...))
end

-- Programming errors that only C finds are raised there, too.
require("ampersand.core").raise_with(argcheck.raise)

-- Edits between two names; two letters that changed places are one (optimal string alignment).
local function distance(a, b)
  local before, previous = {}, {}
  for j = 0, #b do previous[j] = j end
  for i = 1, #a do
    local current = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      current[j] = math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        current[j] = math.min(current[j], before[j - 2] + 1)
      end
    end
    before, previous = previous, current
  end
  return previous[#b]
end

--- The known name closest to `name`, when it is close enough to be a typo.
---@param name string
---@param known string[]
---@return string?
function argcheck.nearest(name, known)
  local wanted = name:lower():gsub("[_%-]", "")
  local best, best_distance = nil, math.max(1, math.floor(#wanted / 3)) -- of a typo
  for _, candidate in ipairs(known) do
    local other = candidate:lower():gsub("[_%-]", "")
    local d = math.abs(#other - #wanted) <= best_distance and distance(wanted, other)
    if d and (d < best_distance or d == best_distance and (not best or candidate < best)) then
      best, best_distance = candidate, d
    end
  end
  return best
end

--- The words that close an "unknown name" message: the nearest name, or all of them.
---@param name any
---@param known string[]
---@return string
function argcheck.hint(name, known)
  local nearest = argcheck.nearest(tostring(name), known)
  if nearest then return ("did you mean %q?"):format(nearest) end
  if #known == 0 then return "none is known here" end
  local sorted = {}
  for i, candidate in ipairs(known) do sorted[i] = candidate end
  table.sort(sorted)
  return "known are: " .. table.concat(sorted, ", ")
end

--- The keys of `schema` as a list.
---@param schema table<string, any>
---@return string[]
function argcheck.names(schema)
  local names = {}
  for name in pairs(schema) do names[#names + 1] = name end
  return names
end

-- Kinds of options that are more than a type: their words, and which numbers fit.
local KINDS = {
  seconds = { "a positive number of seconds", function(n) return n > 0 end },
  positive = { "a positive number", function(n) return n > 0 end },
  wait = { "a number of seconds, zero or more", function(n) return n >= 0 end },
  count = { "a whole number of at least 1", function(n) return n >= 1 and n == math.floor(n) end },
}

local function describe(expected)
  return (expected:gsub("%w+", function(kind) return KINDS[kind] and KINDS[kind][1] end):gsub("|", " or "))
end

--- Refuses what is not a table of options.
---@param given any
---@param what string for the message
function argcheck.refuse_table(given, what)
  argcheck.raise(("%s: expected a table of options, got %s"):format(what, type(given)))
end

--- Refuses one option.
---@param name any
---@param value any
---@param schema table<string, string|table>
---@param what string for the message
function argcheck.refuse(name, value, schema, what)
  local expected = schema[name]
  if not expected then
    local hint = argcheck.hint(name, argcheck.names(schema))
    argcheck.raise(("%s: unknown option %q; %s"):format(what, tostring(name), hint))
  end
  local words = type(expected) == "table" and (expected.words or describe(expected.types)) or describe(expected)
  if type(expected) == "table" and expected.choices and type(value) == "string" then
    local choices = table.concat(expected.choices, ", ")
    argcheck.raise(("%s: option %q cannot be %q: it must be one of %s"):format(what, name, value, choices))
  end
  local got = type(value) == "number" and tostring(value) or type(value)
  argcheck.raise(("%s: option %q must be %s, got %s"):format(what, name, words, got))
end

local function type_fits(value, expected)
  local actual = type(value)
  if actual == expected then return true end
  for wanted in expected:gmatch "%w+" do
    if actual == wanted or (actual == "number" and KINDS[wanted] and KINDS[wanted][2](value)) then return true end
  end
  return false
end

local function is_among(value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then return true end
  end
  return false
end

local function fits(value, expected, what)
  if type(expected) == "string" then return type_fits(value, expected) end
  if not type_fits(value, expected.types) then return false end
  if type(value) == "string" and expected.choices then return is_among(value, expected.choices) end
  if type(value) ~= "table" then return true end
  for _, method in ipairs(expected.methods or {}) do
    if type(value[method]) ~= "function" then return false end
  end
  if expected.check then expected.check(value, what) end
  return true
end

--- Raises unless `given` is a table (or nil) whose names are in `schema` and whose values have its types.
---@param given table?
---@param schema table<string, string|table> name -> "string", "seconds", "wait", "count", "table|function" …; or a
--- table with these `types`, and `choices` (the texts there are), `methods` (the functions that a table must have;
--- `words` then says what it is) or `check` (a function of a table that raises)
---@param what string for the message, such as "ampersand.new"
---@return table given
function argcheck.check(given, schema, what)
  if given == nil then return {} end
  if type(given) ~= "table" then argcheck.refuse_table(given, what) end
  for name, value in pairs(given) do
    local expected = schema[name]
    if not expected or not fits(value, expected, what) then argcheck.refuse(name, value, schema, what) end
  end
  return given
end

return argcheck
