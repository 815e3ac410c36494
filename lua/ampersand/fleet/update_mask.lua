--- Changes of an installation's config as the API can be asked for them: an `updateMask` and its values. Pure.
--
-- `updateInstallation` replaces what its mask names, in one request, all or nothing; these are the paths it takes:
--
--     config.createdBy                       config.content.write.objects[.<name>]
--     config.content.read.objects.<name>     config.content.subscribe.objects[.<name>]
--     config.content.proxy.enabled
--
-- JSON Patch (`patchObjectConfigContent`) is finer, but takes one object a request, so that an edit of two objects
-- could stop half way; it adds and removes no whole object, and cannot reach the proxy. So a mask it is, the smallest
-- there is: an object that did not change is never named, a whole map of objects only where one is removed from it.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local diff = require "ampersand.fleet.diff"

local mask = {}

-- Where the API has masks, in the order in which they are asked for: a `value` is replaced as a whole; each of the
-- `objects` has a mask of its own, and those that are "removable" one for all of them. `advice` says what helps where
-- something cannot be removed.
local MASKS = {
  { name = "createdBy", value = "string" },
  { name = "content", advice = "it must stay an object",
    { name = "read", advice = "empty its `objects`",
      { name = "objects", objects = "kept", advice = "set `disabled`" } },
    { name = "write", advice = "empty its `objects`",
      { name = "objects", objects = "removable", advice = "empty it" } },
    { name = "subscribe", advice = "empty its `objects`",
      { name = "objects", objects = "removable", advice = "empty it" } },
    { name = "proxy", advice = "set its `enabled` to false",
      { name = "enabled", value = "any", advice = "set it to false" } },
  },
}
local EXACT = 2 ^ 53
local number_kind = math.type or type -- luacheck: ignore 143

