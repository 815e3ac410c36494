--- HTTP through nginx's cosockets: chosen by itself inside nginx and OpenResty. It never blocks a worker.
--
-- Cosockets exist in the phases rewrite, access, content, timer and those of the TLS handshake; elsewhere a request is
-- refused with kind "phase". nginx needs `resolver` for names and `lua_ssl_trusted_certificate` for https.

local background = require "ampersand.util.background"
local core = require "ampersand.core"
local http1 = require "ampersand.transport.http1"

local ceil, huge = math.ceil, math.huge
local find = string.find

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
--   client_cert, client_key (paths of PEM files), client_key_password (string, or a function that returns it);
--   insecure_skip_verify (boolean)
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
---@param token ampersand.CancelToken? ends the wait
function Nginx:sleep(seconds, token)
  local till = now() + seconds
  while background.can_wait() and not (token and token.cancelled) do
    ngx.sleep(math.max(BREATH, math.min(till - now(), token and 0.05 or huge)))
    if now() >= till then return end
  end
end

-- --- connections ---------------------------------------------------------------------------------------------------

local function pool_name(self, origin)
  local opts = self.opts
  local verify = origin.scheme == "http" and "-" or opts.insecure_skip_verify and "any" or "verify"
  return table.concat({ "ampersand", origin.scheme, origin.host, origin.port, verify, opts.client_cert or "-",
    opts.max_connections or "-" }, "|")
end

local function new_origin(self, origin)
  origin.connect = { pool = pool_name(self, origin) }
  if self.opts.max_connections then
    origin.connect.pool_size, origin.connect.backlog = self.opts.max_connections, 100000
    origin.taken = setmetatable({}, { __mode = "kv" }) -- exchange -> its coroutine
  end
  self.origins[origin.prefix] = origin
  return origin
end

-- Where a URL leads: the origin and the target. Many requests have the URL of an earlier one.
local function place_of(self, url)
  local origin, target = self.places[url], self.targets[url]
  if origin then return origin, target end
  local parts
  parts, target = http1.parse_url(url)
  if not parts then return nil, target end
  if self.known >= MAX_PLACES then self.origins, self.places, self.targets, self.known = {}, {}, {}, 0 end
  origin = self.origins[parts.prefix] or new_origin(self, parts)
  self.places[url], self.targets[url], self.known = origin, target, self.known + 1
  return origin, target
end

-- How many of the places at this server are taken, and how many of them by this coroutine.
local function count_taken(origin)
  local taken, mine, me = 0, 0, coroutine.running()
  for _, holder in pairs(origin.taken) do
    taken, mine = taken + 1, mine + (holder == me and 1 or 0)
  end
  return taken, mine
end

local OPEN = "open streams of this client: %d; read them to their end, or close them with stream:close()"

-- nginx out of worker_connections, or the process out of descriptors.
local function is_exhausted(why)
  return find(why, "now in progress", 1, true) or find(why, "too many open files", 1, true)
end

local function connect_error(exchange, origin, why)
  local where = origin.host .. ":" .. origin.port
  if why == "timeout" then
    local taken = origin.taken and count_taken(origin) - 1 or 0
    local hint = taken > 0 and "; " .. OPEN:format(taken) or ""
    return timed_out(exchange, "before the connection stood" .. hint)
  end
  if is_exhausted(why) then
    return "nginx has no connection left (worker_connections, worker_rlimit_nofile): close streams that are not read",
      "limit"
  end
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

local LABELS = { "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY" }

-- ngx.ssl opens an encrypted key only as DER, and takes keys only as PEM, whose label depends on the key.
local function decrypt_key(ssl, pem, password)
  if not password then return nil, "the key is encrypted, and there is no client_key_password" end
  if type(password) == "function" then
    local done, given = pcall(password)
    if not done or type(given) ~= "string" then return nil, "client_key_password returned no string" end
    password = given
  end
  local der = ssl.priv_key_pem_to_der(pem, password)
  if not der then return nil, "client_key_password does not open the key" end
  local text = ngx.encode_base64(der):gsub(("."):rep(64), "%0\n")
  for _, label in ipairs(LABELS) do
    local key = ssl.parse_pem_priv_key(("-----BEGIN %s-----\n%s\n-----END %s-----\n"):format(label, text, label))
    if key then return key end
  end
  return nil, "the key is of a kind that nginx does not take"
