--- The second half of an edit, and its undo: takes the entries of a journal, looks at each installation again,
-- announces the request in the journal, sends it, notes the outcome.
--
-- An entry is in one of these states, the last record about it: none; "send" (a request was announced, its fate is not
-- known); "done"; "skip" (somebody else changed the installation, or it is gone); "fail" (refused, nothing changed).

local core = require "ampersand.core"
local mask = require "ampersand.fleet.update_mask"
local plan = require "ampersand.fleet.plan"
local retry = require "ampersand.client.retry"
local time = require "ampersand.time"

local TRIES = 4
local MAX_PROBLEMS = 100

local Run = {}
Run.__index = Run

--- The states of all entries of one direction.
---@return table
local function new_states()
  return { state = {}, version = {}, sent = {} }
end

local OUTCOMES = { send = true, done = true, skip = true, fail = true }

local function note(states, record)
  if not OUTCOMES[record.type] then return end
  local n = record.n
  states.state[n] = record.type
  if record.type == "done" then states.version[n] = { config = record.config, updateTime = record.updateTime } end
  states.sent[n] = record.type == "send" and record.time or nil
end

--- Reads what a journal knows.
---@param reader fun(): table?, string?
---@return table? known { header, planned, edit, undo, undoing, canary }, string? message
local function scan(reader)
  local known = { edit = new_states(), undo = new_states() }
  while true do
    local record, why = reader()
    if why then return nil, why end
    if not record then return known end
    if record.type == "edit" then known.header = known.header or record end
    if record.type == "planned" then known.planned = record end
    if record.type == "undo" then known.undoing = true end
    if record.type == "canary" then known.canary = record.ok end
    note(record.undo and known.undo or known.edit, record)
  end
end

--- A run over the entries of a journal.
---@param fields table client, journal, known, undo (boolean), settings, report
---@return table run
local function new(fields)
  fields.states = fields.undo and fields.known.undo or fields.known.edit
  fields.from, fields.to = "before", "after"
  if fields.undo then fields.from, fields.to = "after", "before" end
  fields.failures = 0
  return setmetatable(fields, Run)
end

function Run:error(kind, message)
  return self.client:_error { kind = kind, message = message }
end

-- Ends the run: workers take no further entry. The first reason stands.
function Run:stop(err)
  self.stopped = self.stopped or err
end

function Run:write(record)
  record.undo = self.undo or nil
  local ok, why = self.journal:write(record)
  if ok then
    note(self.states, record)
    return true
  end
  self:stop(self:error("config", "the journal cannot be written, so nothing more is sent: " .. tostring(why)))
end

function Run:sleep(seconds)
  if seconds > 0 then self.client:_sleep(seconds) end
end

-- What an undo may touch: what was done, and what may have been done.
local function may_undo(state)
  return state == "done" or state == "send"
end

--- The entries that are still open, in order; `wanted(n)` may leave some out. The function gives nil at the end.
function Run:entries(wanted)
  local reader = self.journal:reader()
  return function()
    while true do
      local record, why = reader()
      if why then self:stop(self:error("config", why)) end
      if not record or record.type == "planned" then return nil end
      local state = self.states.state[record.n]
      local is_open = record.type == "plan" and state ~= "done" and state ~= "skip"
      if is_open and self.undo then is_open = may_undo(self.known.edit.state[record.n]) end
      if is_open and (not wanted or wanted(record.n)) then return record end
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

-- Whether to send: "send", "done" when a request of ours had arrived after all, or "skip" and why.
function Run:judge(entry, current)
  local version = self:expected(entry)
  local as_expected = not version or same_version(plan.version(current), version)
  if as_expected and mask.holds(current, entry.changes, self.from) then return "send" end
  if mask.holds(current, entry.changes, self.to) then
    if self.states.state[entry.n] == "send" then return "done" end
    return "skip", "it holds already what was wanted, not by this journal"
  end
  return "skip", ("changed by somebody else since (config %s, now %s)"):format(
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
  }, { retry = false })
end

-- Announces and sends one request. Answers an outcome, or "again".
function Run:request(entry, current)
  local changes, problem = mask.compare(current.config, mask.apply(current, entry.changes, self.to))
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
  self:sleep(math.min(settle, states.sent[entry.n] + settle - core.time()))
end

-- Looks at the installation and does what is to be done; answers an outcome, why, and a version, or "again".
-- `entry.pending` is "earlier" or "unanswered" while a request may still arrive that nobody knows the fate of.
function Run:attempt(entry, last_why)
  local current, err = self:get(entry)
  if not current then
    if err.kind == "status" and err.status == 404 then return "skip", "it is gone" end
    return entry.pending and "doubt" or "fail", tostring(err)
  end
  local verdict, why = self:judge(entry, current)
  if verdict == "done" then return "done", nil, plan.version(current) end
  if verdict == "skip" then return "skip", why end
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

function Run:report_outcome(entry, outcome, why)
  local report = self.report
  report[outcome] = (report[outcome] or 0) + 1
  if outcome ~= "done" and #report.problems < MAX_PROBLEMS then
    report.problems[#report.problems + 1] = { id = entry.id, outcome = outcome, why = why }
  end
  if self.settings.on_progress then
    self.settings.on_progress {
      id = entry.id, n = entry.n, of = report.changed, outcome = outcome, why = why, undo = self.undo,
    }
  end
end

local STOPPED = "stopped after %d failures, the last: %s: %s"

function Run:conclude(entry, outcome, why, version)
  if outcome == "stop" then return end
  if outcome ~= "doubt" then -- a request nobody knows the fate of stays announced
    local record = { type = outcome, n = entry.n, id = entry.id, why = why }
    if version then record.config, record.updateTime = version.config, version.updateTime end
    if not self:write(record) then return end
  end
  self:report_outcome(entry, outcome, why)
  if outcome ~= "fail" and outcome ~= "doubt" then return end
  self.failures = self.failures + 1
  if self.failures >= self.patience then
    self:stop(self:error("cancelled", STOPPED:format(self.failures, entry.id, why)))
  end
end

-- One entry, from the look at the installation to the noted outcome.
function Run:take(entry)
  entry.tries, entry.pending = 0, self.states.state[entry.n] == "send" and "earlier" or nil
  local edit = self.known.edit
  -- an edit that arrived after we looked would stay
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
  local values, errors = client:_parallel(n, workers)
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

return { new = new, scan = scan, now = function() return time.format(core.time()) end }
