--- A health gate: may this group's requests pass, as far as its installation is concerned? Costs one lookup in a cache.
--
--     access_by_lua_block {
--       require("ampersand.gate") { group = ngx.var.cookie_team, integration = "hubspot", ttl = 30, stale = 3600 }
--     }
--
-- In HAProxy an action calls gate({ group = … }, txn): examples/haproxy.
--
-- What is known stays fresh for `ttl`. For `stale` seconds more it is still used, while it is asked for again in the
-- background, and while the API is away. One caller at a time asks, over all workers, or a fleet (ampersand.cache).
-- Use a group that your program has authenticated: every new name costs a call.

local background = require "ampersand.util.background"
local cache = require "ampersand.cache"
local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local host = require "ampersand.util.host"

local gate = {}

---@class ampersand.Gate
local Gate = {}
Gate.__index = Gate

local SETTINGS = {
  integration = "string", ttl = "seconds", stale = "wait", negative = "seconds", timeout = "seconds",
  on_unknown = { types = "string", choices = { "open", "closed" } },
  on_absent = { types = "string", choices = { "open", "closed" } },
  several = { types = "string|function", choices = { "error", "all", "any" } },
}
local NEW_OPTIONS = { client = "table", store = "table", store_timeout = "seconds" }
local CHECK_OPTIONS = { group = "string" }
for name, kind in pairs(SETTINGS) do NEW_OPTIONS[name], CHECK_OPTIONS[name] = kind, kind end

local DEFAULTS = { ttl = 30, stale = 3600, timeout = 5, on_unknown = "open", on_absent = "closed", several = "error" }

local FIELDS = { "id", "healthStatus", "createTime", "group.groupRef", "connection.status", "connection.provider" }
local MOST = 100         -- installations of one group that a rule may see
local MOST_PARSED = 10000

--- Makes a gate. `several` says what counts when a group has several installations of the integration: "error" (it is
--- never "the first"), "all" or "any" of them healthy, or a function that gets the list and returns one of them.
---@param given table? client (default: made from the environment), store (default: lua_shared_dict `ampersand`, in
--   plain scripts this process), integration, ttl (30 s), stale (3600 s), negative (as ttl: how long absence and
--   failures are remembered), timeout (5 s, for the API), store_timeout (1 s: how long one check may wait for the store
--   in all), on_unknown ("open" or "closed"), on_absent ("closed"), several ("error")
---@return ampersand.Gate
function gate.new(given)
  given = argcheck.check(given, NEW_OPTIONS, "gate.new")
  local settings = {}
  for name in pairs(SETTINGS) do settings[name] = given[name] == nil and DEFAULTS[name] or given[name] end
  local ngx = host.nginx()
  local store = given.store or (ngx and cache.shared "ampersand" or cache.memory())
  return setmetatable({
    client = given.client or require("ampersand.client").new(), settings = settings, store = cache.guarded(store),
    store_timeout = given.store_timeout or 1, dict = store.dict or (store.near and store.near.dict),
    clock = ngx and ngx.now or core.time, parsed = {}, parsed_count = 0, asking = {}, targets = {},
  }, Gate)
end

-- --- what is stored --------------------------------------------------------------------------------------------------
-- A record: asked (when the API was asked last), fresh and usable (until when), list (what it said), failure (why it
-- said nothing). Times are the clock's, which machines share.

-- Many requests read the same text: it is decoded once per worker.
local function parse(self, key, text)
  local held = self.parsed[key]
  if held and held.text == text then return held.record end
  if not held then
    if self.parsed_count >= MOST_PARSED then self.parsed, self.parsed_count = {}, 0 end
    self.parsed_count = self.parsed_count + 1
  end
  local record = core.decode(text)
  if type(record) ~= "table" or type(record.usable) ~= "number" then return nil end
  self.parsed[key] = { text = text, record = record }
  return record
end

