--- Watching a fleet: what changed between two polls, as an iterator that can be stopped, saved and resumed.
--
--     for change in client.installations:watch { interval = 60 } do print(change.type, change.id) end
--
-- A poll is one listing, of which C keeps only the fields compared here; an installation costs one comparison of two
-- short texts. `change.type` is one of
--
--     installed removed                        the installation came, or went (of a view: into it, out of it)
--     unhealthy healthy                        healthStatus changed
--     bad_credentials connection               connection.status became that; or anything else, such as working again
--     config                                   another config id or updateTime
--
-- with `id`, `was` and `now` (the value before and after), `at` (seconds since the epoch) and `installation` (the
-- fields that were fetched; for `removed` nil).

local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local retry = require "ampersand.client.retry"
local scope = require "ampersand.fleet.scope"

---@class ampersand.resource.installations
---@field watch fun(self: table, options?: table): ampersand.Watch

local watch = {}

local OPTIONS = {
  interval = "seconds", state = "table", existing = "boolean", polls = "count", select = "table",
  on_error = "function", on_poll = "function",
}
local INTERVAL = 60 -- seconds between two polls

local FIELDS = {
  "id", "integrationId", "healthStatus", "lastOperationStatus", "updateTime", "config.id", "connection.id",
  "connection.status", "connection.provider", "group.groupRef", "group.groupName",
}

-- The texts of an entry that are compared, in their order.
local HEALTH, CONNECTION, CONFIG = 1, 2, 3

