--- The first half of an edit: one listing, a caller's function over copies, and what would have to be sent. Nothing is
-- sent from here; one installation is held at a time.

local diff = require "ampersand.fleet.diff"
local mask = require "ampersand.fleet.update_mask"
local argcheck = require "ampersand.util.argcheck"
local printable = require "ampersand.util.terminal_text"

local plan = {}

local function text(value)
  return type(value) == "string" and value or nil
end

--- What tells one state of an installation from another; the API has no ETags.
---@param installation table
---@return table version { config, updateTime }
function plan.version(installation)
  local config = type(installation.config) == "table" and installation.config or {}
  return { config = text(config.id), updateTime = text(installation.updateTime) }
end

-- What the caller's function makes of a copy of the config; nil when it wants nothing changed.
local function edited(installation, fn)
  local copy = diff.copy(installation.config)
  local given = fn(copy, installation)
  if given == false then return nil end
  if given ~= nil and type(given) ~= "table" then
    argcheck.raise("installations:edit: the function must give nothing, false or a config, got " .. type(given))
  end
  return given or copy
end


local function problem_of(client, changes, what, irreversible)
  if not changes then return what end
  if what and not irreversible then
    return what .. " could not be undone, the API cannot remove it; `irreversible = true` allows it"
  end
  -- a journal may hold no secret, and one that is blacked out could not be put back
  if client:_holds_secret(changes) then return "the change holds what looks like a key or a token" end
end

--- Compares an installation with what `fn` makes of it.
---@param view ampersand.Resource
---@param installation table
---@param fn function
---@param irreversible boolean?
---@return table? entry nil when nothing changes
function plan.entry(view, installation, fn, irreversible)
  local wanted = edited(installation, fn)
  if not wanted or diff.equal(wanted, installation.config) then return nil end
  local changes, what = mask.compare(installation.config, wanted)
  local problem = problem_of(view._client, changes, what, irreversible)
  if changes and #changes == 0 and not problem then return nil end
  local version = plan.version(installation)
  return {
    type = "plan", id = installation.id, integration = view._list and installation.integrationId or nil,
    config = version.config, updateTime = version.updateTime, health = text(installation.healthStatus),
    changes = changes, problem = problem,
    diff = diff.list(installation.config, wanted), group = installation.group,
  }
end

--- Lists the view's installations and gives every one that changes to `take`.
---@param view ampersand.Resource
---@param fn fun(config: table, installation: table): table|false|nil
---@param irreversible boolean?
---@param take fun(entry: table): boolean?, ampersand.Error? false and an error to stop
---@return integer? listed, integer|ampersand.Error changed
function plan.run(view, fn, irreversible, take)
  local stream, err = view:stream { nulls = "keep" }
  if not stream then return nil, err end
  local listed, changed = 0, 0
  while true do
    local installation
    installation, err = stream:next()
    if err then return nil, err end
    if not installation then return listed, changed end
    listed = listed + 1
    local entry = plan.entry(view, installation, fn, irreversible)
    if entry then
      changed = changed + 1
      entry.n = changed
      local ok, why = take(entry)
      if not ok then
        stream:close()
        return nil, why
      end
    end
  end
end

--- An entry as lines for people.
---@param entry table as `plan.entry` gives it
---@return string text
function plan.show(entry)
  local name = type(entry.group) == "table" and (entry.group.groupName or entry.group.groupRef)
  local lines = { printable(tostring(entry.id) .. (type(name) == "string" and "  " .. name or "")) }
  for _, change in ipairs(entry.diff) do lines[#lines + 1] = "  " .. diff.line(change) end
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
