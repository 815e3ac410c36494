-- What the fault server does, by name. A scenario gets the connection and the request (method, path, headers, body,
-- number on this connection) and answers true when the connection may serve another one.

local cqueues = require "cqueues"
local zlib = require "zlib"

local scenarios = {}

local ITEMS = '[{"id":"a"},{"id":"b"},{"id":"c"}]'

-- --- building blocks -------------------------------------------------------------------------------

local function head(status, headers)
  return "HTTP/1.1 " .. status .. "\r\n" .. table.concat(headers, "\r\n") .. (headers[1] and "\r\n" or "") .. "\r\n"
end

local function respond(conn, status, headers, body)
  headers[#headers + 1] = "Content-Length: " .. #body
  return conn:send(head(status, headers) .. body)
end

function scenarios.ok(conn, body, ...)
  return respond(conn, "200 OK", { "Content-Type: application/json", ... }, body)
end

local function chunk(bytes)
  return ("%x\r\n%s\r\n"):format(#bytes, bytes)
end

local function chunked(...)
  return head("200 OK", { "Transfer-Encoding: chunked", ... })
end

local function gzip(text) return (zlib.deflate(6, 31)(text, "finish")) end

local function parameter(request, name)
  return request.path:match("[?&]" .. name .. "=([^&]*)")
end

-- Sends `bytes` one by one, slowly, until the client has had enough.
local function drip(conn, bytes)
  for i = 1, #bytes do
    if not conn:send(bytes:sub(i, i)) then return end
    cqueues.sleep(0.03)
  end
end

-- A scenario that sends fixed bytes and closes.
local function sends(...)
  local bytes = table.concat { ... }
  return function(conn) conn:send(bytes) end
end

-- --- proper answers ----------------------------------------------------------------------------------

function scenarios.items(conn) return scenarios.ok(conn, ITEMS) end

function scenarios.unknown(conn) return respond(conn, "404 Not Found", {}, "no such scenario") end

-- The request as it arrived.
function scenarios.echo(conn, request) return scenarios.ok(conn, request.raw .. request.body) end

function scenarios.slow(conn, request)
  cqueues.sleep(tonumber(parameter(request, "seconds")) or 0.05)
  return scenarios.ok(conn, ITEMS)
end

function scenarios.big(conn, request)
  local n = tonumber(parameter(request, "bytes")) or 3000000
  conn:send(head("200 OK", { "Content-Length: " .. n }))
  local block = ("x"):rep(65536)
  while n > 0 do
    if not conn:send(block:sub(1, n)) then return end
    n = n - #block
  end
  return true
end

-- /sized/bytes=N/kind=json/status=500 or as query parameters: N bytes, of text or of one JSON string.
function scenarios.sized(conn, request)
  local n = tonumber(request.path:match "bytes=(%d+)") or 10
  local json = request.path:find "kind=json"
  conn:send(head(request.path:match "status=(%d+)" or "200 OK", {
    "Content-Length: " .. n, "Content-Type: " .. (json and "application/json" or "text/plain"),
  }))
  if json then conn:send '"' end
  local left, block = json and n - 2 or n, ("x"):rep(2 ^ 20)
  while left > 0 do
    if not conn:send(block:sub(1, left)) then return end
    left = left - #block
  end
  return (not json or conn:send '"') and true
end

function scenarios.status(conn, request)
  return respond(conn, parameter(request, "code") .. " Whatever", {}, "the body")
end

-- A success that does not announce that it has no body.
function scenarios.created(conn)
  conn:send(head("201 Created", { "Transfer-Encoding: chunked" }) .. "0\r\n\r\n")
  return true
end

function scenarios.no_content(conn)
  conn:send(head("204 No Content", {}))
  return true
end

scenarios.until_close = sends(head("200 OK", { "Connection: close" }), ITEMS)

function scenarios.interim(conn)
  conn:send(head("103 Early Hints", { "Link: </style>" }))
  return scenarios.ok(conn, ITEMS, "X-Final: yes")
end

function scenarios.folded(conn) return scenarios.ok(conn, ITEMS, "X-Long: one", "  two", "X-Twice: 1", "X-Twice: 2") end

function scenarios.trailers(conn)
  conn:send(chunked() .. chunk(ITEMS) .. "0\r\nX-Trailer: late\r\n\r\n")
  return true
end

function scenarios.chunked_last(conn)
  conn:send(head("200 OK", { "Transfer-Encoding: identity, chunked" }) .. chunk(ITEMS) .. "0\r\n\r\n")
  return true
end

function scenarios.gzip(conn) return scenarios.ok(conn, gzip(ITEMS), "Content-Encoding: gzip") end

function scenarios.gzip_twice(conn) return scenarios.ok(conn, gzip(gzip(ITEMS)), "Content-Encoding: gzip, gzip") end

-- One stored block; in the zlib format, or without it as some servers send it.
local function stored(text, first)
  local high, low = math.floor(#text / 256), #text % 256
  return (first or "\1") .. string.char(low, high, 255 - low, 255 - high) .. text
end

function scenarios.deflate(conn)
  local a, b = 1, 0
  for i = 1, #ITEMS do
    a = (a + ITEMS:byte(i)) % 65521
    b = (b + a) % 65521
  end
  local sum = string.char(math.floor(b / 256), b % 256, math.floor(a / 256), a % 256)
  return scenarios.ok(conn, "\120\1" .. stored(ITEMS) .. sum, "Content-Encoding: deflate")
end

function scenarios.deflate_bare(conn) return scenarios.ok(conn, stored(ITEMS), "Content-Encoding: deflate") end

-- A problem that is longer than what is kept of one, before decoding as after; `cut`: with the connection, before that.
function scenarios.deflate_problem(conn, request)
  local text, half = '{"title":"Broken","requestId":"r-1","pad":"' .. ("x"):rep(79955) .. '"}', 40000
  local bytes = stored(text:sub(1, half), "\0") .. stored(text:sub(half + 1))
  local is_cut = request.path:find "cut"
  conn:send(head("500 Broken", { "Content-Encoding: deflate", "Content-Length: " .. #bytes })
    .. (is_cut and bytes:sub(1, half) or bytes))
  return not is_cut
end

-- RFC 1952, 2.2: a file is one or more members, one after the other.
function scenarios.gzip_members(conn)
  return scenarios.ok(conn, gzip(ITEMS:sub(1, 9)) .. gzip "" .. gzip(ITEMS:sub(10)), "Content-Encoding: gzip")
end

-- An error's body that cannot be decoded: /coded_error/coding=CODING, or as query parameters.
function scenarios.coded_error(conn, request)
  local coding = request.path:match "coding=([^&/?]*)":gsub("%%2C%%20", ", "):gsub("+", ", ")
  return respond(conn, (parameter(request, "status") or "503") .. " Broken", {
    "Content-Encoding: " .. coding, "X-Request-Id: r-1", "Retry-After: 7",
  }, "\27\3\0\248" .. ITEMS)
end

-- --- 30 KB that unpack to 24 MB of one kind ------------------------------------------------------------

local MEGABYTES = 24

-- The integer's bytes, the lowest first.
local function little_endian(n)
  return string.char(n % 256, math.floor(n / 256) % 256, math.floor(n / 65536) % 256, math.floor(n / 16777216))
end

-- A megabyte is packed once: after a full flush it means the same wherever it stands.
local function packed(first, piece)
  local deflate, sum, megabyte = zlib.deflate(6, 31), zlib.crc32(), piece:rep(math.floor(2 ^ 20 / #piece))
  local start, block, tail = deflate(first, "full"), deflate(megabyte, "full"), deflate("", "finish"):sub(1, -9)
  local crc = sum(first)
  for _ = 1, MEGABYTES do crc = sum(megabyte) end
  return start .. block:rep(MEGABYTES) .. tail .. little_endian(crc) .. little_endian(#first + MEGABYTES * #megabyte)
end

-- Name: how it begins and goes on, its coding; `again` packs what is packed.
local BOMBS = {
  nesting = { "", "[" }, objects = { "", [[{"a":]] }, spaces = { "", "          " }, string = { '["', "aaaaaaaaaa" },
  elements = { "[", "1,1,1,1,1," }, zeros = { "", "0000000000" },
  twice = { "", "[[[[[[[[[[", "gzip, gzip", again = true }, inner = { "", "[[[[[[[[[[", again = true },
}

for name, bomb in pairs(BOMBS) do
  scenarios["bomb_" .. name] = function(conn, request)
    if not bomb.bytes then
      local bytes = packed(bomb[1], bomb[2])
      bomb.bytes = bomb.again and gzip(bytes) or bytes
    end
    local status = request.path:find "status=500" and "500 Broken" or "200 OK"
    return respond(conn, status, {
      "Content-Type: " .. (request.path:find "text" and "text/plain" or "application/json"),
      "Content-Encoding: " .. (bomb[3] or "gzip"),
    }, bomb.bytes)
  end
end

-- A list that goes on as long as anybody reads, unless the query says "finite"; faster than it is read at first.
function scenarios.endless(conn, request)
  if request.path:find "finite" then return scenarios.items(conn) end
  conn:send(chunked() .. chunk("[1" .. (",1"):rep(60000)))
  local more = chunk((",1"):rep(1000))
  while conn:send(more) do cqueues.sleep(0.05) end
end

-- As a proxy: CONNECT statusNNN.invalid is refused with that status.
function scenarios.connect(conn, request)
  return respond(conn, (request.path:match "status(%d+)" or "400") .. " No", {}, "no tunnel")
end

function scenarios.cookie(conn) return scenarios.ok(conn, ITEMS, "Set-Cookie: id=1; Path=/") end

function scenarios.redirect(conn, request)
  return respond(conn, parameter(request, "code") .. " Found", { "Location: " .. parameter(request, "to") }, "")
end

-- --- time ----------------------------------------------------------------------------------------------

function scenarios.silent() cqueues.sleep(30) end

function scenarios.drip_head(conn) drip(conn, head("200 OK", { "X-Slow: " .. ("y"):rep(600) })) end

function scenarios.drip_body(conn)
  conn:send(head("200 OK", { "Content-Length: 1000" }))
  drip(conn, ("z"):rep(1000))
end

function scenarios.stall_body(conn)
  conn:send(head("200 OK", { "Content-Length: 1000" }) .. "[1,2,")
  cqueues.sleep(30)
end

function scenarios.first_then_silent(conn)
  conn:send(chunked() .. chunk '[{"id":"a"},')
  cqueues.sleep(30)
end

-- --- connections -----------------------------------------------------------------------------------------

-- The first request of a connection is served, the second one finds it dying.
function scenarios.die_on_reuse(conn, request)
  if request.number == 1 then return scenarios.ok(conn, ITEMS) end
end

function scenarios.reset_on_reuse(conn, request)
  if request.number == 1 then return scenarios.ok(conn, ITEMS) end
  conn:reset()
end

-- Answers without a request, a little after the answer that was.
function scenarios.speaks_unasked(conn, request)
  scenarios.ok(conn, ('[{"id":"%s"}]'):format(parameter(request, "id")))
  if parameter(request, "id") == "first" then
    cqueues.sleep(0.05)
    scenarios.ok(conn, '[{"id":"unasked"}]')
    cqueues.sleep(0.01) -- over TLS it is passed on meanwhile
    request.done = "/spoken_unasked"
  end
  return true
end

function scenarios.close_at_once() end

function scenarios.reset_at_once(conn) conn:reset() end

function scenarios.reset_in_body(conn, request)
  conn:send(head("200 OK", { "Content-Length: 1000" }) .. "[1,2,")
  cqueues.sleep(0.05)
  conn:reset()
  request.done = "/was_reset"
end

function scenarios.reset_when_idle(conn, request)
  scenarios.ok(conn, ITEMS)
  cqueues.sleep(0.05)
  conn:reset()
  request.done = "/was_reset"
end

-- TLS: the body's end is the connection's, and the closing alert is missing.
function scenarios.cut(conn)
  conn:send(head("200 OK", { "Connection: close" }) .. ITEMS)
  conn:cut()
end

-- --- broken messages ---------------------------------------------------------------------------------------

scenarios.short_body = sends(head("200 OK", { "Content-Length: 1000" }), ITEMS)
scenarios.cut_status = sends "HTTP/1.1 20"
scenarios.cut_head = sends "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Cut: he"
scenarios.cut_before_blank = sends "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
scenarios.cut_after_interim = sends(head("100 Continue", {}))
scenarios.bad_chunk = sends(chunked(), chunk(ITEMS), "zz\r\nrubbish\r\n0\r\n\r\n")
scenarios.cut_chunk = sends(chunked(), "ff\r\n", ITEMS)
scenarios.no_last_chunk = sends(chunked(), chunk(ITEMS))
scenarios.huge_chunk = sends(chunked(), "ffffffffffffffffff\r\n", ITEMS)
scenarios.two_lengths = sends(head("200 OK", { "Content-Length: 34", "Content-Length: 4" }), ITEMS)
scenarios.same_lengths = sends(head("200 OK", { "Content-Length: 34", "Content-Length: 34" }), ITEMS)
scenarios.length_and_chunks = sends(chunked "Content-Length: 34", chunk(ITEMS), "0\r\n\r\n")
scenarios.length_garbage = sends(head("200 OK", { "Content-Length: 34x" }), ITEMS)
scenarios.length_negative = sends(head("200 OK", { "Content-Length: -1" }), ITEMS)
scenarios.length_overflow = sends(head("200 OK", { "Content-Length: 99999999999999999999999999" }), ITEMS)
scenarios.length_list = sends(head("200 OK", { "Content-Length: 34, 4" }), ITEMS)
scenarios.http09 = sends(ITEMS)
scenarios.garbage_status = sends("HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}")
scenarios.odd_status = sends("HTTP/1.1 999999 OK\r\nContent-Length: 2\r\n\r\n{}")
scenarios.nameless_header = sends(head("200 OK", { ": nothing", "Content-Length: 2" }), "{}")
scenarios.colonless_header = sends(head("200 OK", { "what is this", "Content-Length: 2" }), "{}")
scenarios.fold_first = sends("HTTP/1.1 200 OK\r\n folded\r\nContent-Length: 2\r\n\r\n{}")
scenarios.nul_header = sends(head("200 OK", { "X-Nul: a\0b", "Content-Length: 2" }), "{}")

function scenarios.endless_head(conn)
  conn:send "HTTP/1.1 200 OK\r\n"
  while conn:send(("X-More: %s\r\n"):format(("m"):rep(1000))) do end
end

function scenarios.endless_line(conn)
  conn:send "HTTP/1.1 200 OK\r\nX-Long: "
  while conn:send(("m"):rep(65536)) do end
end

function scenarios.endless_interim(conn)
  while conn:send(head("102 Processing", { "X-Wait: " .. ("w"):rep(100) })) do end
end

function scenarios.gzip_cut(conn)
  local bytes = gzip(ITEMS:rep(100))
  return scenarios.ok(conn, bytes:sub(1, #bytes - 12), "Content-Encoding: gzip")
end

function scenarios.gzip_cut_text(conn)
  return respond(conn, "200 OK", { "Content-Type: text/plain", "Content-Encoding: gzip" }, gzip(("text "):rep(999)):sub(1, -9))
end

-- A list that would be whole with a few bytes more.
function scenarios.gzip_cut_list(conn)
  local bytes = gzip("[" .. ('{"id":"a"},'):rep(2000) .. '{"id":"z"}]')
  return scenarios.ok(conn, bytes:sub(1, #bytes - 14), "Content-Encoding: gzip")
end

function scenarios.gzip_and_more(conn) return scenarios.ok(conn, gzip(ITEMS) .. "more", "Content-Encoding: gzip") end

function scenarios.gzip_corrupt(conn)
  local bytes = gzip(ITEMS:rep(100))
  return scenarios.ok(conn, bytes:sub(1, 20) .. "\255\255\255\255\255\255" .. bytes:sub(27), "Content-Encoding: gzip")
end

function scenarios.gzip_checksum(conn)
  local bytes = gzip(ITEMS)
  return scenarios.ok(conn, bytes:sub(1, -9) .. "\1\2\3\4" .. bytes:sub(-4), "Content-Encoding: gzip")
end

function scenarios.gzip_not(conn) return scenarios.ok(conn, ITEMS, "Content-Encoding: gzip") end

function scenarios.encoding_unknown(conn) return scenarios.ok(conn, ITEMS, "Content-Encoding: rot13") end

function scenarios.encoding_stack(conn)
  return scenarios.ok(conn, gzip(ITEMS), "Content-Encoding: " .. ("gzip, "):rep(20) .. "gzip")
end

-- /contract/answer, /contract/missing, /contract/coded: what spec/support/contract.lua asks for.
function scenarios.contract(conn, request)
  if request.path:find "coded" then return respond(conn, "503 Broken", { "Content-Encoding: br" }, "\27\3\0") end
  if request.path:find "missing" then return respond(conn, "404 Not Found", {}, "no") end
  return respond(conn, "200 OK", { "X-Upper: Mixed" }, "hello")
end

-- /framing/N: row N of spec/transport/framing.lua; /framing/next: an answer like any other.
function scenarios.framing(conn, request)
  local row = require("transport.framing")[tonumber(request.path:match "%d+")]
  if not row then return respond(conn, "200 OK", {}, "next") end
  local ending = row[3]
  if row[2] ~= "" then conn:send(row[2]) end
  if ending == "slow reset" then cqueues.sleep(0.05) end
  if ending == "cut" then conn:cut() elseif ending:find "reset" then conn:reset() end
  return ending == "stay"
end

-- --- HTTP/2: frames as bytes ---------------------------------------------------------------------------------

local function frame(kind, flags, stream, payload)
  local n = #payload
  return string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256, kind, flags) .. stream .. payload
end

local ALL, STATUS_200 = "\0\0\0\0", "\136" -- the connection itself; ":status: 200" in HPACK's static table

-- Two streams at a time.
scenarios.h2 = { settings = frame(4, 0, ALL, "\0\3\0\0\0\2") }
scenarios.h2_ports = {
  h2_reset = true, h2_goaway = true, h2_reset_in_body = true, h2_refused = true, h2_close = true, h2_two = true,
}

local function rst(stream, code) return frame(3, 0, stream, "\0\0\0" .. string.char(code)) end

function scenarios.h2.h2_reset(conn, stream) return conn:send(rst(stream, 2)) end -- INTERNAL_ERROR

function scenarios.h2.h2_refused(conn, stream) return conn:send(rst(stream, 7)) end -- REFUSED_STREAM

-- Serves the streams it has announced and refuses the others; HTTP/1.1, to who wants that, without a limit.
function scenarios.h2.h2_two(conn, stream)
  conn.streams = conn.streams or 0
  if conn.streams == 2 then return conn:send(rst(stream, 7)) end
  conn.streams = conn.streams + 1
  cqueues.running():wrap(function()
    cqueues.sleep(0.05)
    conn.streams = conn.streams - 1
    conn:send(frame(1, 4, stream, STATUS_200) .. frame(0, 1, stream, ITEMS))
  end)
  return true
end

function scenarios.h2_two(conn)
  cqueues.sleep(0.05)
  return scenarios.ok(conn, ITEMS)
end

function scenarios.h2.h2_reset_in_body(conn, stream)
  return conn:send(frame(1, 4, stream, STATUS_200) .. frame(0, 0, stream, ITEMS:sub(1, 10)) .. rst(stream, 2))
end

-- The server closes: it ignored everything above stream 0.
function scenarios.h2.h2_goaway(conn)
  conn:send(frame(7, 0, ALL, "\0\0\0\0" .. "\0\0\0\0"))
end

-- The connection ends in the middle of a body.
function scenarios.h2.h2_close(conn, stream)
  conn:send(frame(1, 4, stream, STATUS_200) .. frame(0, 0, stream, ITEMS:sub(1, 10)))
end

return scenarios
