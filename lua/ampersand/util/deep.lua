--- Decoded values as trees: copies, comparison, and the values at paths. Pure.

local core = require "ampersand.core"

local deep = {}

--- Whether a table is a JSON array. A plain `{}` is not.
---@param value any
---@return boolean
function deep.is_list(value)
  return type(value) == "table" and (#value > 0 or getmetatable(value) == core.array_mt)
end

--- A copy that shares no table with its original; metatables are kept.
---@param value any
---@return any
function deep.copy(value)
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[key] = deep.copy(member) end
  return copy
end

--- Whether two values are equal as JSON; an empty array and an empty object count as equal.
---@param a any
---@param b any
---@return boolean
function deep.equal(a, b)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  for key, member in pairs(a) do
    if not deep.equal(member, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- The keys of a dotted path; nil when one of them is empty.
---@param path string
---@return string[]?
function deep.split(path)
  local keys = {}
  for key in (path .. "."):gmatch "(.-)%." do
    if key == "" then return nil end
    keys[#keys + 1] = key
  end
  return keys
end

-- A member by a key of a path: digits are also an index.
local function member(value, key)
  if type(value) ~= "table" then return nil end
  local found = value[key]
  if found == nil then found = value[tonumber(key)] end
  return found
end

local function keys_of(path)
  return type(path) == "string" and (deep.split(path) or {}) or path
end

--- The value at a path; nil where one of its keys is absent.
---@param value any
---@param path string|string[] keys, joined by dots or as a list; digits index arrays, from 1
---@return any
function deep.get(value, path)
  for _, key in ipairs(keys_of(path)) do value = member(value, key) end
  return value
end

--- Sets the value at a path; tables on the way are made. Or removes it (nil).
---@param value table
---@param path string|string[]
---@param new any
function deep.set(value, path, new)
  local keys = keys_of(path)
  for i = 1, #keys - 1 do
    local key = type(value[tonumber(keys[i])]) == "table" and tonumber(keys[i]) or keys[i]
    if type(value[key]) ~= "table" then
      if new == nil then return end
      value[key] = {}
    end
    value = value[key]
  end
  value[keys[#keys]] = new
end

--- Calls `fn` with every value at a path in which `*` stands for any key, until it returns true.
---@param value any
---@param path string|string[]
---@param fn fun(found: any, parent: table, key: any): boolean?
---@param from integer? for the recursion
---@return boolean? stopped
function deep.each(value, path, fn, from)
  local keys = keys_of(path)
  local key, last = keys[from or 1], #keys == (from or 1)
  if type(value) ~= "table" then return nil end
  if key ~= "*" then
    local found = member(value, key)
    if found == nil then return nil end
    if last then return fn(found, value, value[key] == nil and tonumber(key) or key) end
    return deep.each(found, keys, fn, (from or 1) + 1)
  end
  for name, found in pairs(value) do
    local stop
    if last then stop = fn(found, value, name) else stop = deep.each(found, keys, fn, (from or 1) + 1) end
    if stop then return true end
  end
end

return deep
