--- Stores for what is asked often: an in-process table, nginx's shared memory, Redis, and one in front of another.
--
-- A store has five methods; a server of your own needs no more than these:
--   store:get(key) -> string | nil[, message]            the message only when the store did not answer
--   store:set(key, value, ttl) -> true[, nil, evicted]   a string; seconds, nil keeps it; `evicted`: valid entries went
--                              | nil, message            to make room
--   store:delete(key) -> true | nil, message             true also when there was nothing
--   store:lock(key, ttl) -> token | nil[, message]       nil alone: someone else holds the lock
--   store:unlock(key, token) -> boolean                  releases the lock only if it is still this token's
-- A third result `answered` after a message says that the store works and refused only this.
--
-- Each takes one argument more, `budget`: { left = seconds } that several calls together may wait. A store that waits
-- does so no longer than that; the time is taken off by `cache.redis` and `cache.layered`.

local background = require "ampersand.util.background"
local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local host = require "ampersand.util.host"

local cache = {}

local function new_token()
  return ("%.0f-%.0f"):format(core.random() * 2 ^ 53, core.random() * 2 ^ 53)
end

-- A value that an encoder refused is nil: it must not pass for a request to delete.
local function refusal(value)
  if type(value) ~= "string" then return ("a store keeps strings, not a %s value"):format(type(value)) end
end

-- --- one process -----------------------------------------------------------------------------------------------------

local Memory = { waits_for_nobody = true }
Memory.__index = Memory

--- A store in this process.
---@param given table? max: how many values it holds (10,000)
---@return table store
function cache.memory(given)
  argcheck.check(given, { max = "count" }, "cache.memory")
  return setmetatable({ values = {}, locks = {}, count = 0, max = given and given.max or 10000 }, Memory)
end

local function alive(entry)
  return entry and (not entry.till or core.now() < entry.till)
end

local function drop(self, key)
  if self.values[key] then self.values[key], self.count = nil, self.count - 1 end
end

-- Makes room: what has expired goes, else any one; whether one had to go that was still valid.
local function make_room(self)
  for key, entry in pairs(self.values) do
    if not alive(entry) then drop(self, key) end
  end
  if self.count < self.max then return nil end
  drop(self, (next(self.values)))
  return true
end

function Memory:get(key)
  local entry = self.values[key]
  if alive(entry) then return entry.value end
  drop(self, key)
end

function Memory:set(key, value, ttl)
  local why = refusal(value)
  if why then return nil, why end
  drop(self, key)
  local evicted
  if self.count >= self.max then evicted = make_room(self) end
  self.values[key], self.count = { value = value, till = ttl and core.now() + ttl }, self.count + 1
  return true, nil, evicted
end

function Memory:delete(key)
  drop(self, key)
  return true
end

function Memory:lock(key, ttl)
  if alive(self.locks[key]) then return nil end
  local token = new_token()
  self.locks[key] = { value = token, till = core.now() + ttl }
  return token
end

function Memory:unlock(key, token)
  local entry = self.locks[key]
  if not alive(entry) or entry.value ~= token then return false end
  self.locks[key] = nil
  return true
end

-- --- the workers of one nginx ------------------------------------------------------------------------------------

local Shared = { waits_for_nobody = true }
Shared.__index = Shared

--- A store in nginx's shared memory.
---@param name string of a lua_shared_dict
---@return table store
function cache.shared(name)
  local ngx = host.nginx()
  local dict = ngx and ngx.shared and ngx.shared[name]
  if not dict then
    argcheck.raise(("cache.shared: nginx's configuration has no `lua_shared_dict %s 10m;`"):format(tostring(name)))
  end
  return setmetatable({ dict = dict }, Shared)
end

function Shared:get(key)
  return self.dict:get(key)
end

function Shared:set(key, value, ttl)
  local why = refusal(value)
  if why then return nil, why end
  local ok, problem, evicted = self.dict:set(key, value, ttl or 0)
  return ok or nil, problem, evicted or nil
end

function Shared:delete(key)
  self.dict:delete(key)
  return true
end

function Shared:lock(key, ttl)
  -- The token says until when the lock is surely ours: the dict cannot compare and delete in one step, and a lock that
  -- has run out may be another's by then.
  local token = ("%s@%.3f"):format(new_token(), core.now() + ttl * 0.9)
  local ok, why = self.dict:add("lock:" .. key, token, ttl)
  if ok then return token end
  return nil, why ~= "exists" and why or nil
end

function Shared:unlock(key, token)
  local till = tonumber(token:match "@(.*)$")
  if not till or core.now() >= till or self.dict:get("lock:" .. key) ~= token then return false end
  self.dict:delete("lock:" .. key)
  return true
end

-- --- a server that may be away ------------------------------------------------------------------------------------

