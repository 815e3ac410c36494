--- The first half of an edit: one listing, a caller's function over copies, and what would have to be sent. Nothing is
-- sent from here; one installation is held at a time.

local argcheck = require "ampersand.util.argcheck"
local deep = require "ampersand.util.deep"
local diff = require "ampersand.fleet.diff"
local fields = require "ampersand.client.fields"
local mask = require "ampersand.fleet.update_mask"
local printable = require "ampersand.util.terminal_text"

local plan = {}

local MAX_NAMED = 3
local MAX_TYPE_CHANGES = 100

local function text(value)
  return type(value) == "string" and value or nil
end

--- What distinguishes one state of an installation from another; the API has no ETags.
---@param installation table
---@return table version { config, updateTime }
function plan.version(installation)
  local config = type(installation.config) == "table" and installation.config or {}
  return { config = text(config.id), updateTime = text(installation.updateTime) }
end

-- What the caller's function makes of a copy of the config; nil when it wants nothing changed.
local function edited(installation, fn)
  local copy = deep.copy(installation.config)
  local given = fn(copy, installation)
  if given == false then return nil end
  if given ~= nil and type(given) ~= "table" then
    argcheck.raise("installations:edit: the function must return nothing, false or a config, got " .. type(given))
  end
  return given or copy
end

local function problem_of(client, changes, what, irreversible)
  if not changes then return what end
  if what and not irreversible then
    return what .. " could not be undone, the API cannot remove it; `irreversible = true` allows it"
  end
  -- a journal may hold no secret, and one that is blacked out could not be put back
  if client:_holds_secret(changes) then return "the change contains something like a key or a token" end
end

-- A name that was added and is nearly one that the API knows, in words. Names that were there are not ours to judge.
local function find_typo(differences)
  for _, change in ipairs(differences) do
    local added = change.before == nil and { change } or {}
    if added[1] and type(change.after) == "table" then added = diff.list({}, change.after, change.path) end
    for _, leaf in ipairs(added) do
      local problem = fields.problem("Installation", deep.split("config." .. leaf.path) or {})
      if problem then return problem end
    end
  end
end

--- What `fn` asks to change of an installation.
---@param installation table
---@param fn function
---@return table? changes nil when nothing changes, or it cannot be changed as asked
---@return string? what as `mask.compare` gives it
---@return table? wanted the config that `fn` made
function plan.changes(installation, fn)
  local wanted = edited(installation, fn)
  if not wanted or deep.equal(wanted, installation.config) then return nil end
  local changes, what = mask.compare(installation.config, wanted)
  return changes, what, wanted
end

--- Compares an installation with what `fn` makes of it.
---@param view ampersand.Resource
---@param installation table
---@param fn function
---@param irreversible boolean?
---@return table? entry nil when nothing changes
---@return table[]? differences as `diff.list` gives them
function plan.entry(view, installation, fn, irreversible)
  local changes, what, wanted = plan.changes(installation, fn)
  if not wanted then return nil end
  local problem = problem_of(view._client, changes, what, irreversible)
  if changes and #changes == 0 and not problem then return nil end
  local differences = plan.differences(changes) or diff.list(installation.config, wanted)
  local version = plan.version(installation)
  if view._client:_option "unknown_fields" ~= "ignore" then problem = find_typo(differences) or problem end
  return {
    type = "plan", id = installation.id, integration = view._list and installation.integrationId or nil,
    config = version.config, updateTime = version.updateTime, health = text(installation.healthStatus),
    changes = changes, problem = problem, group = installation.group,
  }, differences
end

--- What changes of a config, leaf by leaf.
---@param changes table[]?
---@param from "before"|"after"|nil the side that is there now
---@return table[]? differences as `diff.list` gives them
function plan.differences(changes, from)
  if not changes then return nil end
  local found = {}
  for _, change in ipairs(changes) do
    local before, after = change.before, change.after
    if from == "after" then before, after = after, before end
    diff.list(before, after, (change.path:gsub("^config%.", "")), found)
  end
  table.sort(found, function(a, b) return a.path < b.path end)
  return found
end

-- Counts the values that are of another JSON type than those they replace.
local function count_type_changes(found, differences)
  for _, change in ipairs(differences) do
    local before, after = diff.type_of(change.before), diff.type_of(change.after)
    if before ~= after and before and after then
      local key = table.concat({ change.path, before, after }, "\0")
      local known = found.type_changes[key]
      if not known and #found.type_changes < MAX_TYPE_CHANGES then
        known = { path = change.path, before = before, after = after, count = 0 }
        found.type_changes[key], found.type_changes[#found.type_changes + 1] = known, known
      end
      if known then known.count = known.count + 1 end
    end
  end
end

local function take_entry(found, entry, differences, take)
  found.changed = found.changed + 1
  entry.n = found.changed
  count_type_changes(found, differences)
  if entry.problem then
    found.against = found.against + 1
    if found.against <= MAX_NAMED then found.named[found.against] = ("%s: %s"):format(entry.id, entry.problem) end
  end
  return take(entry, differences)
end

--- Lists the view's installations and gives every one that changes to `take`.
---@param view ampersand.Resource
---@param fn fun(config: table, installation: table): table|false|nil
---@param irreversible boolean?
---@param take fun(entry: table, differences: table[]): boolean?, any false and an error to stop
---@return table? found { listed, changed, against (those that cannot be changed as asked), named, type_changes }
---@return ampersand.Error? err
function plan.run(view, fn, irreversible, take)
  local stream, err = view:stream { nulls = "keep" }
  if not stream then return nil, err end
  local found = { listed = 0, changed = 0, against = 0, named = {}, type_changes = {} }
  while true do
    local installation
    installation, err = stream:next()
    if err then return nil, err end
    if not installation then return found end
    found.listed = found.listed + 1
    local entry, differences = plan.entry(view, installation, fn, irreversible)
    local ok, why = true, nil
    if entry then ok, why = take_entry(found, entry, differences, take) end
    if not ok then
      stream:close()
      return nil, why
    end
  end
end

--- An entry as lines for people.
---@param entry table as `plan.entry` gives it
---@param differences table[]
---@return string text
function plan.show(entry, differences)
  local name = type(entry.group) == "table" and (entry.group.groupName or entry.group.groupRef)
  local lines = { printable(tostring(entry.id) .. (type(name) == "string" and "  " .. name or "")) }
  for _, change in ipairs(differences) do lines[#lines + 1] = "  " .. diff.line(change) end
  if entry.problem then
    lines[#lines + 1] = "  ! " .. printable(entry.problem)
  else
    local paths = {}
    for i, change in ipairs(entry.changes) do paths[i] = change.path end
    lines[#lines + 1] = "  updateMask: " .. printable(table.concat(paths, ", "))
  end
  return table.concat(lines, "\n")
end

return plan
