--- HTTP through libcurl: the default transport.
--
-- Redirects are never followed: the caller sees the 3xx status. Proxies named by the environment are used, except for
-- loopback.
-- Where nothing else is said a request blocks; inside an event loop (option `loop`) only its coroutine waits.

-- The contract of all transports is at the top of ampersand.transport.given.

local closing = require "ampersand.util.closing"
local core = require "ampersand.core"
local require = require "ampersand.util.require"
local url = require "ampersand.util.url"

-- libcurl brings some thirty libraries, of which a program uses few functions.
if not package.preload["ampersand.http"] then
  for template in package.cpath:gmatch "[^;]+" do
    if core.bind_lazily((template:gsub("%?", "ampersand/http"))) then break end
  end
end
local http = require "ampersand.http"

---@class ampersand.CurlTransport
local Curl = {}
Curl.__index = Curl

local curl = {}

-- Iterators that were not closed keep their connections until they are collected.
local function collect()
  collectgarbage()
  collectgarbage() -- what the first pass has finalized lets go of more
end

local VERSIONS = { ["1.1"] = 1, ["2"] = 2 }

--- Makes a transport. Nothing is opened before the first request.
---@param opts table? connect_timeout, read_timeout (seconds); ca_file, ca_path, client_cert, client_key (paths);
--   client_key_password, http_proxy (URL): strings, or functions that return them; insecure_skip_verify;
--   http_version ("1.1" or "2"); keepalive (true: idle connections are probed after 60 s); max_connections;
--   loop (adapter)
---@return ampersand.CurlTransport
function curl.new(opts)
  opts = opts or {}
  local settings = { http_version = VERSIONS[opts.http_version], no_keepalive = opts.keepalive == false }
  setmetatable(settings, { __index = opts })
  return setmetatable({
    opts = opts, settings = settings, loop = opts.loop,
    streams = opts.max_connections and require "ampersand.transport.open_streams".new(opts.max_connections, collect),
  }, Curl)
end

-- Without a loop a call waits in the engine, and nothing else waits. transport.scheduler has the same methods.
local Blocking = {}
Blocking.__index = Blocking

function Blocking:await(transfer)
  local engine = self.engine
  repeat until engine:advance(transfer)
end

function Blocking:nudge()
  local engine = self.engine
  if not engine:usable() then return end
  engine:step()
  repeat until not engine:pop_ready() -- each caller looks for itself
end

function Blocking.wake() end

function Blocking:close()
  if self.engine:usable() then self.engine:cancel() end
  self.engine:close()
end

-- The engine, or nil, message, kind. A password is asked for now, and kept by the engine alone.
local function new_engine(self)
  local settings, password, proxy = self.settings, self.opts.client_key_password, self.opts.http_proxy
  if type(password) == "function" then
    local ok, given = pcall(password)
    if not ok or type(given) ~= "string" then
      return nil, "client_key_password returned no string: " .. (ok and type(given) or tostring(given)), "config"
    end
    password = given
  end
  settings.client_key_password, settings.http_proxy = password, type(proxy) == "function" and proxy() or proxy
  local engine, why_not = http.engine(settings)
  settings.client_key_password, settings.http_proxy = nil, nil
  if not engine then return nil, why_not, "limit" end
  closing.watch(engine)
  return engine
end

-- The engine belongs to one process: after a fork the child gets its own.
local function open(self)
  local engine = self.engine
  local usable = engine and engine:usable()
  if usable then return engine end
  if closing.begun or usable == nil and engine then return nil, "the Lua state is closing", "cancelled" end
  local why, kind
  engine, why, kind = new_engine(self)
  if kind == "limit" then
    collect()
    engine, why, kind = new_engine(self)
  end
  if not engine then return nil, why, kind end
  if self.loop and not self.loop.driven then
    local fd, why_not = engine:pollfd()
    if not fd then return nil, why_not, "config" end
  end
  self.engine, self.waiters = engine, setmetatable({ engine = engine }, Blocking)
  if self.loop then require "ampersand.transport.scheduler".of(self.waiters, self.loop) end
  return engine
end

-- What a response can do.
local methods = {}

-- Waits for bytes of the body that were not read yet. true | nil at the end | nil, message, kind.
function methods.wait(res)
  if res.closed then return nil, "the response is closed", "cancelled" end
  local transfer = res.source
  res.waiting = true
  res.waiters:await(transfer)
  res.waiting = false
  if transfer:held() > 0 then return true end
  local done, message, kind = transfer:outcome()
  if done then return nil end
  return nil, message, kind
end

function methods.read(res)
  local ready, message, kind = methods.wait(res)
  if ready then return res.source:read() end
  return nil, message, kind
end

-- The whole body in one piece, which is then held once. text | nil, message, kind.
function methods.text(res)
  local transfer = res.source
  res.waiters:await(transfer)
  local text = transfer:text()
  if text then return text end
  local _, message, kind = transfer:outcome()
  return nil, message, kind
end

-- Sets the seconds left in all for the rest of this response; nil: no bound.
function methods.deadline(res, seconds)
  if not res.closed then res.source:deadline(seconds) end
end

function methods.close(res)
  res.closed = true
  if not res.waiting then return res.source:close() end
  res.source:cancel() -- called by another coroutine; the waiting one must be woken
  res.waiters:wake(res.source:id())
end

-- The contract has functions, which know their response: those that few need are made when they are first named.
local Response = {
  __index = function(res, name)
    local method = methods[name]
    if not method then return nil end
    local function bound(argument) return method(res, argument) end
    rawset(res, name, bound)
    return bound
  end,
}