-- In front of a store that waits for others. When it does not answer, no call waits for it any more until a probe got
-- an answer: in nginx one that runs in the background, elsewhere one of the calls.
local Guarded = { waits_for_nobody = true }
Guarded.__index = Guarded

local PAUSE, MAX_PAUSE = 1, 8 -- seconds until the first probe, and between later ones at most

-- What is known about each server, whatever stores talk to it: why it is away, and when it is probed.
local circuits = setmetatable({}, { __mode = "k" })

local function guard(store, server)
  local circuit = circuits[server] or { pause = PAUSE }
  circuits[server] = circuit
  return setmetatable({ store = store, circuit = circuit }, Guarded)
end

--- A store that is bypassed while it does not answer: the gate and `cache.layered` wrap yours in one.
---@param store table
---@return table store
function cache.guarded(store)
  if getmetatable(store) and getmetatable(store).waits_for_nobody then return store end
  return guard(store, store)
end

local attempt

local function fail(self, why, probing)
  local circuit = self.circuit
  if circuit.why and not probing then return end -- another call noticed it first
  circuit.pause = circuit.why and math.min(2 * circuit.pause, MAX_PAUSE) or PAUSE
  circuit.why, circuit.probe_at = why, core.now() + circuit.pause
  circuit.timer = background.later(circuit.pause, function()
    circuit.timer, circuit.probe_at = nil, core.now() + MAX_PAUSE
    attempt(self, true, "get", "probe")
  end)
end

function attempt(self, probing, name, ...)
  local value, why, more = self.store[name](self.store, ...)
  if value == nil and why and not more then fail(self, why, probing) else self.circuit.why = nil end
  return value, why, more
end

local function call(self, budget, name, ...)
  local circuit, began = self.circuit, core.now()
  local probing = circuit.why ~= nil
  if probing and (circuit.timer or began < circuit.probe_at) then return nil, circuit.why end
  if budget and budget.left <= 0 then return nil, "the store is slow: its time is used up", true end
  if probing then circuit.probe_at = began + MAX_PAUSE end -- the others do not wait for this one
  local value, why, more = attempt(self, probing, name, ...)
  if budget then budget.left = budget.left - (core.now() - began) end
  return value, why, more
end

function Guarded:get(key, budget) return call(self, budget, "get", key, budget) end
function Guarded:set(key, value, ttl, budget) return call(self, budget, "set", key, value, ttl, budget) end
function Guarded:delete(key, budget) return call(self, budget, "delete", key, budget) end
function Guarded:lock(key, ttl, budget) return call(self, budget, "lock", key, ttl, budget) end
function Guarded:unlock(key, token, budget) return call(self, budget, "unlock", key, token, budget) or false end

-- --- a fleet -----------------------------------------------------------------------------------------------------

local Redis = {}
Redis.__index = Redis

local REDIS_OPTIONS = {
  host = "string", port = "count", password = "string", username = "string", prefix = "string", timeout = "seconds",
  ssl = "boolean", ssl_verify = "boolean",
}

local function redis_module(ssl)
  local ok, module = pcall(require, "resty.redis")
  if ok then return module end
  ok, module = pcall(require, "nginx.redis")
  if not ok then argcheck.raise "cache.redis: neither resty.redis nor nginx.redis is installed" end
  if ssl then argcheck.raise "cache.redis: ssl needs resty.redis; nginx.redis does not encrypt" end
  return module
end

--- A store in a Redis server, for several machines; inside nginx, where its client can wait.
-- Put shared memory in front of it with `cache.layered`. A server that does not answer is left alone until a probe in
-- the background gets an answer: after 1 s, later after 2, 4 and 8 s.
---@param given table? host ("127.0.0.1"), port (6379), password, username, prefix ("ampersand:"), timeout (1 s for one
--   command, its connection included), ssl, ssl_verify
---@return table store
function cache.redis(given)
  given = argcheck.check(given, REDIS_OPTIONS, "cache.redis")
  local password, address, port = given.password, given.host or "127.0.0.1", given.port or 6379
  -- a connection that has logged in serves those alone who could log in themselves
  local login = password and host.nginx() and host.nginx().md5(password) or ""
  local pool = table.concat({ "ampersand-redis", address, port, given.username or "", login, tostring(given.ssl) }, "|")
  return guard(setmetatable({
    module = redis_module(given.ssl), host = address, port = port, prefix = given.prefix or "ampersand:",
    timeout = given.timeout or 1,
    login = password and function()
      if given.username then return given.username, password end
      return password
    end,
    connect = { ssl = given.ssl or false, ssl_verify = given.ssl_verify ~= false, pool = pool },
  }, Redis), pool)
end

