--- The second half of an edit, and its undo: takes the entries of a journal, reads each installation again, announces
-- the request in the journal, sends it, notes the outcome.
--
-- An entry is in one of these states, the type of the last record about it: none; "send" (a request was announced, its
-- fate is not known); "done"; "skip" (another editor changed the installation, or it is gone); "fail" (refused, nothing
-- changed); "unrecorded" (it holds the new values, but the journal has no record of a request, and may have lost some).

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local history = require "ampersand.fleet.history"
local mask = require "ampersand.fleet.update_mask"
local parallel = require "ampersand.client.parallel"
local plan = require "ampersand.fleet.plan"
local retry = require "ampersand.client.retry"

local TRIES = 4 -- requests for one installation, at most
local PARALLEL, MAX_FAILURES = 4, 10
local SETTLE = 10 -- seconds that a request of a killed run is given to arrive

local run = {}

--- The options that an edit and an undo have in common.
run.OPTIONS = {
  parallel = "count", settle = "wait", max_failures = "count", skip_sampling = "boolean", dry_run = "boolean",
  out = "function", on_progress = "function",
}

local Run = {}
Run.__index = Run

-- Counts into the report what earlier runs with the same journal have done, and what there is to do.
local function count_earlier(self)
  local report, planned = self.report, self.known.planned
  report.listed, report.changed = planned.listed, 0
  report.damaged, report.unreadable = self.known.damaged, planned.changed - self.known.plans
  for n = 1, planned.changed do
    local state = self:state(n)
    if not self.undo or self:may_undo(n) then report.changed = report.changed + 1 end
    if state == "done" then report.before = report.before + 1 end
    if state == "skip" then report.skip = report.skip + 1 end
    if state and self.records[n].conflict then report.conflicts = report.conflicts + 1 end
  end
end

--- A run over the entries of a journal.
---@param fields table client, journal, known (what history.read gives), undo (boolean), settings, report;
--- `replan(installation)` gives the changes that the caller's function asks for now, to compare with the plan of an
--- earlier run
---@return table run
function run.new(fields)
  local self = setmetatable(fields, Run)
  self.records = self.undo and self.known.undo or self.known.edit
  self.from, self.to = "before", "after"
  if self.undo then self.from, self.to = "after", "before" end
  count_earlier(self)
  return self
end

--- The error of a journal that cannot be locked or written.
---@param client ampersand.Client
---@param name string? path of the journal
---@param why any
---@param consequence string? in words
---@return ampersand.Error
function run.journal_error(client, name, why, consequence)
  return client:_error {
    kind = "config", file = name,
    message = ("the journal cannot be written, so %s: %s"):format(consequence or "nothing was sent", tostring(why)),
  }
end

--- Ends the run: workers take no further entry. The first reason stands.
---@param kind string
---@param message string
function Run:stop(kind, message)
  self.stopped = self.stopped or self.client:_error { kind = kind, message = message }
end

local function cannot_write(self, why)
  self.stopped = self.stopped or run.journal_error(self.client, self.journal.name, why, "nothing more is sent")
end

--- Appends a record to the journal; the run stops where that cannot be done.
---@param record table
---@return boolean? ok
function Run:write(record)
  record.undo = self.undo or nil
  local ok, why = self.journal:write(record)
  if not ok then cannot_write(self, why) end
  return ok
end

-- Appends a record about an installation, which is its state from then on.
local function note(self, record)
  if not self:write(record) then return false end
  self.records[record.n] = record
  return true
end

--- Waits; in an event loop only this coroutine does.
---@param seconds number
function Run:sleep(seconds)
  if seconds > 0 then self.client:_sleep(seconds) end
end

--- The type of the last record about an installation.
---@param n integer its number in the plan
---@return string?
function Run:state(n)
  return self.records[n] and self.records[n].type
end

local function edited(self, n)
  return self.known.edit[n] or {}
end

--- Whether an undo puts an installation back: the edit has changed it, or may have.
---@param n integer
---@return boolean
function Run:may_undo(n)
  local state = edited(self, n).type
  return state == "done" or state == "send"
