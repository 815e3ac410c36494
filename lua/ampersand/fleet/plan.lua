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
    for _, leaf in ipairs(change.before == nil and diff.list({}, change.after, change.path) or {}) do
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

-- Compares an installation with what the job makes of it: an entry of the plan, nil when nothing changes, and the
-- differences as `diff.list` gives them.
local function entry_of(job, installation)
  local changes, what, wanted = plan.changes(installation, job.change)
  if not wanted then return nil end
  local problem = problem_of(job.client, changes, what, job.given.irreversible)
  local differences, version = diff.list(installation.config, wanted), plan.version(installation)
  if job.client:_option "unknown_fields" ~= "ignore" then problem = find_typo(differences) or problem end
  return {
    type = "plan", id = installation.id, integration = job.view._in_project and installation.integrationId or nil,
    config = version.config, updateTime = version.updateTime, health = text(installation.healthStatus),
    changes = changes, problem = problem, group = installation.group,
  }, differences
end

-- Counts into the report the values that are of another JSON type than those they replace.
local function count_type_changes(types, differences)
  for _, change in ipairs(differences) do
    local before, after = diff.type_of(change.before), diff.type_of(change.after)
    if before ~= after and before and after then
      local known
      for _, earlier in ipairs(types) do
        if earlier.path == change.path and earlier.before == before and earlier.after == after then known = earlier end
      end
      if not known and #types < MAX_TYPE_CHANGES then
        known = { path = change.path, before = before, after = after, count = 0 }
        types[#types + 1] = known
      end
      if known then known.count = known.count + 1 end
    end
  end
end

-- What stands against a plan, in words; nil where nothing does.
local function objection(job, refused)
  local report = job.report
  if report.against > 0 then
    return ("%d installations cannot be changed as asked (%s)"):format(report.against, table.concat(refused, "; "))
  end
  local unmet = report.listed > 0 and job.unmet and job.unmet()
  return unmet and ("no installation has %s"):format(unmet) or nil
end

-- Counts an entry into the report; the first that cannot be changed as asked are named in `refused`.
local function count(report, entry, differences, refused)
  report.changed = report.changed + 1
  entry.n = report.changed
  count_type_changes(report.type_changes, differences)
  if not entry.problem then return end
  report.against = report.against + 1
  if #refused < MAX_NAMED then refused[#refused + 1] = ("%s: %s"):format(entry.id, entry.problem) end
end

--- Lists the view's installations, counts them into the report, and gives every one that changes to `take`.
---@param job { view: table, client: ampersand.Client, change: function, unmet: (fun(): string?)?, given: table,
--- report: ampersand.FleetReport }
---@param take fun(entry: table, differences: table[]): boolean?, any false and an error to stop
---@return true? listed nil, and an error, when the listing broke off or `take` stopped it
---@return string|ampersand.Error|nil problem what stands against the plan, in words
function plan.run(job, take)
  local stream, err = job.view:stream { nulls = "keep" }
  if not stream then return nil, err end
  local refused, ok = {}, true
  while ok do
    local installation
    installation, err = stream:next()
    if err then return nil, err end
    if not installation then return true, objection(job, refused) end
    job.report.listed = job.report.listed + 1
    local entry, differences = entry_of(job, installation)
    if entry then
      count(job.report, entry, differences, refused)
      ok, err = take(entry, differences)
    end
  end
  stream:close()
  return nil, err
end

--- An entry as lines for people.
---@param entry table
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
