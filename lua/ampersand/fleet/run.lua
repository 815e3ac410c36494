--- The second half of an edit, and its undo: takes the entries of a journal, reads each installation again, announces
-- the request in the journal, sends it, notes the outcome.
--
-- An entry is in one of these states, the last record about it: none; "send" (a request was announced, its fate is not
-- known); "done"; "skip" (another editor changed the installation, or it is gone); "fail" (refused, nothing changed);
-- "unrecorded" (it holds the new values, but the journal has no record of a request, and may have lost some).

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local history = require "ampersand.fleet.history"
local journal = require "ampersand.fleet.journal"
local mask = require "ampersand.fleet.update_mask"
local parallel = require "ampersand.client.parallel"
local plan = require "ampersand.fleet.plan"
local retry = require "ampersand.client.retry"

local TRIES = 4

local run = {}

local Run = {}
Run.__index = Run

--- A run over the entries of a journal.
---@param fields table client, journal, known, undo (boolean), settings, report; `replan(installation)` gives the
--- changes that the caller's function asks for now, to compare with the plan of an earlier run
---@return table run
function run.new(fields)
  fields.states = fields.undo and fields.known.undo or fields.known.edit
  fields.from, fields.to = "before", "after"
  if fields.undo then fields.from, fields.to = "after", "before" end
  fields.failures = 0
  return setmetatable(fields, Run)
end

--- An error of an edit.
---@param client ampersand.Client
---@param kind string
---@param message string
---@return ampersand.Error
function run.error(client, kind, message)
  return client:_error { kind = kind, message = message }
end

function Run:error(kind, message) return run.error(self.client, kind, message) end

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

-- Ends the run: workers take no further entry. The first reason stands.
function Run:stop(err)
  self.stopped = self.stopped or err
end

function Run:write(record)
  record.undo = self.undo or nil
  local ok, why = self.journal:write(record)
  if ok then
    history.note(self.states, record)
    return true
  end
  self:cannot_write(why)
end

function Run:cannot_write(why)
  self:stop(run.journal_error(self.client, self.journal.name, why, "nothing more is sent"))
end

--- Opens a journal that is not in use.
---@param client ampersand.Client
---@param name string
---@return ampersand.Journal? journal, string? message
function run.open(client, name)
  return journal.open(name, function(seconds) run.sleep(client, seconds) end)
end

--- Ends the run in the journal, with its counts, and closes it.
---@return ampersand.FleetReport? report, ampersand.Error? err
function Run:finish()
  local report = self.report
  local last = { type = "end", whole = not self.stopped, conflicts = report.conflicts }
  for _, count in ipairs { "before", "done", "skip", "fail", "doubt", "unrecorded" } do last[count] = report[count] end
  if self:write(last) then
    local ok, why = self.journal:sync()
    if not ok then self:cannot_write(why) end
  end
  self.journal:close()
  if not self.stopped then return report end
  self.stopped.report = report
  return nil, self.stopped
end

--- Waits; in a loop only this coroutine does.
---@param client ampersand.Client
---@param seconds number
function run.sleep(client, seconds)
  if seconds > 0 then client:_sleep(seconds) end
end

function Run:sleep(seconds) run.sleep(self.client, seconds) end

--- Whether an undo puts an installation back: the edit has changed it, or may have.
---@param n integer
---@return boolean
function Run:may_undo(n)
  local state = self.known.edit.state[n]
  return state == "done" or state == "send"
end

-- Whether an installation may have been changed though no record says so.
local function is_unsure(known, n)
  local state = known.edit.state[n]
  if state == "skip" then return false end
  return known.lost or state == "unrecorded" or known.undo.state[n] == "unrecorded"
end

function Run:is_open(n)
  local state = self.states.state[n]
  if state == "done" or state == "skip" then return false end
  return not self.undo or self:may_undo(n) or is_unsure(self.known, n)
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
      if self:is_open(entry.n) and (not wanted or wanted(entry.n)) then return entry end
    end
  end
end

-- The version that an entry must still have; nil where the edit's answer never came.
function Run:expected(entry)
  if self.undo then return self.known.edit.version[entry.n] end
  return entry
end

local function same_version(a, b)
  return a.config == b.config and (a.updateTime == b.updateTime or not a.updateTime or not b.updateTime)
end

local UNRECORDED = "it holds the new values, but the journal has no record of a request, and may have lost some"

-- What an undo does about an installation that no record says was changed.
local function judge_unsure(current, entry)
  if mask.holds(current, entry.changes, "after") then return "unrecorded", UNRECORDED end
  return "untouched"
end

-- Whether to send: "send"; "done" when a request of ours had arrived after all; "skip" or "unrecorded" and why.
function Run:judge(entry, current)
  if self.undo and not self:may_undo(entry.n) then return judge_unsure(current, entry) end
  local version = self:expected(entry)
  local as_expected = not version or same_version(plan.version(current), version)
  if as_expected and mask.holds(current, entry.changes, self.from) then return "send" end
  if mask.holds(current, entry.changes, self.to) then
    if self.states.state[entry.n] == "send" then return "done" end
    if not self.undo and is_unsure(self.known, entry.n) then return "unrecorded", UNRECORDED end
    return "skip", "it holds already what was wanted, not by this journal"
  end
  return "conflict", ("changed by another editor since (config %s, now %s)"):format(
    version and version.config or "?", plan.version(current).config or "?")
end

function Run:get(entry)
  return self.client:call("getInstallation",
    { integrationId = entry.integration, installationId = entry.id }, { nulls = "keep" })
end