--- The keys of a path. What follows `objects.` is one name, whatever dots it has.
---@param path string
---@return string[]
function mask.keys(path)
  local head, name = path:match "^(config%.content%.%l+%.objects)%.(.+)$"
  local keys = {}
  for key in (head or path):gmatch "[^.]+" do keys[#keys + 1] = key end
  keys[#keys + 1] = name
  return keys
end

--- The value at a path, nil where there is none.
---@param installation table
---@param path string
---@return any
function mask.get(installation, path)
  return deep.get(installation, mask.keys(path))
end

--- Puts a value at a path, or (nil) takes it away; tables on the way are made.
---@param installation table
---@param path string
---@param value any
function mask.set(installation, path, value)
  deep.set(installation, mask.keys(path), value)
end

-- A Lua without 64-bit integers has rounded such a number when it read it: written back it would be another one.
local function is_rounded(value)
  if type(value) == "table" then
    for _, inner in pairs(value) do
      if is_rounded(inner) then return true end
    end
  end
  if type(value) ~= "number" or number_kind(value) == "integer" then return false end
  return math.abs(value) >= EXACT and math.abs(value) < 2 ^ 64
end

-- `found` holds the changes, the first problem, and the first path that could not be undone.
local function refuse(found, path, words, ...)
  found.problem = found.problem or path .. words:format(...)
end

local function add(found, path, before, after)
  if is_rounded(after) then
    refuse(found, path, " holds an integer beyond 2^53, which this Lua cannot write back exactly")
  end
  found.changes[#found.changes + 1] = { path = path, before = deep.copy(before), after = deep.copy(after) }
end

local function refuse_change(found, path)
  refuse(found, path, " cannot be changed: the API has no mask for it")
end

local function refuse_removal(found, path, advice)
  refuse(found, path, " cannot be removed: the API has no mask for it; %s", advice)
end

local function compare_objects(found, path, a, b, masks)
  for name in pairs(a) do
    if b[name] == nil and masks.objects == "removable" then return add(found, path, a, b) end
    if b[name] == nil then return refuse_removal(found, path .. "." .. name, masks.advice) end
  end
  for _, name in ipairs(diff.keys(b)) do
    if not deep.equal(a[name], b[name]) then
      local at = path .. "." .. name
      if a[name] == nil and masks.objects == "kept" then found.irreversible = found.irreversible or at end
      add(found, at, a[name], b[name])
    end
  end
end

local function is_absent(value)
  return value == nil or value == core.null
end

-- Compares what is at a path, before and after, with what the API has masks for.
local function compare(found, path, a, b, masks)
  if deep.equal(a, b) then return end
  if masks.value == "string" and type(b) ~= "string" then return refuse(found, path, " must be a text") end
  if is_absent(b) or (not masks.value and type(b) ~= "table") then return refuse_removal(found, path, masks.advice) end
  if is_absent(a) then found.irreversible = found.irreversible or path end
  if masks.value then return add(found, path, a, b) end
  if type(a) ~= "table" then a = {} end
  if masks.objects then return compare_objects(found, path, a, b, masks) end
  local before, known = #found.changes, {}
  for _, member in ipairs(masks) do
    known[member.name] = true
    compare(found, path .. "." .. member.name, a[member.name], b[member.name], member)
  end
  for _, key in ipairs(diff.keys(a, b)) do
    if not known[key] and not deep.equal(a[key], b[key]) then refuse_change(found, path .. "." .. tostring(key)) end
  end
  if #found.changes == before then refuse_change(found, path) end
end

-- What core.encode calls it, as it is said of a config.
local UNWRITABLE = {
  ["a string that is not UTF-8"] = "is a text that is not UTF-8",
  ["a number that is not a number (nan)"] = "is NaN, a number that JSON cannot hold",
  ["an infinite number"] = "is infinite, a number that JSON cannot hold",
  ["a table inside of itself"] = "is a table that holds itself",
  ["tables nested deeper than max_depth"] = "is a table that is nested too deep",
}

-- What of a config no JSON can hold, in words; nil where there is nothing.
local function find_unwritable(config)
  local text, why = core.encode { config = config }
  if text then return nil end
  local what, path = why:match "^cannot encode (.-) at (.*)$"
  local owner = path:match '^(.*)%["[^"]*\\x[^"]*"%]$'
  if owner then return owner .. " has a key that is not UTF-8" end
  if what:find "neither" then return ("%s: cannot encode %s"):format(path, what) end
  return ("%s %s"):format(path, UNWRITABLE[what] or ("is %s, which JSON cannot hold"):format(what))
end

--- What to ask the API for, so that config `a` becomes config `b`.
---@param a table the config as it is: `installation.config`
---@param b table the config as it shall be
---@return table? changes array of { path, before, after }, empty when nothing changed
---@return string? what why the API cannot be asked for this, when there are no changes; else a path that it could not
--- undo, if there is one
function mask.compare(a, b)
  local found = { changes = {}, problem = find_unwritable(b) }
  if not found.problem then compare(found, "config", a, b, MASKS) end
  if found.problem then return nil, found.problem end
  return found.changes, found.irreversible
end

--- The body of `updateInstallation` for changes.
---@param changes table[] as `compare` gives them
---@return table body { updateMask, installation }
function mask.body(changes)
  local body = { updateMask = core.array {}, installation = {} }
  for i, change in ipairs(changes) do
    body.updateMask[i] = change.path
    mask.set(body.installation, change.path, change.after)
  end
  return body
end

--- Whether an installation holds the values of all changes: those of `side`, "before" or "after".
---@param installation table
---@param changes table[]
---@param side "before"|"after"
---@return boolean
function mask.holds(installation, changes, side)
  for _, change in ipairs(changes) do
    if not deep.equal(mask.get(installation, change.path), change[side]) then return false end
  end
  return true
end

--- A copy of an installation's config with the values of one side of the changes.
---@param installation table
---@param changes table[]
---@param side "before"|"after"
---@return table config
function mask.apply(installation, changes, side)
  local copy = { config = deep.copy(installation.config) }
  for _, change in ipairs(changes) do mask.set(copy, change.path, deep.copy(change[side])) end
  return copy.config
end

return mask
