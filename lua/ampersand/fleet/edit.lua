--- Edits over a fleet: change the configs of many installations as one step that can be inspected first, stopped,
-- resumed and undone.
--
--     local report = ampersand.assert(client.installations:where { … }:edit(function(config)
--       config.content.read.objects.contact.schedule = "0 * * * *"
--     end, { journal = "hourly.jsonl", canary = 0.01, parallel = 4 }))
--
-- One listing makes the plan, which is written to the journal; only then the first request is sent. Each installation
-- is read again before its request and left alone when another editor changed it meanwhile. Running the same edit with
-- the same journal again resumes it where the last run stopped. The guide is docs/fleet.md.

local argcheck = require "ampersand.util.argcheck"
local assign = require "ampersand.fleet.assign"
local canary = require "ampersand.fleet.canary"
local history = require "ampersand.fleet.history"
local journal = require "ampersand.fleet.journal"
local options = require "ampersand.fleet.options"
local plan = require "ampersand.fleet.plan"
local report = require "ampersand.fleet.report"
local run = require "ampersand.fleet.run"
local saved = require "ampersand.fleet.saved"
local scope = require "ampersand.fleet.scope"

local edit = {}

local WHAT = "installations:edit"

-- ---------------------------------------------------------------------------------------------
-- Planning

-- What stands against a plan, in words; nil where nothing does.
local function objection(found, given)
  if found.against > 0 then
    return ("%d installations cannot be changed as asked (%s)"):format(found.against, table.concat(found.named, "; "))
  end
  local unmet = found.listed > 0 and given.unmet and given.unmet()
  if unmet then return ("no installation has %s"):format(unmet) end
end

local function dry_run(view, fn, given)
  local found, err = plan.run(view, fn, given.irreversible, function(entry, differences)
    given.out(plan.show(entry, differences))
    return true
  end)
  if not found then return nil, err end
  local problem = found.against == 0 and objection(found, given)
  if problem then return nil, run.error(view._client, "config", problem) end
  local made = report.new {
    listed = found.listed, changed = found.changed, dry_run = true, against = found.against,
    type_changes = found.type_changes,
  }
  for _, line in ipairs(made:warnings()) do given.out(line) end
  given.out(("%d of %d installations would change; nothing was sent%s"):format(found.changed - found.against,
    found.listed, found.against > 0 and (", and %d cannot be changed as asked, so the edit would send nothing")
      :format(found.against) or ""))
  return made
end

local function cannot_write(client, book, why)
  return nil, run.journal_error(client, book.name, why)
end

-- Writes the plan of a new edit.
local function write_plan(view, fn, given, book)
  local client, header = view._client, given.scope
  header.ampersand, header.type = "edit/2", "edit"
  if client:_holds_secret(header) then
    return nil, run.error(client, "config", "the conditions, or the changes, contain something like a key or a token")
  end
  local ok, why = book:begin(header)
  if not ok then return cannot_write(client, book, why) end
  local refused = false
  local found, err = plan.run(view, fn, given.irreversible, function(entry)
    refused = refused or entry.problem ~= nil
    if refused then return true end
    entry.group = nil
    local written, reason = book:write(entry)
    if not written then return cannot_write(client, book, reason) end
    return true
  end)
  if not found then return nil, err end
  local problem = objection(found, given)
  if problem then return nil, run.error(client, "config", "nothing was sent: " .. problem) end
  ok, why = book:write { type = "planned", listed = found.listed, changed = found.changed }
  if ok then ok, why = book:sync() end
  if not ok then return cannot_write(client, book, why) end
  local known = history.read(book:reader())
  known.lost, known.type_changes = false, found.type_changes -- this run has only begun
  return known
end

-- ---------------------------------------------------------------------------------------------
-- The journal of an edit

