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

local OBJECTS = { "read", "write", "subscribe" }
local MAPS = { ["config.content.write.objects"] = true, ["config.content.subscribe.objects"] = true }
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

local function member(value, key)
  if type(value) == "table" then return value[key] end
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

-- What is collected: the changes, what stands against them, and what could not be undone.
local function add(plan, path, before, after)
  if is_rounded(after) then
    plan.problem = plan.problem or path .. " holds an integer beyond 2^53, which this Lua cannot write back exactly"
  end
  plan.changes[#plan.changes + 1] = { path = path, before = deep.copy(before), after = deep.copy(after) }
end

local function refuse(plan, what)
  plan.problem = plan.problem or what
end

-- Everything in `a` and `b` but the members named must be the same.
local function only(plan, at, a, b, allowed)
  for _, key in ipairs(diff.keys(a, b)) do
    if not allowed[key] and not deep.equal(a[key], b[key]) then
      refuse(plan, ("%s.%s cannot be changed: the API has no mask for it"):format(at, tostring(key)))
    end
  end
end

local function removes(a, b)
  for name in pairs(a) do
    if b[name] == nil then return name end
  end
end

local function compare_objects(plan, section, a, b)
  local base = ("config.content.%s.objects"):format(section)
  local removed = removes(a, b)
  if removed and not MAPS[base] then
    return refuse(plan, ("%s.%s cannot be removed: the API has no mask for it; set `disabled`"):format(base, removed))
  elseif removed then
    return add(plan, base, a, b)
  end
  for _, name in ipairs(diff.keys(a, b)) do
    if not deep.equal(a[name], b[name]) then
      local path = base .. "." .. name
      if a[name] == nil and not MAPS[base] then plan.irreversible = plan.irreversible or path end
      add(plan, path, a[name], b[name])
    end
  end
end

local function compare_section(plan, section, a, b)
  if deep.equal(a, b) then return end
  local at = "config.content." .. section
  if type(b) ~= "table" or type(member(b, "objects")) ~= "table" then
    return refuse(plan, at .. " cannot be removed: the API has no mask for it; empty its `objects`")
  end
  only(plan, at, type(a) == "table" and a or {}, b, { objects = true })
  local objects = member(a, "objects")
  if type(objects) ~= "table" then
    plan.irreversible = plan.irreversible or at
    objects = {}
  end
  compare_objects(plan, section, objects, b.objects)
end

local function compare_proxy(plan, a, b)
  if deep.equal(a, b) then return end
  local path = "config.content.proxy.enabled"
  if type(b) ~= "table" or b.enabled == nil or b.enabled == core.null then
    return refuse(plan, path .. " cannot be removed: the API has no mask for it; set it to false")
  end
  only(plan, "config.content.proxy", type(a) == "table" and a or {}, b, { enabled = true })
  local before = member(a, "enabled")
  if before == nil or before == core.null then plan.irreversible = plan.irreversible or path end
  add(plan, path, before, b.enabled)
end

-- What of a value no JSON can hold, as words for people; nil where there is nothing.
local function leaf_problem(value, path)
  if core.encode(value) then return nil end
  local kind = type(value)
  if kind == "string" then return path .. " is a text that is not UTF-8" end
  if kind ~= "number" then return ("%s is a %s, which JSON cannot hold"):format(path, kind) end
  return ("%s is %s, a number that JSON cannot hold"):format(path, value ~= value and "NaN" or "infinite")
end

local DEEPEST = 1000

local function find_unwritable(value, path, above, depth)
  if type(value) ~= "table" then return leaf_problem(value, path) end
  if depth > DEEPEST then return path:sub(1, 100) .. "… is a table that is nested too deep" end
  if above[value] then return path .. " is a table that holds itself" end
  above[value] = true
  for _, key in ipairs(diff.keys(value)) do
    local is_text = type(key) == "string"
    if is_text and not core.encode(key) then return path .. " has a key that is not UTF-8" end
    local at = is_text and path .. "." .. key or ("%s[%s]"):format(path, tostring(key))
    local problem = find_unwritable(value[key], at, above, depth + 1)
    if problem then return problem end
  end
  above[value] = nil
  local text, why = core.encode(value)
  return not text and ("%s: %s"):format(path, why) or nil
end

--- What to ask the API for, so that config `a` becomes config `b`.
---@param a table the config as it is: `installation.config`
---@param b table the config as it shall be
---@return table? changes array of { path, before, after }, empty when nothing changed
---@return string? what why the API cannot be asked for this, when there are no changes; else a path that it could not
--- undo, if there is one
function mask.compare(a, b)
  if not core.encode(b) then return nil, find_unwritable(b, "config", {}, 0) end
  local plan = { changes = {} }
  only(plan, "config", a, b, { content = true, createdBy = true })
  local from, to = a.content, b.content
  if type(from) ~= "table" or type(to) ~= "table" then
    if not deep.equal(from, to) then refuse(plan, "config.content must stay an object") end
    from, to = {}, {}
  end
  only(plan, "config.content", from, to, { read = true, write = true, subscribe = true, proxy = true })
  if a.createdBy ~= b.createdBy then
    if type(b.createdBy) ~= "string" then refuse(plan, "config.createdBy must be a text") end
    if type(a.createdBy) ~= "string" then plan.irreversible = "config.createdBy" end
    add(plan, "config.createdBy", a.createdBy, b.createdBy)
  end
  for _, section in ipairs(OBJECTS) do compare_section(plan, section, from[section], to[section]) end
  compare_proxy(plan, from.proxy, to.proxy)
  if plan.problem then return nil, plan.problem end
  return plan.changes, plan.irreversible
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
