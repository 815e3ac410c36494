--- HTTP through HAProxy's own client (core.httpclient): chosen by itself inside HAProxy. It never blocks a thread.
--
-- HAProxy resolves names, checks certificates (httpclient.ssl.verify) and keeps connections. It collects a body whole,
-- knows no PATCH, and makes error pages of its own where no server answered: those are recognized by their form.
-- A body without Content-Length that is cut appears complete to it; the decoder notices when it was JSON.
-- (core.tcp would stream, but in 2.6 it stalls in answers beyond HAProxy's buffer, and checks no certificate.)

local background = require "ampersand.util.background"
local core = require "ampersand.core"
local host = require "ampersand.util.host"
local http1 = require "ampersand.transport.http1"

local huge, min = math.huge, math.min

---@class ampersand.HaproxyTransport
local Haproxy = {}
Haproxy.__index = Haproxy

local haproxy = {}

local VERBS = { GET = "get", HEAD = "head", PUT = "put", POST = "post", DELETE = "delete" }
local PIECE = 65536

-- An answer that is awaited is looked for after a tenth of the time that it took so far, at most this long.
local SHARE, LONGEST = 0.1, 100 -- milliseconds

-- When its own timer ends, HAProxy returns the part of the body that it has, as if it were complete. The timer is
-- therefore set to end after the deadline, and `read_timeout` counts only where there is none.
local LATER = 1 -- seconds

local ELSEWHERE = {
  ca_file = "httpclient.ssl.ca-file", ca_path = "httpclient.ssl.ca-file",
  insecure_skip_verify = "httpclient.ssl.verify",
}
local ABSENT = { "client_cert", "client_key", "client_key_password", "http_proxy", "max_connections", "loop" }

--- Makes a transport.
---@param opts table? read_timeout (seconds)
---@return ampersand.HaproxyTransport
function haproxy.new(opts)
  opts = opts or {}
  local self = setmetatable({ opts = opts }, Haproxy)
  for name, directive in pairs(ELSEWHERE) do
    if opts[name] then self.problem = ("inside HAProxy %s decides; %s is not used"):format(directive, name) end
  end
  for _, name in ipairs(ABSENT) do
    if opts[name] then self.problem = name .. " is not offered inside HAProxy" end
  end
  return self
end

-- --- what HAProxy answers --------------------------------------------------------------------------------------------

-- Headers as HAProxy has them: lists that begin with 0.
local function joined(headers)
  local all = {}
  for name, values in pairs(headers or {}) do
    local text = values[0]
    for i = 1, #values do text = text .. ", " .. values[i] end
    all[name:lower()] = text
  end
  return all
end

local OWN = {
  [502] = { "the server closed the connection, or did not answer with HTTP", "closed", true },
  [503] = { "no connection to the server: it refused, or its TLS handshake failed", "connect", false },
  [504] = { "the server did not answer in time", "timeout", true },
}

-- What HAProxy's page says, when the answer is one and no server's.
local function own_error(status, headers, body)
  local own = OWN[status]
  if not own or headers.date then return nil end
  if status == 503 and body == "" and headers["content-length"] == "0" and not headers["content-type"] then
    return { "the server's name cannot be resolved", "resolve", false }
  end
  local page = headers["content-type"] == "text/html" and headers["cache-control"] == "no-cache"
    and body:find("<html><body><h1>" .. status .. " ", 1, true) == 1
  return page and own or nil
end

-- The body; nil, message, kind, sent where it is not what its head promised. An error's status says enough without it.
local function check(method, status, headers, body)
  local length = tonumber(headers["content-length"])
  if length and length ~= #body and method ~= "HEAD" and status ~= 304 then
    return nil, ("the connection was closed with %.0f bytes of the body missing"):format(length - #body), "closed", true
  end
  local coding = headers["content-encoding"]
  if coding and coding ~= "" and coding:lower() ~= "identity" and body ~= "" then
    if status >= 300 then return "" end
    return nil, "the body is compressed, which was not requested: " .. coding, "protocol", true
  end
  return body
end

local function response(status, headers, body)
  local at, closed = 1, false

  local function read(most)
    if closed then return nil, "the response is closed", "cancelled" end
    if at > #body then return nil end
    if at > 1 then host.haproxy().yield() end -- others have their turn while a long body is decoded
    local piece = body:sub(at, at + min(most or PIECE, PIECE) - 1)
    at = at + #piece
    return piece
  end

  local function close() closed = true end
  return { status = status, headers = headers, read = read, deadline = function() end, close = close }
end

local function judge(req, answer)
  local status, headers, body = answer.status, joined(answer.headers), answer.body or ""
  if not status or status == 0 then return nil, "the connection broke before an answer came", "closed", true end
  local own = own_error(status, headers, body)
  if own then return nil, own[1], own[2], own[3] end
  local whole, message, kind, sent = check(req.method, status, headers, body)
  if not whole then return nil, message, kind, sent end
  return response(status, headers, whole)
end

-- --- requests ------------------------------------------------------------------------------------------------------

local function question_of(req, seconds)
  local headers = {}
  for name, value in pairs(req.headers or {}) do
    if name:find "[%c%s:]" or value:find "[\r\n%z]" then return nil, "a header would break the request's frame" end
    headers[name] = { value }
  end
  if req.body or VERBS[req.method] == "post" or VERBS[req.method] == "put" then
    headers["content-length"] = { tostring(#(req.body or "")) }
  end
  local body = req.body ~= "" and req.body or nil
  local milliseconds = seconds < huge and math.ceil(seconds * 1000) or nil
  return { url = req.url, headers = headers, body = body, timeout = milliseconds }
end

-- HAProxy's client cannot be interrupted. So it runs in a task of its own, which is left alone when time is up.
local function run(req, question)
  local job, proxy = {}, host.haproxy()
  proxy.register_task(function()
    local client = proxy.httpclient()
    job.ok, job.answer = pcall(client[VERBS[req.method]], client, question)
    job.done = true
  end)
  return job
end

local function await(req, job, deadline)
  local proxy, began = host.haproxy(), core.now()
  while not job.done do
    if req.cancel and req.cancel.cancelled then return nil, "the request was cancelled", "cancelled", true end
    if core.now() >= deadline then
      return nil, ("timed out after %.3g s, before the whole answer was there"):format(req.timeout), "timeout", true
    end
    proxy.msleep(math.ceil(min((core.now() - began) * 1000 * SHARE + 1, LONGEST)))
  end
  if not job.ok then return nil, "HAProxy: " .. tostring(job.answer), "protocol", false end
  return judge(req, job.answer)
end

--- Sends a request; comes back with the whole response.
---@param req table method (not PATCH), url, headers, body, timeout, read_timeout (seconds), cancel
---@return table? res status, headers, read, deadline, close
---@return string? message
---@return string? kind
---@return boolean? sent whether the server may have seen the request
function Haproxy:request(req)
  if self.closed then return nil, "the transport is closed", "cancelled", false end
  if self.problem then return nil, self.problem, "config", false end
  if not VERBS[req.method] then return nil, "HAProxy's client cannot send " .. req.method, "config", false end
  if req.cancel and req.cancel.cancelled then return nil, "the request was cancelled", "cancelled", false end
  local can, cannot = background.can_wait()
  if not can then return nil, cannot, "phase", false end
  local origin, problem = http1.parse_url(req.url)
  if not origin then return nil, problem, "config", false end
  local timeout = req.timeout or huge
  local longest = req.timeout and timeout + LATER or req.read_timeout or self.opts.read_timeout or huge
  local question, why = question_of(req, longest)
  if not question then return nil, why, "config", false end
  if timeout <= 0 then return nil, "timed out before the request was sent", "timeout", false end
  return await(req, run(req, question), core.now() + timeout)
end

--- Waits without holding the thread up; where HAProxy cannot wait, it does not.
---@param seconds number
---@param token ampersand.CancelToken? ends the wait
function Haproxy:sleep(seconds, token) -- luacheck: no self
  local till = core.now() + seconds
  while background.can_wait() and not (token and token.cancelled) do
    local left = till - core.now()
    if left <= 0 then return end
    host.haproxy().msleep(math.ceil(min(left, token and 0.05 or huge) * 1000))
  end
end

--- The transport is not usable afterwards.
function Haproxy:close()
  self.closed = true
end

return haproxy