-- What an earlier run has left: `known` with a whole plan; false where there is none; nil and why it cannot be used.
local function earlier(given, book)
  if book:is_empty() then return false end
  local known, problem = saved.read(book, function() return given.scope end)
  if not known then return nil, problem end
  if known.undoing then return nil, "this edit was undone; a new edit takes a new journal" end
  if not known.planned then return false end
  if #known.damaged > 0 then
    return nil, ("%s: line %d is not a record of a journal; installations:undo(journal) restores what can be read")
      :format(book.name, known.damaged[1])
  end
  return known
end

-- What is known, with a whole plan: of an earlier run, or made now.
local function prepare(view, fn, given, book)
  local client = view._client
  local known, problem = earlier(given, book)
  if problem then return nil, run.error(client, "config", problem) end
  if not known then return write_plan(view, fn, given, book) end
  local ok, why = book:begin { type = "resume" }
  if not ok then return cannot_write(client, book, why) end
  known.resumed = true
  return known
end

local function count_earlier(known, made)
  for n = 1, made.changed do
    local state = known.edit.state[n]
    if state == "done" then made.before = made.before + 1 end
    if state == "skip" then made.skip = made.skip + 1 end
    if known.edit.conflict[n] then made.conflicts = made.conflicts + 1 end
  end
end

local function apply(view, fn, given, book, known)
  local made = report.new {
    listed = known.planned.listed, changed = known.planned.changed, journal = given.journal or nil,
    type_changes = known.type_changes,
  }
  count_earlier(known, made)
  local work = run.new { client = view._client, journal = book, known = known, settings = given, report = made }
  -- changes that are data were compared with the journal's already
  if known.resumed and not given.scope.set then
    work.replan = function(installation) return (plan.changes(installation, fn)) end
  end
  if given.canary and made.changed > 0 then canary.apply(work, given.canary) end
  if not work.stopped then work:pass(given.max_failures) end
  return work:finish()
end

local function carry_out(view, fn, given, book)
  local known, err = prepare(view, fn, given, book)
  if known then return apply(view, fn, given, book, known) end
  book:close()
  return nil, err
end

-- ---------------------------------------------------------------------------------------------

local function compile(view, change)
  if view._select then argcheck.raise(WHAT .. ": a selection hides what must not be lost; edit without it") end
  if type(change) == "function" then return change end
  if type(change) == "table" then return assign.compile(change, WHAT) end
  argcheck.raise(("%s: expected a function or a list of changes, got %s"):format(WHAT, type(change)))
end

--- Changes the configs of all installations of a view.
--
-- `change` is a function `change(config, installation)` that changes a copy of `installation.config` (or returns
-- another one, or false to leave it alone); or a list of `{ path = "content.read.objects.*.schedule", value = … }` and
-- `{ path = …, remove = true }`, in which `*` stands for every member that is there. Options: `journal` (a path, or
-- false), `dry_run` (print what would change, send nothing), `out` (where the dry run prints, default print),
-- `parallel` (4 at once), `canary` (a share below 1, a number, or `{ share | count, wait = seconds, check =
-- function(installation, entry) }`), `max_failures` (10, then the run stops), `settle` (10 s that a request of a killed
-- run is given to arrive), `skip_sampling` (the API's skipSampling), `irreversible` (allow what cannot be undone),
-- `on_progress` (a function, called with every outcome).
--
-- A journal belongs to its project, integration, base URL, conditions and list of changes; with others it is refused.
-- A function cannot be compared: on resume it is applied to each installation again, and the run stops where it asks
-- for another change than the plan holds.
---@param change table[]|fun(config: table, installation: table): table|false|nil
---@param given table
---@return ampersand.FleetReport? report, ampersand.Error? err `err.report` shows how far a stopped edit came
function edit.edit(self, change, given)
  local fn, unmet = compile(self, change)
  given = options.of_edit(given, WHAT)
  given.unmet = unmet
  if given.dry_run then return dry_run(self, fn, given) end
  given.scope = scope.of(self)
  if fn == change then given.scope["function"] = true else given.scope.set = change end
  local book, why = journal.memory(), nil
  if given.journal then book, why = run.open(self._client, given.journal) end
  if not book then return nil, run.journal_error(self._client, given.journal, why) end
  return book:guard(carry_out, self, fn, given, book)
end

return edit
