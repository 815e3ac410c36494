-- A small HTTP/1.1 server: one process, one select loop, one coroutine per connection. It injects the faults that a
-- response carries. It knows nothing about the API.

local http = require "ampersand.mock.http"
local is_interrupt = require "ampersand.util.is_interrupt"
local query_string = require "ampersand.util.query_string"

local server = {}

local MAX_HEAD, MAX_BODY = 64 * 1024, 64 * 1024 * 1024
local PIECE = 64 * 1024
local FOREVER = 3600

-- Connections -------------------------------------------------------------------------------------------------------
-- These run inside the coroutine of a connection. One that cannot continue yields "close" and is never resumed.

local Connection = {}
Connection.__index = Connection

function Connection:close(how)
  coroutine.yield("close", how)
end

function Connection.sleep(_, seconds)
  if seconds and seconds > 0 then coroutine.yield("sleep", seconds) end
end

function Connection:receive()
  while true do
    local data, why, part = self.socket:receive(PIECE)
    data = data or part
    if data and data ~= "" then return data end
    if why ~= "timeout" then self:close() end
    coroutine.yield "read"
  end
end

function Connection:take(n)
  local data = self.buffer:sub(1, n)
  self.buffer = self.buffer:sub(n + 1)
  return data
end

function Connection:exactly(n)
  local pieces, have = { self.buffer }, #self.buffer
  while have < n do
    local piece = self:receive()
    pieces[#pieces + 1], have = piece, have + #piece
  end
  self.buffer = table.concat(pieces)
  return self:take(n)
end

function Connection:line()
  while true do
    local stop = self.buffer:find("\n", 1, true)
    if stop then return (self:take(stop):gsub("\r?\n$", "")) end
    if #self.buffer > MAX_HEAD then self:close() end
    self.buffer = self.buffer .. self:receive()
  end
end

function Connection:send(data)
  local from = 1
  while from <= #data do
    local last, why, part = self.socket:send(data, from)
    from = (last or part) + 1
    if why == "timeout" then
      coroutine.yield "write"
    elseif why then
      self:close()
    end
  end
end

-- Requests ----------------------------------------------------------------------------------------------------------

local function read_headers(connection)
  local headers = {}
  for _ = 1, 200 do
    local line = connection:line()
    if line == "" then return headers end
    local name, value = line:match "^([^:%s]+):%s*(.-)%s*$"
    if not name then return nil end
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
end

local function read_chunks(connection)
  local pieces, size = {}, 0
  while true do
    local n = tonumber(connection:line():match "^%x+" or "", 16)
    if not n or size + n > MAX_BODY then connection:close() end
    if n == 0 then break end
    size = size + n
    pieces[#pieces + 1] = connection:exactly(n)
    connection:line()
  end
  repeat until connection:line() == ""
  return table.concat(pieces)
end

local function read_body(connection, headers)
  if (headers["expect"] or ""):lower() == "100-continue" then connection:send "HTTP/1.1 100 Continue\r\n\r\n" end
  if (headers["transfer-encoding"] or ""):lower() == "chunked" then return read_chunks(connection) end
  local length = tonumber((headers["content-length"] or "0"):match "^%d+$")
  if not length or length > MAX_BODY then connection:close() end
  return connection:exactly(length)
end

local function read_request(connection)
  local method, target, version = connection:line():match "^(%u+) (%S+) HTTP/(1%.[01])$"
  if not method then return nil end
  local path, query = target:gsub("^%a+://[^/]*", ""):match "^([^?]*)%??(.*)$"
  local headers = read_headers(connection)
  if not headers then return nil end
  local wish = (headers["connection"] or ""):lower()
  return {
    method = method, target = target, path = path, query = query_string.read(query), headers = headers,
    version = version, body = read_body(connection, headers),
    keep = wish ~= "close" and (version == "1.1" or wish == "keep-alive"),
  }
end

-- Answers -----------------------------------------------------------------------------------------------------------
-- A response may carry a fault: `delay` and `hang` before the head, `lose`
-- instead of it; `cut`, `stall` and `reset` break the body after N bytes, `truncate` ends it early but properly,
-- `slow` paces it (bytes a second), `chunk` sends it in pieces of that size.

local function pieces_of(body)
  if type(body) ~= "string" then return body or function() end end
  local from = 1
  return function()
    if from > #body then return nil end
    local piece = body:sub(from, from + PIECE - 1)
    from = from + PIECE
    return piece
  end
end

local function gzipped(next_piece)
  local deflate, done = require "zlib".deflate(6, 31), false
  return function()
    while not done do
      local piece = next_piece()
      done = piece == nil
      local out = done and deflate("", "finish") or deflate(piece)
      if out ~= "" then return out end
    end
  end
end

local function first_bytes(next_piece, limit)
  return function()
    local piece = limit > 0 and next_piece()
    if not piece then return nil end
    piece = piece:sub(1, limit)
    limit = limit - #piece
    return piece
  end
end

local function split(next_piece, size)
  local piece, from = "", 1
  return function()
    if from > #piece then piece, from = next_piece(), 1 end
    if not piece then return nil end
    from = from + size
    return piece:sub(from - size, from - 1)
  end
end

local function send_head(connection, response)
  local lines = { ("HTTP/1.1 %d %s"):format(response.status, http.reason(response.status)) }
  for name, value in pairs(response.headers) do lines[#lines + 1] = name .. ": " .. value end
  lines[#lines + 1] = "\r\n"
  connection:send(table.concat(lines, "\r\n"))
end

-- Sends a piece of a body, or as much of it as the fault lets through.
local function send_piece(connection, piece, fault, sent)
  local limit = fault.cut or fault.stall or fault.reset
  if limit and sent + #piece > limit then
    connection:send(piece:sub(1, limit - sent))
    if fault.stall then connection:sleep(FOREVER) end
    connection:close(fault.reset and "reset" or nil)
  end
  if not fault.slow then return connection:send(piece) end
  local step = math.max(1, math.ceil(fault.slow / 20))
  for from = 1, #piece, step do
    connection:send(piece:sub(from, from + step - 1))
    connection:sleep(step / fault.slow)
  end
end

local function send_body(connection, next_piece, chunked, fault)
  local sent = 0
  for piece in next_piece do
    local framed = chunked and ("%x\r\n"):format(#piece) .. piece .. "\r\n" or piece
    send_piece(connection, framed, fault, sent)
    sent = sent + #framed
  end
  if chunked then send_piece(connection, "0\r\n\r\n", fault, sent) end
end

-- The body as pieces, after compression and faults, and its length when that is known.
local function prepare(response, fault)
  local next_piece, length = pieces_of(response.body), response.length
  if type(response.body) == "string" then length = #response.body end
  if response.gzip then
    next_piece, length = gzipped(next_piece), nil
    response.headers["Content-Encoding"] = "gzip"
  end
  if fault.truncate then next_piece, length = first_bytes(next_piece, fault.truncate), nil end
  if fault.chunk then next_piece = split(next_piece, fault.chunk) end
  return next_piece, length
end

local function respond(connection, request, response)
  local headers, fault, bare = response.headers, response.fault or {}, response.status == 204
  local next_piece, length
  if not bare then next_piece, length = prepare(response, fault) end
  local chunked = not bare and not length and request.version == "1.1"
  local keep = request.keep and (bare or length or chunked)
  if chunked then headers["Transfer-Encoding"] = "chunked" elseif not bare then headers["Content-Length"] = length end
  headers["Connection"] = keep and "keep-alive" or "close"
  connection:sleep(fault.delay)
  if fault.hang then connection:sleep(FOREVER) end
  if fault.hang or fault.lose then connection:close() end
  send_head(connection, response)
  if not bare and request.method ~= "HEAD" then send_body(connection, next_piece, chunked, fault) end
  return keep
end

local function converse(connection, handle)
  local keep
  repeat
    local request = read_request(connection)
    if not request then
      connection:send "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
      break
    end
    request.connection, request.is_local = connection.number, connection.is_local
    keep = respond(connection, request, handle(request))
  until not keep
end

-- The loop ----------------------------------------------------------------------------------------------------------

local Server = {}
Server.__index = Server

-- Resumes a connection until it waits again or ends.
function Server:step(connection)
  local ok, what, detail = coroutine.resume(connection.thread)
  connection.waits = what
  if ok and (what == "read" or what == "write") then return end
  if ok and what == "sleep" then
    connection.wake_at = self.socket.gettime() + detail
    return
  end
  if is_interrupt(what) then error(what, 0) end
  if not ok then io.stderr:write("mock: ", debug.traceback(connection.thread, tostring(what)), "\n") end
  if detail == "reset" then connection.socket:setoption("linger", { on = true, timeout = 0 }) end
  connection.socket:close()
  self.connections[connection.socket] = nil
end

function Server:accept()
  local socket = self.listener:accept()
  if not socket then return end
  socket:settimeout(0)
  socket:setoption("tcp-nodelay", true)
  self.accepted = self.accepted + 1
  local peer = socket:getpeername()
  local connection = setmetatable({
    socket = socket, buffer = "", number = self.accepted, is_local = peer ~= nil and peer:find "^127%." ~= nil,
  }, Connection)
  connection.thread = coroutine.create(function() converse(connection, self.handle) end)
  self.connections[socket] = connection
  self:step(connection)
end

-- The arguments of select. The time is bounded because Ctrl-C is handled only between two calls.
function Server:waiting()
  local readers, writers, patience = { self.listener, self.watched }, {}, 0.5
  local now = self.socket.gettime()
  for socket, connection in pairs(self.connections) do
    if connection.waits == "read" then
      readers[#readers + 1] = socket
    elseif connection.waits == "write" then
      writers[#writers + 1] = socket
    else
      patience = math.max(0, math.min(patience, connection.wake_at - now))
    end
  end
  return readers, writers, patience
end

function Server:wake()
  local now, due = self.socket.gettime(), {}
  for _, connection in pairs(self.connections) do
    if connection.waits == "sleep" and connection.wake_at <= now then due[#due + 1] = connection end
  end
  for _, connection in ipairs(due) do self:step(connection) end
end

--- Serves until `stopped` is set, or the watched descriptor closes.
function Server:run()
  while not self.stopped do
    local readable, writable = self.socket.select(self:waiting())
    for _, socket in ipairs(readable) do
      if socket == self.listener then
        self:accept()
      elseif socket == self.watched then
        if not io.stdin:read(1) then return end
      else
        self:step(self.connections[socket])
      end
    end
    for _, socket in ipairs(writable) do self:step(self.connections[socket]) end
    self:wake()
  end
end

function Server:close()
  for socket in pairs(self.connections) do socket:close() end
  self.connections = {}
  self.listener:close()
end

--- Opens the listening socket. `handle(request)` answers `{ status, headers, body, length?, gzip?, fault? }`; a body
--- is a string or a function that gives piece after piece, then nil.
---@param options { host: string, port: integer, handle: function, stop_on_eof: boolean? }
---@return table|nil server, string message of why not
function server.listen(options)
  local socket = require "socket"
  local listener, why = socket.bind(options.host, options.port, 128)
  if not listener then return nil, ("cannot listen on %s:%d: %s"):format(options.host, options.port, why) end
  listener:settimeout(0)
  local _, port = listener:getsockname()
  local stdin = { getfd = function() return 0 end, dirty = function() return false end }
  return setmetatable({
    socket = socket, listener = listener, port = math.floor(tonumber(port)), handle = options.handle,
    connections = {}, accepted = 0, watched = options.stop_on_eof and stdin or nil,
  }, Server)
end

return server
