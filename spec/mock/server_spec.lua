local core = require "ampersand.core"
local fixtures = require "ampersand.mock.fixtures"
local socket = require "socket"
local mock = require "ampersand.mock"
local documents = require "support.documents"
local in_process = require "support.in_process"
local starting = require "support.server"
local support = require "support.mock"

local LIST = "/v1/projects/my-project/integrations/integration-123/installations"
local FIRST = LIST .. "/installation-123"

-- A client that hides nothing: one connection, bytes as they come -------------------------------------------------

local Wire = {}
Wire.__index = Wire

local function connect(server)
  local tcp = assert(socket.connect("127.0.0.1", server.port))
  tcp:settimeout(10)
  return setmetatable({ tcp = tcp, key = server.key }, Wire)
end

function Wire:send(method, path, headers, body)
  local all = { Host = "here", ["X-Api-Key"] = self.key, ["Content-Length"] = body and #body }
  for name, value in pairs(headers or {}) do all[name] = value or nil end
  local lines = { ("%s %s HTTP/1.1"):format(method, path) }
  for name, value in pairs(all) do lines[#lines + 1] = name .. ": " .. value end
  assert(self.tcp:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")))
end

function Wire:head()
  local line, why = self.tcp:receive "*l"
  if not line then return nil, why end
  local headers = {}
  for field in function() return self.tcp:receive "*l" end do
    if field == "" then return tonumber(line:match "^HTTP/1%.1 (%d+)"), headers end
    local name, value = field:match "^(.-): (.*)$"
    headers[name:lower()] = value
  end
end

-- The chunks of a body, and whether the last one came.
function Wire:chunks()
  local chunks = {}
  while true do
    local size = tonumber(self.tcp:receive "*l" or "", 16)
    if not size then return chunks, false end
    local data = self.tcp:receive(size)
    if not data or not self.tcp:receive "*l" then return chunks, false end
    if size == 0 then return chunks, true end
    chunks[#chunks + 1] = data
  end
end

function Wire:body(headers)
  if headers["transfer-encoding"] == "chunked" then
    local chunks, complete = self:chunks()
    return table.concat(chunks), complete
  end
  local data, _, part = self.tcp:receive(tonumber(headers["content-length"] or 0))
  return data or part, data ~= nil
end

local function exchange(server, method, path, headers, body)
  local wire = connect(server)
  wire:send(method, path, headers, body)
  local status, head = wire:head()
  local text, complete
  if status then text, complete = wire:body(head) end
  wire.tcp:close()
  return status, head, text, complete
end

local JSON = { ["Content-Type"] = "application/json" }

-- A call with a table as its body; the answer decoded when it is JSON.
local function call(server, method, path, body, headers)
  headers = headers or {}
  if body then headers["Content-Type"] = "application/json" end
  local status, head, text = exchange(server, method, path, headers, body and core.encode(body))
  local kind = (head["content-type"] or ""):match "^[^;]*"
  if kind == "application/json" or kind == "application/problem+json" then text = assert(core.decode(text)) end
  return status, text, head
end

local running = {}

local function start(options)
  local server = support.start(options)
  running[#running + 1] = server
  return server
end

local function stop_all()
  for _, server in ipairs(running) do server:stop() end
  running = {}
end

-- -----------------------------------------------------------------------------------------------------------------

describe("the mock server's fleet", function()
  it("begins with the installation of the API's page", function()
    if not documents.present() then pending(documents.ABSENT) end
    local json = documents.page():match "(%[%s-{.-\n%])\nAuthorizations"
    assert.same(assert(core.decode(json))[1], mock.installation(1))
  end)

  it("gives the same installation at every call, in a new table", function()
    assert.same(mock.installation(77), mock.installation(77))
    assert.not_equal(mock.installation(77), mock.installation(77))
    assert.not_same(mock.installation(77), mock.installation(78))
  end)

  it("writes each as the text of what it gives", function()
    for _, i in ipairs { 1, 2, 3, 500, 1010, 1011, 99999 } do
      assert.same(core.decode(core.encode(mock.installation(i))), core.decode(fixtures.text(i)))
    end
  end)

  it("has all ways to log in, all statuses, about one in twenty unhealthy, about 3 KB each", function()
    local schemes, statuses, providers, objects = {}, {}, {}, {}
    local unhealthy, nulls, bytes = 0, 0, 0
    for i = 1, 1000 do
      local one = mock.installation(i)
      schemes[one.connection.authScheme], statuses[one.connection.status] = true, true
      providers[one.connection.provider] = true
      unhealthy = unhealthy + (one.healthStatus == "unhealthy" and 1 or 0)
      nulls = nulls + (one.updateTime == core.null and 1 or 0)
      bytes = bytes + #fixtures.text(i)
      local count = 0
      for _ in pairs(one.config.content.read.objects) do count = count + 1 end
      objects[count] = true
    end
    local function size(set)
      local n = 0
      for _ in pairs(set) do n = n + 1 end
      return n
    end
    assert.equal(7, size(schemes))
    assert.same({ created = true, working = true, bad_credentials = true }, statuses)
    assert.equal(#fixtures.providers, size(providers))
    assert.equal(6, size(objects))
    assert.is_true(objects[0] and objects[5])
    assert.is_true(unhealthy > 30 and unhealthy < 70, "unhealthy: " .. unhealthy)
    assert.is_true(nulls > 25)
    assert.is_true(bytes > 2e6 and bytes < 4e6, "bytes: " .. bytes)
  end)

  it("knows the place behind an id, and no other spelling of it", function()
    assert.equal(1, fixtures.place_of("installation-123", "installation"))
    assert.equal(2, fixtures.place_of("installation-0000002", "installation"))
    for _, id in ipairs { "installation-2", "installation-0000001", "installation-0000000", "installation-",
      "connection-123", "installation-99999999999999999999", "installation-0000123 " } do
      assert.is_nil(fixtures.place_of(id, "installation"), id)
    end
    assert.equal(123, fixtures.place_of("installation-0000123", "installation"))
  end)

  it("needs no socket", function()
    local program = "package.preload.socket=function() error('socket') end "
      .. "assert(require('ampersand.mock').installation(2).id=='installation-0000002')"
    local ok = os.execute(("%s -e %q"):format(os.getenv "LUA" or "lua", program))
    assert.is_true(ok == true or ok == 0)
  end)
end)

describe("the mock server as a server", function()
  local server
  setup(function() server = start { installations = 300 } end)
  teardown(stop_all)

  it("streams a list in chunks and keeps the connection", function()
    local wire = connect(server)
    for _ = 1, 2 do
      wire:send("GET", LIST)
      local status, headers = wire:head()
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      local chunks, complete = wire:chunks()
      assert.is_true(complete)
      assert.is_true(#chunks > 5)
      local list = core.decode(table.concat(chunks))
      assert.equal(300, #list)
      for _, i in ipairs { 1, 2, 150, 300 } do
        assert.same(core.decode(core.encode(mock.installation(i))), list[i])
      end
    end
    wire.tcp:close()
  end)

  it("answers HEAD without a body", function()
    local wire = connect(server)
    wire:send("HEAD", FIRST)
    local status, headers = wire:head()
    assert.equal(200, status)
    assert.is_true(tonumber(headers["content-length"]) > 1000)
    wire:send("GET", FIRST)
    assert.equal(200, (wire:head()))
    wire.tcp:close()
  end)

  it("serves many connections at once, a slow one and fast ones", function()
    local wires = {}
    for i = 1, 16 do
      wires[i] = connect(server)
      wires[i]:send("GET", LIST)
    end
    assert.equal(200, (exchange(server, "GET", FIRST)))
    for _, wire in ipairs(wires) do
      local _, headers = wire:head()
      local text, complete = wire:body(headers)
      assert.is_true(complete)
      assert.equal(300, #core.decode(text))
      wire.tcp:close()
    end
  end)

  it("takes chunked bodies, and says 100 Continue when asked", function()
    local wire = connect(server)
    wire:send("POST", "/v1/projects/my-project/topics", {
      ["Content-Type"] = "application/json", ["Transfer-Encoding"] = "chunked", Expect = "100-continue",
    })
    assert.equal(100, (wire:head()))
    assert(wire.tcp:send '9\r\n{"name":"\r\n7\r\nchunks"\r\n1;x=y\r\n}\r\n0\r\n\r\n')
    local status, headers = wire:head()
    assert.equal(201, status)
    assert.equal("chunks", core.decode((wire:body(headers))).name)
    wire.tcp:close()
  end)

  it("refuses what is not HTTP and lives on", function()
    local long = "GET /" .. ("x"):rep(99999)
    for _, junk in ipairs { "\r\n", "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", long } do
      local tcp = assert(socket.connect("127.0.0.1", server.port))
      tcp:settimeout(10)
      tcp:send(junk)
      tcp:shutdown "send"
      tcp:receive "*a"
      tcp:close()
    end
    assert.equal(200, (exchange(server, "GET", FIRST)))
  end)

  it("filters by group, and lists a whole project", function()
    local _, list = call(server, "GET", LIST .. "?groupRef=group-0000007")
    assert.equal(1, #list)
    assert.equal("installation-0000007", list[1].id)
    _, list = call(server, "GET", LIST .. "?groupRef=nobody")
    assert.same({}, list)
    assert.equal(core.array_mt, getmetatable(list))
    _, list = call(server, "GET", "/v1/projects/project-456/installations")
    assert.equal(303, #list)
    assert.equal("integration-124", list[303].integrationId)
    _, list = call(server, "GET", "/v1/projects/my-project/integrations/hubspot/installations")
    assert.equal(3, #list)
  end)

  it("sends problems as the API does, with the request's id in head and body", function()
    local cases = {
      { 401, "GET", LIST, { ["X-Api-Key"] = "wrong" } },
      { 401, "GET", LIST, { ["X-Api-Key"] = false } },
      { 404, "GET", "/v1/projects/nobody/integrations/integration-123/installations" },
      { 404, "GET", "/v1/projects/my-project/integrations/nothing/installations" },
      { 404, "GET", LIST .. "/installation-0000301" },
      { 404, "GET", LIST .. "/installation-0000002%3Apause" },
      { 404, "GET", "/v1/nothing" },
      { 404, "GET", "/elsewhere" },
      { 405, "PUT", LIST },
      { 400, "GET", LIST, JSON, "{}" },
      { 415, "POST", LIST, { ["Content-Type"] = "text/plain" }, "{}" },
      { 415, "POST", LIST, {}, "{}" },
      { 400, "POST", LIST, JSON, "{" },
      { 400, "POST", LIST, JSON, "12" },
      { 400, "POST", LIST, JSON },
    }
    for _, case in ipairs(cases) do
      local status, headers, text = exchange(server, case[2], case[3], case[4], case[5])
      local label = case[2] .. " " .. case[3]
      assert.equal(case[1], status, label)
      local problem = assert(core.decode(text))
      assert.equal("application/problem+json", headers["content-type"])
      assert.equal(status, problem.status)
      assert.equal(headers["x-request-id"], problem.requestId)
      assert.is_string(problem.title)
      assert.is_string(problem.detail)
    end
  end)
end)

describe("the mock server's ways to send", function()
  teardown(stop_all)

  it("send Content-Length when asked to", function()
    local status, headers, text = exchange(start { installations = 50, length = true }, "GET", LIST)
    assert.equal(200, status)
    assert.equal(#text, tonumber(headers["content-length"]))
    assert.equal(50, #core.decode(text))
  end)

  it("compress for clients that accept it", function()
    local server = start { installations = 50, gzip = true }
    local _, headers, text = exchange(server, "GET", LIST, { ["Accept-Encoding"] = "br, gzip" })
    assert.equal("gzip", headers["content-encoding"])
    assert.equal(50, #core.decode((require "zlib".inflate()(text))))
    _, headers = exchange(server, "GET", LIST)
    assert.is_nil(headers["content-encoding"])
  end)

  it("hold no more of a long list than what is being sent", function()
    local server = start { installations = 100000 }
    local wire = connect(server)
    wire:send("GET", LIST)
    local _, headers = wire:head()
    assert.equal("chunked", headers["transfer-encoding"])
    assert.is_not_nil(wire.tcp:receive "*l")
    wire.tcp:close()
    assert.equal(200, (exchange(server, "GET", FIRST)))
  end)
end)

describe("the command of the mock server", function()
  local function run(...) return in_process.run({ "mock", ... }, os.getenv) end

  it("has help that names every option and every word of a fault", function()
    local result = run "--help"
    local text = result.out
    assert.equal(0, result.code, result.err)
    for _, option in ipairs(mock.options) do assert.is_truthy(text:find("--" .. option[1], 1, true), option[1]) end
    for _, word in ipairs(require "ampersand.mock.faults".words) do
      assert.is_truthy(text:find("\n  " .. word[1], 1, true), word[1])
    end
  end)

  it("says what is wrong with its options", function()
    local cases = {
      ["--instalations=3"] = 'unknown option "--instalations=3"',
      ["extra"] = 'unknown option "extra"',
      ["--port=x"] = '--port needs a whole number from 0 to 65535, not "x"',
      ["--port=70000"] = '--port needs a whole number from 0 to 65535, not "70000"',
      ["--port=-1"] = '--port needs a whole number from 0 to 65535, not "-1"',
      ["--port=80.5"] = '--port needs a whole number from 0 to 65535, not "80.5"',
      ["--installations=1.5"] = '--installations needs a whole number of at least 0, not "1.5"',
      ["--log=1e300"] = '--log needs a whole number of at least 0, not "1e300"',
      ["--read-seconds=1e400"] = '--read-seconds needs a number of at least 0, not "1e400"',
      ["--port"] = "--port needs a whole number from 0 to 65535, not nothing",
      ["--host"] = "--host needs a text, not nothing",
      ["--gzip=yes"] = "--gzip takes no value",
      ["--fault=slwo"] = 'unknown word "slwo" in a fault',
      ["--fault=status=abc"] = "status must be a number",
      ["--host=256.1.1.1"] = "cannot listen on 256.1.1.1:0",
    }
    for word, message in pairs(cases) do
      local result = run("--host=256.1.1.1", word) -- what is taken for good does not come to serving
      assert.equal(2, result.code, word)
      assert.is_truthy(result.err:find(message, 1, true), result.err)
    end
  end)

  it("ends when its standard input closes", function()
    local name = os.tmpname()
    finally(function() os.remove(name) end) -- luacheck: ignore
    local program = "os.exit(require('ampersand.mock').main{'--exit-on-eof'})"
    local pipe = assert(io.popen(("%s -e %q >%s"):format(os.getenv "LUA" or "lua", program, name), "w"))
    local port = starting.await(20, function() return starting.read(name):match "listening http://127.0.0.1:(%d+)" end)
    assert.is_true(starting.listens(port))
    pipe:close() -- waits for the process
    assert.is_false(starting.listens(port))
  end)

  it("ends at Ctrl-C, also where LuaJIT raises it while a request is served", function()
    local handlers = require "ampersand.mock.handlers"
    local original = handlers.listInstallations
    local server = assert(mock.open { port = 0, quiet = true })
    finally(function() -- luacheck: ignore
      handlers.listInstallations = original
      server:close()
    end)
    handlers.listInstallations = function()
      server.stopped = true -- where it is not taken for an interrupt
      error "interrupted!"
    end
    local client = connect { port = server.port, key = "mock-key" }
    client:send("GET", LIST)
    assert.error_matches(function() server:run() end, "interrupted!$")
    client.tcp:close()
  end)

  it("ends when it is stopped, twice without harm", function()
    local server = support.start()
    server:stop()
    server:stop()
    assert.is_nil((socket.connect("127.0.0.1", server.port)))
  end)
end)

describe("the mock server's faults", function()
  local server
  setup(function() server = start { installations = 40, length = true } end)
  before_each(function() server:control("faults", { clear = true }) end)
  teardown(stop_all)

  local function fault(words) server:control("faults", words) end

  it("answer another status, for a number of requests, with Retry-After", function()
    fault { status = 429, retry_after = 3, next = 2, on = "listInstallations" }
    for _ = 1, 2 do
      local status, problem, headers = call(server, "GET", LIST)
      assert.equal(429, status)
      assert.equal("3", headers["retry-after"])
      assert.is_true(problem.retryable)
      assert.is_truthy(problem.retryAfter:find "^%d+%-%d+%-%d+T")
      assert.equal(200, (call(server, "GET", FIRST)))
    end
    assert.equal(200, (call(server, "GET", LIST)))
  end)

  it("let some pass, or strike a share of them", function()
    fault { status = 503, skip = 3, next = 1 }
    for i = 1, 6 do assert.equal(i == 4 and 503 or 200, (call(server, "GET", FIRST)), i) end
    server:control("faults", { clear = true })
    fault { status = 500, rate = 0.3 }
    local failed = 0
    for _ = 1, 100 do failed = failed + (call(server, "GET", FIRST) == 500 and 1 or 0) end
    assert.is_true(failed > 10 and failed < 60, "failed: " .. failed)
  end)

  it("cut the body, and the client can see it", function()
    fault { cut = 1000 }
    local status, headers, text, complete = exchange(server, "GET", LIST)
    assert.equal(200, status)
    assert.is_true(tonumber(headers["content-length"]) > 1000)
    assert.equal(1000, #text)
    assert.is_false(complete)
  end)

  it("end the body early but properly", function()
    fault { truncate = 1000 }
    local _, _, text, complete = exchange(server, "GET", LIST)
    assert.equal(1000, #text)
    assert.is_true(complete)
  end)

  it("reset, stall, drop and hang", function()
    for _, words in ipairs { { reset = 100 }, { drop = true }, { lose = true } } do
      server:control("faults", { clear = true })
      fault(words)
      local _, _, text, complete = exchange(server, "GET", LIST)
      assert.is_falsy(complete)
      assert.is_true(text == nil or #text <= 100)
    end
    for _, words in ipairs { { stall = 100 }, { hang = true } } do
      server:control("faults", { clear = true })
      fault(words)
      local wire = connect(server)
      wire.tcp:settimeout(0.3)
      wire:send("GET", LIST)
      local data, why, part = wire.tcp:receive(100000)
      assert.is_nil(data)
      assert.equal("timeout", why)
      assert.equal(words.stall and 100 or 0, #(part:match "\r\n\r\n(.*)$" or ""))
      wire.tcp:close()
    end
  end)

  it("drop a request without effect, lose an answer with effect", function()
    local topics = "/v1/projects/my-project/topics"
    for name, words in pairs { dropped = { drop = true }, lost = { lose = true }, failed = { status = 500 } } do
      words.next, words.on = 1, "createTopic"
      fault(words)
      exchange(server, "POST", topics, JSON, core.encode { name = name })
    end
    local names = {}
    local _, list = call(server, "GET", topics)
    for _, topic in ipairs(list) do names[topic.name] = true end
    assert.same({ Alerts = true, lost = true }, names)
  end)

  it("wait, pace and split", function()
    fault { delay = 0.2 }
    local began = core.now()
    exchange(server, "GET", FIRST)
    assert.is_true(core.now() - began >= 0.2)
    server:control("faults", { clear = true })
    fault { slow = 10000 }
    began = core.now()
    local _, _, text = exchange(server, "GET", FIRST)
    assert.is_true(core.now() - began >= #text / 10000 * 0.8)
    server:control("faults", { clear = true })
    fault { chunk = 7, truncate = 700 }
    local wire = connect(server)
    wire:send("GET", LIST)
    wire:head()
    local chunks, complete = wire:chunks()
    assert.is_true(complete)
    assert.equal(100, #chunks)
    wire.tcp:close()
  end)

  it("answer something else altogether", function()
    fault { body = "<html>maintenance</html>", next = 1 }
    local status, headers, text = exchange(server, "GET", LIST)
    assert.same({ 200, "text/html", "<html>maintenance</html>" }, { status, headers["content-type"], text })
    fault { status = 302, location = "http://elsewhere.example/", next = 1 }
    status, headers = exchange(server, "GET", LIST)
    assert.same({ 302, "http://elsewhere.example/" }, { status, headers.location })
  end)

  it("are checked", function()
    for _, words in ipairs { { stauts = 1 }, { status = "500" }, { drop = 1 } } do
      assert.equal(400, (call(server, "POST", "/__mock/faults", words)))
    end
  end)

  it("come from the command line too", function()
    local other = start { fault = "down,next=1,drop=false;on=getInstallation,status=404,skip=1" }
    assert.equal(503, (call(other, "GET", LIST)))
    assert.equal(200, (call(other, "GET", FIRST)))
    assert.equal(404, (call(other, "GET", FIRST)))
  end)
end)

describe("the admin routes of the mock server", function()
  local server
  setup(function() server = start { installations = 40, log = 5 } end)
  teardown(stop_all)

  it("list the requests received, without secrets", function()
    server:control("requests", {})
    call(server, "GET", LIST .. "?groupRef=a%20b")
    call(server, "GET", "/v1/projects/my-project/api-keys/mock-key")
    call(server, "GET", "/v1/my-info", nil, { Authorization = "Bearer mock-token" })
    call(server, "POST", "/v1/projects/my-project/connections:generate", {
      groupRef = "g", consumerRef = "c", provider = "apollo", apiKey = "secret-1",
      basicAuth = { username = "u", password = "secret-2" },
    })
    local log = server:requests()
    assert.equal(4, log.count)
    assert.same({ listInstallations = 1, getApiKey = 1, getMyInfo = 1, generateConnection = 1 }, log.by_operation)
    assert.same({ groupRef = "a b" }, log.requests[1].query)
    assert.equal(200, log.requests[1].status)
    assert.equal("g", log.requests[4].body.groupRef)
    local text = core.encode(log)
    for _, secret in ipairs { "mock-key", "mock-token", "secret-1", "secret-2" } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
  end)

  it("keep only the last requests, but count all", function()
    server:control("requests", {})
    for i = 1, 9 do call(server, "GET", LIST .. "/x" .. i) end
    local log = server:requests()
    assert.equal(9, log.count)
    assert.equal(5, #log.requests)
    assert.is_truthy(log.requests[5].path:find "/x9$")
  end)

  it("change installations, remove and add them", function()
    local ids = core.array { "installation-123", "installation-0000002" }
    server:control("installations", {
      ids = ids, set = { healthStatus = "unhealthy", connection = { status = "bad_credentials" } } })
    local _, list = call(server, "GET", LIST)
    for i = 1, 2 do
      assert.equal("unhealthy", list[i].healthStatus)
      assert.equal("bad_credentials", list[i].connection.status)
      local expected = mock.installation(i)
      expected.healthStatus, expected.connection.status = "unhealthy", "bad_credentials"
      assert.same(core.decode(core.encode(expected)), list[i])
    end
    server:control("installations", { ids = ids, remove = true })
    local added = server:control("installations", { add = 3 }).ids
    _, list = call(server, "GET", LIST)
    assert.equal(41, #list)
    assert.equal(added[3], list[41].id)
  end)

  it("change options", function()
    server:control("settings", { key = "other-key" })
    assert.equal(401, (call(server, "GET", LIST)))
    server.key = "other-key"
    assert.equal(200, (call(server, "GET", LIST)))
  end)
end)

describe("the mock server's proxy", function()
  local server
  setup(function() server = start { installations = 5 } end)
  teardown(stop_all)

  local function headers(more)
    local all = { ["x-amp-proxy-version"] = "1", ["x-amp-project-id"] = "project-456",
      ["x-amp-installation-id"] = "installation-123" }
    for name, value in pairs(more or {}) do all[name] = value end
    return all
  end

  it("hands any method and body to the provider, and its answer back", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
      local status, echo = call(server, method, "/crm/v3/a%20b?x=1", nil, headers { ["Content-Type"] = "text/x" })
      assert.equal(200, status)
      assert.same({ method, "/crm/v3/a b", { x = "1" }, "salesforce" },
        { echo.method, echo.path, echo.query, echo.provider })
      assert.is_nil(echo.headers["x-api-key"])
      assert.is_nil(echo.headers["x-amp-project-id"])
    end
    local _, head, text = exchange(server, "POST", "/echo", headers { ["Content-Type"] = "a/b" }, "raw \0 \255 bytes")
    assert.equal("a/b", head["content-type"])
    assert.equal("raw \0 \255 bytes", text)
    _, _, text = exchange(server, "POST", "/x?a=%FF", headers(), "raw \0 \255 bytes")
    local told = core.decode(text)
    assert.same({ "raw ? ? bytes", { a = "?" } }, { told.body, told.query })
  end)

  it("finds the installation by integration and group", function()
    local status, echo = call(server, "GET", "/x", nil, headers {
      ["x-amp-installation-id"] = false, ["x-amp-integration-name"] = "salesforce",
      ["x-amp-group-ref"] = "group-0000003" })
    assert.equal(200, status)
    assert.equal("installation-0000003", echo.installationId)
  end)

  it("streams and gives statuses", function()
    local _, _, text, complete = exchange(server, "GET", "/bytes/100000", headers())
    assert.same({ 100000, true }, { #text, complete })
    assert.equal(418, (call(server, "GET", "/status/418", nil, headers())))
  end)

  it("refuses what the proxy refuses", function()
    local cases = {
      { 400, { ["x-amp-proxy-version"] = "2" } }, { 400, { ["x-amp-project-id"] = false } },
      { 400, { ["x-amp-project-id"] = "my-project" } }, { 400, { ["x-amp-installation-id"] = false } },
      { 404, { ["x-amp-installation-id"] = "nothing" } }, { 401, { ["X-Api-Key"] = "no" } },
    }
    for i, case in ipairs(cases) do assert.equal(case[1], (call(server, "GET", "/x", nil, headers(case[2]))), i) end
    assert.equal(400, (call(server, "GET", "/proxy/x")))
  end)

  it("limits the rate on demand, in its own words", function()
    server:control("faults", { on = "proxy", status = 429, retry_after = 7, next = 1 })
    local status, _, head = call(server, "GET", "/x", nil, headers())
    assert.equal(429, status)
    assert.is_truthy(head["x-amp-retry-after"]:find " UTC$")
    local at = assert(require "ampersand.time".parse_http_date(head["x-amp-retry-after"]))
    assert.is_true(math.abs(at - core.time() - 7) < 5)
    assert.equal("true", head["x-amp-retryable"])
    assert.equal(200, (call(server, "GET", "/x", nil, headers())))
  end)
end)
