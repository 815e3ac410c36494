--- HTTP/1.1 as text: requests to send, responses to read. Pure: it knows no socket.
--
-- A reader pulls its bytes from a function `more(reader, sure) -> bytes | nil, message, kind`, `sure` bytes being known
-- to come; kind "closed" with the message "closed" is the peer's orderly end.

local http1 = {}

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

-- LuaJIT can make a table of a size.
local sized, new_table = pcall(require, "table.new")
if not sized then new_table = function() return {} end end

local MAX_HEAD = 64 * 1024
local MAX_NAMES = 500

-- Headers that frame the message: they are ours to write.
local FRAMING = {
  host = true, connection = true, ["content-length"] = true, ["transfer-encoding"] = true, upgrade = true, te = true,
  expect = true, trailer = true, ["keep-alive"] = true, ["proxy-connection"] = true,
}
local HAS_BODY = { POST = true, PUT = true, PATCH = true }

--- Splits a URL.
---@param url string
---@return table? origin scheme, host (IPv6 in brackets), port, authority (as the Host header wants it), prefix
---@return string target path and query; the message when the URL is not usable
function http1.parse_url(url)
  local prefix, target = url:match "^(%a+://[^/?#]+)([^#]*)"
  if not prefix or url:find "[^\33-\126]" then return nil, "the URL has a character that does not belong there" end
  local scheme, authority = prefix:match "^(%a+)://(.+)$"
  scheme = scheme:lower()
  local host, port = authority:match "^(%[[%x:.]+%]):?(%d*)$"
  if not host then host, port = authority:match "^([^:@%[%]]+):?(%d*)$" end
  if not host or (scheme ~= "http" and scheme ~= "https") then return nil, "not an http(s) URL" end
  if target:sub(1, 1) ~= "/" then target = "/" .. target end
  port = tonumber(port) or (scheme == "https" and 443 or 80)
  return { scheme = scheme, host = host, port = port, authority = authority, prefix = prefix }, target
end

