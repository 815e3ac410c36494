--- HTTP/1.1 as text: requests to send, responses to read. Pure: it knows no socket.
--
-- A reader pulls its bytes from its method `more(reader, sure, most) -> bytes | nil, message, kind`, `sure` bytes being
-- known to come; kind "closed" with the message "closed" is the peer's orderly end.
--
-- What every request passes through is written for LuaJIT, which compiles neither patterns nor new functions, and
-- a loop that is passed but once only in its way.

local url = require "ampersand.util.url"

local http1 = {}

local byte, find, format, match, sub = string.byte, string.find, string.format, string.match, string.sub

-- LuaJIT can make a table of a size.
local sized, new_table = pcall(require, "table.new")
if not sized then new_table = function() return {} end end

local MAX_HEAD = 64 * 1024

-- A function of short texts that remembers what it found: the same few names and status lines come again and again.
local function remember(examine)
  local known, left = {}, 500
  return function(text)
    local found = known[text]
    if found ~= nil then return found end
    found = examine(text)
    if found ~= nil and left > 0 then known[text], left = found, left - 1 end
    return found
  end
end

-- Headers that frame the message: they are ours to write.
local FRAMING = {
  host = true, connection = true, ["content-length"] = true, ["transfer-encoding"] = true, upgrade = true, te = true,
  expect = true, trailer = true, ["keep-alive"] = true, ["proxy-connection"] = true,
}
local HAS_BODY = { POST = true, PUT = true, PATCH = true }

--- Splits a URL.
---@param text string
---@return table? origin scheme, host (IPv6 in brackets), port, authority (as the Host header wants it), prefix
---@return string target path and query; the message when the URL is not usable
function http1.parse_url(text)
  if find(text, "[^\33-\126]") then return nil, "the URL has a character that does not belong there" end
  local parts = url.parse(text)
  local scheme = parts and parts.host ~= "" and not find(parts.authority, "@", 1, true) and parts.scheme
  if scheme ~= "http" and scheme ~= "https" then return nil, "not an http(s) URL" end
  local prefix, target = match(text, "^(%a+://[^/?#]+)([^#]*)")
  parts.prefix, parts.port = prefix, tonumber(parts.port) or (scheme == "https" and 443 or 80)
  return parts, sub(target, 1, 1) == "/" and target or "/" .. target
end

-- Whether a header is the caller's to write; nil: it is no header's name.
local is_sendable = remember(function(name)
  if find(name, "[%c%s:]") then return nil end
  return not FRAMING[name:lower()]
end)

local function breaks_line(value)
  return find(value, "\n", 1, true) or find(value, "\r", 1, true) or find(value, "\0", 1, true)
end

local function header_lines(headers)
  local lines = ""
  for name, value in pairs(headers) do
    local free = is_sendable(name)
    if free == nil or breaks_line(value) then return nil, "a header would break the request's frame" end
    if free then lines = lines .. name .. ": " .. value .. "\r\n" end
  end
  return lines
end

--- The bytes of a request.
---@param req table method, headers, body
---@param authority string
---@param target string
---@return string? bytes, string? message
function http1.request(req, authority, target)
  local method, headers, body, lines = req.method, req.headers, req.body, ""
  if headers and next(headers) ~= nil then
    local why
    lines, why = header_lines(headers)
    if not lines then return nil, why end
  end
  if body or HAS_BODY[method] then
    body = body or ""
    return method .. " " .. target .. " HTTP/1.1\r\nHost: " .. authority .. "\r\n" .. lines .. "Content-Length: "
      .. #body .. "\r\n\r\n" .. body
  end
  return method .. " " .. target .. " HTTP/1.1\r\nHost: " .. authority .. "\r\n" .. lines .. "\r\n"
end

---@class ampersand.HttpReader
---@field method string of the request: an answer to HEAD has no body
---@field secure boolean over TLS, where a body needs an end of its own
---@field reusable boolean whether the connection may carry another request once the body has ended
---@field ended boolean whether the body has ended
---@field buffer string bytes that came; empty until the first did
local Reader = {}

