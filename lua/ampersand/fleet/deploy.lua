--- Deploys a manifest (amp.yaml): a plan of what would change first, then the new revisions.
--
--     local result = assert(client.integrations:deploy {
--       file = "amp.yaml", confirm = function(plan) print(plan) return io.read() == "yes" end,
--     })
--
-- The guide is docs/deploy.md.

local argcheck = require "ampersand.util.argcheck"
local deep = require "ampersand.util.deep"
local diff = require "ampersand.fleet.diff"
local manifest = require "ampersand.fleet.manifest"
local printable = require "ampersand.util.terminal_text"

---@class ampersand.resource.integrations
---@field deploy fun(self: table, options: table): table?, ampersand.Error?

local deploy = {}

local function refuse(client, message, problems, name)
  local err = client:_error { kind = "config", message = message, retryable = false, sent = false }
  err.problems, err.file = problems, name
  return nil, err
end

-- The manifest ------------------------------------------------------------------------------------------------------

local MAX_BYTES = 2 ^ 24

local function read_file(path)
  local file = io.open(path, "rb")
  local text, why
  if file then text, why = file:read(MAX_BYTES + 1) end
  if file then file:close() end
  return text or file and not why and "" or nil
end

--- The text of a manifest, from a file or the folder it is in.
---@param path string
---@return string|nil text
---@return string name of the file, or a message
function deploy.find(path)
  local folder = path:gsub("/+$", "")
  for _, name in ipairs { path, folder .. "/amp.yaml", folder .. "/amp.yml" } do
    local text = read_file(name)
    if text and #text > MAX_BYTES then return nil, ("%s is longer than %d bytes"):format(name, MAX_BYTES) end
    if text then return text, name end
  end
  return nil, ("cannot read %s, nor an amp.yaml in it"):format(path)
end

-- Reads and checks a manifest; the error has the list of its problems.
local function read_manifest(client, text, name)
  local value, problems = manifest.read(text)
  if type(problems) == "string" then return refuse(client, problems) end
  local lines, mistakes = {}, 0
  for i, problem in ipairs(problems) do
    lines[i] = manifest.line(name, problem)
    if not problem.warning then mistakes = mistakes + 1 end
  end
  if mistakes > 0 then
    local message = ("%s is not a valid manifest, nothing was sent: %s"):format(name, table.concat(lines, "; "))
    return refuse(client, message, problems, name)
  end
  return value, lines
end

-- The plan ----------------------------------------------------------------------------------------------------------

---@class ampersand.DeployPlan
---@field integrations table[] `{ name, provider, state, id?, revision?, changes, dropped, readers }`: `state` is new,
---   changed or unchanged, `readers` the number of installations that read each dropped object
---@field others string[] integrations of the project that the manifest does not name; they stay as they are
---@field changed integer how many are new or changed
---@field destructive boolean whether reads of dropped objects are paused
local Plan = {}
Plan.__index = Plan

-- The objects of an action of a content, by name.
local function objects_of(content, action)
  local objects = deep.get(content, { action, "objects" })
  return type(objects) == "table" and objects or {}
end

-- The project's integrations by name.
local function list_integrations(client)
  local list, err = client.integrations:list()
  if not list then return nil, err end
  local current = {}
  for _, integration in ipairs(list) do
    if type(integration) == "table" and type(integration.name) == "string" then
      current[integration.name] = integration
    end
  end
  return current
end

local function latest_revision(integration)
  return type(integration.latestRevision) == "table" and integration.latestRevision or {}
end

local ACTIONS = { "read", "write", "subscribe" }

-- A content with the objects of every action that one of two contents has, so that objects are compared one by one.
local function with_objects(content, other)
  local copy = deep.copy(content)
  for _, action in ipairs(ACTIONS) do
    if content[action] or other[action] then deep.set(copy, { action, "objects" }, objects_of(content, action)) end
  end
  return copy
end