end

-- Whether an installation may have been changed though no record says so.
local function is_unsure(self, n)
  local state = edited(self, n).type
  return state ~= "skip" and (self.known.lost or state == "unrecorded" or self:state(n) == "unrecorded")
end

local function is_open(self, n)
  local state = self:state(n)
  if state == "done" or state == "skip" then return false end
  return not self.undo or self:may_undo(n) or is_unsure(self, n)
end

--- The entries of the plan, in order.
function Run:plan()
  return history.plan(assert(self.journal:reader()), self.known.first)
end

--- The entries that are still open, in order; `wanted(n)` may leave some out. The function gives nil at the end.
function Run:entries(wanted)
  local next_entry = self:plan()
  return function()
    for entry in next_entry do
      if is_open(self, entry.n) and (not wanted or wanted(entry.n)) then return entry end
    end
  end
end

--- Reads the installation of an entry.
function Run:get(entry)
  return self.client:call("getInstallation",
    { integrationId = entry.integration, installationId = entry.id }, { nulls = "keep" })
end

local function same_version(a, b)
  return a.config == b.config and (a.updateTime == b.updateTime or not a.updateTime or not b.updateTime)
end

local UNRECORDED = "it holds the new values, but the journal has no record of a request, and may have lost some"

-- What to do: "send"; "done" when a request of ours had arrived after all; else what to note, if anything, and why.
local function judge(self, entry, current)
  if self.undo and not self:may_undo(entry.n) then
    if mask.holds(current, entry.changes, "after") then return "unrecorded", UNRECORDED end
    return nil
  end
  local now, expected = plan.version(current), self.undo and edited(self, entry.n) or entry
  -- where the answer to an edit never came, its version is not known
  if (expected.type == "send" or same_version(now, expected)) and mask.holds(current, entry.changes, self.from) then
    return "send"
  end
  if mask.holds(current, entry.changes, self.to) then
    if self:state(entry.n) == "send" then return "done" end
    if not self.undo and is_unsure(self, entry.n) then return "unrecorded", UNRECORDED end
    return "skip", "it holds already what was wanted, not by this journal"
  end
  return "conflict", ("changed by another editor since (config %s, now %s)"):format(expected.config or "?",
    now.config or "?")
end

local OTHER_CHANGE = "%s: the function makes another change now than the plan in the journal has; nothing more was sent"

-- What to ask for: the plan; to go back, the API may need another mask. nil where it cannot be asked, or the run stops.
local function changes_of(self, entry, current)
  if self.undo then return mask.compare(current.config, mask.apply(current, entry.changes, "before")) end
  -- a plan of an earlier run was made by a function that no journal can compare: its changes are
  if not self.replan or deep.equal(self.replan(current), entry.changes) then return entry.changes end
  self:stop("config", OTHER_CHANGE:format(entry.id))
end

-- Announces and sends one request. Returns an outcome, why, and the installation; or "again", why, and the error; or
-- nothing where the run stops.
local function request(self, entry, current)
  local changes, problem = changes_of(self, entry, current)
  if not changes then return problem and "fail", problem end
  if not note(self, { type = "send", n = entry.n, id = entry.id, time = core.time() }) then return nil end
  local value, err = self.client:call("updateInstallation", {
    integrationId = entry.integration, installationId = entry.id, body = mask.body(changes),
    skipSampling = self.settings.skip_sampling or nil,
  }, { retry = false, unknown_fields = "ignore" }) -- the plan has checked the names
  if value then return "done", nil, value end
  local again = err.kind ~= "status" or err.sent == false or retry.transient(err)
  return again and "again" or "fail", tostring(err), err
end

-- What an earlier process has announced may be on its way still: it is given time to arrive.
local function wait_for_earlier(self, record)
  local settle = self.settings.settle or SETTLE
  self:sleep(math.min(settle, (tonumber(record.time) or 0) + settle - core.time()))
end

