-- The client against the fault server: what a call answers when servers, loops and other calls misbehave.

local ampersand = require "ampersand"
local core = require "ampersand.core"
local cqueues = require "cqueues"
local double = require "support.double"
local fault = require "support.fault"
local frame = require "ampersand.loop.frame"
local lfs = require "lfs"
local await = require("support.server").await

local PATIENCE = os.getenv "AMP_SLOW" and 10 or 1

describe("a client", function()
  local server, client
  local unique = 0
  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)
  after_each(function()
    if client and not client._config.closed then client:close() end
    client = nil
  end)

  -- Paths are scenarios: client:request("GET", "/items").
  local function new(more)
    local settings = {
      base_url = (server:url(""):gsub("/$", "")), api_key = "a key of these specs", project = "p", integration = "i",
      http_proxy = "", timeout = 10,
    }
    for name, value in pairs(more or {}) do settings[name] = value end
    client = ampersand.new(settings)
    return client
  end

  -- Its lists come from this scenario.
  local function listing(scenario, more)
    more = more or {}
    more.base_url = server:url(scenario)
    return new(more).installations
  end

  local function fresh()
    unique = unique + 1
    return ("client_faults_%d."):format(unique)
  end
  local function arrivals() return server:arrivals(("client_faults_%d."):format(unique)) end

  local function descriptors()
    local count = 0
    if not lfs.attributes "/proc/self/fd" then return 0 end
    for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
    return count
  end

  local function collect()
    for _ = 1, 4 do collectgarbage() end
  end

  -- --- beside each other ---------------------------------------------------------------------------

  it("is not held up by one request that gets no answer", function()
    new()
    local token = ampersand.cancel.token()
    local values, errors = client:parallel(2, {
      function() return client:request("GET", "/silent", { timeout = 5 * PATIENCE, retry = false, cancel = token }) end,
      function()
        local value, err = client:request("GET", "/items")
        token:cancel()
        return value, err
      end,
    })
    assert.equal("cancelled", errors[1].kind) -- not at its deadline
    assert.equal(3, #assert(values[2], errors[2]))
  end)

  it("may be used by a task of another client's, which blocks", function()
    local other = new()
    local values, errors = new():parallel(2, {
      function() return (assert(other:request("GET", "/items"))) end,
      function() return (assert(client:request("GET", "/items"))) end,
    })
    assert.same({ 3, 3 }, { #assert(values[1], errors[1]), #assert(values[2], errors[2]) })
    other:close()
  end)

  it("says so when a task raises nil, and keeps no task that has ended", function()
    new()
    local seen = setmetatable({}, { __mode = "k" })
    for _ = 1, 3 do
      local _, errors = client:parallel(2, {
        function()
          seen[coroutine.running()] = true
          return (client:request("GET", "/items"))
        end,
        function() error() end,
      })
      assert.equal("the task raised nil", errors[2])
    end
    collect()
    assert.is_nil(next(seen))
  end)

  it("refuses two coroutines on one stream", function()
    local loop = frame.new()
    local stream = listing("slow", { loop = loop }):stream()
    local first = coroutine.wrap(function() return stream:next() end)
    first()
    local ok, message = coroutine.resume(coroutine.create(function() return stream:next() end))
    assert.is_false(ok)
    assert.matches("another coroutine is waiting for this stream", message)
    stream:close()
  end)

  -- --- the end -------------------------------------------------------------------------------------

  it("sends nothing more once it is closed, also when a call waits for its next try", function()
    new()
    local query = { code = "503", words = fresh() }
    local values, errors = client:parallel(2, {
      function() return client:request("GET", "/status", { query = query, retry = { base = 60, cap = 60 }, timeout = 600 }) end,
      function()
        assert(client:request("GET", "/items"))
        client:close()
        return "closed"
      end,
    })
    assert.equal("closed", values[2])
    assert.equal("cancelled", errors[1].kind)
    assert.equal(1, errors[1].attempts)
    assert.is_true(errors[1].sent)
    assert.equal(1, arrivals())
    assert.is_nil(client._config.transport().engine)
  end)

  it("sends nothing more when its own hook closes it", function()
    new { on_event = function() client:close() end }
    local value, err = client:request("GET", "/status", {
      query = { code = "503", words = fresh() }, retry = { base = 0.01 },
    })
    assert.is_nil(value)
    assert.equal("cancelled", err.kind)
    assert.equal(1, arrivals())
  end)

  it("wakes those who wait in a frame loop when it is closed", function()
    new { loop = frame.new() }
    local told = {}
    for i = 1, 3 do
      coroutine.wrap(function()
        local _, err = client:request("GET", "/silent")
        told[i] = err.kind
      end)()
    end
    client:poll(0.01)
    client:close()
    client:poll(0.01)
    assert.same({ "cancelled", "cancelled", "cancelled" }, told)
    client:poll(0.01)
  end)

  local close = rawget(coroutine, "close") -- since Lua 5.4
  if close then
    it("goes on when a waiting coroutine is closed", function()
      new { loop = frame.new() }
      local answered = 0
      local function get()
        assert(client:request("GET", "/slow"))
        answered = answered + 1
      end
      local closed = coroutine.create(get)
      coroutine.resume(closed)
      for _ = 1, 2 do coroutine.wrap(get)() end
      close(closed)
      local stop = core.now() + 5 * PATIENCE
      while answered < 2 and core.now() < stop do client:poll(0.01) end
      assert.equal(2, answered)
    end)
  end

  it("lets go of coroutines that will not be resumed", function()
    new { loop = require "ampersand.loop.cqueues" }
    local before = descriptors()
    local controller = cqueues.new()
    local given = { timeout = 60, query = { words = fresh() } }
    for _ = 1, 10 do controller:wrap(function() client:request("GET", "/silent", given) end) end
    assert.truthy(await(10, function()
      controller:step(0.01)
      return arrivals() == 10
    end))
    local during = descriptors()
    controller:close()
    controller = nil -- luacheck: ignore (so that it can be collected)
    collect()
    -- what stays are the engine's own
    assert.is_true(before == 0 or descriptors() <= during - 8, ("%d, %d, then %d"):format(before, during, descriptors()))
    assert.equal(3, #assert(client:request("GET", "/items", { timeout = 5 * PATIENCE })))
  end)

  it("lets go of streams that were left, although a token knows them", function()
    local token, view = ampersand.cancel.token(), listing "first_then_silent"
    view:stream():next() -- opens what is opened once
    collect()
    local before = descriptors()
    for _ = 1, 10 do
      local stream = view:stream({}, { cancel = token })
      assert(stream:next())
    end
    collect()
    assert.is_true(descriptors() <= before + 2, ("%d, then %d"):format(before, descriptors()))
    local stream = listing("stall_body"):stream({}, { cancel = token })
    token:cancel()
    local value, err = stream:next()
    assert.is_nil(value)
    assert.equal("cancelled", err.kind)
  end)

  -- --- answers -------------------------------------------------------------------------------------

  it("takes a compressed list that was cut for a transfer that broke, and tries again", function()
    local value, err = listing("gzip_cut_list", { retry = { base = 0.001 } }):list()
    assert.is_nil(value)
    assert.equal("closed", err.kind)
    assert.equal(3, err.attempts)
    assert.matches("the compressed body was cut short", err.message)
  end)

  it("takes no compressed text that was cut for a whole one", function()
    local value, err = new { base_url = server:url "gzip_cut_text", retry = false }:request("GET", "/x")
    assert.is_nil(value)
    assert.equal("closed", err.kind)
    assert.same({ "a" }, { new { base_url = server:url "gzip" }:request("GET", "/x")[1].id })
  end)

  it("takes an empty body for nothing, whatever the headers said", function()
    assert.is_true((new { base_url = server:url "created" }.api_keys:create { label = "x" }))
  end)

  describe("has a limit for what it expects:", function()
    -- A client of a server whose answers have this many bytes.
    local function of(bytes, kind)
      return new { base_url = ("%s/bytes=%d/kind=%s"):format(server:url "sized", bytes, kind), retry = false }
    end

    -- One whose answer comes in pieces, one of a byte and this many of a MiB; and what its transport was asked.
    local function pieces_of(mebibytes, kind, first)
      local pieces, mebibyte = { first or '"' }, ("x"):rep(2 ^ 20)
      for i = 1, mebibytes do pieces[i + 1] = mebibyte end
      local transport = double.answers(function()
        local res = double.pieces(pieces)()
        res.headers["content-type"] = "application/" .. kind
        return res
      end)
      return double.client(transport, { retry = false }), transport.asked
    end

    local function over(words, value, err)
      assert.is_nil(value)
      assert.equal("limit", err.kind, err.message)
      assert.is_true(err.sent)
      assert.equal(1, err.attempts)
      assert.is_truthy(err.message:find(words, 1, true), err.message)
    end

    it("what it may have, to the byte", function()
      for kind, length in pairs { text = 1000, json = 998 } do
        assert.equal(length, #assert(of(1000, kind):request("GET", "/x", { max_bytes = 1000 })))
        over("longer than max_bytes (1000)", of(1001, kind):request("GET", "/x", { max_bytes = 1000 }))
      end
    end)

    it("an answer without a body, 1 MiB", function()
      assert.is_true((assert(of(2 ^ 20, "text").installations:delete "one")))
      over("longer than max_bytes (1048576)", of(2 ^ 20 + 1, "text").installations:delete "one")
      over("longer than max_bytes (1048576)", pieces_of(1, "text").installations:delete "one")
      assert.is_true((assert(pieces_of(1, "text", "").installations:delete "one")))
    end)

    it("one value, 16 MiB", function()
      local client_of_much, asked = pieces_of(16, "json")
      over("max_element_bytes (16777216)", client_of_much:request("GET", "/x"))
      over("max_element_bytes (16777216)", client_of_much.installations:get "one")
      assert.same({ 2 ^ 26, 2 ^ 24 }, { asked[1].max_bytes, asked[2].max_bytes })
    end)

    it("a text, 64 MiB", function()
      local client_of_much, asked = pieces_of(128, "text")
      over("longer than max_bytes (67108864)", client_of_much:request("GET", "/x"))
      over("longer than max_bytes (134217728)", client_of_much:request("GET", "/x", { max_bytes = 2 ^ 27 }))
      assert.same({ 2 ^ 26, 2 ^ 27 }, { asked[1].max_bytes, asked[2].max_bytes })
    end)

    it("an error's body, 64 KiB, of which the beginning is kept and read", function()
      local problem = '{"type":"about:blank","issues":[{"title":"inner","detail":"inner"}],"title":"Broken","requestId":"r-1",'
        .. '"detail":"what \\"it\\" was","trace":"' .. ("x"):rep(70000) .. '","later":"y"}'
      for _, cut in ipairs { 2 ^ 16 + 1, #problem } do
        local body = problem:sub(1, cut - 2) .. '"}'
        local transport = double.answers { status = 500, headers = {}, body = body }
        local _, err = double.client(transport, { retry = false }):request("GET", "/x")
        assert.is_true(body:sub(1, 2 ^ 16) == err.body)
        assert.same({ title = "Broken", detail = 'what "it" was', requestId = "r-1" }, err.problem)
        assert.equal("r-1", err.request_id)
        assert.equal('500 Broken: what "it" was', err.message)
      end
      local before = server:ask "connections"
      local _, err = new { base_url = server:url "sized/status=500/bytes=50000000", retry = false }:request("GET", "/x")
      assert.equal(2 ^ 16, #err.body)
      assert.equal("status", err.kind)
      new { base_url = server:url "sized" }:request("GET", "/x") -- on a connection of its own: the rest was not read
      assert.equal(3, server:ask "connections" - before)
    end)

    it("an error's body that is compressed, of which as much is kept", function()
      for path, kept in pairs { deflate_problem = 2 ^ 16 - 10, ["deflate_problem/cut"] = 40000 - 5 } do
        for _, verb in ipairs { "list", "count" } do
          local installations = listing(path, { retry = false })
          local _, err = installations[verb](installations)
          assert.equal(500, err.status)
          assert.equal(kept, #err.body)
          assert.equal("r-1", err.request_id)
        end
      end
    end)
  end)

  it("remembers that an earlier try may have arrived", function()
    local transport = double.answers({ fault = "gone", kind = "closed", sent = true },
      { fault = "refused", kind = "connect", sent = false })
    local _, err = double.client(transport, { retry = true }):request("POST", "/x", { body = {} })
    assert.same({ "connect", 3, true }, { err.kind, err.attempts, err.sent })
  end)

  it("has nothing sent twice where one try is allowed", function()
    for _, retry in ipairs { false, 1 } do
      local transport = double.answers(double.json "1")
      double.client(transport, { retry = retry }):request("GET", "/x")
      assert.is_false(transport.asked[1].resend)
    end
    new { retry = false }
    local given = { query = { words = fresh() } }
    assert(client:request("GET", "/die_on_reuse", given))
    client:request("GET", "/die_on_reuse", given)
    assert.equal(2, arrivals())
  end)

  it("tells an error by its status, whatever its body is coded in", function()
    for _, coding in ipairs { "br", "gzip", "deflate", "gzip, gzip" } do
      for _, verb in ipairs { "request", "list" } do
        local err
        if verb == "request" then
          _, err = new { retry = false }:request("GET", "/coded_error", { query = { coding = coding } })
        else
          _, err = listing("coded_error/coding=" .. coding:gsub(", ", "+"), { retry = false }):list()
        end
        assert.same({ "status", 503, "r-1", 7 }, { err.kind, err.status, err.request_id, err.retry_after }, coding)
        assert.is_nil(err.body)
      end
    end
    local _, err = new { retry = false }:request("GET", "/coded_error", { query = { coding = "br", status = 200 } })
    assert.same({ "protocol", true }, { err.kind, err.sent })
  end)

  it("counts what libcurl sends again, and tries no more often than it may", function()
    for _, attempts in ipairs { 2, 4 } do
      local before = server:arrivals "/h2_refused"
      local refused = ampersand.new {
        api_key = "k", project = "p", integration = "i", base_url = server:url("v1", "h2_refused"), http_proxy = "",
        ca_file = server.directory .. "/ca.pem", retry = { attempts = attempts, base = 0.001 },
      }
      local _, err = refused.installations:get "x"
      assert.equal("closed", err.kind)
      assert.equal(attempts, err.attempts)
      assert.equal(attempts, server:arrivals "/h2_refused" - before)
      refused:close()
    end
  end)

  it("loses no request to a server that serves two streams at a time and refuses the others", function()
    local methods = { "POST", "PATCH", "GET", "PUT" }
    for _, method in ipairs(methods) do
      local before, tries, tasks = server:arrivals "/h2_two", 0, {}
      local refused = ampersand.new {
        api_key = "k", base_url = server:url("v1", "h2_two"), http_proxy = "", ca_file = server.directory .. "/ca.pem",
        retry = { base = 0.001 }, timeout = 10 * PATIENCE,
      }
      for i = 1, 12 do
        tasks[i] = function()
          local value, info = refused:request(method, "/h2_two", method ~= "GET" and { body = {} } or {})
          tries = tries + (value and info or info).attempts
          return value, info
        end
      end
      local _, errors = refused:parallel(12, tasks)
      assert.is_nil(next(errors), method .. ": " .. tostring(errors[next(errors)]))
      assert.equal(tries, server:arrivals "/h2_two" - before, method)
      refused:close()
    end
    assert.is_true(server:arrivals "/h2_two" > 12 * #methods, "nothing was refused")
  end)

  it("sends a POST once, past connections on which the server has spoken unasked", function()
    new()
    local function post(id)
      local value, info = assert(client:request("POST", "/speaks_unasked", { query = { id = id }, body = {} }))
      return value[1].id, info.attempts
    end
    local tasks = {}
    for i = 1, 5 do tasks[i] = function() return (post "first") end end
    assert.same({ n = 5, "first", "first", "first", "first", "first" }, (client:parallel(5, tasks)))
    assert.truthy(await(10, function() return server:arrivals "/spoken_unasked" == 5 end))
    for _ = 1, 7 do assert.same({ "second", 1 }, { post "second" }) end
  end)

  it("goes on after many connections that died", function()
    new()
    for i = 1, 20 do assert(client:request("GET", "/die_on_reuse"), i) end
  end)

  it("says where a redirect leads, without its password", function()
    local function message(location, status)
      local transport = double.answers { status = status or 302, headers = { location = location }, body = "" }
      local _, err = double.client(transport):request("GET", "/x")
      return err.message
    end
    assert.matches("redirects to https://other.example;", message "https://user:word@other.example/a?b", 1, true)
    assert.matches("redirects to another path;", message "/login", 1, true)
    assert.equal("304", message(nil, 304))
  end)

  it("refuses invalid ports, and takes schemes in capitals", function()
    for _, port in ipairs { 0, 65536, 99999 } do
      assert.error_matches(function() ampersand.new { base_url = "http://127.0.0.1:" .. port } end, "a port that is none")
    end
    assert.equal(3, #assert(new { base_url = server:url("items"):gsub("^http", "HTTP") }.installations:list()))
  end)
end)
