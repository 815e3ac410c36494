--- HTTP through nginx's cosockets: chosen by itself inside nginx and OpenResty. It never blocks a worker.
--
-- Cosockets exist in the phases rewrite, access, content, timer and those of the TLS handshake; elsewhere a request is
-- refused with kind "phase". nginx needs `resolver` for names and `lua_ssl_trusted_certificate` for https.

local core = require "ampersand.core"
local http1 = require "ampersand.transport.http1"
local host = require "ampersand.util.host"

local ceil, huge = math.ceil, math.huge
local find, sub = string.find, string.sub

-- core.now, in a form that LuaJIT can compile: its traces end at calls of C functions.
local function compiled_now()
  local ffi = require "ffi"
  ffi.cdef [[
    struct amp_timespec { long sec, nsec; };
    int amp_clock_gettime(int clock, struct amp_timespec *at) __asm__("clock_gettime");
  ]]
  local C, at, MONOTONIC = ffi.C, ffi.new "struct amp_timespec", 1
  assert(ffi.os == "Linux" and C.amp_clock_gettime(MONOTONIC, at) == 0)
  return function()
    C.amp_clock_gettime(MONOTONIC, at)
    return tonumber(at.sec) + tonumber(at.nsec) * 1e-9
  end
end

local compiled, now = pcall(compiled_now)
if not compiled then now = core.now end

---@class ampersand.NginxTransport
local Nginx = {}
Nginx.__index = Nginx

local nginx = {}

local MAX_MS = 2 ^ 31 - 1
local IDLE_MS = 30000 -- how long a connection waits in the pool; servers often give up after 60 s
local POOL = 100      -- connections that may wait there, per worker and server
local PIECE = 32768
local FULL = 4096     -- a piece of nginx's read buffer; when one is full, more is waiting
local TURN = 0.00075  -- seconds of work after which the event loop gets its turn
local BREATH = 0.001  -- the shortest sleep: Debian's nginx warns of ngx.sleep(0) and never returns to the event loop
local MAX_PLACES = 1000 -- URLs whose origins are known

-- Where libcurl takes an option and cosockets take a directive.
local ELSEWHERE = {
  ca_file = "inside nginx certificates are checked against lua_ssl_trusted_certificate; ca_file is not used",
  ca_path = "inside nginx certificates are checked against lua_ssl_trusted_certificate; ca_path is not used",
  http_proxy = "http_proxy is not offered inside nginx",
  loop = "inside nginx the event loop is nginx's; `loop` is not used",
}

--- Makes a transport. It holds no connection: those are in the worker's pools, so a client made in init_by_lua serves
--- every worker.
---@param opts table? connect_timeout, read_timeout (seconds); max_connections (per worker and server, others wait);
--   client_cert, client_key (paths of PEM files); insecure_skip_verify (boolean)
---@return ampersand.NginxTransport
function nginx.new(opts)
  opts = opts or {}
  local self = setmetatable({ opts = opts, origins = {}, places = {}, targets = {}, known = 0 }, Nginx)
  for name, words in pairs(ELSEWHERE) do
    if opts[name] then self.problem = words end
  end
  return self
end

-- --- time ----------------------------------------------------------------------------------------------------------

-- Milliseconds for the next step of an exchange at the time `at`; nil when the deadline has passed.
local function milliseconds(exchange, at)
  local bound, deadline = exchange.bound, exchange.deadline
  if deadline then
    local left = deadline - at
    if left <= 0 then return nil end
    if left < bound then bound = left end
  end
  local ms = ceil(bound * 1000)
  return ms < MAX_MS and ms or MAX_MS
end

local function timed_out(exchange, where)
  if exchange.deadline and now() >= exchange.deadline - 0.002 then
    return ("timed out after %.3g s, %s"):format(exchange.timeout or 0, where), "timeout"
  end
  return ("no byte came for %.3g s, %s"):format(exchange.bound, where), "timeout"
end

-- When this turn of the worker began, as far as is known: it is long when the same coroutine asks again and again.
local turn = 0

--- Lets the event loop run when this turn has become long; `read` does so between pieces, a loop over many decoded
--- values may do so too.
---@return boolean whether it did
function Nginx:breathe() -- luacheck: no self
  if now() - turn < TURN then return false end
  ngx.sleep(BREATH)
  turn = now()
  return true
end

--- Waits without holding the worker up; where nginx cannot wait, it does not.
---@param seconds number
function Nginx:sleep(seconds)
  if host.can_wait() then ngx.sleep(math.max(BREATH, seconds)) end
end

-- --- connections ---------------------------------------------------------------------------------------------------

local function pool_name(self, origin)
  local opts = self.opts
  local verify = origin.scheme == "http" and "-" or opts.insecure_skip_verify and "any" or "verify"
  return table.concat({ "ampersand", origin.scheme, origin.host, origin.port, verify, opts.client_cert or "-",
    opts.max_connections or "-" }, "|")
end