-- From reading the installation of an entry to an outcome. Returns it, why, and the installation as it became; nothing
-- where there is nothing to note. `pending` is "earlier" or "unanswered" while a request whose fate is not known may
-- still arrive.
local function carry_out(self, entry)
  local policy = retry.policy(self.client:_option "retry")
  local tries, why, pending = 0, nil, self:state(entry.n) == "send" and "earlier"
  while true do
    local current, err = self:get(entry)
    if not current then
      if err.kind == "status" and err.status == 404 then return "skip", "it is gone" end
      return pending and "doubt" or "fail", tostring(err)
    end
    local verdict, reason = judge(self, entry, current)
    if verdict ~= "send" then return verdict, reason, current end
    if pending == "earlier" then
      wait_for_earlier(self, self.records[entry.n])
      pending = nil
    elseif pending or tries == TRIES then
      return pending and "doubt" or "fail", why
    else
      local outcome, answer
      tries = tries + 1
      outcome, why, answer = request(self, entry, current)
      if outcome ~= "again" then return outcome, why, answer end
      pending = answer.sent ~= false and answer.kind ~= "status" and "unanswered"
      self:sleep(retry.delay(policy, { attempts = tries, retry_after = answer.retry_after }, core.random()))
    end
  end
end

local function report_outcome(self, entry, outcome, why, conflict)
  local report = self.report
  report:add(entry, outcome, why, conflict)
  if self.settings.on_progress then
    self.settings.on_progress {
      id = entry.id, n = entry.n, of = report.changed, done = report.before + report.done, outcome = outcome, why = why,
      undo = self.undo,
    }
  end
end

-- Takes one entry, and notes its outcome. A request whose fate is not known stays announced.
local function take(self, entry)
  local edit = edited(self, entry.n)
  -- an edit that arrived after the installation was read would stay
  if self.undo and edit.type == "send" then wait_for_earlier(self, edit) end
  local outcome, why, found = carry_out(self, entry)
  if not outcome then return end
  local conflict = outcome == "conflict" or nil
  if conflict then outcome = "skip" end
  local version = outcome == "done" and plan.version(found) or {}
  if outcome ~= "doubt" and not note(self, { type = outcome, n = entry.n, id = entry.id, why = why, conflict = conflict,
    config = version.config, updateTime = version.updateTime }) then return end
  report_outcome(self, entry, outcome, why, conflict)
  if outcome ~= "fail" and outcome ~= "doubt" then return end
  self.failures = self.failures + 1
  if self.failures >= self.patience then
    self:stop("cancelled", ("stopped after %d failures, the last: %s: %s"):format(self.failures, entry.id, why))
  end
end

--- Takes all open entries (that `wanted` lets through), several at once; `patience` failures end the run.
---@param patience integer
---@param wanted (fun(n: integer): boolean)?
function Run:pass(patience, wanted)
  self.failures, self.patience = 0, patience
  local next_entry, workers = self:entries(wanted), {}
  local function work()
    while not self.stopped do
      local entry = next_entry()
      if not entry then break end
      take(self, entry)
    end
    return true
  end
  for i = 1, self.settings.parallel or PARALLEL do workers[i] = work end
  local values, errors = parallel.run_or_queue(self.client, #workers, workers)
  if not values then self.stopped = self.stopped or errors end
  for i = 1, #workers do
    if errors[i] then error(errors[i], 0) end
  end
end

--- Takes what is left, unless the run is stopped, and ends it in the journal, with its counts.
---@return ampersand.FleetReport? report, ampersand.Error? err
function Run:finish()
  if not self.stopped then self:pass(self.settings.max_failures or MAX_FAILURES) end
  local last = self.report:counts()
  last.type, last.whole, last.conflicts = "end", not self.stopped, self.report.conflicts
  if self:write(last) then
    local ok, why = self.journal:sync()
    if not ok then cannot_write(self, why) end
  end
  if not self.stopped then return self.report end
  self.stopped.report = self.report
  return nil, self.stopped
end

return run