function Run:send(entry, changes)
  return self.client:call("updateInstallation", {
    integrationId = entry.integration, installationId = entry.id, body = mask.body(changes),
    skipSampling = self.settings.skip_sampling or nil,
  }, { retry = false, unknown_fields = "ignore" }) -- the plan has checked the names
end

local OTHER_CHANGE = "%s: the function makes another change now than the plan in the journal has; nothing more was sent"

-- A plan of an earlier run was made by a function that no journal can compare: its changes are.
function Run:is_as_planned(entry, current)
  if not self.replan or deep.equal(self.replan(current), entry.changes) then return true end
  self:stop(self:error("config", OTHER_CHANGE:format(entry.id)))
end

-- What to ask for: the plan; to go back, the API may need another mask.
function Run:changes(entry, current)
  if not self.undo then return entry.changes end
  return mask.compare(current.config, mask.apply(current, entry.changes, "before"))
end

-- Announces and sends one request. Returns an outcome, or "again".
function Run:request(entry, current)
  if not self:is_as_planned(entry, current) then return "stop" end
  local changes, problem = self:changes(entry, current)
  if not changes then return "fail", problem end
  if not self:write { type = "send", n = entry.n, id = entry.id, time = core.time() } then return "stop" end
  local value, err = self:send(entry, changes)
  if value then return "done", nil, plan.version(value) end
  entry.pending = err.sent ~= false and err.kind ~= "status" and "unanswered" or nil
  entry.retry_after = err.retry_after
  if entry.pending or err.sent == false or retry.transient(err) then return "again", tostring(err) end
  return "fail", tostring(err)
end

-- What an earlier process had announced may be on its way still: it is given time to arrive.
function Run:wait_for_earlier(states, entry)
  local settle = self.settings.settle
  self:sleep(math.min(settle, (states.sent[entry.n] or 0) + settle - core.time()))
end

-- Reads the installation and does what is to be done; returns an outcome, why, and a version, or "again".
-- `entry.pending` is "earlier" or "unanswered" while a request may still arrive whose fate is not known.
function Run:attempt(entry, last_why)
  local current, err = self:get(entry)
  if not current then
    if err.kind == "status" and err.status == 404 then return "skip", "it is gone" end
    return entry.pending and "doubt" or "fail", tostring(err)
  end
  local verdict, why = self:judge(entry, current)
  if verdict == "done" then return "done", nil, plan.version(current) end
  if verdict ~= "send" then return verdict, why end
  if entry.pending == "unanswered" then return "doubt", last_why end
  if entry.pending == "earlier" then
    self:wait_for_earlier(self.states, entry)
    entry.pending = nil
    return self:attempt(entry)
  end
  if entry.tries == TRIES then return "fail", last_why end
  entry.tries = entry.tries + 1
  return self:request(entry, current)
end

function Run:report_outcome(entry, outcome, why, conflict)
  local report = self.report
  report:add(entry, outcome, why, conflict)
  if self.settings.on_progress then
    self.settings.on_progress {
      id = entry.id, n = entry.n, of = report.changed, done = report.before + report.done, outcome = outcome, why = why,
      undo = self.undo,
    }
  end
end

local STOPPED = "stopped after %d failures, the last: %s: %s"

function Run:conclude(entry, outcome, why, version)
  if outcome == "stop" or outcome == "untouched" then return end
  local conflict = outcome == "conflict" or nil
  if conflict then outcome = "skip" end
  if outcome ~= "doubt" then -- a request whose fate is not known stays announced
    local record = { type = outcome, n = entry.n, id = entry.id, why = why, conflict = conflict }
    if version then record.config, record.updateTime = version.config, version.updateTime end
    if not self:write(record) then return end
  end
  self:report_outcome(entry, outcome, why, conflict)
  if outcome ~= "fail" and outcome ~= "doubt" then return end
  self.failures = self.failures + 1
  if self.failures >= self.patience then
    self:stop(self:error("cancelled", STOPPED:format(self.failures, entry.id, why)))
  end
end

-- One entry, from reading the installation to noting the outcome.
function Run:take(entry)
  entry.tries, entry.pending = 0, self.states.state[entry.n] == "send" and "earlier" or nil
  local edit = self.known.edit
  -- an edit that arrived after the installation was read would stay
  if self.undo and edit.state[entry.n] == "send" then self:wait_for_earlier(edit, entry) end
  local policy = retry.policy(self.client:_option "retry")
  local outcome, why, version = self:attempt(entry)
  while outcome == "again" do
    local waited = { attempts = entry.tries, retry_after = entry.retry_after }
    self:sleep(retry.delay(policy, waited, core.random()))
    outcome, why, version = self:attempt(entry, why)
  end
  self:conclude(entry, outcome, why, version)
end

-- Runs `worker` in `n` coroutines where the transport can; they share what there is to do.
local function in_parallel(client, n, worker)
  local workers = {}
  for i = 1, n do workers[i] = worker end
  local values, errors = parallel.run_or_queue(client, n, workers)
  if not values then return errors end
  for i = 1, n do
    if errors[i] then error(errors[i], 0) end
  end
end

--- Takes all open entries (that `wanted` lets through), several at once; `patience` failures end the run.
---@param patience integer
---@param wanted (fun(n: integer): boolean)?
function Run:pass(patience, wanted)
  self.failures, self.patience = 0, patience
  local next_entry = self:entries(wanted)
  local err = in_parallel(self.client, self.settings.parallel, function()
    while not self.stopped do
      local entry = next_entry()
      if not entry then break end
      self:take(entry)
    end
    return true
  end)
  if err then self:stop(err) end
end

return run