local function new_origin(self, url)
  local origin, target = http1.parse_url(url)
  if not origin then return nil, target end
  origin.connect = { pool = pool_name(self, origin) }
  if self.opts.max_connections then
    origin.connect.pool_size, origin.connect.backlog = self.opts.max_connections, 100000
  end
  self.origins[origin.prefix] = origin
  return origin, target
end

local function find_place(self, url)
  local slash = find(url, "/", 9, true)
  local origin = slash and self.origins[sub(url, 1, slash - 1)]
  if origin and not find(url, "[^\33\34\36-\126]", slash) then return origin, sub(url, slash) end
  return new_origin(self, url)
end

-- Where a URL leads: the origin and the target. Many requests have the URL of an earlier one.
local function place_of(self, url)
  local origin, target = self.places[url], self.targets[url]
  if origin then return origin, target end
  if self.known >= MAX_PLACES then self.origins, self.places, self.targets, self.known = {}, {}, {}, 0 end
  origin, target = find_place(self, url)
  if not origin then return nil, target end
  self.places[url], self.targets[url], self.known = origin, target, self.known + 1
  return origin, target
end

local function connect_error(exchange, origin, why)
  local where = origin.host .. ":" .. origin.port
  if why == "timeout" then return timed_out(exchange, "before the connection stood") end
  if why:find("resolve", 1, true) or why:find("host not found", 1, true) then
    local hint = why:find("no resolver", 1, true) and "; give nginx a `resolver` (it does not read /etc/hosts)" or ""
    return why .. hint, "resolve"
  end
  if why:find("too many waiting", 1, true) then return "too many requests wait for " .. where, "limit" end
  return ("cannot connect to %s: %s"):format(where, why), "connect"
end