local function entry_of(wanted, current)
  local content = manifest.normal(wanted)
  local entry = { name = wanted.name, provider = wanted.provider, content = content, dropped = {}, readers = {} }
  if not current then
    entry.state, entry.changes = "new", {}
    return entry
  end
  local revision = latest_revision(current)
  local before = manifest.normal(revision.content) or {}
  entry.id, entry.revision, entry.before = current.id, revision.id, before
  entry.changes = diff.list(with_objects(before, content), with_objects(content, before))
  entry.state = #entry.changes > 0 and "changed" or "unchanged"
  for _, name in ipairs(diff.keys(objects_of(before, "read"))) do
    if not objects_of(content, "read")[name] then entry.dropped[#entry.dropped + 1] = name end
  end
  return entry
end

-- How many installations read each dropped object now.
local function count_readers(client, entry)
  if #entry.dropped == 0 then return true end
  local own = client:with { integration = entry.id }
  local stream, err = own.installations:select({ "config.content.read.objects" }):stream()
  if not stream then return nil, err end
  for _, name in ipairs(entry.dropped) do entry.readers[name] = 0 end
  while true do
    local installation
    installation, err = stream:next()
    if not installation then return not err or nil, err end
    local objects = objects_of(deep.get(installation, "config.content"), "read")
    for _, name in ipairs(entry.dropped) do
      local object = objects[name]
      if type(object) == "table" and object.disabled ~= true then entry.readers[name] = entry.readers[name] + 1 end
    end
  end
end

local function make_plan(client, value, destructive)
  local current, err = list_integrations(client)
  if not current then return nil, err end
  local plan = setmetatable({ integrations = {}, others = {}, changed = 0, destructive = destructive or false }, Plan)
  for i, wanted in ipairs(value.integrations) do
    local entry = entry_of(wanted, current[wanted.name])
    local counted, problem = count_readers(client, entry)
    if not counted then return nil, problem end
    plan.integrations[i], current[wanted.name] = entry, nil
    if entry.state ~= "unchanged" then plan.changed = plan.changed + 1 end
  end
  plan.others = diff.keys(current)
  return plan
end

-- "reads contact, lead; writes contact"
local function summary_of(content)
  local parts = {}
  for _, action in ipairs(ACTIONS) do
    local names = diff.keys(objects_of(content, action))
    if names[1] then parts[#parts + 1] = action .. " " .. table.concat(names, ", ") end
  end
  if content.proxy then parts[#parts + 1] = "proxy" end
  return #parts > 0 and table.concat(parts, "; ") or "no actions"
end

local MARKS = { new = "+", changed = "~", unchanged = "=" }

-- A change as a line; of an object that comes or goes, the name alone, and who reads what goes.
local function change_line(entry, change, destructive)
  local object = change.before == nil and change.after or change.after == nil and change.before
  if type(object) ~= "table" or object.objectName == nil then return diff.line(change) end
  local line = ("%s %s"):format(change.before == nil and "+" or "-", change.path)
  local readers = change.after == nil and change.path:find "^read%." and entry.readers[object.objectName]
  if readers then
    local ending = destructive and "their reads of it are paused" or "they go on reading it"
    line = ("%s: %d installations read it now; %s"):format(line, readers, ending)
  end
  return printable(line)
end

local function show_entry(lines, entry, destructive)
  local note = entry.state == "changed" and "latest revision " .. tostring(entry.revision) or entry.state
  lines[#lines + 1] = printable(("%s %s (%s, %s)"):format(MARKS[entry.state], entry.name, entry.provider, note))
  if entry.state == "new" then lines[#lines + 1] = printable("    " .. summary_of(entry.content)) end
  for _, change in ipairs(entry.changes) do lines[#lines + 1] = "    " .. change_line(entry, change, destructive) end
end

--- The plan as text for people.
function Plan:__tostring()
  local lines, kept, counts = {}, false, { new = 0, changed = 0, unchanged = 0 }
  for _, entry in ipairs(self.integrations) do
    show_entry(lines, entry, self.destructive)
    counts[entry.state] = counts[entry.state] + 1
    kept = kept or entry.state == "changed"
  end
  if self.others[1] then
    lines[#lines + 1] = printable("Not in the manifest, left as they are: " .. table.concat(self.others, ", "))
  end
  if kept then lines[#lines + 1] = "Existing installations keep their configs; new ones follow the new revision." end
  lines[#lines + 1] = ("Plan: %d new, %d changed, %d unchanged."):format(counts.new, counts.changed, counts.unchanged)
  return table.concat(lines, "\n")
end

-- What an installation's config repeats of the manifest.
local COPIED = { "schedule", "destination", "backfill" }

--- The edits that bring the configs of existing installations to the new revision.
---@return table[] edits `{ integration, object, set = { path = value } }`, paths below `config`; reads of dropped
---   objects are paused
---@return string[] notes what only the customer can decide
function Plan:edits()
  local edits, notes = {}, {}
  for _, entry in ipairs(self.integrations) do
    local before, after = objects_of(entry.before, "read"), objects_of(entry.content, "read")
    for _, name in ipairs(entry.state == "changed" and diff.keys(before, after) or {}) do
      local path = "content.read.objects." .. name
      local edit = { integration = entry.name, object = name, set = {} }
      for _, member in ipairs(COPIED) do
        local new = after[name] and after[name][member]
        if before[name] and new ~= nil and not deep.equal(before[name][member], new) then
          edit.set[path .. "." .. member] = new
        end
      end
      if before[name] and not after[name] then edit.set[path .. ".disabled"] = true end -- the API removes no object
      if not before[name] then
        notes[#notes + 1] = ("%s: %s is new: customers choose its fields"):format(entry.name, name)
      elseif name:find(".", 1, true) and next(edit.set) then
        notes[#notes + 1] = ("%s: %s has a dot in its name: edit it in a program"):format(entry.name, name)
      elseif next(edit.set) then
        edits[#edits + 1] = edit
      end
    end
  end
  return edits, notes
end

-- Deploying ---------------------------------------------------------------------------------------------------------

-- Nobody else may have deployed since the plan was made.
local function check_current(client, plan)
  local current, err = list_integrations(client)
  if not current then return nil, err end
  for _, entry in ipairs(plan.integrations) do
    local found = current[entry.name] or {}
    if found.id ~= entry.id or latest_revision(found).id ~= entry.revision then
      local message = "%s was deployed by someone else since the plan was made; nothing was sent"
      return refuse(client, message:format(entry.name))
    end
  end
  return true
end

local OPTIONS = {
  yaml = "string", file = "string", destructive = "boolean", dry_run = "boolean", confirm = "function",
}

local function source_of(given)
  if (given.yaml == nil) == (given.file == nil) then
    argcheck.raise "integrations:deploy: give either `yaml`, a text, or `file`, a path"
  end
  if given.yaml then return given.yaml, "amp.yaml" end
  return deploy.find(given.file)
end

--- Deploys a manifest: compares it with the latest revisions, asks `confirm`, sends it, returns the new revisions.
--- Nothing is sent where nothing changes, where the manifest is invalid (`err.problems` of `err.file`), where `confirm`
--- returns false, or where someone else deployed since the plan was made.
---@param given table yaml (the text) or file (amp.yaml, or its folder); destructive (pause reads of objects that the
---   new revision drops, default false); dry_run (return the plan only); confirm (called with the plan before sending)
---@return table|nil result `{ plan, deployed, revisions = { { name, id, revision } }, warnings }`
---@return ampersand.Error? err
function deploy.deploy(self, given)
  if type(self) ~= "table" or not self._client then
    argcheck.raise "deploy is a method: call it with a colon, as in client.integrations:deploy {…}"
  end
  if self._filter then
    argcheck.raise "integrations:deploy: `where` and `select` narrow lists; the manifest names what is deployed"
  end
  given = argcheck.check(given, OPTIONS, "integrations:deploy")
  local client, text, name = self._client, source_of(given)
  if not text then return refuse(client, name) end
  local value, warnings = read_manifest(client, text, name)
  if not value then return nil, warnings end
  local plan, err = make_plan(client, value, given.destructive)
  if not plan then return nil, err end
  local result = { plan = plan, deployed = false, revisions = {}, warnings = warnings }
  if given.dry_run or plan.changed == 0 then return result end
  if given.confirm and not given.confirm(plan) then
    local message = "the plan was not confirmed, nothing was sent"
    return nil, client:_error { kind = "cancelled", message = message, sent = false }
  end
  local ok, list
  ok, err = check_current(client, plan)
  if not ok then return nil, err end
  local project = client:_option "project" -- of a PUT the last id must be given
  list, err = client.integrations:batch_upsert(project, { sourceYaml = text, destructive = given.destructive })
  if not list then return nil, err end
  for i, integration in ipairs(list) do
    result.revisions[i] = { name = integration.name, id = integration.id, revision = latest_revision(integration).id }
  end
  result.deployed = true
  return result
end

return deploy
