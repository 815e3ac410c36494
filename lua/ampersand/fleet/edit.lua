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
local plan = require "ampersand.fleet.plan"
local report = require "ampersand.fleet.report"
local run = require "ampersand.fleet.run"
local scope = require "ampersand.fleet.scope"

---@class ampersand.resource.installations
---@field edit fun(self: table, change: function|table[], options: table): ampersand.FleetReport?, ampersand.Error?

local edit = {}

local WHAT = "installations:edit"

local OPTIONS = { journal = "string|boolean", canary = "number|table|boolean", irreversible = "boolean" }
for name, kind in pairs(run.OPTIONS) do OPTIONS[name] = kind end

-- A job is one call of `edit`: view, client, given (its options), canary, change (a function), unmet, scope, report.

local function refuse(job, message)
  return nil, job.client:_error { kind = "config", message = message }
end

local function cannot_write(job, book, why)
  return nil, run.journal_error(job.client, book.name, why)
end

local function dry_run(job)
  local made, out = job.report, job.given.out or print
  local listed, problem = plan.run(job, function(entry, differences)
    out(plan.show(entry, differences))
    return true
  end)
  if not listed then return nil, problem end
  if problem and made.against == 0 then return refuse(job, problem) end
  for _, line in ipairs(made:warnings()) do out(line) end
  local against = made.against > 0
    and (", and %d cannot be changed as asked, so the edit would send nothing"):format(made.against) or ""
  out(("%d of %d installations would change; nothing was sent%s"):format(made.changed - made.against, made.listed,
    against))
  return made
end

-- Writes the plan of a new edit. What is known then, as history.read gives it.
local function write_plan(job, book)
  local header, made = job.scope, job.report
  header.ampersand, header.type = "edit/2", "edit"
  if job.client:_holds_secret(header) then
    return refuse(job, "the conditions, or the changes, contain something like a key or a token")
  end
  local ok, why = book:begin(header)
  if not ok then return cannot_write(job, book, why) end
  local listed, problem = plan.run(job, function(entry)
    if made.against > 0 then return true end
    entry.group = nil
    ok, why = book:write(entry)
    if not ok then return cannot_write(job, book, why) end
    return true
  end)
  if not listed then return nil, problem end
  if problem then return refuse(job, "nothing was sent: " .. problem) end
  ok, why = book:write { type = "planned", listed = made.listed, changed = made.changed }
  if ok then ok, why = book:sync() end
  if not ok then return cannot_write(job, book, why) end
  local known = history.read(book, function() return header end)
  known.lost = false -- this run has only begun
  return known
end

-- What the journal says of an earlier run with a whole plan; false where there is none; nil and why it cannot resume.
local function earlier(job, book)
  if book:is_empty() then return false end
  local known, problem = history.read(book, function() return job.scope end)
  if not known then return nil, problem end
  if known.undoing then return nil, "this edit was undone; a new edit takes a new journal" end
  if not known.planned then return false end
  if #known.damaged > 0 then
    return nil, ("%s: line %d is not a record of a journal; installations:undo(journal) restores what can be read")
      :format(book.name, known.damaged[1])
  end
  return known
end

local function carry_out(job, book)
  local known, problem = earlier(job, book)
  if problem then return refuse(job, problem) end
  local replan
  if known then
    local ok, why = book:begin { type = "resume" }
    if not ok then return cannot_write(job, book, why) end
    -- changes that are data were compared with the journal's already
    replan = not job.scope.set and function(installation) return (plan.changes(installation, job.change)) end
  else
    known, problem = write_plan(job, book)
    if not known then return nil, problem end
  end
  local work = run.new {
    client = job.client, journal = book, known = known, settings = job.given, report = job.report, replan = replan,
  }
  if job.canary and job.report.changed > 0 then canary.apply(work, job.canary) end
  return work:finish()
end

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
  local job = { view = self, client = self._client, scope = scope.of(self) }
  job.change, job.unmet = compile(self, change)
  job.given = argcheck.check(given, OPTIONS, WHAT)
  job.canary = canary.check(job.given.canary, WHAT)
  local name = job.given.journal
  job.report = report.new { dry_run = job.given.dry_run or nil, journal = not job.given.dry_run and name or nil }
  if job.given.dry_run then return dry_run(job) end
  if type(name) ~= "string" and name ~= false then
    argcheck.raise(WHAT .. ": give `journal`, a file to resume and undo from; `journal = false` does without")
  end
  if job.change == change then job.scope["function"] = true else job.scope.set = change end
  local book, why = journal.open(name, self._client)
  if not book then return nil, run.journal_error(self._client, name, why) end
  return book:guard(carry_out, job, book)
end

return edit