local function read_file(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text = file:read "*a"
  file:close()
  return text
end

-- The client certificate, parsed once per worker.
local function client_certificate(self)
  if self.certificate then return self.certificate, self.key end
  local ssl = require "ngx.ssl"
  local cert, why = read_file(self.opts.client_cert)
  local key, other = read_file(self.opts.client_key or self.opts.client_cert)
  if not cert or not key then return nil, why or other end
  cert, why = ssl.parse_pem_cert(cert)
  if not cert then return nil, why end
  key, why = ssl.parse_pem_priv_key(key)
  if not key then return nil, why end
  self.certificate, self.key = cert, key
  return cert, key
end

local function present_certificate(self, socket)
  if not self.opts.client_cert then return true end
  if not socket.setclientcert then return nil, "client_cert needs lua-resty-core" end
  local cert, key = client_certificate(self)
  if not cert then return nil, "client_cert: " .. tostring(key) end
  return socket:setclientcert(cert, key)
end

local function tls_error(exchange, origin, why)
  if why == "timeout" then return timed_out(exchange, "during the TLS handshake") end
  local hint = ""
  if why:find("host mismatch", 1, true) and origin.host:find "^%[?[%d:.]+%]?$" then
    hint = "; nginx compares a certificate with names alone, never with IP addresses: use the server's name"
  elseif why:find("certificate", 1, true) then
    hint = "; nginx checks against lua_ssl_trusted_certificate, lua_ssl_verify_depth deep"
  end
  return ("TLS with %s failed: %s%s"):format(origin.host, why, hint), "tls"
end

local function handshake(self, socket, origin, exchange)
  local ok, why = present_certificate(self, socket)
  if not ok then return nil, why, "tls" end
  local name = origin.host:gsub("^%[(.*)%]$", "%1")
  local session
  session, why = socket:sslhandshake(origin.session, name, not self.opts.insecure_skip_verify)
  if not session then return nil, tls_error(exchange, origin, tostring(why)) end
  origin.session = session
  return true
end

-- A connection, and whether it was pooled; `fresh`: a new one. Written without a loop, as all of the usual way.
local function connect(self, origin, exchange, at, fresh)
  local wait = milliseconds(exchange, at)
  if not wait then return nil, timed_out(exchange, "before the connection stood") end
  local socket, why = ngx.socket.tcp()
  if not socket then return nil, why, "connect" end
  local set = exchange.set
  socket:settimeouts(wait, set, set)
  local ok
  ok, why = socket:connect(origin.host, origin.port, origin.connect)
  if not ok then return nil, connect_error(exchange, origin, why) end
  local reused = socket:getreusedtimes() ~= 0
  if reused and fresh then
    socket:close() -- as old as the one that failed
    return connect(self, origin, exchange, at, true)
  end
  if not reused and origin.scheme == "https" then
    local message, kind
    ok, message, kind = handshake(self, socket, origin, exchange)
    if not ok then
      socket:close()
      return nil, message, kind
    end
  end
  return socket, reused
end

-- --- requests ------------------------------------------------------------------------------------------------------

local function stage(exchange)
  return exchange.read and "while the body arrived" or "before the response came"
end

-- What an exchange pulls bytes with: what is there, or, while bytes come faster than they are read, large pieces.
local function pull(exchange, sure, most)
  local socket = exchange.socket
  local wait = milliseconds(exchange, now())
  if not wait then return nil, timed_out(exchange, stage(exchange)) end
  if wait ~= exchange.set then
    socket:settimeouts(wait, wait, wait)
    exchange.set = wait
  end
  local bytes, why, part
  most = most or PIECE
  if exchange.full and sure >= FULL then
    bytes, why, part = socket:receive(sure < most and sure or most)
    if not bytes and part ~= "" then bytes = part end
  else
    bytes, why = socket:receiveany(most)
  end
  if bytes then
    if not exchange.read then turn = now() end -- the head was waited for
    exchange.full = part == nil and #bytes >= FULL
    return bytes
  end
  if why == "timeout" then return nil, timed_out(exchange, stage(exchange)) end
  return nil, why == "closed" and why or "the connection broke: " .. why, "closed"
end

local EXCHANGE = http1.reader(pull)

-- One request and the reader of its response.
local function new_exchange(self, req, at)
  local timeout = req.timeout
  return setmetatable({
    buffer = "", at = 1, left = 0, ended = false, reusable = false, after_chunk = false, read = false,
    method = req.method, transport = self, socket = false, given = false, full = false, set = 0,
    timeout = timeout or false, deadline = timeout and at + timeout or false,
    bound = req.read_timeout or self.opts.read_timeout or huge, -- seconds the next step may take
  }, EXCHANGE)
end

local function read_closed()
  return nil, "the response is closed", "cancelled"
end

-- What is broken stays broken.
local function break_off(exchange, message, kind)
  if exchange.read ~= read_closed then
    exchange.read = function() return nil, message, kind end
  end
  return nil, message, kind
end

local function response(exchange, status, headers)
  local function read(most)
    if exchange.given and not exchange.ended then exchange.transport:breathe() end
    exchange.given = true
    local piece, message, kind = exchange:read(most)
    if kind then return break_off(exchange, message, kind) end
    return piece
  end

  --- Sets the seconds left in all for the rest of this response; nil: no bound.
  local function deadline(seconds)
    exchange.deadline, exchange.timeout = seconds and now() + seconds, seconds
  end

  local function close(reusable)
    if exchange.read == read_closed then return end
    exchange.read = read_closed
    local transport = exchange.transport
    if reusable and exchange.ended and exchange.reusable and not transport.closed then
      exchange.socket:setkeepalive(IDLE_MS, transport.opts.max_connections or POOL)
    else
      exchange.socket:close()
    end
  end

  return { status = status, headers = headers, read = read, deadline = deadline, close = close }
end

-- Sends the request on a connection and reads the head of the answer.
local function converse(exchange, bytes)
  local sent, why = exchange.socket:send(bytes)
  if sent then
    return exchange:head()
  elseif why == "timeout" then
    return nil, timed_out(exchange, "while the request was sent")
  end
  return nil, "the connection was closed while the request was sent: " .. why, "closed"
end

-- One try.
local function try(self, req, exchange, bytes, origin, at, fresh)
  local read_timeout = exchange.bound
  exchange.bound = req.connect_timeout or self.opts.connect_timeout or huge
  local socket, reused, kind = connect(self, origin, exchange, at, fresh)
  exchange.bound = read_timeout
  if not socket then return nil, reused, kind, fresh end
  exchange.socket = socket
  local status, headers
  status, headers, kind = converse(exchange, bytes)
  if status then return response(exchange, status, headers) end
  socket:close()
  -- A pooled connection may have ended while it lay there. What is harmless to send twice goes to a new one.
  if reused and kind == "closed" and exchange.buffer == "" and req.resend then
    return try(self, req, exchange, bytes, origin, now(), true)
  end
  return nil, headers, kind, true
end

local function perform(self, req, exchange, at)
  local origin, target = place_of(self, req.url)
  if not origin then return nil, target, "protocol", false end
  local bytes, why = http1.request(req, origin.authority, target)
  if not bytes then return nil, why, "protocol", false end
  exchange.set = milliseconds(exchange, at) or 1
  return try(self, req, exchange, bytes, origin, at, false)
end

-- nginx raises where there are no cosockets, and where a coroutine cannot yield, such as inside string.gsub's callback.
local function refusal(why)
  local can, cannot = host.can_wait()
  return can and "nginx cannot wait here: " .. tostring(why) or cannot, "phase"
end

--- Sends a request; comes back with the head of the response.
---@param req table method, url, headers, body, timeout, connect_timeout, read_timeout (seconds), resend
---@return table? res status, headers, read, deadline, close; read(most) gives at most so many bytes
---@return string? message
---@return string? kind
---@return boolean? sent whether the server may have seen the request
function Nginx:request(req)
  if self.closed then return nil, "the transport is closed", "cancelled", false end
  if self.problem then return nil, self.problem, "config", false end
  local at = now()
  local exchange = new_exchange(self, req, at)
  local ok, res, message, kind, sent = pcall(perform, self, req, exchange, at)
  if ok then return res, message, kind, sent end
  message, kind = refusal(res)
  return nil, message, kind, exchange.socket ~= false
end

--- The transport is not usable afterwards; answers that are being read end by themselves.
function Nginx:close()
  self.closed = true
end

return nginx
