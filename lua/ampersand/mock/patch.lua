-- Ways to change a value: update masks, JSON Patch (RFC 6902: add, remove, replace) and merge patch (RFC 7396).
-- Each changes its target, and raises a problem where it cannot go on: work on a clone where that matters.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local problem = require "ampersand.mock.problem"

local patch = {}

local function is_array(value)
  return getmetatable(value) == core.array_mt
end

--- Merges `changes` into `target`: objects member by member, null removes, anything else replaces.
function patch.merge(target, changes)
  for key, value in pairs(changes) do
    if value == core.null then
      target[key] = nil
    elseif type(value) == "table" and not is_array(value) and type(target[key]) == "table" then
      patch.merge(target[key], value)
    else
      target[key] = value
    end
  end
  return target
end

-- Update masks ------------------------------------------------------------------------------------------------------

-- The keys of a mask's path. After an allowed prefix such as "config.content.read.objects." all the rest is one name,
-- since names of objects may hold dots.
local function keys_of(path, allowed)
  for _, pattern in ipairs(allowed) do
    local prefix = pattern:match "^(.*)%*$"
    local name = prefix and path:sub(1, #prefix) == prefix and path:sub(#prefix + 1)
    if pattern == path or name and name ~= "" then
      local keys = {}
      for key in (prefix or path):gmatch "[^.]+" do keys[#keys + 1] = key end
      if name then keys[#keys + 1] = name end
      return keys
    end
  end
end

--- Copies what the mask names from `source` to `target`. Refuses a path that is not allowed or has no value.
---@param allowed string[] paths; a `*` at the end stands for one name
function patch.mask(target, source, mask, allowed)
  for _, path in ipairs(mask) do
    local name = "updateMask." .. tostring(path)
    local keys = type(path) == "string" and keys_of(path, allowed)
    if not keys then problem.invalid("body", name, "is not a path that can be updated") end
    local value = deep.get(source, keys)
    if value == nil or value == core.null then problem.invalid("body", name, "is in the mask but has no value") end
    deep.set(target, keys, deep.copy(value))
  end
end

-- JSON Patch --------------------------------------------------------------------------------------------------------

local function pointer_keys(path)
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then return nil end
  local keys = {}
  for key in path:gmatch "/([^/]*)" do keys[#keys + 1] = (key:gsub("~1", "/"):gsub("~0", "~")) end
  return keys
end

-- The index behind a key of an array; one beyond the end is fine when something is added.
local function index_of(list, key, adding)
  if key == "-" and adding then return #list + 1 end
  local i = key:match "^%d+$" and tonumber(key) + 1
  return i and i <= #list + (adding and 1 or 0) and i or nil
end

local OPS = {}

function OPS.add(parent, key, value)
  if not is_array(parent) then
    parent[key] = value
    return true
  end
  local i = index_of(parent, key, true)
  if i then table.insert(parent, i, value) end
  return i
end

function OPS.replace(parent, key, value)
  if is_array(parent) then key = index_of(parent, key) end
  if key == nil or parent[key] == nil then return nil end
  parent[key] = value
  return true
end

function OPS.remove(parent, key)
  if not is_array(parent) then
    local there = parent[key] ~= nil
    parent[key] = nil
    return there
  end
  local i = index_of(parent, key)
  return i and table.remove(parent, i) ~= nil
end

local function apply_one(target, change)
  local keys = pointer_keys(change.path)
  local op = OPS[change.op]
  if not op then return nil, "op must be add, remove or replace" end
  if not keys then return nil, "path must begin with /" end
  if change.op ~= "remove" and change.value == nil then return nil, "value is missing" end
  local last = table.remove(keys)
  for _, key in ipairs(keys) do
    if is_array(target) then key = index_of(target, key) end
    target = type(target) == "table" and key ~= nil and target[key] or nil
  end
  if type(target) ~= "table" or not op(target, last, deep.copy(change.value)) then
    return nil, ("nothing is at %s"):format(change.path)
  end
  return true
end

--- Applies JSON Patch operations in order; refuses the first that cannot be applied.
function patch.apply(target, changes)
  for i, change in ipairs(changes) do
    local ok, why = nil, "must be an object"
    if type(change) == "table" then ok, why = apply_one(target, change) end
    if not ok then problem.invalid("body", ("changes[%d]"):format(i - 1), why) end
  end
end

return patch
