--- Undo: puts back what an edit has changed, from its journal.

local argcheck = require "ampersand.util.argcheck"
local diff = require "ampersand.fleet.diff"
local history = require "ampersand.fleet.history"
local journal = require "ampersand.fleet.journal"
local plan = require "ampersand.fleet.plan"
local report = require "ampersand.fleet.report"
local run = require "ampersand.fleet.run"
local scope = require "ampersand.fleet.scope"

---@class ampersand.resource.installations
---@field undo fun(self: table, journal: string, options?: table): ampersand.FleetReport?, ampersand.Error?

local undo = {}

local WHAT = "installations:undo"

-- Prints what would be changed back.
local function show(work, out)
  local count, unsure = 0, 0
  for entry in work:entries() do
    if not work:may_undo(entry.n) then
      unsure = unsure + 1
    else
      count = count + 1
      local differences = {}
      for _, change in ipairs(entry.changes) do
        diff.list(change.after, change.before, (change.path:gsub("^config%.", "")), differences)
      end
      out(plan.show(entry, differences))
    end
  end
  out(("%d installations would be changed back; nothing was sent"):format(count))
  if unsure > 0 then
    out(("records of the journal may be lost: %d more installations would be read, and reported where they hold the "
      .. "new values"):format(unsure))
  end
  work.report.changed = count
  return work.report
end

local function is_empty(name)
  local file = io.open(name, "rb")
  local size = file and file:seek "end"
  if file then file:close() end
  return not size or size == 0
end

-- What the journal says; nil and why it cannot be undone.
local function read(view, book)
  local known, problem = history.read(book, function(header)
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

local function carry_out(view, given, book)
  local client = view._client
  local known, problem = read(view, book)
  if not known then return nil, client:_error { kind = "config", message = problem } end
  if not given.dry_run then
    local ok, why = book:begin { type = "undo" }
    if not ok then return nil, run.journal_error(client, book.name, why) end
  end
  local work = run.new {
    client = client, journal = book, known = known, settings = given, undo = true,
    report = report.new { journal = book.name, dry_run = given.dry_run },
  }
  if given.dry_run then return show(work, given.out or print) end
  return work:finish()
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
  given = argcheck.check(given, run.OPTIONS, WHAT)
  local client, book, why = self._client, journal.reading(name), nil
  if is_empty(name) then
    return nil, client:_error { kind = "config", message = name .. " does not exist, or is empty" }
  end
  if not given.dry_run then book, why = journal.open(name, client) end
  if not book then return nil, run.journal_error(client, name, why) end
  return book:guard(carry_out, self, given, book)
end

return undo
