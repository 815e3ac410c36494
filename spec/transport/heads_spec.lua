-- Heads at random (AMP_HEADS of them): C (src/http_head.c, libcurl's path) and Lua (http1, nginx's path) give each the same
-- verdict.

local build = require "support.build"
local http1 = require "ampersand.transport.http1"

-- In busted each use of a global searches its environments.
local math, pairs, setmetatable, table, tonumber = math, pairs, setmetatable, table, tonumber

local EITHER = { closed = true, protocol = true }
local HEADS = tonumber(os.getenv "AMP_HEADS") or (os.getenv "AMP_SLOW" and 2000 or 20000)

local VERSIONS = { "HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.1 ", "HTTP/1.0 ", "HTTP/1.2 ", "HTTP/2 ", "http/1.1 ", "HTTP/1.1" }
local STATUSES = { "200 OK", "200 OK", "201", "204 ", "304 N", "500 x", "100 C", "101 S", "103 E", "99 x", "2000", "0200 x", "abc" }
local NAMES = { "X", "x-y", "Content-Length", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING", "Content-Type",
  "Connection", "Set-Cookie", "", " X", "X Y", "X-\195\164", "Host" }
local VALUES = { "5", "5", " 5 ", "5, 5", "5,5", "5, 6", "0", "05", "-1", "+5", "5x", "1e3", "999999999999999", "1000000000000000",
  "chunked", "chunked", "Chunked ", "gzip, chunked", "chunked, chunked", "identity", "rot13", "", "close", "keep-alive", "a\0b",
  "a\rb", "\t tab \t", "\1\127\255" }
local ENDS = { "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\n", "\r", "\r\n  fold\r\n", "\r\n\tfold\n", "\r\r\n" }
local BYTES = { "\0", "\r", "\n", " ", "\t", ":", ",", "\r\n", "\r\n\r\n", "0", "5", "x", "\255" }

local function one_of(list) return list[math.random(#list)] end

-- Exchanges, adds or takes away a byte here and there.
local function damage(text)
  for _ = 1, math.random(3) do
    local at = math.random(#text + 1)
    local way = math.random(3)
    text = text:sub(1, at - 1) .. (way < 3 and one_of(BYTES) or "") .. text:sub(at + (way > 1 and 1 or 0))
  end
  return text
end

local function random_head()
  local parts = {}
  repeat
    parts[#parts + 1] = one_of(VERSIONS) .. one_of(STATUSES) .. (math.random(20) == 1 and "\r" or one_of { "\r\n", "\r\n", "\n" })
    for _ = 1, math.random(0, 4) do parts[#parts + 1] = one_of(NAMES) .. ":" .. one_of(VALUES) .. one_of(ENDS) end
    parts[#parts + 1] = "\r\n"
  until math.random(4) > 1
  local text = table.concat(parts)
  return math.random(3) == 1 and damage(text) or text
end

local Reader = http1.reader(function(reader)
  local piece = reader.rest:sub(1, reader.piece)
  reader.rest = reader.rest:sub(reader.piece + 1)
  if piece == "" then return nil, "closed", "closed" end
  return piece
end)

local function lua_verdict(head, piece)
  local reader = setmetatable({
    buffer = "", at = 1, left = 0, ended = false, reusable = false, after_chunk = false, read = false, method = "GET",
    rest = head, piece = piece,
  }, Reader)
  local status, headers, kind = reader:head()
  if not status then return kind end
  local lines = {}
  for name, value in pairs(headers) do lines[#lines + 1] = name .. "=" .. value end
  table.sort(lines)
  local length = (headers["content-length"] or "-1"):match "^%-?%d+"
  return ("%d %.0f %d\n"):format(status, tonumber(length), headers["transfer-encoding"] and 1 or 0) .. table.concat(lines, "\n")
end

-- The same words for what the C program printed: repeated fields are joined.
local function c_verdict(text)
  local first, rest = text:match "^(%d+ %-?%d+ %d)%z(.*)$"
  if not first then return text end
  local headers, lines = {}, {}
  for name, value in rest:gmatch "([^%z]*)%z([^%z]*)%z" do
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  for name, value in pairs(headers) do lines[#lines + 1] = name .. "=" .. value end
  table.sort(lines)
  return first .. "\n" .. table.concat(lines, "\n")
end

local SIZES = { "0", "1", "2", "5", "a", "F", "00", "005", "10", "0x5", "-1", "", " 5", "5 ", "5;a=b", "5 x", "fffffffffffff", "g" }

local function random_chunks()
  local parts = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" }
  for _ = 1, math.random(0, 4) do
    local size = one_of(SIZES)
    local n = math.min(tonumber(size:match "^%x+" or "0", 16), 20)
    parts[#parts + 1] = size .. one_of(ENDS) .. ("x"):rep(n) .. one_of(ENDS)
  end
  parts[#parts + 1] = "0" .. one_of(ENDS) .. (math.random(3) == 1 and "X: 1\r\n" or "") .. "\r\n"
  local text = table.concat(parts)
  return math.random(3) == 1 and damage(text) or text
end

local function body_verdict(text, piece)
  local reader = setmetatable({
    buffer = "", at = 1, left = 0, ended = false, reusable = false, after_chunk = false, read = false, method = "GET",
    rest = text, piece = piece,
  }, Reader)
  local status, _, kind = reader:head()
  if not status then return kind end
  local parts = {}
  while true do
    local chunk
    chunk, _, kind = reader:read(7)
    if not chunk then return kind or table.concat(parts) end
    parts[#parts + 1] = chunk
  end
end

describe("a body in chunks", function()
  it("is read the same however it arrives, by Lua", function()
    math.randomseed(20261129)
    for i = 1, HEADS / 5 do
      local text = random_chunks()
      local whole, pieces = body_verdict(text, 4096), body_verdict(text, math.random(4))
      if whole ~= pieces then assert.equal(whole, pieces, ("body %d: %q"):format(i, text)) end
    end
  end)
end)

describe("a head", function()
  it("gets the same verdict in C and in Lua, however it arrives", function()
    local input = os.tmpname()
    local program = build.c("heads", "program")
    local heads, file = {}, assert(io.open(input, "wb"))
    math.randomseed(20261128)
    for i = 1, HEADS do
      heads[i] = random_head()
      file:write(#heads[i], "\n", heads[i])
    end
    file:close()
    local pipe = assert(io.popen(("exec env -u LD_PRELOAD '%s' <'%s'"):format(program, input)))
    local output, at, kinds = pipe:read "*a", 1, {}
    pipe:close()
    os.remove(input)
    for i = 1, HEADS do
      local stop = assert(output:find("\30", at, true), "the program ended early")
      local expected = c_verdict(output:sub(at, stop - 1))
      at = stop + 1
      local found = lua_verdict(heads[i], i % 5 == 0 and math.random(4) or 4096)
      -- C looks at each line, Lua at a whole head: one that breaks off and has a fault, too, may be either
      if found ~= expected and not (EITHER[found] and EITHER[expected]) then
        assert.equal(expected, found, ("head %d: %q"):format(i, heads[i]))
      end
      local kind = expected:match "^%a+" or "whole"
      kinds[kind] = (kinds[kind] or 0) + 1
    end
    assert.is_true(kinds.whole > HEADS / 20 and kinds.protocol > HEADS / 20 and kinds.closed > 0)
  end)
end)
