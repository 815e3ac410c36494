--- Edits over a fleet: change the configs of many installations as one step that can be looked at before, stopped,
-- resumed and undone.
--
--     local report = assert(client.installations:where { … }:edit(function(config)
--       config.content.read.objects.contact.schedule = "0 * * * *"
--     end, { journal = "hourly.jsonl", canary = 0.01, parallel = 4 }))
--
-- One listing makes the plan, which is written to the journal; only then the first request is sent. Each installation
-- is read again before its request and left alone when somebody else changed it meanwhile. Running the same edit with
-- the same journal again goes on where the last run stopped. The guide is docs/fleet.md.

local Error = require "ampersand.client.error"
local diff = require "ampersand.fleet.diff"
local journal = require "ampersand.fleet.journal"
local mask = require "ampersand.fleet.update_mask"
local argcheck = require "ampersand.util.argcheck"
local plan = require "ampersand.fleet.plan"
local printable = require "ampersand.util.terminal_text"
local run = require "ampersand.fleet.run"

local fleet = {}

local RUN_OPTIONS = {
  parallel = "count", settle = "number", max_failures = "count", skip_sampling = "boolean", dry_run = "boolean",
  out = "function", on_progress = "function",
}
local EDIT_OPTIONS = { journal = "string|boolean", canary = "number|table|boolean", irreversible = "boolean" }
for name, kind in pairs(RUN_OPTIONS) do EDIT_OPTIONS[name] = kind end
local CANARY_OPTIONS = { share = "number", count = "count", wait = "number", check = "function" }

local SHOWN_PROBLEMS = 5

local function failure(client, kind, message, report)
  local config = client._config
  local err = Error.new({ kind = kind, message = message }, { key = config.api_key and config.api_key() })
  err.report = report
  return nil, err
end

-- ---------------------------------------------------------------------------------------------
-- The report

---@class ampersand.FleetReport
---@field listed integer      installations looked at
---@field changed integer     installations of the plan
---@field done integer        changed by this run
---@field before integer      changed by earlier runs with the same journal
---@field skip integer        left alone, since somebody else changed them or they are gone
---@field fail integer        refused; the next run tries them again
---@field doubt integer       asked for, but the answer never came; the next run looks
---@field problems table[]    `{ id, outcome, why }`, at most 100
---@field journal string?     path of the journal
local Report = {}
Report.__index = Report

local WORDS = {
  { "before", "earlier" }, { "done", "done" }, { "skip", "skipped" }, { "fail", "failed" }, { "doubt", "in doubt" },
}

