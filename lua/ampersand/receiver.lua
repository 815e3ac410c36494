--- A receiver of webhooks for nginx's content_by_lua: checks the signature, takes every message once, hands it on.
--
--     location = /webhooks {
--       client_max_body_size 1m;
--       client_body_buffer_size 1m;
--       content_by_lua_block { receive() }   -- receive = require("ampersand.receiver").new { secret = …, handle = … }
--     }
--
-- Answers: 204 taken, or taken before; 400 not signed by the vendor, or no JSON; 405; 409 being taken elsewhere just
-- now; 413; 500 the handler failed, and the vendor should send it again; 503 the store does not answer.

local background = require "ampersand.util.background"
local cache = require "ampersand.cache"
local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local environment = require "ampersand.util.environment"
local webhook = require "ampersand.webhook"

local receiver = {}

---@class ampersand.Receiver
local Receiver = {}
Receiver.__index = Receiver

local NEW_OPTIONS = {
  secret = "string|table|function", handle = "function", timer = "boolean", store = "table", gate = "table",
  changes = "function", remember = "seconds", tolerance = "seconds", max_bytes = "count", patience = "seconds",
}

local EVENTS = { "^connection%.", "^installation%.", "%.error$" }

-- The group whose health an event may have changed. Messages with records come often and change nothing about health.
local function changed_group(message)
  local event = message.eventType or message.action
  if type(event) ~= "string" then return nil end
  for _, pattern in ipairs(EVENTS) do
    if event:find(pattern) then
      local data = type(message.data) == "table" and message.data or message
      return message.groupRef or data.groupRef
    end
  end
end