-- One command on a pooled connection; connecting and logging in take from its time. Redis's own null becomes nil. A
-- command that Redis refused is `answered`.
local function command(self, budget, name, ...)
  local can, cannot = background.can_wait()
  if not can then return nil, cannot, true end
  local redis, failed = self.module:new()
  if not redis then return nil, failed end
  local till = core.now() + math.min(self.timeout, budget and budget.left or self.timeout)
  local function step(method, ...)
    redis:set_timeout(math.max(1, math.ceil((till - core.now()) * 1000)))
    return redis[method](redis, ...)
  end
  local answer, why = step("connect", self.host, self.port, self.connect)
  if answer and self.login and redis:get_reused_times() == 0 then answer, why = step("auth", self.login()) end
  local refused
  if answer then
    answer, why = step(name, ...)
    refused = answer == false
  end
  if not answer then
    redis:close()
    return nil, "redis: " .. tostring(why), refused
  end
  redis:set_keepalive(30000, 50)
  if answer == host.nginx().null then return nil end
  return answer
end

local function milliseconds(seconds)
  return ("%.0f"):format(math.max(1, seconds * 1000))
end

function Redis:get(key, budget)
  return command(self, budget, "get", self.prefix .. key)
end

-- Redis answers "OK", or how many keys it was.
local function done(answer, why, refused)
  return answer and true, why, refused
end

function Redis:set(key, value, ttl, budget)
  local why = refusal(value)
  if why then return nil, why, true end
  if not ttl then return done(command(self, budget, "set", self.prefix .. key, value)) end
  return done(command(self, budget, "set", self.prefix .. key, value, "PX", milliseconds(ttl)))
end

function Redis:delete(key, budget)
  return done(command(self, budget, "del", self.prefix .. key))
end

function Redis:lock(key, ttl, budget)
  local token = new_token()
  local answer, why, refused = command(self, budget, "set", self.prefix .. "lock:" .. key, token, "NX", "PX",
    milliseconds(ttl))
  return answer and token, why, refused
end

local RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0'

function Redis:unlock(key, token, budget)
  local answer, why, refused = command(self, budget, "eval", RELEASE, 1, self.prefix .. "lock:" .. key, token)
  if not answer then return nil, why, refused end
  return answer == 1
end

-- --- one in front of another ---------------------------------------------------------------------------------------

local Layered = { waits_for_nobody = true }
Layered.__index = Layered

--- A near store in front of a far one: a value is looked up far away at most every `seconds`; when the far store does
--- not answer, only the near one is used, also for locks, and only a periodic probe waits for the far one.
---@param near table store, such as cache.shared
---@param far table store, such as cache.redis
---@param seconds number? 1 by default
---@return table store
function cache.layered(near, far, seconds)
  return setmetatable({ near = near, far = cache.guarded(far), seconds = seconds or 1 }, Layered)
end

-- How long the near copy is kept for the time the far store is away; what it means is the caller's to judge.
local KEPT = 86400

local ALONE = "the near store goes on alone"

local function warn(self, words, why)
  background.warn("ampersand.cache", why, ("%s: %s"):format(words, why), self.near.dict)
end

local function mark_seen(self, key)
  self.near:set("seen:" .. key, "1", self.seconds)
end

function Layered:get(key, budget)
  if self.near:get("seen:" .. key) then return self.near:get(key) end
  local value, why = self.far:get(key, budget)
  if value == nil and why then
    if background.can_wait() then warn(self, ALONE, why) end -- where it cannot, the near store is all there is
    return self.near:get(key)
  end
  if value == nil then self.near:delete(key) else self.near:set(key, value, KEPT) end
  mark_seen(self, key)
  return value
end

function Layered:set(key, value, ttl, budget)
  local refused = refusal(value)
  if refused then return nil, refused end
  local ok, why = self.far:set(key, value, ttl, budget)
  if not ok then warn(self, ALONE, why) end
  local kept, problem, evicted = self.near:set(key, value, ttl)
  if not kept then warn(self, "the near store refuses", problem) end
  mark_seen(self, key)
  return ok, why, evicted
end

function Layered:delete(key, budget)
  local ok, why = self.far:delete(key, budget)
  self.near:delete(key)
  mark_seen(self, key)
  return ok, why
end

function Layered:lock(key, ttl, budget)
  local token, why = self.far:lock(key, ttl, budget)
  if token then
    -- the holder of the lock must see what the last holder wrote
    self.near:delete("seen:" .. key)
    return "far:" .. token
  end
  if not why then return nil end
  warn(self, ALONE, why)
  token, why = self.near:lock(key, ttl)
  return token and "near:" .. token, why
end

function Layered:unlock(key, token, budget)
  local where, rest = token:match "^(%a+):(.*)$"
  if where == "near" then return self.near:unlock(key, rest) end
  return where == "far" and self.far:unlock(key, rest, budget) or false
end

return cache