local function word(value)
  if type(value) ~= "string" or value == "" then return "-" end
  return (value:gsub("[%s%%]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- An installation as one short text: "healthy working config-1@2024-01-01T00:00:00Z".
local function entry_of(installation)
  local connection = type(installation.connection) == "table" and installation.connection or {}
  local config = type(installation.config) == "table" and installation.config or {}
  return ("%s %s %s@%s"):format(word(installation.healthStatus), word(connection.status), word(config.id),
    word(installation.updateTime))
end

local function parts_of(entry)
  local health, connection, config = entry:match "^(%S+) (%S+) (%S+)$"
  return { health or "-", connection or "-", config or "-" }
end

local function type_of(part, now)
  if part == HEALTH then return now == "healthy" and "healthy" or "unhealthy" end
  if part == CONNECTION then return now == "bad_credentials" and "bad_credentials" or "connection" end
  return "config"
end

---@class ampersand.Watch
local Watch = {}
Watch.__index = Watch

-- A change waits here with the entry that the state gets when it is handed over; nil: the installation is gone.
local function push(self, change, entry)
  change.at = core.time()
  self.queue[#self.queue + 1] = { change = change, entry = entry }
end

-- A new installation is announced as if it had been healthy before.
local function announce(self, installation, was)
  if was[HEALTH] == "unhealthy" then was[HEALTH] = "healthy" end
  if was[CONNECTION] == "bad_credentials" then was[CONNECTION] = "working" end
  push(self, { type = "installed", id = installation.id, installation = installation }, table.concat(was, " "))
end

local function take(self, installation)
  local id, known = installation.id, self.known
  local entry, before = entry_of(installation), known.installations[id]
  if before == entry then return end
  if not before and not known.complete and not self.given.existing then
    known.installations[id] = entry -- the first poll is what later ones are compared with
    return
  end
  local was, now = parts_of(before or entry), parts_of(entry)
  if not before then announce(self, installation, was) end
  for part = HEALTH, CONFIG do -- every text that differs is a change of its own
    if was[part] ~= now[part] then
      local change = {
        type = type_of(part, now[part]), id = id, was = was[part], now = now[part], installation = installation,
      }
      was[part] = now[part]
      push(self, change, table.concat(was, " "))
    end
  end
end

-- Only a listing that came to its end shows what is gone.
local function take_removed(self, seen)
  local gone = {}
  for id in pairs(self.known.installations) do
    if not seen[id] then gone[#gone + 1] = id end
  end
  table.sort(gone)
  for _, id in ipairs(gone) do push(self, { type = "removed", id = id }) end
end

-- Compares one listing with what is known; how many it has.
local function read_list(self)
  local stream, err = self.view:stream()
  if not stream then return nil, err end
  local seen, listed = {}, 0
  while true do
    local installation
    installation, err = stream:next()
    if err then return nil, err end
    if not installation then break end
    local id = installation.id
    if type(id) == "string" and not seen[id] then
      listed, seen[id] = listed + 1, true
      take(self, installation)
    end
  end
  take_removed(self, seen)
  self.known.complete = true
  return listed
end

-- What no waiting helps against: the caller must change something.
local function is_fatal(err)
  if err.kind == "status" then return err.status < 500 and not retry.transient(err) end
  return err.kind == "config" or err.kind == "phase" or err.kind == "cancelled"
end

local function poll(self)
  if self.polls > 0 then
    local slept, why = self.view._client:_sleep(math.max(self.given.interval or INTERVAL, self.patience))
    if not slept then return nil, why end
  end
  self.polls, self.patience = self.polls + 1, 0
  local started = core.now()
  local listed, err = read_list(self)
  self.failed = err
  if err then
    if is_fatal(err) then return nil, err end
    self.patience = err.retry_after or 0
    if self.given.on_error then self.given.on_error(err) end
  elseif self.given.on_poll then
    self.given.on_poll { listed = listed, changes = #self.queue, seconds = core.now() - started }
  end
  return true
end

-- The oldest change that was not returned yet; from now on it is part of the state.
local function hand_over(self)
  local first = self.queue[self.first]
  if not first then
    self.queue, self.first = {}, 1
    return nil
  end
  self.queue[self.first] = false
  self.first = self.first + 1
  self.known.installations[first.change.id] = first.entry
  return first.change
end

--- The next change; waits for it. nil at the end (`polls` polls were made, or `close` was called); nil and an error for
--- what no waiting helps against, such as a refused key, after which it may be called again; nil and an error, too, at
--- the end where the last of `polls` polls failed, for then nothing is known.
---@return table? change, ampersand.Error? err
function Watch:next()
  while not self.closed do
    local change = hand_over(self)
    if change then return change end
    if self.given.polls and self.polls >= self.given.polls then return nil, self.failed end
    local ok, err = poll(self)
    if not ok then return nil, err end
  end
end

--- What is known now, as a plain table: store it in any form, and give it to a later watch as `state`. It belongs to
--- the project, integration, base URL and conditions of this watch; with others it is refused. A change is part of it
--- as soon as it was handed over; one that was not is reported again by the watch that resumes.
---@return table state
function Watch:state()
  return self.known
end

--- Ends the watch.
function Watch:close()
  self.closed, self.queue, self.first = true, {}, 1
end

--- A watch can stand in a `for`; the error that `next` returns is raised.
function Watch:__call()
  local change, err = self:next()
  if err then error(err, 0) end
  return change
end

local function refuse_state()
  argcheck.raise("installations:watch: `state` is not what watch:state() gave")
end

-- A state of version 1 does not know its scope.
local function check_state(state, wanted)
  local is_bound = state.version == 2 and type(state.scope) == "table"
  if not (is_bound or state.version == 1) or type(state.installations) ~= "table" then refuse_state() end
  local problem = is_bound and scope.difference("installations:watch: `state`", state.scope, wanted)
  if problem then argcheck.raise(problem) end
  local known = { complete = state.complete == true, installations = {} }
  for id, entry in pairs(state.installations) do
    if type(id) ~= "string" or type(entry) ~= "string" then refuse_state() end
    known.installations[id] = entry
  end
  return known
end

--- Watches the installations of a view. Nothing is asked before the first `next`.
--
-- Options: `interval` (60 s between two polls), `state` (what watch:state() gave, to resume from), `existing` (report
-- the installations of the very first poll as "installed", and the unhealthy ones, too), `polls` (end after this many
-- polls), `select` (further fields for `change.installation`), `on_error` (called with an error that is waited out),
-- `on_poll` (called after each poll with { listed, changes, seconds }). Server errors and broken connections are waited
-- out; a listing that broke off never makes anything "removed".
---@param given table?
---@return ampersand.Watch watch a callable for `for`, with next(), state() and close()
function watch.watch(self, given)
  given = argcheck.check(given, OPTIONS, "installations:watch")
  local fields, own = {}, scope.of(self)
  for _, list in ipairs { FIELDS, self._select or {}, given.select or {} } do
    for _, field in ipairs(list) do fields[#fields + 1] = field end
  end
  local known = given.state and check_state(given.state, own) or { complete = false, installations = {} }
  known.version, known.scope = 2, own
  return setmetatable({
    view = self:select(fields), given = given, queue = {}, first = 1, polls = 0, patience = 0, known = known,
  }, Watch)
end

return watch
