--- Compares decoded values. Pure.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local printable = require "ampersand.util.terminal_text"

local diff = {}

--- The keys of two tables, each once, sorted as text.
---@param a table?
---@param b table?
---@return any[]
function diff.keys(a, b)
  local keys, seen = {}, {}
  for _, t in pairs { a or {}, b or {} } do
    for key in pairs(t) do
      if not seen[key] then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
  return keys
end

local function is_object(value)
  return type(value) == "table" and value[1] == nil and getmetatable(value) ~= core.array_mt
end

--- What is different, leaf by leaf: `{ { path = "read.objects.lead.schedule", before = …, after = … }, … }`, sorted by
-- path; `before` is nil for what was added, `after` for what was removed. Arrays are leaves.
---@param a any
---@param b any
---@param path string? of the two, "" by default
---@param found table[]? what to add to
---@return table[] found
function diff.list(a, b, path, found)
  found, path = found or {}, path or ""
  if is_object(a) and is_object(b) then
    for _, key in ipairs(diff.keys(a, b)) do
      diff.list(a[key], b[key], (path == "" and "" or path .. ".") .. tostring(key), found)
    end
  elseif not deep.equal(a, b) then
    found[#found + 1] = { path = path, before = a, after = b }
  end
  return found
end

--- The JSON type of a value in words; nil for what is absent, null or empty, which may become anything.
---@param value any
---@return string?
function diff.type_of(value)
  if value == nil or value == core.null or type(value) == "table" and next(value) == nil then return nil end
  if type(value) == "table" then return is_object(value) and "an object" or "an array" end
  return "a " .. type(value)
end

local MAX_SHOWN = 160

-- One value on one line, fit for a terminal.
local function shown(value)
  local text = printable(core.encode(value, { sort_keys = true }) or tostring(value))
  if #text > MAX_SHOWN then text = text:sub(1, MAX_SHOWN):gsub("[\192-\255]?[\128-\191]*$", "") .. " …" end
  return text
end

--- A difference as one readable line: `~ path: before -> after`, `+ path: after`, `- path: before`.
---@param change table as `diff.list` gives it
---@return string
function diff.line(change)
  local path = printable(change.path)
  if change.before == nil then return ("+ %s: %s"):format(path, shown(change.after)) end
  if change.after == nil then return ("- %s: %s"):format(path, shown(change.before)) end
  return ("~ %s: %s -> %s"):format(path, shown(change.before), shown(change.after))
end

return diff
