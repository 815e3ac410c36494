-- A server that breaks HTTP in every way on purpose: `lua spec/support/fault_server.lua DIRECTORY`.
-- It listens on free loopback ports, writes "name port" lines to DIRECTORY/ports.
-- The first word of a request's path names the scenario (fault_scenarios.lua); /-/arrivals/WORDS answers how many
-- requests arrived whose path contains WORDS, /-/connections how many connections there were.

local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local luasocket = require "socket"
local scenarios = require "support.fault_scenarios"

local directory = assert(arg[1], "usage: fault_server.lua DIRECTORY")
local main = cqueues.new()
local arrivals, connections = {}, 0

-- --- a plain connection: LuaSocket without waiting, because it can reset -------------------------

local Plain = {}
Plain.__index = Plain

local function await(socket, events)
  cqueues.poll { pollfd = socket:getfd(), events = events }
end

-- Up to `n` bytes; nil at the end of the connection.
function Plain:some(n)
  while not self.closed do
    local bytes, why, part = self.socket:receive(n)
    bytes = bytes or (part ~= "" and part)
    if bytes then return bytes end
    if why ~= "timeout" then return nil end
    await(self.socket, "r")
  end
end

function Plain:send(data)
  local from = 1
  while from <= #data and not self.closed do
    local last, why, partial = self.socket:send(data, from)
    if not last and why ~= "timeout" then return nil, why end
    from = (last or partial) + 1
    if from <= #data then await(self.socket, "w") end
  end
  return not self.closed
end

function Plain:close()
  if self.closed then return end
  self.closed = true
  cqueues.cancel(self.socket:getfd())
  self.socket:close()
end

-- Ends the connection with a reset.
function Plain:reset()
  if self.closed then return end
  self.socket:setoption("linger", { on = true, timeout = 0 })
  self:close()
end

Plain.cut = Plain.close -- what differs for TLS: an end without the closing alert

-- --- a TLS connection: cqueues speaks TLS into a pair of sockets, the other end is pumped to the plain one ---

local Secure = {}
Secure.__index = Secure

function Secure:some(n)
  local bytes = self.socket:read(-n)
  return bytes
end

function Secure:send(data)
  return self.socket:write(data) and self.socket:flush()
end

function Secure:close()
  self.socket:shutdown("w")
  self.socket:close()
end

-- Ends the connection below TLS, once what was sent has gone through.
function Secure:cut()
  cqueues.sleep(0.02)
  self.plain:close()
end

function Secure:reset()
  cqueues.sleep(0.02)
  self.plain:reset()
end

-- (No `for` over these: PUC Lua 5.1 cannot wait inside an iterator.)
local function pump(plain, pair)
  main:wrap(function()
    local bytes = plain:some(16384)
    while bytes and pair:write(bytes) and pair:flush() do bytes = plain:some(16384) end
    pair:shutdown "w"
  end)
  main:wrap(function()
    local bytes = pair:read(-16384)
    while bytes and plain:send(bytes) do bytes = pair:read(-16384) end
    plain:close()
  end)
end

local function quiet(socket)
  socket:setmode("bn", "bn")
  socket:onerror(function(_, _, code) return code end)
  socket:settimeout(60)
  return socket
end

local function secure(plain, context)
  local inner, outer = cqueues_socket.pair()
  pump(plain, quiet(outer))
  quiet(inner)
  if not inner:starttls(context) then
    inner:close()
    return nil
  end
  return setmetatable({ socket = inner, plain = plain }, Secure)
end

-- --- requests ------------------------------------------------------------------------------------

-- Reads until `enough(buffer)` returns where to cut; nil at the end of the connection.
local function read_until(conn, enough)
  conn.buffer = conn.buffer or ""
  local cut = enough(conn.buffer)
  while not cut do
    local bytes = conn:some(65536)
    if not bytes then return nil end
    conn.buffer = conn.buffer .. bytes
    cut = enough(conn.buffer)
  end
  local taken = conn.buffer:sub(1, cut)
  conn.buffer = conn.buffer:sub(cut + 1)
  return taken
end

local function read_head(conn)
  local raw = read_until(conn, function(buffer) return (select(2, buffer:find("\r\n\r\n", 1, true))) end)
  if not raw then return nil end
  local request = { raw = raw, headers = {} }
  request.method, request.path = raw:match "^(%u+) (%S+) HTTP/1%.[01]\r\n"
  for name, value in raw:gmatch "\r\n([^:\r\n]+): ?([^\r\n]*)" do request.headers[name:lower()] = value end
  return request
end