--- The bytes of a request, as a list of strings.
---@param req table method, headers, body
---@param authority string
---@param target string
---@return string[]? bytes, string? message
function http1.request(req, authority, target)
  local out = { req.method, " ", target, " HTTP/1.1\r\nHost: ", authority, "\r\n" }
  local n = 6
  for name, value in pairs(req.headers or {}) do
    if not FRAMING[name:lower()] then
      if name:find "[%c%s:]" or value:find "[%z\r\n]" then return nil, "a header would break the request's frame" end
      out[n + 1], out[n + 2], out[n + 3], out[n + 4] = name, ": ", value, "\r\n"
      n = n + 4
    end
  end
  local body = req.body
  if body or HAS_BODY[req.method] then
    out[n + 1], out[n + 2], out[n + 3] = "Content-Length: ", tostring(body and #body or 0), "\r\n"
    n = n + 3
  end
  out[n + 1], out[n + 2] = "\r\n", body
  return out
end

---@class ampersand.HttpReader
---@field received boolean whether any byte has come
---@field reusable boolean whether the connection may carry another request once the body has ended
---@field ended boolean whether the body has ended
---@field context any whatever `more` needs
local Reader = {}
Reader.__index = Reader

--- A reader of one response.
---@param more fun(reader: table, sure: integer): string?, string?, string?
---@param method string of the request: an answer to HEAD has no body
---@return ampersand.HttpReader
function http1.reader(more, method)
  -- Every field from the start: a table that grows is made anew each time.
  return setmetatable({
    more = more, method = method, buffer = "", at = 1, left = 0, received = false, ended = false, reusable = false,
    read = false, after_chunk = false, context = false,
  }, Reader)
end

-- Appends bytes to what is held; true, or nil, message, kind.
local function fill(self, where)
  local bytes, message, kind = self:more(self.left)
  if not bytes then
    if message == "closed" then message = "the connection was closed " .. where end
    return nil, message, kind
  end
  self.received = true
  self.buffer = self.at > #self.buffer and bytes or self.buffer:sub(self.at) .. bytes
  self.at = 1
  return true
end

-- Where the head in the buffer ends (the last byte of its empty line).
local function await_head(self)
  local from = self.at
  while true do
    local _, stop = find(self.buffer, "\r\n\r\n", from, true)
    if not stop then _, stop = find(self.buffer, "\n\r?\n", from) end
    if stop then return stop end
    local held = #self.buffer - self.at + 1
    if held > MAX_HEAD then return nil, "the response's headers are too long", "limit" end
    local ok, message, kind = fill(self, held > 0 and "inside the response's headers" or "before an answer came")
    if not ok then return nil, message, kind end
    from = math.max(1, held - 2)
  end
end

-- The same few names come again and again: they are checked and lowered once.
local names, names_known = {}, 0

local function header_name(raw)
  local name = names[raw]
  if name then return name end
  if raw == "" or find(raw, "[%s%c]") then return nil end
  name = raw:lower()
  if names_known < MAX_NAMES then names[raw], names_known = name, names_known + 1 end
  return name
end

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

-- "name: value" lines from `at` on, as one table; nil, message when a line is none.
local function parse_headers(text, at)
  local headers = new_table(0, 16)
  while true do
    local stop = find(text, "\n", at, true)
    local last = byte(text, stop - 1) == 13 and stop - 2 or stop - 1
    if last < at then return headers end
    local colon = find(text, ":", at, true) or stop
    local name = colon < stop and header_name(sub(text, at, colon - 1))
    local value = name and header_value(text, colon + 1, last)
    if not value then return nil, "a header of the response is malformed" end
    local earlier = headers[name]
    headers[name] = earlier and earlier .. ", " .. value or value
    at = stop + 1
  end
end

-- A length that is repeated with the same value counts once (RFC 9110, 8.6).
local function parse_length(value)
  local first = value:match "^%d+"
  if not first or #first > 15 or value:sub(#first + 1):gsub(", *" .. first, "") ~= "" then return nil end
  return tonumber(first)
end

-- --- bodies: each is a function that gives the next bytes, nil at the end, or nil, message, kind ---------------------

local function take(self, most)
  local from, size = self.at, #self.buffer
  if from == 1 and size <= most then
    self.at = size + 1
    return self.buffer
  end
  local last = math.min(size, from + most - 1)
  self.at = last + 1
  return self.buffer:sub(from, last)
end

local function finish(self)
  self.ended = true
  if self.at <= #self.buffer then self.reusable = false end -- bytes that nobody asked for
end

local function read_fixed(self)
  if self.left == 0 then
    if not self.ended then finish(self) end
    return nil
  end
  if self.at > #self.buffer then
    local ok, message, kind = fill(self, ("with %.0f bytes of the body missing"):format(self.left))
    if not ok then return nil, message, kind end
  end
  local piece = take(self, self.left)
  self.left = self.left - #piece
  if self.left == 0 then finish(self) end
  return piece
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

local function read_trailer(self)
  repeat
    local line, message, kind = read_line(self)
    if not line then return nil, message, kind end
  until line == ""
  finish(self)
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

local function read_chunked(self)
  if self.ended then return nil end
  if self.left == 0 then
    local size, message, kind = next_chunk(self)
    if not size then return nil, message, kind end
    if size == 0 then return read_trailer(self) end
    self.left = size
  end
  if self.at > #self.buffer then
    local ok, message, kind = fill(self, "inside a chunk of the body")
    if not ok then return nil, message, kind end
  end
  local piece = take(self, self.left)
  self.left = self.left - #piece
  return piece
end

local function read_to_close(self)
  if self.ended then return nil end
  if self.at > #self.buffer then
    local bytes, message, kind = self:more(0)
    if bytes then return bytes end
    if message ~= "closed" then return nil, message, kind end
    return finish(self)
  end
  return take(self, #self.buffer)
end

-- Chooses how the body is framed (RFC 9112, 6.3).
local function frame(self, status, headers)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  self.left = 0
  if self.method == "HEAD" or status == 204 or status == 304 then
    self.read = read_fixed
    finish(self)
  elseif coding then
    if coding:lower() ~= "chunked" then return nil, "the response has a transfer-encoding nobody asked for" end
    self.read, self.reusable = read_chunked, self.reusable and not length
  elseif length then
    self.left = parse_length(length)
    if not self.left then return nil, "the response's Content-Length is not a number" end
    self.read = read_fixed
    if self.left == 0 then finish(self) end
  else
    self.read, self.reusable = read_to_close, false
  end
  return true
end

local function parse_head(self, stop)
  local text = self.buffer
  local minor, status = match(text, "^HTTP/1%.(%d) (%d%d%d)[ \r\n]", self.at)
  if not status then return nil, "the answer is not HTTP/1.1", "protocol" end
  local headers, message = parse_headers(text, find(text, "\n", self.at, true) + 1)
  if not headers then return nil, message, "protocol" end
  self.at = stop + 1
  return tonumber(status), headers, minor
end

--- Reads the head of the final response; informational ones are passed over.
---@return integer? status
---@return table|string headers lower-case names, repeated ones joined; or a message
---@return string? kind
function Reader:head()
  local status, headers, minor
  repeat
    local stop, message, kind = await_head(self)
    if not stop then return nil, message, kind end
    status, headers, minor = parse_head(self, stop)
    if not status then return nil, headers, minor end
    if status == 101 then return nil, "the server changed the protocol, which nobody asked for", "protocol" end
  until status >= 200
  local connection = headers.connection
  self.reusable = minor ~= "0" and not (connection and connection:lower():find("close", 1, true))
  local coding = headers["content-encoding"]
  if coding and coding:lower() ~= "identity" then
    return nil, "the body is compressed, which nobody asked for: " .. coding, "protocol"
  end
  local ok, message = frame(self, status, headers)
  if not ok then return nil, message, "protocol" end
  return status, headers
end

return http1
