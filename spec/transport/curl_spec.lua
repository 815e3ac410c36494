-- The curl transport against the fault server: every way a response can break, and what must never happen.

local core = require "ampersand.core"
local curl = require "ampersand.transport.curl"
local http = require "ampersand.http"
local fault = require "support.fault"
local heap_size = require "support.heap_size"
local machine = require "support.machine"
local await = require("support.server").await

local ITEMS = '[{"id":"a"},{"id":"b"},{"id":"c"}]'

-- Instrumented runs are slower; a deadline's lower bound is not.
local PATIENCE = os.getenv "AMP_SLOW" and 10 or 1

describe("the curl transport", function()
  local server, transport
  local unique = 0

  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)
  after_each(function()
    if transport then transport:close() end
    transport = nil
  end)

  local function new(opts)
    opts = opts or {}
    opts.http_proxy = opts.http_proxy or "" -- whatever the environment says
    if opts.ca_file == nil then opts.ca_file = server.directory .. "/ca.pem" end
    opts.ca_file = opts.ca_file or nil
    if transport then transport:close() end
    transport = curl.new(opts)
    return transport
  end

  local function read(res)
    local chunks = {}
    while true do
      local chunk, message, kind = res.read()
      if not chunk then return table.concat(chunks), message, kind end
      chunks[#chunks + 1] = chunk
    end
  end

  -- One request; status (or nil), body or what went wrong, kind, sent.
  local function fetch(path, port, req)
    req = req or {}
    req.method, req.timeout = req.method or "GET", req.timeout or 10
    if req.resend == nil then req.resend = req.method == "GET" end
    req.url = server:url(path, port)
    local res, message, kind, sent = (transport or new()):request(req)
    if not res then return nil, message, kind, sent end
    local body
    body, message, kind = read(res)
    res.close(not kind)
    return res.status, kind and message or body, kind, res.headers
  end

  -- A path nobody has asked for yet, so that its arrivals can be counted.
  local function fresh(path)
    unique = unique + 1
    return ("%s%sunique=%d."):format(path, path:find("?", 1, true) and "&" or "?", unique)
  end

  local function arrivals() return server:arrivals(("unique=%d."):format(unique)) end

  local function seconds(f, ...)
    local start = core.now()
    f(...)
    return core.now() - start
  end

  -- Each is asked for whole and as a stream: a broken one must be an error of this kind both ways.
  local BROKEN = {
    { "short_body", "closed" }, { "cut_status", "closed" }, { "cut_head", "closed" }, { "cut_before_blank", "closed" },
    { "cut_after_interim", "closed" }, { "close_at_once", "closed" }, { "reset_at_once", "closed" },
    { "reset_in_body", "closed" }, { "no_last_chunk", "closed" }, { "cut_chunk", "closed" },
    { "bad_chunk", "protocol" }, { "huge_chunk", "protocol" }, { "two_lengths", "protocol" },
    { "length_and_chunks", "protocol" }, { "gzip_and_more", "protocol" }, { "gzip_twice", "protocol" },
    { "gzip_cut", "closed" }, { "chunked_last", "protocol" },
    { "length_garbage", "protocol" }, { "length_negative", "protocol" }, { "length_overflow", "protocol" },
    { "length_list", "protocol" }, { "http09", "protocol" }, { "garbage_status", "protocol" },
    { "odd_status", "protocol" }, { "nameless_header", "protocol" }, { "colonless_header", "protocol" },
    { "fold_first", "protocol" }, { "nul_header", "protocol" }, { "gzip_corrupt", "protocol" },
    { "gzip_checksum", "protocol" }, { "gzip_not", "protocol" }, { "encoding_unknown", "protocol" },
    { "encoding_stack", "protocol" }, { "endless_head", "limit" }, { "endless_line", "limit" },
    { "endless_interim", "limit" },
  }

  describe("takes for an error", function()
    for _, case in ipairs(BROKEN) do
      it(case[1], function()
        for _, stream in ipairs { false, true } do
          local _, message, kind = fetch(case[1], nil, { stream = stream })
          assert.equal(case[2], kind, message)
          assert.is_true(#message > 0)
        end
      end)
    end

    it("a TLS connection that is cut where only its end ends the body", function()
      local _, _, kind = fetch("cut", "good")
      assert.equal("closed", kind)
      assert.equal(200, (fetch("trailers", "good")))
    end)

    it("HTTP/2 streams that are reset, refused or left by the server", function()
      for _, port in ipairs { "h2_reset", "h2_reset_in_body", "h2_goaway", "h2_close", "h2_refused" } do
        local _, message, kind, sent = fetch("", port)
        assert.equal("closed", kind, port .. ": " .. tostring(message))
        assert.is_true(sent)
        assert.is_true(server:arrivals("/" .. port) <= 2, port)
      end
    end)

    it("a body longer than max_bytes, counted after decompression", function()
      for _, stream in ipairs { false, true } do
        local _, _, kind = fetch("bomb_zeros", nil, { max_bytes = 1000000, stream = stream })
        assert.equal("limit", kind)
      end
    end)

    it("an encoding that the request ruled out and that cannot be decoded", function()
      local _, _, kind = fetch("encoding_unknown", nil, { headers = { ["Accept-Encoding"] = "identity" } })
      assert.equal("protocol", kind)
    end)
  end)

  describe("takes for a success", function()
    for _, name in ipairs { "items", "until_close", "interim", "folded", "trailers", "gzip", "gzip_members", "same_lengths" } do
      it(name, function()
        for _, stream in ipairs { false, true } do
          local status, body, kind = fetch(name, nil, { stream = stream })
          assert.is_nil(kind, body)
          assert.equal(200, status)
          assert.equal(ITEMS, body)
        end
      end)
    end

    it("a coded body, whatever was asked for, and one in a coding the caller alone asked for", function()
      for _, accept in ipairs { "identity", "gzip", "br" } do
        local status, body = fetch("gzip", nil, { headers = { ["Accept-Encoding"] = accept } })
        assert.same({ 200, ITEMS }, { status, body })
      end
      for _, path in ipairs { "deflate", "deflate_bare" } do
        local status, body = fetch(path)
        assert.same({ 200, ITEMS }, { status, body }, path)
      end
      local status, body, _, headers = fetch("encoding_unknown", nil, { headers = { ["Accept-Encoding"] = "rot13" } })
      assert.same({ 200, ITEMS, "rot13" }, { status, body, headers["content-encoding"] })
    end)

    it("an answer without a body", function()
      local status, body
      for _, port in ipairs { "plain", "good" } do
        status, body = fetch("no_content", port)
        assert.equal(204, status)
        assert.equal("", body)
      end
      status, body = fetch("items", nil, { method = "HEAD" })
      assert.equal(200, status)
      assert.equal("", body)
    end)

    it("any status, with its body", function()
      for _, code in ipairs { 400, 401, 404, 422, 429, 500, 503 } do
        local status, body = fetch("status?code=" .. code)
        assert.equal(code, status)
        assert.equal("the body", body)
      end
    end)

    it("HTTPS with a private authority given as a file or a directory", function()
      assert.equal(200, (fetch("items", "good")))
      new { ca_file = false, ca_path = server.directory .. "/hashed" }
      assert.equal(200, (fetch("items", "good")))
    end)
  end)

  it("joins repeated headers, unfolds long ones and writes names in lower case", function()
    local _, _, _, headers = fetch "folded"
    assert.equal("one two", (headers["x-long"]:gsub("%s+", " ")))
    assert.equal("1, 2", headers["x-twice"])
    assert.equal("application/json", headers["content-type"])
    _, _, _, headers = fetch "interim"
    assert.equal("yes", headers["x-final"])
    assert.is_nil(headers.link)
  end)

  it("reads a long body whole and in pieces", function()
    for _, stream in ipairs { false, true } do
      local status, body, kind = fetch("big?bytes=1000000", nil, { stream = stream })
      assert.is_nil(kind)
      assert.equal(200, status)
      assert.equal(1000000, #body)
    end
  end)

  it("stops reading from the network while the bytes are not taken", function()
    local res = assert(new():request { method = "GET", url = server:url "big?bytes=50000000", stream = true })
    for _ = 1, 20 do -- other requests drive the engine meanwhile
      assert.equal(200, (fetch "items"))
      assert.is_true(res.source:held() <= 128 * 1024)
    end
    res.close()
  end)

  it("ends what an error status had begun, but does not hide the status", function()
    new()
    local res = assert(transport:request {
      method = "GET", url = server:url "status?code=500", timeout = 5, max_bytes = 3,
    })
    assert.equal(500, res.status)
    local _, _, kind = read(res)
    assert.equal("limit", kind)
  end)

  it("sends method, headers and body as given", function()
    local _, echo = fetch("echo", nil, {
      method = "POST", body = "a\0b", headers = { ["X-Api-Key"] = "k", ["X-Empty"] = "" },
    })
    assert.matches("^POST /echo HTTP/1.1\r\n", echo)
    assert.matches("\r\nX%-Api%-Key: k\r\n", echo)
    assert.matches("\r\nX%-Empty:%s*\r\n", echo)
    assert.matches("\r\nContent%-Length: 3\r\n", echo)
    assert.matches("\r\n\r\na%zb$", echo)
    assert.not_matches("[Ee]xpect:", echo)
    assert.not_matches("x%-www%-form", echo)
    for _, method in ipairs { "GET", "PUT", "PATCH", "DELETE", "GET" } do
      echo = select(2, fetch("echo", nil, { method = method }))
      assert.matches("^" .. method .. " ", echo)
      assert.equal(method == "PUT" or method == "PATCH", echo:find("Content-Length: 0", 1, true) ~= nil)
    end
    _, echo = fetch("echo", nil, { method = "DELETE", body = "x" })
    assert.matches("^DELETE ", echo)
    assert.matches("\r\n\r\nx$", echo)
  end)

  -- Megabytes that this process holds.
  local function resident()
    for line in io.lines "/proc/self/status" do
      local kilobytes = line:match "^VmRSS:%s+(%d+)"
      if kilobytes then return tonumber(kilobytes) / 1024 end
    end
  end

  it("sends a long body from where it is, without a copy", function()
    local body = ("x"):rep(1024):rep(16 * 1024)
    local before = resident()
    local _, abandon = new():begin {
      method = "POST", url = server:url("", "full"), body = body, timeout = 10,
    }
    local more = resident() - before
    abandon()
    assert.is_true(more < 8, ("%.1f MB more"):format(more))
  end)

  it("and keeps it while it is sent, whoever lets go of it", function()
    local request = { method = "POST", url = server:url "echo", body = ("0123456789abcdef"):rep(16384), timeout = 10 }
    local wait = new():begin(request)
    request.body = nil
    collectgarbage()
    collectgarbage()
    local others = {}
    for i = 1, 20 do others[i] = ("%02d"):format(i):rep(512):rep(256) end -- where it was
    local res = assert(wait(10))
    assert.equal(("0123456789abcdef"):rep(16384), read(res):match "\r\n\r\n(.*)$")
    assert.equal(20, #others)
  end)

  it("and lets go of it with a transfer that is closed, or dropped", function()
    local function start()
      local request = { method = "POST", url = server:url("items", "mute"), body = ("x"):rep(1024):rep(2048), timeout = 10 }
      local wait, abandon = transport:begin(request)
      request.body = nil
      return wait, abandon
    end
    new()
    assert.equal(200, (fetch "items"))
    local before = heap_size()
    local started = { start() }
    assert.is_true(heap_size() - before > 2000)
    started[2]()
    assert.is_true(heap_size() - before < 500)
    started = { start() }
    assert.is_true(heap_size() - before > 2000)
    for i = 1, #started do started[i] = nil end
    assert.is_true(heap_size() - before < 500)
    assert.equal(200, (fetch "items"))
  end)

  it("leaves the path as it is", function()
    local _, echo = fetch "echo/a/../b/%2E%2E/c;d:pause?x=%2F&y=../z"
    assert.is_truthy(echo:find("GET /echo/a/../b/%2E%2E/c;d:pause?x=%2F&y=../z HTTP", 1, true))
  end)

  describe("refuses", function()
    local function refused(req)
      req.method, req.url = req.method or "GET", req.url or server:url(fresh "items")
      local res, message, kind, sent = new():request(req)
      assert.is_nil(res)
      assert.equal("config", kind, message)
      assert.is_false(sent)
      assert.not_matches("secret", message)
    end

    it("headers that would end the line early", function()
      for _, bad in ipairs { "\r", "\n", "\r\nX-Injected: 1", "\0", "\127" } do
        refused { headers = { ["X-Api-Key"] = "secret" .. bad } }
        refused { headers = { ["X-Api-Key" .. bad] = "secret" } }
      end
      refused { headers = { [""] = "secret" } }
      refused { headers = { ["X Y"] = "secret" } }
      refused { headers = { ["X:"] = "secret" } }
      assert.equal(0, arrivals())
    end)

    it("URLs that are not http or https, or have spaces and control characters", function()
      for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "", "http:",
                             "http://127.0.0.1/ x", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\0" } do
        refused { url = url }
      end
    end)

    it("fields of another type", function()
      local engine = http.engine {}
      for _, case in ipairs {
        { { url = 1 }, "url: a string expected, got number" }, { { body = {} }, "body: a string expected, got table" },
        { { timeout = "1" }, "timeout: a number expected, got string" },
        { { headers = { a = 1 } }, "headers: names and values are strings" },
        { { headers = { "a" } }, "headers: names and values are strings" },
      } do
        local req = { method = "GET", url = server:url "items" }
        for name, value in pairs(case[1]) do req[name] = value end
        assert.has_error(function() engine:start(req) end, case[2])
      end
      local transfer = assert(engine:start { method = "GET", url = server:url "items" })
      assert.is_nil(transfer:read()) -- nothing came yet
      transfer:close()
      assert.has_error(function() transfer:read() end, "the transfer is closed")
      engine:close()
      assert.has_error(function() engine:step() end, "the engine is closed")
    end)

    it("methods that are not words", function()
      refused { method = "GET / HTTP/1.1\r\nX: y" }
      refused { method = "" }
    end)
  end)

  describe("keeps a secret", function()
    it("by following no redirect", function()
      local target = fresh "echo"
      for _, code in ipairs { 301, 302, 303, 307, 308 } do
        local status = fetch("redirect?code=" .. code .. "&to=" .. server:url(target), nil, {
          headers = { ["X-Api-Key"] = "secret" }, method = "POST", body = "x",
        })
        assert.equal(code, status)
      end
      assert.equal(5, arrivals()) -- the redirects themselves, which name the target in their query
    end)

    it("by reading no .netrc and keeping no cookies", function()
      new()
      assert.equal(200, (fetch "cookie"))
      local _, echo = fetch "echo"
      assert.not_matches("[Cc]ookie", echo)
      assert.not_matches("[Aa]uthorization", echo)
    end)

    it("by talking only to servers it can verify", function()
      for _, port in ipairs { "expired", "wronghost", "selfsigned" } do
        local status, message, kind, sent = fetch(fresh "items", port)
        assert.is_nil(status)
        assert.equal("tls", kind, message)
        assert.is_false(sent)
        assert.equal(0, arrivals())
      end
      new { ca_file = false } -- the system's authorities
      local _, _, kind = fetch("items", "good")
      assert.equal("tls", kind)
    end)

    it("unless verification is switched off", function()
      new { insecure_skip_verify = true }
      for _, port in ipairs { "expired", "wronghost", "selfsigned" } do
        assert.equal(200, (fetch("items", port)))
      end
    end)
  end)

  it("shows a client certificate", function()
    local status, message, kind = fetch("items", "client")
    assert.is_nil(status)
    assert.equal("tls", kind, message)
    local directory = server.directory
    new { client_cert = directory .. "/client.pem", client_key = directory .. "/client.key" }
    status, message = fetch("items", "client")
    assert.equal(200, status, message)
    new { client_cert = directory .. "/missing.pem", client_key = directory .. "/client.key" }
    status, message, kind = fetch("items", "client")
    assert.is_nil(status)
    assert.equal("tls", kind, message)
  end)

  describe("ends at its deadline", function()
    local STATES = {
      { "connecting", "items", "full", false }, { "in the TLS handshake", "items", "mute", false },
      { "without an answer", "silent", nil, true }, { "while the head drips", "drip_head", nil, true },
      { "while the body drips", "drip_body", nil, true }, { "while the body stalls", "stall_body", nil, true },
    }
    local outcomes, tasks = {}, {}
    for _, state in ipairs(STATES) do
      outcomes[state] = {}
      for i, stream in ipairs { false, true } do
        tasks[#tasks + 1] = function()
          local outcome = {}
          outcome.took = seconds(function()
            outcome.message, outcome.kind, outcome.sent = select(2, fetch(state[2], state[3], { timeout = 0.2, stream = stream }))
          end)
          outcomes[state][i] = outcome
        end
      end
    end
    setup(function() assert.same({}, select(2, new():parallel(#tasks, tasks))) end) -- side by side

    for _, state in ipairs(STATES) do
      it(state[1], function()
        for i = 1, 2 do
          local outcome = outcomes[state][i]
          assert.equal("timeout", outcome.kind, outcome.message)
          if type(outcome.sent) == "boolean" then assert.equal(state[4], outcome.sent) end
          assert.is_true(outcome.took >= 0.19 and outcome.took < 0.2 + PATIENCE, tostring(outcome.took))
        end
      end)
    end

    it("where nothing else is waited for", function()
      local took = seconds(function() assert.equal("timeout", select(3, fetch("silent", nil, { timeout = 0.1 }))) end)
      assert.is_true(took >= 0.09 and took < 0.1 + PATIENCE, tostring(took))
    end)

    it("or at connect_timeout, where nothing is connected", function()
      for _, port in ipairs { "full", "mute" } do
        local _, kind
        local took = seconds(function()
          _, _, kind = fetch("items", port, { timeout = 30, connect_timeout = 0.1 })
        end)
        assert.equal("timeout", kind)
        assert.is_true(took < 0.1 + PATIENCE)
      end
    end)

    it("or at read_timeout, counted only while somebody waits", function()
      local res = assert(new():request {
        method = "GET", url = server:url "stall_body", stream = true, read_timeout = 0.3, timeout = 20,
      })
      assert.equal("[1,2,", res.read())
      for _, path in ipairs { "stall_body", "silent" } do -- more than 0.3 s of the caller's own time
        local _, message, kind = fetch(path, nil, { read_timeout = 0.16 })
        assert.equal("timeout", kind, message)
      end
      assert.equal(200, (fetch("slow", nil, { read_timeout = 5 })))
      local _, kind
      local took = seconds(function() _, _, kind = res.read() end)
      assert.equal("timeout", kind)
      assert.is_true(took >= 0.29, tostring(took))
      res.close()
    end)

    it("which a stream may move", function()
      local res = assert(new():request { method = "GET", url = server:url "stall_body", stream = true, timeout = 10 })
      assert.equal("[1,2,", res.read())
      res.deadline(0.05)
      res.deadline(0.15)
      local took = seconds(function() assert.equal("timeout", select(3, res.read())) end)
      assert.is_true(took >= 0.14 and took < 0.15 + PATIENCE, tostring(took))
      res.close()
    end)
  end)

  describe("sends again", function()
    -- Two connections' worth of requests: the second use of the first connection finds it dying.
    local function reuse(scenario, req)
      new()
      local path = fresh(scenario)
      assert.equal(200, (fetch(path, nil, { method = req.method, resend = req.resend })))
      return fetch(path, nil, req)
    end

    for _, scenario in ipairs { "die_on_reuse", "reset_on_reuse" } do
      it("a GET, after " .. scenario, function()
        local status = reuse(scenario, { method = "GET", resend = true })
        if scenario == "die_on_reuse" then
          assert.equal(200, status)
          assert.equal(3, arrivals())
        end
      end)

      for _, method in ipairs { "POST", "PATCH" } do
        it("no " .. method .. ", after " .. scenario, function()
          for _, body in ipairs { "{}", false } do
            local status, message, kind, sent = reuse(scenario, { method = method, body = body or nil, resend = false })
            assert.is_nil(status)
            assert.equal("closed", kind, message)
            assert.is_true(sent)
            assert.equal(2, arrivals()) -- the good one and the lost one
          end
        end)
      end
    end
  end)

  it("cancels a request begun before the client was closed", function()
    local wait = new():begin { method = "GET", url = server:url "silent", timeout = 10 }
    transport:close()
    assert.same({ n = 4, nil, "the request was cancelled", "cancelled", true }, { n = select("#", wait(1)), wait(1) })
  end)

  it("never takes what a server said unasked for an answer, and goes another way at once", function()
    for _, port in ipairs { "plain", "good" } do
      new { http_version = "1.1" }
      local before = server:arrivals "/spoken_unasked"
      local status, body = fetch("speaks_unasked?id=first", port)
      assert.same({ 200, '[{"id":"first"}]' }, { status, body })
      assert.truthy(await(10, function()
        transport:sleep(0.01)
        return server:arrivals "/spoken_unasked" > before
      end))
      status, body = fetch("speaks_unasked?id=second", port)
      assert.same({ 200, '[{"id":"second"}]' }, { status, body }, port)
    end
  end)

  it("reports what the server cannot have seen", function()
    local _, message, kind, sent = new():request { method = "POST", url = "http://127.0.0.1:1/", timeout = 5 }
    assert.equal("connect", kind, message)
    assert.is_false(sent)
    _, message, kind, sent = transport:request { method = "POST", url = "http://name.invalid/", timeout = 5 }
    assert.equal("resolve", kind, message)
    assert.is_false(sent)
  end)

  it("uses a connection again", function()
    new()
    fetch "items"
    local before = server:ask "connections"
    for _ = 1, 20 do assert.equal(200, (fetch "items")) end
    assert.equal(1, server:ask "connections" - before) -- the question's own
  end)

  it("opens no more connections than max_connections", function()
    new { max_connections = 2 }
    local before, tasks = server:ask "connections", {}
    for i = 1, 10 do tasks[i] = function() return (fetch "slow?seconds=0.02") end end
    local values = transport:parallel(10, tasks)
    for i = 1, 10 do assert.equal(200, values[i]) end
    assert.is_true(server:ask "connections" - before <= 3) -- with the question's own
  end)

  it("goes through a proxy when told so", function()
    new { http_proxy = server:url "" }
    local path = fresh "http://somewhere.invalid/echo"
    local res = assert(transport:request { method = "GET", url = path, timeout = 10 })
    assert.equal(404, res.status) -- the server is asked for a URL it does not know
    assert.equal(1, arrivals())
    res.close()
    new { http_proxy = "http://127.0.0.1:1" }
    local _, message, kind, sent = fetch(fresh "items")
    assert.equal("connect", kind, message)
    assert.is_false(sent)
    for _, proxy in ipairs { "http://user:secret word@127.0.0.1:1", "strange://user:secret@127.0.0.1:1" } do
      new { http_proxy = proxy }
      message = select(2, fetch(fresh "items"))
      assert.equal("the URL of the proxy is not understood", message)
    end
  end)

  it("sleeps", function()
    local took = seconds(function() new():sleep(0.1) end)
    assert.is_true(took >= 0.1 and took < 0.1 + PATIENCE)
    took = seconds(function() new():sleep(-1) end)
    assert.is_true(took < PATIENCE)
  end)

  it("is not usable once closed, and closing ends streams", function()
    local res = assert(new():request { method = "GET", url = server:url "stall_body", stream = true })
    assert.equal("[1,2,", res.read())
    transport:close()
    local chunk, message, kind = res.read()
    assert.is_nil(chunk)
    assert.equal("cancelled", kind, message)
    res.close()
    chunk, message, kind = res.read()
    assert.is_nil(chunk)
    assert.equal("cancelled", kind, message)
    local _, _, why, sent = transport:request { method = "GET", url = server:url "items" }
    assert.equal("cancelled", why)
    assert.is_false(sent)
  end)

  it("gives its bytes to a decoder, but not to one that has failed", function()
    local decoder, broken = core.decoder(), core.decoder()
    broken:feed "x"
    local first = { broken:next() }
    local res = assert(new():request { method = "GET", url = server:url "items", stream = true, timeout = 10 })
    assert(res.wait())
    assert.same(first, { broken:drain(res.source) })
    assert.equal(#ITEMS, decoder:drain(res.source))
    assert.equal(0, decoder:drain(res.source))
    decoder:finish()
    assert.same({ "end", 3 }, { decoder:count() })
    res.close(false)
  end)

  it("may be collected in any order", function()
    for _ = 1, 20 do
      local one = curl.new { http_proxy = "" }
      local res = assert(one:request { method = "GET", url = server:url "stall_body", stream = true })
      assert.equal(200, res.status)
      one, res = nil, nil -- luacheck: ignore
      collectgarbage()
    end
    collectgarbage()
    collectgarbage()
  end)

  -- The timer of our connection to a port, as the kernel lists it: 02 is keepalive's.
  local function timer_of(port)
    for line in io.lines "/proc/net/tcp" do
      local remote, state, timer = line:match "^%s*%d+: %x+:%x+ %x+:(%x+) (%x%x) %x+:%x+ (%x%x):"
      if state == "01" and tonumber(remote, 16) == port then return timer end
    end
  end

  it("has idle connections probed, unless that is not wanted", function()
    if not io.open "/proc/net/tcp" then pending(machine.absent("/proc/net/tcp", "mount /proc")) end
    for timer, keepalive in pairs { ["02"] = true, ["00"] = false } do
      local res = assert(new({ keepalive = keepalive }):request { method = "GET", url = server:url "items", timeout = 10 })
      read(res)
      res.close(true)
      assert.equal(timer, timer_of(tonumber((server:url "items"):match ":(%d+)/")))
    end
  end)
end)