local function cancelled(token)
  return token ~= nil and token.cancelled
end

-- Waits for the transfer's head, or its end; the token ends it where it stands.
local function await(waiters, transfer, token)
  if not token then return waiters:await(transfer) end
  local function stop()
    transfer:cancel()
    waiters:wake(transfer:id())
  end
  token:watch(stop)
  waiters:await(transfer)
  token:unwatch(stop)
end

local OPEN_STREAMS = "%s (open streams of this client: %d; close() them, or read them to their end)"

-- A message that names the streams which hold what could not be had.
local function name_streams(self, message)
  local streams = self.engine:streams()
  return streams > 0 and OPEN_STREAMS:format(message, streams) or message
end

local function start(self, req)
  if self.closed then return nil, "the client is closed", "cancelled", false end
  if cancelled(req.cancel) then return nil, "the request was cancelled", "cancelled", false end
  local engine, why_not, what = open(self)
  if not engine then return nil, why_not, what, false end
  if self.streams and self.streams:hold_all(engine, getmetatable(self.waiters) == Blocking) then
    return nil, name_streams(self, "no connection can become free while this call waits"), "limit", false
  end
  local opts = self.opts
  if req.connect_timeout == nil then req.connect_timeout = opts.connect_timeout end
  if req.read_timeout == nil then req.read_timeout = opts.read_timeout end
  if opts.http_proxy == nil then
    local base = req.base or req.url
    if base ~= self.base then self.base, self.direct = base, url.is_loopback(base) end
    req.direct = self.direct
  end
  local transfer, message, kind = engine:start(req)
  return transfer, message, kind, false
end

-- Waits for a started request's answer.
local function finish(self, transfer, req)
  local waiters = self.waiters
  await(waiters, transfer, req.cancel)
  local done, why, what, sent, final = transfer:outcome()
  local status, headers, resent = transfer:head()
  req.resent = resent
  -- A status that is an error itself says more than what went wrong after it.
  if done == false and (not status or status < 300 or what == "cancelled") then
    transfer:close()
    if not sent and (what == "limit" or what == "timeout") then why = name_streams(self, why) end
    return nil, why, what, sent, final
  end
  local driven = self.loop and self.loop.driven
  local res = setmetatable({
    status = status, headers = headers, source = transfer, waiters = waiters, closed = false, waiting = false,
    close = nil, turn = driven and function() waiters:turn() end,
  }, Response)
  function res.close() methods.close(res) end -- every call does
  if req.stream and self.streams then self.streams:note(res) end
  return res
end

--- Sends a request. Comes back with the head of the response, or with a whole one unless `stream` is set.
---@param req table method, url, headers, body, timeout, connect_timeout, read_timeout, max_bytes, stream, resend,
--   cancel (a token of ampersand.cancel)
--   `resent` is set: whether libcurl sent the request a second time
---@return table? res status, headers, read, wait, text, source, deadline, close
---@return string? message
---@return string? kind
---@return boolean? sent whether the server may have seen the request
---@return boolean? final whether another try would fail likewise
function Curl:request(req)
  local transfer, message, kind, sent = start(self, req)
  if not transfer then return nil, message, kind, sent end
  local res, final
  res, message, kind, sent, final = finish(self, transfer, req)
  -- Where memory ran out nothing is tried again: libcurl may not survive that.
  if kind ~= "limit" or sent or not message:find("no file descriptor", 1, true) then
    return res, message, kind, sent, final
  end
  collect() -- abandoned iterators, of any client, may hold descriptors
  transfer = start(self, req)
  if not transfer then return nil, message, kind, sent end
  return finish(self, transfer, req)
end

--- Starts a request that is to be waited for later: meanwhile the server can work on it. Its `timeout` is given then.
---@param req table as for `request`
---@return function? wait with the seconds left in all; returns what `request` does. nil: it was not started
---@return fun() abandon ends the request where it stands
function Curl:begin(req)
  local transfer = start(self, req)
  if not transfer then return nil, function() end end
  return require "ampersand.transport.ahead".begin(self, transfer, req, finish)
end

--- Waits; in an event loop only this coroutine does.
---@param seconds number
---@param token ampersand.CancelToken? ends the sleep
function Curl:sleep(seconds, token)
  if self.closed or cancelled(token) then return end
  local engine, why, kind = open(self)
  if not engine then return nil, why, kind end
  local alarm = engine:alarm(seconds)
  await(self.waiters, alarm, token)
  alarm:close()
end

--- Moves all requests for at most `budget` seconds and resumes their coroutines: for programs with a loop of their own.
---@param budget number? seconds; 0 or nil: one step
function Curl:poll(budget)
  if self.waiters then require "ampersand.transport.scheduler".of(self.waiters):poll(budget) end
end

--- Runs functions side by side, at most `n` at a time; see ampersand.transport.parallel.
---@param n integer
---@param tasks (fun(): any, any)[]
---@return table values
---@return table errors
function Curl:parallel(n, tasks)
  local engine, why, kind = open(self)
  if not engine then return nil, why, kind end
  require "ampersand.transport.scheduler".of(self.waiters)
  return require "ampersand.transport.parallel".run(self.waiters, n, tasks)
end

--- Ends everything that is under way with kind "cancelled". The transport is not usable afterwards.
function Curl:close()
  self.closed = true
  local engine = self.engine
  self.engine = nil
  if engine then self.waiters:close() end
end

return curl
