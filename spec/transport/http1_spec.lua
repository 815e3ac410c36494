local http1 = require "ampersand.transport.http1"

local function new_reader(more, method)
  return setmetatable({
    buffer = "", at = 1, left = 0, ended = false, reusable = false, after_chunk = false, read = false,
    secure = false, chunks = false, method = method or "GET",
  }, http1.reader(more))
end

-- A reader over bytes that arrive in pieces of `size`, then end, or break off with `message` and `kind`.
local function reader(text, size, method, message, kind)
  local at = 1
  return new_reader(function()
    if at > #text then return nil, message or "closed", kind or "closed" end
    local piece = text:sub(at, at + size - 1)
    at = at + size
    return piece
  end, method)
end

local function body_of(r, most)
  local parts = {}
  while true do
    local piece, message, kind = r:read(most)
    assert(not piece or #piece <= (most or math.huge))
    if not piece then return not kind and table.concat(parts) or nil, message, kind end
    parts[#parts + 1] = piece
  end
end

describe("http1", function()
  describe("URLs", function()
    it("are split", function()
      local origin, target = http1.parse_url "https://api.example.com/v1/a?b=c#d"
      assert.same({ "https", "api.example.com", 443, "api.example.com" },
        { origin.scheme, origin.host, origin.port, origin.authority })
      assert.equal("/v1/a?b=c", target)
      origin, target = http1.parse_url "http://[::1]:8080?x=1"
      assert.same({ "http", "[::1]", 8080, "[::1]:8080", "/?x=1" },
        { origin.scheme, origin.host, origin.port, origin.authority, target })
    end)

    it("that could smuggle something are refused", function()
      for _, url in ipairs {
        "http://h/a b", "http://h/a\r\nX: y", "http://user@h/", "ftp://h/", "/path", "http:///x", "http://h:80:1/",
        "http://h/\195\164",
      } do
        local origin, message = http1.parse_url(url)
        assert.is_nil(origin)
        assert.is_string(message)
      end
    end)
  end)

  describe("requests", function()
    local function text(req)
      return assert(http1.request(req, "h", "/t"))
    end

    it("carry headers, a length and the body; the framing is never the caller's", function()
      local headers = { ["X-A"] = "1", ["Content-LENGTH"] = "9", Host = "evil" }
      local got = text { method = "PUT", headers = headers, body = "ab" }
      assert.equal("PUT /t HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nab", got)
      assert.equal("GET /t HTTP/1.1\r\nHost: h\r\n\r\n", text { method = "GET", headers = {} })
      assert.equal("POST /t HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", text { method = "POST" })
    end)

    it("refuse headers with line breaks", function()
      assert.is_nil((http1.request({ method = "GET", headers = { A = "b\r\nC: d" } }, "h", "/")))
      assert.is_nil((http1.request({ method = "GET", headers = { ["A:b"] = "c" } }, "h", "/")))
    end)
  end)

  describe("responses", function()
    local FIXED = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  one \r\nx-a: two\r\nEmpty:\r\n\r\nhello"
    local CHUNKED = "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "5;ext=1\r\nhello\r\n1 \r\n \r\n0\r\nTrail: x\r\n\r\n"

    it("are the same however their bytes are cut", function()
      for size = 1, 120 do
        local r = reader(FIXED, size)
        local status, headers = r:head()
        assert.equal(200, status)
        assert.same({ ["content-length"] = "5", ["x-a"] = "one, two", empty = "" }, headers)
        assert.equal("hello", body_of(r))
        assert.is_true(r.ended and r.reusable)

        r = reader(CHUNKED, size)
        assert.equal(200, (r:head()))
        assert.equal("hello ", body_of(r))
        assert.is_true(r.ended and r.reusable)
      end
    end)

    it("are given in small pieces to those who ask for them", function()
      for size = 1, 120 do
        for _, text in ipairs { FIXED, CHUNKED, "HTTP/1.0 200 OK\r\n\r\nhello" } do
          local r = reader(text, size)
          assert.equal(200, (r:head()))
          assert.equal("hello", body_of(r, 2):match "%w+")
        end
      end
    end)

    it("may come after informational ones, with bare line feeds, and without a body", function()
      local r = reader("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        .. "HTTP/1.1 204 No Content\nA: b\n\n", 7)
      local status, headers = r:head()
      assert.same({ 204, { a = "b" } }, { status, headers })
      assert.equal("", body_of(r))
      assert.is_true(r.reusable)
      r = reader("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 99, "HEAD")
      assert.equal(200, (r:head()))
      assert.equal("", body_of(r))
    end)

    it("without a length last until the connection closes", function()
      local r = reader("HTTP/1.0 200 OK\r\n\r\nabcdef", 22)
      assert.equal(200, (r:head()))
      assert.equal("abcdef", body_of(r))
      assert.is_false(r.reusable)
      r = reader("HTTP/1.1 200 OK\r\n\r\nab", 99, "GET", "the connection broke: reset", "closed")
      r:head()
      assert.same({ nil, "the connection broke: reset", "closed" }, { body_of(r) })
    end)

    it("leave a connection that cannot be used any more", function()
      for _, head in ipairs {
        "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 No Content\r\n\r\nsurprise",
      } do
        local r = reader(head, 999)
        assert(r:head())
        assert(body_of(r))
        assert.is_false(r.reusable)
      end
    end)

    it("that break off are no success, wherever it happens", function()
      for _, whole in ipairs { FIXED, CHUNKED } do
        for cut = 0, #whole - 1 do
          local r = reader(whole:sub(1, cut), 1000)
          local status, message, kind = r:head()
          if status then
            local body
            body, message, kind = body_of(r)
            assert.is_nil(body)
          end
          assert.equal("closed", kind)
          assert.is_truthy(message:find("the connection was closed", 1, true))
        end
      end
    end)

    it("that are malformed are refused", function()
      for _, head in ipairs {
        "HTTP/2 200\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 099 Low\r\n\r\n", "hello", "\r\nHTTP/1.1 200 OK\r\n\r\n", "\0\1\2",
        "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "HTTP/1.1 200 O\0K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 13, 14\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 55\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
      } do
        local status, message, kind = reader(head, 999):head()
        assert.is_nil(status, head)
        assert.is_string(message)
        assert.equal("protocol", kind)
      end
      assert.equal(200, (reader("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", 99):head()))
      local _, headers = reader("HTTP/1.1 200 OK\r\nA: b\r\n\tc\r\nContent-Length: 0\r\n\r\n", 99):head()
      assert.equal("b c", headers.a)
    end)

    it("over TLS need an end of their own", function()
      local function kind_of(head)
        local r = reader(head .. "\r\nbody", 99)
        r.secure = true
        return (select(3, r:head()))
      end
      assert.equal("closed", kind_of "HTTP/1.1 200 OK\r\n")
      assert.equal("closed", kind_of "HTTP/1.0 200 OK\r\n")
      assert.is_nil(kind_of "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n")
      assert.is_nil(kind_of "HTTP/1.1 503 No\r\n")
      assert.is_nil(kind_of "HTTP/1.1 204 No\r\n")
    end)

    it("with a compressed body are refused when it is read", function()
      local r = reader("HTTP/1.1 502 Bad\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody", 99)
      assert.equal(502, (r:head()))
      local body, message, kind = body_of(r)
      assert.same({ nil, "the body is compressed, which was not requested: gzip", "protocol" }, { body, message, kind })
      r = reader("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 99)
      assert(r:head())
      assert.equal("", body_of(r))
    end)

    it("with bad chunks are refused", function()
      local junk = { "0\r\njunk\r\n\r\n", "0\r\nA: b\0\r\n\r\n", "0\r\nA b: c\r\n\r\n", "0\r\n: c\r\n\r\n" }
      for i = 1, #junk do junk[i] = "1\r\nx\r\n" .. junk[i] end
      for _, chunks in ipairs { junk[1], junk[2], junk[3], junk[4], "x\r\n", "5\r\nhelloX\r\n", "-1\r\n", "\r\n", "5 5\r\n", "fffffffffffff\r\n" } do
        local r = reader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. chunks, 999)
        assert(r:head())
        local body, _, kind = body_of(r)
        assert.same({ nil, "protocol" }, { body, kind })
      end
    end)

    it("with endless headers are cut short", function()
      for _, endless in ipairs { "A: b\r\n", "\r\nHTTP/1.1 100 Continue\r\n" } do
        local first = true
        local _, _, kind = new_reader(function()
          if not first then return endless:rep(1000) end
          first = false
          return "HTTP/1.1 100 Continue\r\n"
        end):head()
        assert.equal("limit", kind)
      end
    end)
  end)
end)