--- The metatable of readers that pull with `more`. A reader is a table of one response with the fields buffer = "",
--- at = 1, left = 0, ended = false, reusable = false, chunks = false, after_chunk = false, read = false, secure and
--- method; its owner may add some, best in the same constructor: a table that grows is made anew each time.
---@param more fun(reader: table, sure: integer, most: integer?): string?, string?, string?
---@return table
function http1.reader(more)
  return { __index = { more = more, head = Reader.head } }
end

-- Appends bytes to what is held; true, or nil, message, kind. `where` may have a place for the bytes that are missing.
local function fill(self, where, most)
  local bytes, message, kind = self:more(self.left, most)
  if not bytes then
    if message == "closed" then message = "the connection was closed " .. format(where, self.left) end
    return nil, message, kind
  end
  self.buffer = self.at > #self.buffer and bytes or sub(self.buffer, self.at) .. bytes
  self.at = 1
  return true
end

local function has_head(text, from)
  return find(text, "\r\n\r\n", from, true) or find(text, "\n\r?\n", from)
end

local NOT_HTTP, TOO_LONG = "the answer is not HTTP/1.1", "the response's headers are too long"

-- Reads on until the buffer holds a whole head, unless what there is cannot begin one.
local function await_rest(self)
  local from
  repeat
    local begin = sub(self.buffer, self.at, self.at + 6)
    if begin ~= sub("HTTP/1.", 1, #begin) then return nil, NOT_HTTP, "protocol" end
    local held = #self.buffer - self.at + 1
    if held > MAX_HEAD then return nil, TOO_LONG, "limit" end
    local ok, message, kind = fill(self, "inside the response's headers")
    if not ok then return nil, message, kind end
    from = math.max(self.at, held - 2)
  until has_head(self.buffer, from)
  return true
end

-- Waits until the buffer holds a whole head: nearly always it comes in one piece.
local function await_head(self)
  if self.at > #self.buffer then
    local ok, message, kind = fill(self, "before an answer came")
    if not ok then return nil, message, kind end
  end
  if find(self.buffer, "\r\n\r\n", self.at, true) or has_head(self.buffer, self.at) then return true end
  return await_rest(self)
end

-- The name in lower case; nil when it is none.
local header_name = remember(function(raw)
  if raw ~= "" and not find(raw, "[^!-~]") then return raw:lower() end
end)

local function is_blank(code)
  return code == 32 or code == 9
end

-- Written without a loop: LuaJIT compiles the loop around it.
local function header_value(text, from, to)
  if is_blank(byte(text, from)) then from = from + 1 end
  local value = sub(text, from, to)
  if is_blank(byte(text, from)) or is_blank(byte(text, to)) then value = match(value, "^[ \t]*(.-)[ \t]*$") end
  if not find(value, "\r", 1, true) then return value end
end

local usual = 8 -- headers that the last response had: the next one's table gets their room

local BAD_HEADER = "a header of the response is malformed"
local FRAMES = { ["content-length"] = true, ["transfer-encoding"] = true, ["content-encoding"] = true }

-- A line that begins with a blank continues the header before it (RFC 9112, 5.2), but for those that frame the body.
local function fold(headers, name, text, from, to)
  local more = name and not FRAMES[name] and header_value(text, from, to)
  if not more then return nil end
  headers[name] = headers[name] .. " " .. more
  return true
end

-- "name: value" lines from `at` on, as one table, and where the body begins; nil, message when a line is none.
local function parse_headers(text, at)
  local headers, count, name = new_table(0, usual), 0, nil
  while true do
    local stop = find(text, "\n", at, true)
    local last = byte(text, stop - 1) == 13 and stop - 2 or stop - 1
    if last < at then
      usual = count
      return headers, stop + 1
    end
    if is_blank(byte(text, at)) then
      if not fold(headers, name, text, at, last) then return nil, BAD_HEADER end
    else
      local colon = find(text, ":", at, true) or stop
      name = colon < stop and header_name(sub(text, at, colon - 1))
      local value = name and header_value(text, colon + 1, last)
      if not value then return nil, BAD_HEADER end
      local earlier = headers[name]
      headers[name] = earlier and earlier .. ", " .. value or value
      count = count + 1
    end
    at = stop + 1
  end
end

-- A length that is repeated with the same value counts once (RFC 9110, 8.6).
local function parse_length(value)
  local plain = tonumber(value)
  if plain and plain >= 0 and plain < 1e9 and format("%d", plain) == value then return plain end
  local length
  for part in (value .. ","):gmatch "([^,]*)," do
    local digits = part:match "^ *(%d+)$"
    if not digits or #digits > 15 or (length and tonumber(digits) ~= length) then return nil end
    length = tonumber(digits)
  end
  return length
end

-- --- bodies: each is a function that gives the next bytes, nil at the end, or nil, message, kind ---------------------

local function take(self, most, wanted)
  local from, size = self.at, #self.buffer
  if wanted and wanted < most then most = wanted end
  if from == 1 and size <= most then
    self.at = size + 1
    return self.buffer
  end
  local last = from + most - 1
  if last > size then last = size end
  self.at = last + 1
  return sub(self.buffer, from, last)
end

local function finish(self)
  self.ended = true
  if self.at <= #self.buffer then self.reusable = false end -- bytes that were not requested
end

-- The next line of the chunk framing, without its end.
local function read_line(self)
  while true do
    local _, stop, line = self.buffer:find("^([^\n]-)\r?\n", self.at)
    if stop then
      self.at = stop + 1
      return line
    end
    if #self.buffer - self.at > MAX_HEAD then return nil, "a line between two chunks is too long", "protocol" end
    local ok, message, kind = fill(self, "before the last chunk of the body")
    if not ok then return nil, message, kind end
  end
end

-- Trailers are not kept, but must be headers: anything else is a sign that the two sides disagree on the framing.
local function is_trailer(line)
  if is_blank(byte(line)) then return true end
  local name = line:match "^([^:]*):"
  return name and header_name(name) and not find(line, "[%z\r]")
end

local function read_trailer(self)
  local size = 0
  while true do
    local line, message, kind = read_line(self)
    if not line then return nil, message, kind end
    if line == "" then return finish(self) end
    size = size + #line
    if size > MAX_HEAD then return nil, TOO_LONG, "limit" end
    if not is_trailer(line) then return nil, BAD_HEADER, "protocol" end
  end
end

local BAD_CHUNK = "the body's chunks are malformed"

-- The size of the next chunk, 0 at the end.
local function next_chunk(self)
  local line, message, kind
  if self.after_chunk then
    line, message, kind = read_line(self)
    if line ~= "" then return nil, message or BAD_CHUNK, kind or "protocol" end
  end
  line, message, kind = read_line(self)
  if not line then return nil, message, kind end
  local digits = line:match "^(%x+)[ \t]*$" or line:match "^(%x+)[ \t]*;"
  if not digits or #digits > 12 then return nil, BAD_CHUNK, "protocol" end
  self.after_chunk = true
  return tonumber(digits, 16)
end

-- The next bytes of the chunk, or of the body of a known length.
local function read_left(self, where, most)
  if self.at > #self.buffer then
    local ok, message, kind = fill(self, where, most)
    if not ok then return nil, message, kind end
  end
  local piece = take(self, self.left, most)
  self.left = self.left - #piece
  return piece
end

local function read_chunked(self, most)
  if self.ended then return nil end
  if self.left == 0 then
    local size, message, kind = next_chunk(self)
    if not size then return nil, message, kind end
    if size == 0 then return read_trailer(self) end
    self.left = size
  end
  return read_left(self, "inside a chunk of the body", most)
end

local function read_fixed(self, most)
  if self.ended then return nil end
  local piece, message, kind = read_left(self, "with %.0f bytes of the body missing", most)
  if self.left == 0 then finish(self) end
  return piece, message, kind
end

local function read_to_close(self, most)
  if self.ended then return nil end
  if self.at > #self.buffer then
    local bytes, message, kind = self:more(0, most)
    if not bytes then
      if message ~= "closed" then return nil, message, kind end
      return finish(self)
    end
    self.buffer, self.at = bytes, 1
  end
  return take(self, #self.buffer, most)
end

-- Chooses how the body is framed (RFC 9112, 6.3); the rules of all transports are in spec/transport/framing.lua.
local function frame(self, status, headers)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  self.left = 0
  if coding and (coding:lower() ~= "chunked" or not self.chunks) then
    return nil, "the response has a transfer-encoding that was not requested", "protocol"
  end
  if coding and length then return nil, "the response comes in chunks and names a length, too", "protocol" end
  if length then
    self.left = parse_length(length)
    if not self.left then return nil, "the response's Content-Length is not a number", "protocol" end
  end
  if self.method == "HEAD" or status == 204 or status == 304 then
    self.left, self.read = 0, read_fixed
  elseif coding then
    self.read = read_chunked
  elseif length then
    self.read = read_fixed
  elseif self.secure and status < 300 then
    -- nginx cannot tell a connection over TLS that was cut from one that was closed
    return nil, "the response has no length: its end cannot be trusted", "closed"
  else
    self.read, self.reusable = read_to_close, false
  end
  if self.left == 0 and self.read == read_fixed then finish(self) end
  return true
end

-- There is no inflater here. What has no body cannot be compressed.
local function refuse_coding(self, headers)
  local coding = headers["content-encoding"]
  if self.ended or not coding or coding == "" or coding:lower() == "identity" then return end
  self.reusable = false
  self.read = function() return nil, "the body is compressed, which was not requested: " .. coding, "protocol" end
end

-- The status of "HTTP/1.1 200 " and the like.
local parse_status = remember(function(line)
  return tonumber(match(line, "^HTTP/1%.[01] ([1-9]%d%d)[ \r\n]$"))
end)

local function parse_head(self)
  local text, at = self.buffer, self.at
  local status = parse_status(sub(text, at, at + 12))
  if not status then return nil, NOT_HTTP, "protocol" end
  local stop, bare = find(text, "\n", at, true), find(text, "\r", at, true)
  if bare and bare < stop - 1 then return nil, NOT_HTTP, "protocol" end
  local headers, next_at = parse_headers(text, stop + 1)
  if not headers then return nil, next_at, "protocol" end
  local zero = find(text, "\0", at, true)
  if zero and zero < next_at then return nil, BAD_HEADER, "protocol" end
  if next_at - at > MAX_HEAD then return nil, TOO_LONG, "limit" end
  local lasts = byte(text, at + 7) == 49 -- HTTP/1.1
  self.at, self.reusable, self.chunks = next_at, lasts, lasts
  return status, headers, nil, next_at - at
end

local function read_head(self)
  local ok, message, kind = await_head(self)
  if not ok then return nil, message, kind end
  return parse_head(self)
end

--- Reads the head of the final response; informational ones are passed over.
---@return integer? status
---@return table|string headers lower-case names, repeated ones joined; or a message
---@return string? kind
function Reader:head()
  local status, headers, kind, size = read_head(self)
  local total = size
  while status and status < 200 do
    if status == 101 then return nil, "the server changed the protocol, which was not requested", "protocol" end
    if headers["content-length"] or headers["transfer-encoding"] then
      return nil, "an interim response frames a body", "protocol" -- libcurl would take it for the final one's
    end
    status, headers, kind, size = read_head(self)
    total = total + (size or 0)
    if total > MAX_HEAD then return nil, TOO_LONG, "limit" end
  end
  if not status then return nil, headers, kind end
  local connection = headers.connection
  if connection and find(connection:lower(), "close", 1, true) then self.reusable = false end
  local ok, message
  ok, message, kind = frame(self, status, headers)
  if not ok then return nil, message, kind end
  refuse_coding(self, headers)
  return status, headers
end

return http1
