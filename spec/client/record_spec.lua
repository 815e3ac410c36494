-- Traffic kept in a file and given back: against the mock server, and single cases over a double.

local ampersand = require "ampersand"
local core = require "ampersand.core"
local double = require "support.double"
local machine = require "support.machine"
local mock = require "support.mock"

local KEY, TOKEN = "very-secret-key-1", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"

describe("ampersand.record and ampersand.replay", function()
  local name

  before_each(function() name = os.tmpname() end)
  after_each(function() os.remove(name) end)

  local function content()
    local file = assert(io.open(name, "rb"))
    local text = file:read "*a"
    file:close()
    return text
  end

  local function entries()
    local list = {}
    for line in content():gmatch "[^\n]+" do list[#list + 1] = assert(core.decode(line)) end
    return list
  end

  local function recorded(...)
    local transport = double.answers(...)
    return double.client(ampersand.record(name, transport), { api_key = KEY }), transport
  end

  local function replayed(more)
    local transport = ampersand.replay(name)
    return double.client(transport, more), transport
  end

  it("give a program's whole run back without the server", function()
    local server = mock.start { installations = 30, key = KEY }
    finally(function() server:stop() end) -- luacheck: ignore
    local function run(transport)
      local client = ampersand.new {
        api_key = KEY, base_url = server.url, project = server.project, integration = server.integration, transport = transport,
        retry = false,
      }
      local seen = {}
      local function note(...) seen[#seen + 1] = { ... } end
      note(client.installations:list())
      for installation in client.installations:each() do note(installation.id, installation.healthStatus) end
      note((client.installations:where({ healthStatus = "unhealthy" }):count()))
      local _, err = client.installations:get "nothing"
      note(err.status, err.message, err.problem)
      note((client.projects:update("my-project", { updateMask = { "appName" }, project = { appName = "x" } })))
      note((client:proxy("GET", "/a", { installation = "installation-0000002" })))
      note((client:proxy("GET", "/a", { installation = "installation-0000003" })))
      note((client:proxy("POST", "/echo", { installation = "installation-123", body = "\0\255 raw", content_type = "a/b" })))
      for operation in client.operations:each("installation-123", { pageSize = 2 }) do note(operation.id) end
      client:close()
      return seen
    end
    local first = run(ampersand.record(name))
    local before = server:requests().count
    local player = ampersand.replay(name)
    local second = run(player)
    assert.equal(before, server:requests().count)
    assert.is_true(#first > 40)
    -- what was secret is not there the second time
    local function strip(value)
      if type(value) ~= "table" then return value end
      local copy = {}
      for k, v in pairs(value) do copy[k] = strip(v) end
      for _, secret in ipairs { "token", "apiKey", "headers" } do copy[secret] = nil end
      return copy
    end
    assert.same(strip(first), strip(second))
    assert.equal(0, player:left())
    assert.is_nil(content():find(KEY, 1, true))
  end)

  it("write no secret: headers, bodies, queries and paths are clean", function()
    local client = recorded(double.json(('{"id":"c","oauth2AuthorizationCode":{"accessToken":{"token":"at-1234"},"refreshToken":'
      .. '{"token":"rt-1234"}},"apiKey":"pk-1234","note":"%s and %s","url":"https://x.example/f?X-Goog-Signature=sg-1234&a=1"}'):format(KEY, TOKEN),
      { ["set-cookie"] = "session=ck-1234", ["x-request-id"] = "r-1" }))
    assert.equal("at-1234", client.connections:get("c").oauth2AuthorizationCode.accessToken.token)
    assert(client:with { bearer = TOKEN }:call("getMyInfo"))
    assert(client.connections:create { groupRef = "g", consumerRef = "c", provider = "p", apiKey = "pk-5678",
      basicAuth = { username = "u", password = "pw-1234" } })
    assert(client.api_keys:get "path-key-1234")
    assert(client:proxy("GET", "/f", { installation = "i", query = { access_token = "qt-1234", page = 2 } }))
    local text = content()
    for _, secret in ipairs { KEY, TOKEN, "at-1234", "rt-1234", "pk-1234", "sg-1234", "ck-1234", "pk-5678", "pw-1234",
      "path-key-1234", "qt-1234" } do assert.is_nil(text:find(secret, 1, true), secret) end
    local list = entries()
    assert.equal("r-1", list[1].response.headers["x-request-id"])
    assert.equal("https://api.example.com/v1/projects/my-project/api-keys/[redacted]", list[4].request.url)
    assert.equal("https://api.example.com/f?access_token=[redacted]&page=2", list[6].request.url)
    -- and the same calls, with other secrets, still find their answers
    client = replayed { api_key = "another-key" }
    assert.equal("[redacted]", client.connections:get("c").oauth2AuthorizationCode.accessToken.token)
    assert(client:with { bearer = "other-token" }:call("getMyInfo"))
    assert(client.connections:create { groupRef = "g", consumerRef = "c", provider = "p", apiKey = "other",
      basicAuth = { username = "u", password = "other" } })
    assert(client.api_keys:get "path-key-5678")
  end)

  it("keep answers without secrets to the byte, and bytes that are no text", function()
    local text = '{"big": 12345678901234567890, "a":1.0,\n "a":2}'
    local client = recorded(double.json(text), { status = 200, body = "\255\0x", headers = { ["content-type"] = "a/b" } })
    assert(client:request("GET", "/a"))
    assert.equal("\255\0x", (client:request("GET", "/b")))
    assert.equal(text, entries()[1].response.body)
    client = replayed()
    assert.equal(2, client:request("GET", "/a").a)
    assert.equal("\255\0x", (client:request("GET", "/b")))
  end)

  it("match method, URL, body and customer, each answer once and in order", function()
    local client = recorded(double.json '{"n":1}', double.json '{"n":2}', double.json '{"n":3}', double.json '{"n":4}')
    client:request("POST", "/a", { body = { x = 1, y = { z = 2 } } })
    client:request("POST", "/a", { body = { x = 2 } })
    client:request("GET", "/b")
    client:request("GET", "/b")
    client = replayed()
    assert.equal(3, client:request("GET", "/b").n)
    assert.equal(2, client:request("POST", "/a", { body = { x = 2 } }).n)
    assert.equal(1, client:request("POST", "/a", { body = { y = { z = 2 }, x = 1 } }).n)
    assert.equal(4, client:request("GET", "/b").n)
    local value, err = client:request("GET", "/b")
    assert.is_nil(value)
    assert.same({ "config", 1 }, { err.kind, err.attempts })
    assert.matches("has GET https://api.example.com/v1/b 2 times, and this is one more", err.message, 1, true)
    err = select(2, client:request("POST", "/a", { body = { x = 3 } }))
    assert.matches("has POST https://api.example.com/v1/a, but with another body", err.message, 1, true)
    err = select(2, client:request("GET", "/c", { query = { token = "abcdefgh" } }))
    assert.matches("has no GET https://api.example.com/v1/c?token=[redacted] among its 4 requests", err.message, 1, true)
  end)

  it("keep what went wrong: faults, error answers, bodies that broke off", function()
    local client = recorded({ fault = "no route", kind = "connect", sent = false }, double.problem(409, '{"title":"Conflict"}'),
      double.pieces({ '[{"id":"a"},', '{"id"' }, "the connection broke", "closed"))
    local function run(c)
      local seen = {}
      c = c:with { retry = false }
      local _, err = c:request("GET", "/a")
      seen[1] = { err.kind, err.message, err.sent }
      _, err = c:request("GET", "/b")
      seen[2] = { err.status, err.problem.title }
      local stream = c.installations:stream()
      seen[3] = stream:next().id
      _, err = stream:next()
      seen[4] = { err.kind, err.message, err.delivered }
      return seen
    end
    local first = run(client)
    assert.same({ { "connect", "no route", false }, { 409, "Conflict" }, "a", { "closed", "the connection broke", 1 } }, first)
    assert.same(first, run((replayed())))
  end)

  it("write what is not a stream before it is read, and give its connection back", function()
    local answer = double.pieces({ '{"a":', "1}" })()
    local recorder = ampersand.record(name, { request = function() return answer end })
    local res = recorder:request { method = "GET", url = "https://api.example.com/a", headers = {} }
    assert.equal('{"a":1}', entries()[1].response.body)
    assert.same({ true }, answer.closed)
    assert.equal('{"a":1}', res.read())
    assert.is_nil((res.read()))
  end)

  it("keep a stream as far as it was read", function()
    local client = recorded(double.pieces { '[{"id":"a"},', '{"id":"b"},', '{"id":"c"}]' })
    local stream = client.installations:stream()
    assert.equal("a", stream:next().id)
    stream:close()
    stream = replayed().installations:stream()
    assert.equal("a", stream:next().id)
    local _, err = stream:next()
    assert.matches("its reader had enough", err.message, 1, true)
    stream:close()
  end)

  it("run tasks side by side, or one after the other", function()
    local client = recorded(double.json '{"n":1}')
    assert.error_matches(function() client:parallel(2, {}) end, "no parallel")
    client:request("GET", "/a")
    client = replayed()
    local values, errors = client:parallel(2, {
      function() return client:request("GET", "/a") end,
      function() return client:request("GET", "/a") end,
      function() error("boom", 0) end,
    })
    assert.same({ { n = 1 }, 3, "config", "boom" }, { values[1], values.n, errors[2].kind, errors[3] })
  end)

  it("pass back-offs on, and take a function for a transport", function()
    local client, transport = recorded(double.problem(503, "{}"), double.json "[]")
    assert.same({}, client.installations:list())
    assert.equal(1, #transport.slept)
    client = double.client(ampersand.record(name, function() return double.json '[{"id":"a"}]' end))
    local stream = client.installations:stream()
    assert.equal("a", stream:next().id)
    assert.is_nil(stream:next())
    assert.same({ { id = "a" } }, replayed().installations:list())
  end)

  it("tell when nothing can be written any more", function()
    if not io.open "/dev/full" then pending(machine.absent("/dev/full", "mount /dev")) end
    local client = double.client(ampersand.record("/dev/full", double.answers(double.json "[]")))
    local list, err = client.installations:list()
    assert.is_nil(list)
    assert.equal("config", err.kind)
    assert.matches("the recording cannot be written: ", err.message, 1, true)
  end)

  it("say which file is not a recording", function()
    assert.error_matches(function() ampersand.record "/nowhere/at/all" end, "ampersand.record: /nowhere/at/all")
    assert.error_matches(function() ampersand.replay "/nowhere/at/all" end, "ampersand.replay: /nowhere/at/all")
    assert.error_matches(function() ampersand.record {} end, "expected the name of a file")
    local file = assert(io.open(name, "w"))
    file:write '{"request":{},"response":{}}\n{"request":\n'
    file:close()
    assert.error_matches(function() ampersand.replay(name) end, name .. ":2: not a recording")
  end)
end)