local function load(self, key, budget)
  local text, why = self.store:get(key, budget)
  return text and parse(self, key, text) or nil, why
end

-- Whether a record is younger than the last change.
local function is_fresh(self, record, changed)
  return record ~= nil and self.clock() < record.fresh and record.asked > changed
end

local function usable(self, record)
  return record and self.clock() < record.usable and record or nil
end

local function warn(self, cause, words)
  background.warn("ampersand.gate", cause, words or cause, self.dict)
end

-- --- asking the API ------------------------------------------------------------------------------------------------

-- A message may hold what the server sent: bytes that JSON has no place for.
local function encodable(text)
  return core.encode(text) and text or (text:gsub("[^\32-\126]", "?"))
end

-- The record after a question: a failure keeps what was known for as long as that may be used.
local function next_record(job, before, asked, list, err)
  if list then
    local fresh = asked + (#list > 0 and job.ttl or job.negative)
    return { asked = asked, fresh = fresh, usable = fresh + job.stale, list = list }
  end
  local fresh = asked + job.negative
  local record = {
    asked = asked, fresh = fresh, usable = fresh, failure = encodable(tostring(err)),
    kind = type(err) == "table" and err.kind or nil,
    cause = type(err) == "table" and ("%s %s"):format(err.kind, err.status or "") or encodable(tostring(err)),
  }
  if before and before.list and before.usable > asked then
    record.list, record.usable = before.list, before.usable
    record.fresh = math.min(fresh, before.usable)
  end
  return record
end

-- Keeps a record, or the failure to keep it, else every request would ask.
local function save(self, job, before, record, budget)
  local text, why = core.encode(record)
  if not text then
    record = next_record(job, before, record.asked, nil, "the API's answer cannot be stored: " .. why)
    text = core.encode(record)
  end
  local ok, problem, evicted = self.store:set(job.key, text, math.max(0.001, record.usable - core.time()), budget)
  if not ok then warn(self, problem, "the store did not take a record: " .. problem) end
  if evicted then warn(self, "evicted", "the store is full: it dropped valid entries to keep a record") end
  return record
end

local function ask(self, job, before, budget)
  local asked = core.time()
  local view = job.view:where { ["group.groupRef"] = job.group }
  local list, err = view:list({ groupRef = job.group }, { timeout = job.timeout, retry = false, max = MOST })
  local record = save(self, job, before, next_record(job, before, asked, list, err), budget)
  if record.failure and record.list then
    warn(self, record.cause, "what was known counts on: " .. record.failure)
  end
  return record
end

-- Asks under the store's lock: one worker of all does. A record, whether it is the answer, and why there is no lock.
local function ask_once(self, job, budget)
  local token, why = self.store:lock(job.key, job.timeout + 1, budget)
  local record = load(self, job.key, budget)
  if token then
    if not is_fresh(self, record, job.changed) then record = ask(self, job, record, budget) end
    self.store:unlock(job.key, token, budget)
  end
  return record, token ~= nil, why
end

-- In one worker one coroutine asks for a key; the mark runs out by itself, should that coroutine be killed.
local function is_asking(self, job)
  local till = self.asking[job.key]
  return till ~= nil and core.now() < till
end

local function mark(self, job)
  self.asking[job.key] = core.now() + 2 * job.timeout + 1
end

local function ask_alone(self, job, budget)
  mark(self, job)
  local ok, record, answered, why = pcall(ask_once, self, job, budget)
  self.asking[job.key] = nil
  if not ok then error(record, 0) end
  return record, answered, why
end

local function refresh_later(self, job)
  if is_asking(self, job) then return end
  mark(self, job)
  local ok, why = background.later(0, function()
    local done, problem = pcall(ask_alone, self, job, { left = self.store_timeout })
    if not done then warn(self, tostring(problem)) end
  end)
  if ok then return end
  self.asking[job.key] = nil
  warn(self, tostring(why), "nothing can be asked for in the background: " .. tostring(why))
end

-- Asks, or waits for the answer to another's question. A store that does not answer must not cause a flood of calls.
local function refresh_now(self, job, budget)
  local deadline, wait = core.now() + job.timeout, 0.005
  while true do
    local record, answered, why
    local waits = is_asking(self, job)
    if not waits then
      record, answered, why = ask_alone(self, job, budget)
      if answered or is_fresh(self, record, job.changed) then return record end
    end
    if why or core.now() >= deadline then return record, why or "the answer was not there in time" end
    self.client:_sleep(wait)
    record = load(self, job.key, budget)
    if is_fresh(self, record, job.changed) then return record end
    wait = waits and 0.005 or math.min(0.1, 2 * wait)
  end
end

-- --- verdicts ------------------------------------------------------------------------------------------------------

local HEALTH = { healthy = "healthy", unhealthy = "unhealthy" }

local function combined(list, wanted, other)
  for _, installation in ipairs(list) do
    if installation.healthStatus == wanted then return wanted end
  end
  return other
end

-- The state of a list of installations: healthy, unhealthy, absent, several, unknown; and the installation it is about.
local function judge(list, several)
  if #list == 0 then return "absent" end
  if #list == 1 then return HEALTH[list[1].healthStatus] or "unknown", list[1] end
  if several == "all" then return combined(list, "unhealthy", "healthy") end
  if several == "any" then return combined(list, "healthy", "unhealthy") end
  local chosen
  if several ~= "error" then chosen = several(list) end
  if type(chosen) ~= "table" then return "several" end
  return HEALTH[chosen.healthStatus] or "unknown", chosen
end

-- A setting of the check, else of the gate.
local function option(self, check, name)
  local value = check[name]
  if value == nil then return self.settings[name] end
  return value
end

-- That nothing is known is said in the log: on_unknown may let everybody pass.
local function unknown(self, check, failure)
  local on_unknown = option(self, check, "on_unknown")
  warn(self, failure.cause, ("nothing is known of an installation, and on_unknown is %q: %s"):format(on_unknown,
    failure.failure))
  return {
    state = "unknown", open = on_unknown == "open", stale = false, reason = failure.failure, kind = failure.kind,
  }
end

-- The verdict of a record; where there is none, of why there is none.
local function verdict_of(self, check, record, why, kind)
  if not record or not record.list then
    return unknown(self, check, record or { failure = why, kind = kind, cause = why })
  end
  local state, installation = judge(record.list, option(self, check, "several"))
  local open = state == "healthy" or (state == "absent" and option(self, check, "on_absent") == "open")
    or (state == "unknown" and option(self, check, "on_unknown") == "open")
  return {
    state = state, open = open, installation = installation, stale = self.clock() >= record.fresh,
    reason = record.failure, kind = record.kind, asked = record.asked, fresh = record.fresh,
  }
end

-- What belongs to an integration: the view that is asked, and what stands before the group in a key; names cannot run
-- into each other.
local function target_of(self, integration)
  local name = integration or ""
  local target = self.targets[name]
  if not target then
    local client = integration and self.client:with { integration = integration } or self.client
    local project, full = client:_option "project" or "", client:_option "integration" or ""
    target = {
      view = client.installations:select(FIELDS),
      prefix = ("gate:%d:%s:%d:%s:"):format(#project, project, #full, full),
    }
    self.targets[name] = target
  end
  return target
end

local function look(self, check)
  local target, budget = target_of(self, option(self, check, "integration")), { left = self.store_timeout }
  local key = target.prefix .. check.group
  local record, why = load(self, key, budget)
  local at, lost = self.store:get("changed:" .. check.group, budget) -- when a webhook said so last
  local changed = tonumber(at) or 0
  if is_fresh(self, record, changed) then
    if lost then warn(self, lost, "what webhooks changed is not known: " .. lost) end
    return verdict_of(self, check, record)
  end
  record = usable(self, record)
  local ttl = option(self, check, "ttl")
  local job = { -- one question to the API, and how long its answer counts
    key = key, group = check.group, changed = changed, view = target.view, ttl = ttl,
    stale = option(self, check, "stale"), negative = option(self, check, "negative") or ttl,
    timeout = option(self, check, "timeout"),
  }
  local can_wait, cannot = background.can_wait()
  if (record and record.asked > changed and background.has_background()) or not can_wait then
    refresh_later(self, job)
    return verdict_of(self, check, record, why or cannot, not why and "phase" or nil)
  end
  local found, problem = refresh_now(self, job, budget)
  return verdict_of(self, check, usable(self, found) or record, problem)
end

--- What is known about a group: state ("healthy", "unhealthy", "absent", "several", "unknown"), open (whether to pass),
--- installation, stale, reason and kind (why the API was not reached, as in errors), asked, fresh (seconds since 1970).
-- Waits for the API only when nothing usable is known. nginx's phases that cannot wait get what is known, or "unknown"
-- with the kind "phase", and the API is asked in the background where there is one.
---@param check table group, and any option of `gate.new` but client, store and store_timeout
---@return table verdict
function Gate:health(check)
  argcheck.check(check, CHECK_OPTIONS, "gate")
  if not check.group or check.group == "" then argcheck.raise "gate: `group` is missing" end
  return look(self, check)
end

local DETAIL = {
  unhealthy = "The installation of this group is unhealthy.",
  absent = "This group has no installation.",
  several = "This group has several installations, and no rule says which of them counts.",
  unknown = "Whether the installation of this group is healthy is not known.",
}

-- Answers the request with 503 and a problem document: nginx's, or that of HAProxy's transaction.
local function refuse(verdict, txn)
  local ngx, headers = host.nginx(), { ["Content-Type"] = "application/problem+json", ["Cache-Control"] = "no-store" }
  local fresh_in = (verdict.fresh or 0) - core.time()
  if fresh_in > 0 then headers["Retry-After"] = ("%d"):format(math.max(1, math.ceil(fresh_in))) end
  local body = core.encode({
    title = "Service Unavailable", status = 503, state = verdict.state,
    detail = verdict.detail or DETAIL[verdict.state],
  }, { sort_keys = true })
  if ngx then
    ngx.status = 503
    for name, value in pairs(headers) do ngx.header[name] = value end
    ngx.print(body)
    return ngx.exit(503)
  end
  local reply = txn:reply { status = 503, reason = "Service Unavailable", body = body }
  for name, value in pairs(headers) do reply:add_header(name, value) end
  txn:done(reply)
end

-- A request that names no group is the visitor's matter, not the program's: it is refused like any other.
local NAMELESS = {
  state = "unknown", open = false, stale = false, reason = "the request names no group",
  detail = "The request names no group.",
}

--- Lets the request pass, or answers it with 503 and a problem document; for access_by_lua, and for actions of HAProxy.
--- A request without a group (`group` is nil or "") is refused, too.
---@param check table as for `health`
---@param txn table? HAProxy's transaction: what the action is called with
---@return table verdict
function Gate:__call(check, txn)
  if not host.nginx() and not (host.haproxy() and txn) then
    argcheck.raise "gate: only nginx has requests to refuse, and HAProxy: gate(check, txn); use gate:health"
  end
  argcheck.check(check, CHECK_OPTIONS, "gate")
  local verdict = (check.group or "") == "" and NAMELESS or look(self, check)
  if not verdict.open then refuse(verdict, txn) end
  return verdict
end

--- Says that something about a group changed: the next check asks the API, and falls back on what was known.
---@param group string
---@return true? ok, string? message
function Gate:invalidate(group)
  return self.store:set("changed:" .. group, ("%.6f"):format(core.time()), self.settings.ttl + self.settings.stale)
end

local default

return setmetatable(gate, {
  __call = function(_, check, txn)
    default = default or gate.new()
    return default(check, txn)
  end,
})