--- Makes a receiver, to be called in content_by_lua.
---@param given table secret ("whsec_…", a list, or a function that gives one of these; default: the environment's
--   AMPERSAND_WEBHOOK_SECRET); handle (gets message and info;
--   the message counts as taken unless it raises, or returns false, or nil and a reason); timer (true: answer at once,
--   handle later; a message is lost when nginx is killed in between); store (default: lua_shared_dict `ampersand`);
--   gate (its cache forgets groups that events name); changes (message -> the group whose health may have changed);
--   remember (86,400 s: how long a message is known); tolerance (300 s, the signature's age); max_bytes (1 MiB);
--   patience (60 s: how long a handler may take)
---@return ampersand.Receiver
function receiver.new(given)
  given = argcheck.check(given, NEW_OPTIONS, "receiver.new")
  local tolerance, secret = given.tolerance or 300, given.secret or environment.option "webhook_secret"
  if not secret then
    argcheck.raise("receiver.new: `secret` is missing, and AMPERSAND_WEBHOOK_SECRET is not set (nginx passes it on to "
      .. "its workers with `env AMPERSAND_WEBHOOK_SECRET;`)")
  end
  if not given.handle then argcheck.raise "receiver.new: `handle` is missing" end
  return setmetatable({
    secret = type(secret) == "function" and secret or function() return secret end, handle = given.handle,
    timer = given.timer, gate = given.gate, changes = given.changes or changed_group, tolerance = tolerance,
    -- a signed message is valid for twice the tolerance: it must be known for longer
    remember = math.max(given.remember or 86400, 2 * tolerance + 1), max_bytes = given.max_bytes or 2 ^ 20,
    patience = given.patience or 60, store = cache.guarded(given.store or cache.shared "ampersand"),
  }, Receiver)
end

local TITLES = {
  [400] = "Bad Request", [405] = "Method Not Allowed", [409] = "Conflict", [413] = "Content Too Large",
  [500] = "Internal Server Error", [503] = "Service Unavailable",
}

local function answer(status, detail)
  ngx.status = status
  if TITLES[status] then
    ngx.header["Content-Type"] = "application/problem+json"
    local problem = { title = TITLES[status], status = status, detail = detail }
    if not core.encode(problem) then problem.detail = nil end -- it quotes what a stranger sent
    ngx.print(core.encode(problem, { sort_keys = true }))
  end
  return ngx.exit(status)
end

-- The raw body, from memory or from the file nginx put it into.
local function read_body(max_bytes)
  if (tonumber(ngx.var.http_content_length) or 0) > max_bytes then return nil, "the body is too long" end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local path = not body and ngx.req.get_body_file()
  local file = path and io.open(path, "rb")
  if file then
    body = file:read(max_bytes + 1)
    file:close()
  end
  if body and #body > max_bytes then return nil, "the body is too long" end
  return body or ""
end

-- Runs the handler; true, or nil and why not.
local function hand_over(self, message, info)
  local ok, result, why = pcall(self.handle, message, info)
  if not ok then return nil, "the handler raised: " .. tostring(result) end
  if result == false or (result == nil and why ~= nil) then return nil, "the handler refused: " .. tostring(why) end
  return true
end

local function hand_over_later(self, message, info)
  return ngx.timer.at(0, function()
    local ok, why = hand_over(self, message, info)
    if not ok then ngx.log(ngx.ERR, "ampersand.receiver: message ", info.id, ": ", why) end
  end)
end

-- What changed is forgotten first: the handler may already ask the gate.
local function forget(self, message)
  local group = self.gate and self.changes(message)
  if type(group) ~= "string" or group == "" then return end
  local ok, why = self.gate:invalidate(group)
  if not ok then ngx.log(ngx.WARN, "ampersand.receiver: the gate's store: ", why) end
end

-- Without the store a message cannot be compared with earlier ones.
local function unknown(self, why)
  background.warn("ampersand.receiver", why, "messages are answered with 503: " .. why, self.store.dict)
  return 503, "The message cannot be compared with earlier ones."
end

-- How long the store may take before the handler runs, and again after it, in seconds.
local STORE_TIME = 1

local function remember(self, key, info)
  local ok, why, evicted = self.store:set(key, "taken", self.remember, { left = STORE_TIME })
  if not ok then ngx.log(ngx.ERR, "ampersand.receiver: message ", info.id, " is not remembered: ", why) end
  if evicted then
    background.warn("ampersand.receiver", "evicted", "the store is full: it dropped valid entries, so that messages "
      .. "may be taken twice; give the receiver a larger lua_shared_dict of its own", self.store.dict)
  end
end

-- Takes a message under its lock; the status to answer with, and why.
local function take(self, key, message, info, budget)
  local known, why = self.store:get(key, budget)
  if known then return 204 end
  if why then return unknown(self, why) end
  forget(self, message)
  local ok
  if self.timer then ok, why = hand_over_later(self, message, info) else ok, why = hand_over(self, message, info) end
  if not ok then
    ngx.log(ngx.ERR, "ampersand.receiver: message ", info.id, ": ", why)
    return 500, "The message could not be handled."
  end
  remember(self, key, info)
  return 204
end

local function take_once(self, message, info)
  local key, budget = "webhook:" .. info.id, { left = STORE_TIME }
  local token, why = self.store:lock(key, self.patience, budget)
  if not token then
    if why then return unknown(self, why) end
    return 409, "The message is being handled just now."
  end
  local status, detail = take(self, key, message, info, budget)
  self.store:unlock(key, token, { left = STORE_TIME })
  return status, detail
end

local REFUSALS = { config = 500, protocol = 400, decode = 400 }

--- Answers the request.
function Receiver:__call()
  if ngx.req.get_method() ~= "POST" then
    ngx.header["Allow"] = "POST"
    return answer(405, "Webhooks are sent with POST.")
  end
  local body, why = read_body(self.max_bytes)
  if not body then return answer(413, why) end
  local message, info = webhook.verify(self.secret(), ngx.req.get_headers(100), body, { tolerance = self.tolerance })
  if not message then
    ngx.log(info.kind == "config" and ngx.ERR or ngx.WARN, "ampersand.receiver: ", tostring(info))
    return answer(REFUSALS[info.kind] or 400, info.kind == "config" and "The receiver is not set up." or info.message)
  end
  return answer(take_once(self, message, info))
end

return receiver
