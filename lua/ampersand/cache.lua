--- Stores for what is asked often: an in-process table, nginx's shared memory, Redis, and one in front of another.
--
-- A store has five methods; a server of your own needs no more than these:
--   store:get(key) -> string | nil[, message]            the message only when the store did not answer
--   store:set(key, value, ttl) -> true | nil, message    a string; seconds, nil keeps it
--   store:delete(key) -> true | nil, message             true also when there was nothing
--   store:lock(key, ttl) -> token | nil[, message]       nil alone: someone else holds the lock
--   store:unlock(key, token) -> boolean                  releases the lock only if it is still this token's

local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"

local cache = {}

local function new_token()
  return ("%.0f-%.0f"):format(core.random() * 2 ^ 53, core.random() * 2 ^ 53)
end

-- A value that an encoder refused is nil: it must not pass for a request to delete.
local function refusal(value)
  if type(value) ~= "string" then return ("a store keeps strings, not a %s value"):format(type(value)) end
end

-- --- one process -----------------------------------------------------------------------------------------------------

local Memory = {}
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

-- Makes room: what has expired goes, else any one.
local function make_room(self)
  for key, entry in pairs(self.values) do
    if not alive(entry) then drop(self, key) end
  end
  if self.count >= self.max then drop(self, (next(self.values))) end
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
  if self.count >= self.max then make_room(self) end
  self.values[key], self.count = { value = value, till = ttl and core.now() + ttl }, self.count + 1
  return true
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

local Shared = {}
Shared.__index = Shared

--- A store in nginx's shared memory.
---@param name string of a lua_shared_dict
---@return table store
function cache.shared(name)
  local ngx = rawget(_G, "ngx")
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
  local ok, why = nil, refusal(value)
  if not why then ok, why = self.dict:set(key, value, ttl or 0) end
  return ok or nil, why
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
-- Put shared memory in front of it with `cache.layered`.
---@param given table? host ("127.0.0.1"), port (6379), password, username, prefix ("ampersand:"), timeout (1 s), ssl,
--   ssl_verify
---@return table store
function cache.redis(given)
  given = argcheck.check(given, REDIS_OPTIONS, "cache.redis")
  local password, host, port = given.password, given.host or "127.0.0.1", given.port or 6379
  -- a connection that has logged in serves those alone who could log in themselves
  local login = password and rawget(_G, "ngx") and rawget(_G, "ngx").md5(password) or ""
  local pool = table.concat({ "ampersand-redis", host, port, given.username or "", login, tostring(given.ssl) }, "|")
  return setmetatable({
    module = redis_module(given.ssl), host = host, port = port, prefix = given.prefix or "ampersand:",
    timeout = given.timeout or 1, username = given.username, password = password and function() return password end,
    connect = { ssl = given.ssl or false, ssl_verify = given.ssl_verify ~= false, pool = pool },
  }, Redis)
end

local function log_in(self, redis)
  if not self.password or redis:get_reused_times() ~= 0 then return true end
  if self.username then return redis:auth(self.username, self.password()) end
  return redis:auth(self.password())
end

-- One command on a pooled connection; Redis's own null becomes nil.
local function command(self, name, ...)
  local redis, why = self.module:new()
  if not redis then return nil, why end
  redis:set_timeout(self.timeout * 1000)
  local ok
  ok, why = redis:connect(self.host, self.port, self.connect)
  if not ok then return nil, "redis: " .. tostring(why) end
  ok, why = log_in(self, redis)
  local answer
  if ok then answer, why = redis[name](redis, ...) end
  if not answer then
    redis:close()
    return nil, "redis: " .. tostring(why)
  end
  redis:set_keepalive(30000, 50)
  if answer == rawget(_G, "ngx").null then return nil end
  return answer
end

local function milliseconds(seconds)
  return ("%.0f"):format(math.max(1, seconds * 1000))
end

function Redis:get(key)
  return command(self, "get", self.prefix .. key)
end

function Redis:set(key, value, ttl)
  local why = refusal(value)
  if why then return nil, why end
  local answer
  if ttl then
    answer, why = command(self, "set", self.prefix .. key, value, "PX", milliseconds(ttl))
  else
    answer, why = command(self, "set", self.prefix .. key, value)
  end
  return answer and true, why
end

function Redis:delete(key)
  local answer, why = command(self, "del", self.prefix .. key)
  return answer and true, why
end

function Redis:lock(key, ttl)
  local token = new_token()
  local answer, why = command(self, "set", self.prefix .. "lock:" .. key, token, "NX", "PX", milliseconds(ttl))
  if answer then return token end
  return nil, why
end

local RELEASE = 'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0'

function Redis:unlock(key, token)
  return command(self, "eval", RELEASE, 1, self.prefix .. "lock:" .. key, token) == 1
end

-- --- one in front of another ---------------------------------------------------------------------------------------

local Layered = {}
Layered.__index = Layered

--- A near store in front of a far one: a value is looked up far away at most every `seconds`; when the far store does
--- not answer, the near one goes on alone, also for locks.
---@param near table store, such as cache.shared
---@param far table store, such as cache.redis
---@param seconds number? 1 by default
---@return table store
function cache.layered(near, far, seconds)
  return setmetatable({ near = near, far = far, seconds = seconds or 1 }, Layered)
end

-- How long the near copy is kept for the time the far store is away; what it means is the caller's to judge.
local KEPT = 86400

function Layered:get(key)
  if self.near:get("seen:" .. key) then return self.near:get(key) end
  local value, why = self.far:get(key)
  if value == nil and why then
    -- away: ask again after a while, not at every request
    self.near:set("seen:" .. key, "1", self.seconds)
    return self.near:get(key)
  end
  if value == nil then self.near:delete(key) else self.near:set(key, value, KEPT) end
  self.near:set("seen:" .. key, "1", self.seconds)
  return value
end

function Layered:set(key, value, ttl)
  local refused = refusal(value)
  if refused then return nil, refused end
  local ok, why = self.far:set(key, value, ttl)
  self.near:set(key, value, ttl)
  self.near:set("seen:" .. key, "1", self.seconds)
  return ok, why
end

function Layered:delete(key)
  local ok, why = self.far:delete(key)
  self.near:delete(key)
  self.near:set("seen:" .. key, "1", self.seconds)
  return ok, why
end

function Layered:lock(key, ttl)
  local token, why = self.far:lock(key, ttl)
  if token then
    -- whoever holds the lock must see what the last holder wrote
    self.near:delete("seen:" .. key)
    return "far:" .. token
  end
  if not why then return nil end
  token, why = self.near:lock(key, ttl)
  return token and "near:" .. token, why
end

function Layered:unlock(key, token)
  local where, rest = token:match "^(%a+):(.*)$"
  if where == "near" then return self.near:unlock(key, rest) end
  return where == "far" and self.far:unlock(key, rest) or false
end

return cache