end

local function parse_key(self, ssl, pem)
  if find(pem, "ENCRYPTED", 1, true) then return decrypt_key(ssl, pem, self.opts.client_key_password) end
  return ssl.parse_pem_priv_key(pem)
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
  key, why = parse_key(self, ssl, key)
  if not key then return nil, why end
  self.certificate, self.key = cert, key
  return cert, key
end

local function present_certificate(self, socket)
  if not self.opts.client_cert then return true end
  if not socket.setclientcert then return nil, "client_cert needs lua-resty-core" end
  return socket:setclientcert(self.certificate, self.key)
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

-- Whether a place will come free. Streams that were left without being closed hold theirs until they are collected.
local function await_place(self, origin, exchange)
  local most = self.opts.max_connections
  if count_taken(origin) >= most then collectgarbage() end
  local _, mine = count_taken(origin)
  if mine >= most then return nil, "only this coroutine can free a place (max_connections); " .. OPEN:format(mine) end
  origin.taken[exchange] = coroutine.running()
  return true
end

local function release(exchange)
  local taken = exchange.origin and exchange.origin.taken
  if taken then taken[exchange] = nil end
end

-- Takes a connection from the pool or opens one, once more after a collection where the process has none left.
local function take_connection(socket, origin)
  local ok, why = socket:connect(origin.host, origin.port, origin.connect)
  if ok or not is_exhausted(why) then return ok, why end
  collectgarbage()
  return socket:connect(origin.host, origin.port, origin.connect)
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
  ok, why = take_connection(socket, origin)
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
  local token = exchange.cancel
  if token and token.cancelled then return nil, "the request was cancelled", "cancelled" end
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
    buffer = "", at = 1, left = 0, ended = false, reusable = false, after_chunk = false, read = false, secure = false,
    chunks = false, method = req.method, transport = self, origin = false, socket = false, given = false, full = false,
    set = 0, cancel = req.cancel or false, timeout = timeout or false, deadline = timeout and at + timeout or false,
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
    release(exchange)
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
  if not socket then
    release(exchange)
    return nil, reused, kind, fresh
  end
  exchange.socket, exchange.secure = socket, origin.scheme == "https"
  local status, headers
  status, headers, kind = converse(exchange, bytes)
  if status then return response(exchange, status, headers) end
  socket:close()
  -- A pooled connection may have ended while it lay there. What is harmless to send twice goes to a new one.
  if reused and kind == "closed" and exchange.buffer == "" and req.resend then
    return try(self, req, exchange, bytes, origin, now(), true)
  end
  release(exchange)
  return nil, headers, kind, true
end

local function perform(self, req, exchange, at)
  local origin, target = place_of(self, req.url)
  if not origin then return nil, target, "config", false end
  if self.opts.client_cert and origin.scheme == "https" then
    -- also before a pooled connection, which serves those alone who have the key
    local cert, problem = client_certificate(self)
    if not cert then return nil, "client_cert: " .. tostring(problem), "tls", false end
  end
  local bytes, why = http1.request(req, origin.authority, target)
  if not bytes then return nil, why, "config", false end
  exchange.set, exchange.origin = milliseconds(exchange, at) or 1, origin
  if origin.taken then
    local free, full = await_place(self, origin, exchange)
    if not free then return nil, full, "limit", false end
  end
  return try(self, req, exchange, bytes, origin, at, false)
end

-- nginx raises where there are no cosockets, and where a coroutine cannot yield, such as inside string.gsub's callback.
local function refusal(why)
  local can, cannot = background.can_wait()
  return can and "nginx cannot wait here: " .. tostring(why) or cannot, "phase"
end

--- Sends a request; comes back with the head of the response.
---@param req table method, url, headers, body, timeout, connect_timeout, read_timeout (seconds), resend,
--   cancel (checked before the request and between two pieces of the answer)
---@return table? res status, headers, read, deadline, close; read(most) gives at most this many bytes
---@return string? message
---@return string? kind
---@return boolean? sent whether the server may have seen the request
function Nginx:request(req)
  if self.closed then return nil, "the transport is closed", "cancelled", false end
  if self.problem then return nil, self.problem, "config", false end
  if req.cancel and req.cancel.cancelled then return nil, "the request was cancelled", "cancelled", false end
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