function Report:__tostring()
  if self.dry_run then return ("%d listed, %d would change"):format(self.listed, self.changed) end
  local parts = {}
  for _, word in ipairs(WORDS) do
    if self[word[1]] > 0 or word[1] == "done" then parts[#parts + 1] = self[word[1]] .. " " .. word[2] end
  end
  local lines = { ("%d listed, %d to change: %s"):format(self.listed, self.changed, table.concat(parts, ", ")) }
  for i = 1, math.min(#self.problems, SHOWN_PROBLEMS) do
    local problem = self.problems[i]
    lines[#lines + 1] = "  " .. printable(("%s: %s: %s"):format(problem.id, problem.outcome, problem.why))
  end
  if #self.problems > SHOWN_PROBLEMS then lines[#lines + 1] = "  …" end
  return table.concat(lines, "\n")
end

--- Whether every installation of the plan is as asked, or was left to somebody else.
---@return boolean
function Report:complete()
  return self.fail == 0 and self.doubt == 0 and self.before + self.done + self.skip >= self.changed
end

local function new_report(fields)
  for _, word in ipairs(WORDS) do fields[word[1]] = 0 end
  fields.listed, fields.changed, fields.problems = fields.listed or 0, fields.changed or 0, {}
  return setmetatable(fields, Report)
end

-- ---------------------------------------------------------------------------------------------
-- Options

local function settle_options(given, what)
  given.settle = given.settle or 10
  given.parallel = given.parallel or 4
  given.max_failures = given.max_failures or 10
  given.out = given.out or print
  if given.settle < 0 then argcheck.raise(what .. ": `settle` is a number of seconds, at least 0") end
  return given
end

local function copy_of(given)
  local copy = {}
  for name, value in pairs(given) do copy[name] = value end
  return copy
end

local function canary_of(given, what)
  local canary = given.canary
  if not canary then return nil end
  if type(canary) == "number" then canary = canary < 1 and { share = canary } or { count = canary } end
  if type(canary) ~= "table" then argcheck.raise(what .. ": `canary` is a share below 1, a number or a table") end
  argcheck.check(canary, CANARY_OPTIONS, what .. ": canary")
  local share = canary.share
  if (share == nil) == (canary.count == nil) or (share and not (share > 0 and share <= 1)) then
    argcheck.raise(what .. ": `canary` needs a share above 0 and up to 1, or a count")
  end
  return canary
end

local function check_edit(view, fn, given)
  local what = "installations:edit"
  if type(fn) ~= "function" then argcheck.raise(what .. ": expected a function, got " .. type(fn)) end
  if view._select then argcheck.raise(what .. ": a selection hides what must not be lost; edit without it") end
  given = settle_options(copy_of(argcheck.check(given, EDIT_OPTIONS, what)), what)
  if not given.dry_run and type(given.journal) ~= "string" and given.journal ~= false then
    argcheck.raise(what .. ": give `journal`, a file to resume and undo from; `journal = false` does without")
  end
  given.canary = canary_of(given, what)
  return given
end

-- ---------------------------------------------------------------------------------------------
-- Planning

-- Lists and compares; what stands against the plan is counted and, the first of it, told.
local function make_plan(view, fn, given, take)
  local against, first = 0, {}
  local listed, changed = plan.run(view, fn, given.irreversible, function(entry)
    if entry.problem then
      against = against + 1
      if against <= 3 then first[against] = ("%s: %s"):format(entry.id, entry.problem) end
      if not given.dry_run then return true end
    end
    return take(entry)
  end)
  if not listed then return nil, changed end
  if against > 0 and not given.dry_run then
    local message = "nothing was sent: %d installations cannot be changed as asked (%s)"
    return failure(view._client, "config", message:format(against, table.concat(first, "; ")))
  end
  return listed, changed, against
end

local function dry_run(view, fn, given)
  local listed, changed, against = make_plan(view, fn, given, function(entry)
    given.out(plan.show(entry))
    return true
  end)
  if not listed then return nil, changed end
  local report = new_report { listed = listed, changed = changed, dry_run = true, against = against }
  given.out(("%d of %d installations would change; nothing was sent%s"):format(changed - against, listed,
    against > 0 and (", and %d cannot be changed as asked"):format(against) or ""))
  return report
end

-- ---------------------------------------------------------------------------------------------
-- The journal of an edit

local function scope_of(view)
  local config = view._client._config
  return { project = config.project, integration = not view._list and config.integration or nil }
end

local function exists(name)
  local file = io.open(name, "r")
  if not file then return false end
  local size = file:seek "end"
  file:close()
  return size ~= 0
end

-- What the journal knows; nil and an error when it is none, or of somebody else.
local function read_journal(view, name)
  local client = view._client
  local reader, why = journal.reader(name)
  local known
  if reader then known, why = run.scan(reader) end
  if not known then return failure(client, "config", "the journal cannot be read: " .. tostring(why)) end
  if not known.header or known.header.ampersand ~= "edit/1" then
    return failure(client, "config", name .. " is no journal of an edit; it is left alone")
  end
  for field, value in pairs(scope_of(view)) do
    if known.header[field] ~= value then
      return failure(client, "config", ("the journal is of %s %s, not %s"):format(field,
        tostring(known.header[field]), tostring(value)))
    end
  end
  return known
end

local function header_of(view)
  local header = scope_of(view)
  header.ampersand, header.type, header.time = "edit/1", "edit", run.now()
  return header
end

local function cannot_write(client, why)
  return failure(client, "config", "the journal cannot be written, so nothing was sent: " .. tostring(why))
end

-- Writes the plan of a new edit.
local function write_plan(view, fn, given, book)
  local client = view._client
  local ok, why = book:write(header_of(view))
  if not ok then return cannot_write(client, why) end
  local listed, changed = make_plan(view, fn, given, function(entry)
    entry.diff, entry.group = nil, nil
    local written, reason = book:write(entry)
    if not written then return cannot_write(client, reason) end
    return true
  end)
  if not listed then return nil, changed end
  local planned = { type = "planned", listed = listed, changed = changed }
  ok, why = book:write(planned)
  if not ok then return cannot_write(client, why) end
  return planned
end

-- The journal with a whole plan in it: of an earlier run, or made now.
local function open_edit(view, fn, given)
  local client, name, known = view._client, given.journal, nil
  if name and exists(name) then
    local err
    known, err = read_journal(view, name)
    if not known then return nil, err end
    if known.undoing then
      return failure(client, "config", "this edit was undone; a new edit takes a new journal")
    end
  end
  local resumes = known and known.planned
  local book, why = journal.memory(), nil
  if name then book, why = journal.open(name, resumes and "a" or "w") end
  if not book then return cannot_write(client, why) end
  if resumes then
    local ok
    ok, why = book:write { type = "resume", time = run.now() }
    if not ok then return cannot_write(client, why) end
    return book, known
  end
  local planned, err = write_plan(view, fn, given, book)
  if not planned then
    book:close()
    return nil, err
  end
  known = run.scan(book:reader())
  return book, known
end

-- ---------------------------------------------------------------------------------------------
-- Applying

-- The entries of the canary are spread evenly over the plan, the same ones in every run.
local function canary_filter(canary, changed)
  local count = canary.count or math.ceil(canary.share * changed)
  count = math.min(count, changed)
  return function(n)
    return math.floor(n * count / changed) > math.floor((n - 1) * count / changed)
  end, count
end

local function became_unhealthy(installation, entry)
  if installation.healthStatus == "unhealthy" and entry.health ~= "unhealthy" then return nil, "it became unhealthy" end
  return true
end

-- Looks at the canary's installations once more; nil and why when one is not well.
local function check_canary(work, canary, is_canary)
  work:sleep(canary.wait or 0)
  local check, reader = canary.check or became_unhealthy, work.journal:reader()
  local entry = reader()
  while entry and entry.type ~= "planned" do
    if entry.type == "plan" and is_canary(entry.n) and work.states.state[entry.n] == "done" then
      local current, err = work:get(entry)
      local ok, why = current, tostring(err)
      if current then ok, why = check(current, entry) end
      if not ok then return nil, ("%s: %s"):format(entry.id, why or "the check said no") end
    end
    entry = reader()
  end
  return true
end

local function apply_canary(work, canary)
  local is_canary, count = canary_filter(canary, work.report.changed)
  work.report.canary = count
  if work.known.canary then return end
  work:pass(1, is_canary)
  if work.stopped then return end
  local ok, why = check_canary(work, canary, is_canary)
  work:write { type = "canary", ok = ok or false, count = count, why = why }
  if work.settings.on_progress then work.settings.on_progress { outcome = "canary", ok = ok or false, why = why } end
  if not ok then
    work:stop(work:error("cancelled", ("the canary failed, nothing more was sent: %s; undo it with "
      .. "installations:undo(journal)"):format(why)))
  end
end

local function finish(work)
  work.journal:close()
  if not work.stopped then return work.report end
  work.stopped.report = work.report
  return nil, work.stopped
end

local function count_earlier(known, report)
  for n = 1, report.changed do
    local state = known.edit.state[n]
    if state == "done" then report.before = report.before + 1 end
    if state == "skip" then report.skip = report.skip + 1 end
  end
end

--- Changes the configs of all installations of a view.
--
-- `fn(config, installation)` changes a copy of `installation.config` (or returns another one, or false to leave it
-- alone). Options: `journal` (a path, or false), `dry_run` (print what would change, send nothing), `out` (where the
-- dry run prints, default print), `parallel` (4 at once), `canary` (a share below 1, a number, or `{ share | count,
-- wait = seconds, check = function(installation, entry) }`), `max_failures` (10, then the run stops), `settle` (10 s
-- that a request of a killed run is given to arrive), `skip_sampling` (the API's skipSampling), `irreversible` (allow
-- what cannot be undone), `on_progress` (a function, called with every outcome).
---@param fn fun(config: table, installation: table): table|false|nil
---@param given table
---@return ampersand.FleetReport? report, ampersand.Error? err `err.report` tells how far a stopped edit came
function fleet.edit(self, fn, given)
  given = check_edit(self, fn, given)
  if given.dry_run then return dry_run(self, fn, given) end
  local book, known = open_edit(self, fn, given)
  if not book then return nil, known end
  local report = new_report {
    listed = known.planned.listed, changed = known.planned.changed, journal = given.journal or nil,
  }
  count_earlier(known, report)
  local work = run.new { client = self._client, journal = book, known = known, settings = given, report = report }
  if given.canary and report.changed > 0 then apply_canary(work, given.canary) end
  if not work.stopped then work:pass(given.max_failures) end
  return finish(work)
end

local function show_undo(work, out)
  local next_entry, count = work:entries(), 0
  for entry in next_entry do
    count = count + 1
    local from, to = {}, {}
    for _, change in ipairs(entry.changes) do
      mask.set(from, change.path, change.after)
      mask.set(to, change.path, change.before)
    end
    out(plan.show { id = entry.id, changes = entry.changes, diff = diff.list(from.config, to.config) })
  end
  out(("%d installations would be changed back; nothing was sent"):format(count))
  work.report.changed = count
end

local function open_undo(view, name, given)
  if not exists(name) then
    return failure(view._client, "config", name .. " does not exist, or is empty")
  end
  local known, err = read_journal(view, name)
  if not known then return nil, err end
  if not known.planned then return failure(view._client, "config", "the plan is not whole; nothing was sent") end
  local book, why = journal.open(name, given.dry_run and "r" or "a")
  local ok = book
  if book and not given.dry_run then
    ok, why = book:write { type = "resume", time = run.now() }
    if ok then ok, why = book:write { type = "undo", time = run.now() } end
  end
  if not ok then return cannot_write(view._client, why) end
  return book, known
end

--- Puts back what an edit has changed, from its journal; an interrupted undo goes on when it is called again.
--
-- What somebody else changed since the edit is left alone and reported. Options: `dry_run`, `out`, `parallel`,
-- `max_failures`, `settle`, `skip_sampling`, `on_progress`, as for `edit`.
---@param name string path of the journal
---@param given table?
---@return ampersand.FleetReport? report, ampersand.Error? err
function fleet.undo(self, name, given)
  local what = "installations:undo"
  if type(name) ~= "string" then argcheck.raise(what .. ": expected the path of a journal, got " .. type(name)) end
  given = settle_options(copy_of(argcheck.check(given, RUN_OPTIONS, what)), what)
  local book, known = open_undo(self, name, given)
  if not book then return nil, known end
  local report = new_report { listed = known.planned.listed, journal = name, dry_run = given.dry_run }
  local work = run.new {
    client = self._client, journal = book, known = known, settings = given, report = report, undo = true,
  }
  for n = 1, known.planned.changed do
    local state = known.edit.state[n]
    if state == "done" or state == "send" then report.changed = report.changed + 1 end
    if known.undo.state[n] == "done" then report.before = report.before + 1 end
    if known.undo.state[n] == "skip" then report.skip = report.skip + 1 end
  end
  if given.dry_run then show_undo(work, given.out) else work:pass(given.max_failures) end
  return finish(work)
end

return fleet
