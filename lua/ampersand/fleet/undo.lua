--- Undo: puts back what an edit has changed, from its journal.

local argcheck = require "ampersand.util.argcheck"
local journal = require "ampersand.fleet.journal"
local options = require "ampersand.fleet.options"
local plan = require "ampersand.fleet.plan"
local report = require "ampersand.fleet.report"
local run = require "ampersand.fleet.run"
local saved = require "ampersand.fleet.saved"
local scope = require "ampersand.fleet.scope"

local undo = {}

local WHAT = "installations:undo"

local function show(work, out)
  local count, unsure = 0, 0
  for entry in work:entries() do
    if not work:may_undo(entry.n) then
      unsure = unsure + 1
    else
      count = count + 1
      out(plan.show(entry, plan.differences(entry.changes, "after")))
    end
  end
  out(("%d installations would be changed back; nothing was sent"):format(count))
  if unsure > 0 then
    out(("records of the journal may be lost: %d more installations would be read, and reported where they hold the "
      .. "new values"):format(unsure))
  end
  work.report.changed = count
end

local function exists(name)
  local file = io.open(name, "rb")
  local size = file and file:seek "end"
  if file then file:close() end
  return size and size > 0
end

-- What the journal says; nil and a problem.
local function read(view, book)
  local known, problem = saved.read(book, function(header)
    local wanted = scope.of(view)
    -- it puts back the whole edit, whatever the view; but one that is narrowed must be the edit's own
    if not view._where then wanted.where = header.where end
    wanted.set = header.set
    return wanted
  end)
  if known and not known.planned then
    return nil, "the plan is not whole: the edit has sent nothing, unless the tail of its journal is lost"
  end
  return known, problem
end

local function open(view, name, given)
  local client = view._client
  if not exists(name) then return nil, run.error(client, "config", name .. " does not exist, or is empty") end
  local book, why = journal.reading(name), nil
  if not given.dry_run then book, why = run.open(client, name) end
  if not book then return nil, run.journal_error(client, name, why) end
  local known, problem = read(view, book)
  local err = problem and run.error(client, "config", problem)
  if known and not given.dry_run then
    local ok
    ok, why = book:begin { type = "undo" }
    if not ok then err = run.journal_error(client, name, why) end
  end
  if not err then return book, known end
  book:close()
  return nil, err
end

local function count_earlier(work, made)
  for n = 1, work.known.planned.changed do
    local state = work.known.undo.state[n]
    if work:may_undo(n) then made.changed = made.changed + 1 end
    if state == "done" then made.before = made.before + 1 end
    if state == "skip" then made.skip = made.skip + 1 end
    if work.known.undo.conflict[n] then made.conflicts = made.conflicts + 1 end
  end
end

--- Puts back what an edit has changed, from its journal; an interrupted undo resumes when it is called again.
--
-- What another editor has changed since the edit is left alone and reported. So is, where the end of the journal is
-- missing, what holds the new values without a record of a request. Of a journal that is damaged it puts back what can
-- be read, and reports the rest. Options: `dry_run`, `out`, `parallel`, `max_failures`, `settle`, `skip_sampling`,
-- `on_progress`, as for `edit`.
---@param name string path of the journal
---@param given table?
---@return ampersand.FleetReport? report, ampersand.Error? err
function undo.undo(self, name, given)
  if type(name) ~= "string" then argcheck.raise(WHAT .. ": expected the path of a journal, got " .. type(name)) end
  given = options.of_undo(given, WHAT)
  local book, known = open(self, name, given)
  if not book then return nil, known end
  local made = report.new {
    listed = known.planned.listed, journal = name, dry_run = given.dry_run, damaged = known.damaged,
    unreadable = known.planned.changed - known.plans,
  }
  local work = run.new {
    client = self._client, journal = book, known = known, settings = given, report = made, undo = true,
  }
  count_earlier(work, made)
  if given.dry_run then
    show(work, given.out)
    return made
  end
  return book:guard(function()
    work:pass(given.max_failures)
    return work:finish()
  end)
end

return undo