local function read_body(conn, request)
  local length = tonumber(request.headers["content-length"]) or 0
  request.body = read_until(conn, function(buffer) return #buffer >= length and length or nil end)
  return request.body
end

-- Questions about what arrived.
local function answer(path)
  if path == "/-/connections" then return connections end
  local words, n = path:match "^/%-/arrivals/(.*)", 0
  for arrived, times in pairs(arrivals) do
    if words and arrived:find(words, 1, true) then n = n + times end
  end
  return n
end

local function reply(conn, request)
  if request.path:sub(1, 3) == "/-/" then
    return scenarios.ok(conn, tostring(answer(request.path)))
  end
  arrivals[request.path] = (arrivals[request.path] or 0) + 1
  if request.method == "CONNECT" then return scenarios.connect(conn, request) end
  request.path = request.path:gsub("^/v1/", "/", 1) -- a base URL of the root alone
  local scenario = scenarios[request.path:match "^/([%w_]*)" or "unknown"] or scenarios.unknown
  local more = scenario(conn, request)
  -- what a scenario has done since then can be asked for likewise
  if request.done then arrivals[request.done] = (arrivals[request.done] or 0) + 1 end
  return more
end

local function serve(conn)
  local n = 0
  repeat
    local request = read_head(conn)
    if not request or not read_body(conn, request) then break end
    n = n + 1
    request.number = n -- of this connection
  until reply(conn, request) ~= true
  conn:close()
end

-- HTTP/2 just far enough to break it: the port's name says how.
local function serve_h2(conn, name)
  if not conn:some(24) then return end
  cqueues.sleep(0.02) -- until then a client knows no limit
  conn:send(scenarios.h2.settings)
  while true do
    local head = read_until(conn, function(buffer) return #buffer >= 9 and 9 or nil end)
    if not head then break end
    local high, low, kind = head:byte(1) * 65536 + head:byte(2) * 256, head:byte(3), head:byte(4)
    read_until(conn, function(buffer) return #buffer >= high + low and high + low or nil end)
    if kind == 1 then
      arrivals["/" .. name] = (arrivals["/" .. name] or 0) + 1
      if not scenarios.h2[name](conn, head:sub(6, 9)) then break end
    end
  end
  conn:close()
end

-- --- ports ---------------------------------------------------------------------------------------

local ports = {}

local function listen(name, handle)
  local server = assert(luasocket.bind("127.0.0.1", 0, 128))
  server:settimeout(0)
  local _, port = server:getsockname()
  ports[#ports + 1] = name .. " " .. port
  main:wrap(function()
    while true do
      await(server, "r")
      local socket = server:accept()
      if socket then
        socket:settimeout(0)
        socket:setoption("tcp-nodelay", true)
        connections = connections + 1
        main:wrap(handle, setmetatable({ socket = socket }, Plain))
      end
    end
  end)
end

local function read_file(name)
  local file = assert(io.open(directory .. "/" .. name))
  local text = file:read "*a"
  file:close()
  return text
end

local function new_context(name, alpn)
  local context = require("openssl.ssl.context").new("TLS", true)
  context:setCertificate(require("openssl.x509").new(read_file(name .. ".pem")))
  context:setPrivateKey(require("openssl.pkey").new(read_file(name .. ".key")))
  if alpn then context:setAlpnSelect(alpn) end
  return context
end

local function listen_tls(name, certificate, settings)
  local context = new_context(certificate, settings and settings.alpn)
  if settings and settings.prepare then settings.prepare(context) end
  listen(name, function(plain)
    local conn = secure(plain, context)
    if not conn then return end
    local protocol = settings and settings.alpn and conn.socket:checktls():getAlpnSelected()
    if protocol == "h2" then serve_h2(conn, name) else serve(conn) end
  end)
end

local function choose_h2(_, offered)
  for _, protocol in ipairs(offered) do
    if protocol == "h2" then return "h2" end
  end
  return "http/1.1"
end

-- Asks for a certificate of the test authority and refuses clients without one.
local function ask_for_certificate(context)
  local store = require("openssl.x509.store").new()
  store:add(require("openssl.x509").new(read_file "ca.pem"))
  context:setStore(store)
  local modes = require "openssl.ssl.context"
  context:setVerify(modes.VERIFY_PEER + modes.VERIFY_FAIL_IF_NO_PEER_CERT)
end

listen("plain", serve)
listen("mute", function(conn) -- takes everything and says nothing, not even a TLS greeting
  while conn:some(4096) do end
  conn:close()
end)
listen("hangup", function(conn) -- ends in the midst of a TLS greeting
  conn:some(1)
  conn:reset()
end)
listen_tls("good", "good")
listen_tls("expired", "expired")
listen_tls("wronghost", "wronghost")
listen_tls("selfsigned", "selfsigned")
listen_tls("tls11", "good", { prepare = function(context)
  local options = require "openssl.ssl.context"
  context:setCipherList "ALL:@SECLEVEL=0"
  context:setOptions(options.OP_NO_TLSv1_2 + (options.OP_NO_TLSv1_3 or 0x20000000))
end })
listen_tls("client", "good", { prepare = ask_for_certificate })
for name in pairs(scenarios.h2_ports) do listen_tls(name, "good", { alpn = choose_h2 }) end

-- Nobody can connect here: the queue is full and is never emptied.
local full = assert(luasocket.bind("127.0.0.1", 0, 0))
local _, full_port = full:getsockname()
ports[#ports + 1] = "full " .. full_port
local fillers = {}
for i = 1, 3 do
  fillers[i] = luasocket.tcp()
  fillers[i]:settimeout(0)
  fillers[i]:connect("127.0.0.1", full_port)
end

local file = assert(io.open(directory .. "/ports.new", "w"))
file:write(table.concat(ports, "\n"), "\n")
file:close()
assert(os.rename(directory .. "/ports.new", directory .. "/ports"))

while true do
  local ok, why = main:step()
  if not ok then io.stderr:write("fault server: ", tostring(why), "\n") end
end
