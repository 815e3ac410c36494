-- What goes wrong, and how it is told: errors, retries, deadlines, broken bodies, paged lists.

local ampersand = require "ampersand"
local core = require "ampersand.core"
local double = require "support.double"

local PROBLEM = '{"type":"about:blank","title":"Unauthorized","status":401,"detail":"API key is invalid","requestId":"req-1"}'

local function list_with(...)
  local transport = double.answers(...)
  local list, err = double.client(transport).installations:list()
  return list, err, transport
end

describe("an error", function()
  it("carries status, title, detail and request id, and prints as one line", function()
    local list, err, transport = list_with(double.problem(401, PROBLEM))
    assert.is_nil(list)
    assert.equal("status", err.kind)
    assert.equal(401, err.status)
    assert.equal("req-1", err.request_id)
    assert.equal("Unauthorized", err.problem.title)
    assert.equal(1, err.attempts)
    assert.is_false(err.retryable)
    assert.equal("GET https://api.example.com/v1/projects/{projectIdOrName}/integrations/{integrationId}/installations: "
      .. "401 Unauthorized: API key is invalid (request id req-1)", tostring(err))
    assert.is_true(ampersand.is_error(err))
    assert.equal(1, #transport.asked)
  end)

  it("shows names of query parameters, never values", function()
    local client = double.client(double.answers(double.problem(404, "{}")))
    local _, err = client.api_keys:get "super-secret"
    assert.is_nil(tostring(err):find("super-secret", 1, true))
    assert.truthy(err.url:find("/api-keys/{apiKey}", 1, true))
    _, err = client.installations:list { groupRef = "private-group" }
    assert.truthy(err.url:find("installations?groupRef", 1, true))
    assert.is_nil(tostring(err):find("private-group", 1, true))
    _, err = client:request("GET", "/projects/p/api-keys/super-secret")
    assert.is_nil(tostring(err):find("super-secret", 1, true))
  end)

  it("never repeats a secret that the server echoes", function()
    local echo = '{"title":"Unauthorized","detail":"key test-key is bad, Bearer abc.def","context":{"test-key":["x test-key y"],'
      .. '"jwt":"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"}}'
    local _, err = list_with(double.problem(401, echo, { ["x-request-id"] = "test-key" }))
    local function walk(value)
      if type(value) == "string" then
        for _, secret in ipairs { "test-key", "abc.def", "eyJ" } do assert.is_nil(value:find(secret, 1, true), value) end
      elseif type(value) == "table" then
        for k, v in pairs(value) do walk(k) walk(v) end
      end
    end
    walk(err)
    walk(tostring(err))
    assert.truthy(err.message:find("[redacted]", 1, true))
  end)

  it("keeps its status whatever the body is", function()
    for _, body in ipairs {
      "", "<html><body>Bad gateway</body></html>", "[1,2]", '"text"', "null", '{"title":7,"detail":{},"issues":"x"}', '{"title":',
      "\27[2J\7evil", "\194\155\226\128\174evil", ("x"):rep(20 * 1024 * 1024), '{"issues":[1,{"detail":"is required","name":"body.config"}]}',
    } do
      local _, err = list_with(double.problem(418, body))
      assert.equal("status", err.kind)
      assert.equal(418, err.status)
      local line = tostring(err)
      local told = line:gsub("…", "") -- ours
      assert.is_nil(told:find("%c") or told:find "[\194\226]", "control characters reach the terminal")
      assert.is_true(#line < 800)
      assert.is_nil(line:find("<html", 1, true))
    end
    assert.is_nil(select(2, list_with(double.problem(418, ""))).body)
    local _, err = list_with(double.problem(422, '{"title":"Bad input","issues":[{"detail":"is required","name":"config"}]}'))
    assert.truthy(err.message:find("config: is required", 1, true))
  end)

  it("cuts what a server says at length, between characters", function()
    for shift = 0, 1 do
      local detail = ("x"):rep(shift) .. ("é"):rep(400)
      local _, err = list_with(double.problem(400, '{"title":"Bad","detail":"' .. detail .. '"}'))
      local told = err.message:match "Bad: (.*)…$"
      assert.is_true(#told >= 280 and #told <= 300 and (#told - shift) % 2 == 0, #told .. " bytes")
      assert.equal(detail:sub(1, #told), told)
    end
  end)

  it("reports a success that has no body", function()
    for _, body in ipairs { "", "{", '{"id":1}}', "<html>" } do
      local project, err = double.client(double.answers(double.json(body))).projects:get()
      assert.is_nil(project)
      assert.equal("decode", err.kind)
    end
  end)

  it("keeps the data of a failed write reachable", function()
    local client = double.client(double.answers(
      { status = 422, headers = { ["content-type"] = "application/json" }, body = '{"status":"failure","results":[{"success":false}]}' },
      { status = 400, headers = { ["content-type"] = "text/plain" }, body = "bad record" }))
    local _, err = client.records:write("contact", { groupRef = "g", type = "create", record = {} })
    assert.equal("failure", err.body.status)
    assert.is_false(err.body.results[1].success)
    _, err = client.records:write("contact", { groupRef = "g", type = "create", record = {} })
    assert.equal("bad record", err.body)
    assert.truthy(tostring(err):find("400: bad record", 1, true))
  end)

  it("is raised by iterators and made readable by ampersand.assert", function()
    local client = double.client(double.answers(double.problem(401, PROBLEM)))
    local ok, err = pcall(function() for _ in client.installations:each() do end end) -- luacheck: ignore
    assert.is_false(ok)
    assert.equal(401, err.status)
    local text
    ok, text = pcall(function() ampersand.assert(client.installations:list()) end)
    assert.is_false(ok)
    assert.equal("string", type(text))
    assert.truthy(text:find("401 Unauthorized", 1, true))
    assert.equal("call_spec.lua", text:match("call_spec%.lua"))
    assert.equal(7, (ampersand.assert(7, "unused")))
  end)

  it("says that a redirect is not followed", function()
    local _, err = list_with { status = 302, headers = { location = "https://evil.example.org/steal?x=1" } }
    assert.equal(302, err.status)
    assert.truthy(err.message:find("redirects to https://evil.example.org;", 1, true))
  end)
end)

describe("an answer that is not what it should be", function()
  local function decode_error(answer)
    local list, err = list_with(answer)
    assert.is_nil(list)
    assert.equal("decode", err.kind)
    assert.is_false(err.retryable)
    return err
  end

  it("is HTML", function()
    local err = decode_error { status = 200, headers = { ["content-type"] = "text/html; charset=utf-8" }, body = "<html></html>" }
    assert.truthy(err.message:find("text/html instead of JSON; is base_url right?", 1, true))
  end)

  it("is an object instead of an array", function()
    local err = decode_error(double.json '{"installations":[]}')
    assert.truthy(err.message:find("array", 1, true))
    assert.truthy(err.message:find("object", 1, true))
  end)

  it("is truncated, empty or followed by garbage", function()
    for _, body in ipairs { '[{"id":"a"},{"id"', '[{"id":"a"}', "", "[", '[{"id":"a"}]x', "[1,]" } do
      decode_error(double.json(body))
    end
  end)

  it("does not show what strings contained", function()
    local err = decode_error(double.json '[{"token":"secret-1" "x"}]')
    assert.is_nil(tostring(err):find("secret-1", 1, true))
  end)

  it("raises after what was good, and says how much that was", function()
    local client = double.client(double.answers(double.json '[{"id":"a"},{"id":"b"},{"id":}]'))
    local seen = 0
    local ok, err = pcall(function() for _ in client.installations:each() do seen = seen + 1 end end)
    assert.is_false(ok)
    assert.equal(2, seen)
    assert.equal(2, err.delivered)
    assert.equal("decode", err.kind)
  end)

  it("is null elements, kept in place", function()
    local list = assert(double.client(double.answers(double.json '[null,{"a":null}]')).installations:list())
    assert.equal(ampersand.null, list[1])
    assert.equal(ampersand.null, list[2].a)
    list = assert(double.client(double.answers(double.json '[{"a":null,"b":1}]'), { nulls = "drop" }).installations:list())
    assert.same({ { b = 1 } }, list)
  end)

  it("is larger than the limits", function()
    local body = '[{"id":"' .. ("x"):rep(5000) .. '"}]'
    local client = double.client(double.answers(double.json(body)))
    local _, err = client.installations:list({}, { max_bytes = 1000 })
    assert.equal("limit", err.kind)
    local ok
    ok, err = pcall(function() for _ in client.installations:each({}, { max_element_bytes = 1000 }) do end end) -- luacheck: ignore
    assert.is_false(ok)
    assert.equal("limit", err.kind)
  end)
end)

describe("a call that is made again", function()
  it("is sent alike, whatever a transport does to what it got, and sees that the client was closed", function()
    local asked = {}
    local client = double.client { request = function(_, req)
      asked[#asked + 1] = req.url .. " " .. req.headers["X-Api-Key"] .. " " .. tostring(req.headers.Extra)
      req.headers.Extra, req.headers["X-Api-Key"], req.url = "1", "other", "other"
      return { status = 200, headers = {}, body = '[{"id":"1"}]' }
    end, sleep = function() end }
    local view = client.installations:where { id = "1" }
    for _ = 1, 3 do
      assert(client.installations:list())
      assert(client.installations:count())
      assert(view:first())
      assert(client:with({ project = "q" }).installations:list())
    end
    local url = "https://api.example.com/v1/projects/%s/integrations/hubspot/installations test-key nil"
    for i, text in ipairs(asked) do assert.equal(url:format(i % 4 == 0 and "q" or "my-project"), text) end
    assert.equal(12, #asked)
    client:close()
    assert.error_matches(function() client.installations:list() end, "installations:list: the client is closed")
    assert.error_matches(function() view:count() end, "installations:count: the client is closed")
  end)
end)

describe("trying again", function()
  it("happens for what may be sent twice, with back-off and jitter", function()
    for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
      local list, info, transport = list_with(double.problem(status, "{}"), double.problem(status, "{}"), double.json "[]")
      assert.equal(0, #list)
      assert.equal(3, info.attempts)
      assert.equal(2, #transport.slept)
      assert.is_true(transport.slept[1] >= 0 and transport.slept[1] <= 0.25)
      assert.is_true(transport.slept[2] >= 0 and transport.slept[2] <= 0.5)
    end
    for _, kind in ipairs { "resolve", "connect", "closed", "timeout", "protocol" } do
      local list, _, transport = list_with({ fault = "broke", kind = kind }, double.json "[]")
      assert.equal(0, #list)
      assert.equal(2, #transport.asked)
    end
  end)

  it("ends after three tries, or as many as the caller says", function()
    local _, err, transport = list_with { fault = "refused", kind = "connect", sent = false }
    assert.equal(3, err.attempts)
    assert.equal(3, #transport.asked)
    assert.truthy(tostring(err):find("3 attempts", 1, true))
    transport = double.answers { fault = "refused", kind = "connect" }
    double.client(transport, { retry = false }).installations:list()
    assert.equal(1, #transport.asked)
    double.client(transport).installations:list({}, { retry = 5 })
    assert.equal(6, #transport.asked)
    double.client(transport).installations:list({}, { retry = { attempts = 2, base = 0.01 } })
    assert.equal(8, #transport.asked)
    assert.is_true(transport.slept[#transport.slept] <= 0.01)
  end)

  it("does not happen for what trying cannot mend", function()
    for _, answer in ipairs { double.problem(400, "{}"), double.problem(404, "{}"), double.json "{", { fault = "x", kind = "limit" },
      { fault = "x", kind = "cancelled" }, { fault = "x", kind = "phase" }, double.problem(503, '{"retryable":false}') } do
      local _, _, transport = list_with(answer)
      assert.equal(1, #transport.asked)
    end
    local _, _, transport = list_with(double.problem(409, '{"retryable":true}'), double.json "[]")
    assert.equal(2, #transport.asked)
  end)

  local function create(client, more)
    return client.installations:create({ groupRef = "g", config = { content = {} } }, more)
  end

  it("happens for POST and PATCH only when the server saw nothing, or the caller says so", function()
    local transport = double.answers(double.problem(503, "{}"))
    create(double.client(transport))
    assert.equal(1, #transport.asked)
    assert.is_false(transport.asked[1].resend)
    transport = double.answers { fault = "cut", kind = "closed", sent = true }
    create(double.client(transport))
    assert.equal(1, #transport.asked)
    transport = double.answers({ fault = "refused", kind = "connect", sent = false }, double.json "{}")
    assert(create(double.client(transport)))
    assert.equal(2, #transport.asked)
    transport = double.answers(double.problem(503, "{}"), double.json "{}")
    assert(create(double.client(transport), { retry = true }))
    assert.equal(2, #transport.asked)
    transport = double.answers(double.problem(503, "{}"))
    double.client(transport).topics:update("t", { name = "n" })
    assert.equal(1, #transport.asked)
  end)

  it("does not happen for the GETs with side effects", function()
    local transport = double.answers(double.problem(503, "{}"))
    local client = double.client(transport)
    client.destinations:get("d", { rotate = true })
    assert.equal(1, #transport.asked)
    client.connections:get("c", { refresh = "force" })
    assert.equal(2, #transport.asked)
    client.connections:get("c", { refresh = "ifExpired" })
    assert.equal(5, #transport.asked)
  end)

  it("waits as long as the server says, in seconds, dates and the problem's time", function()
    local function slept(problem, headers)
      local _, _, transport = list_with(double.problem(429, problem or "{}", headers), double.json "[]")
      return transport.slept[1]
    end
    assert.equal(7, slept(nil, { ["retry-after"] = "7" }))
    local soon = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 10)
    local seconds = slept(nil, { ["retry-after"] = soon })
    assert.is_true(seconds > 7 and seconds <= 10)
    seconds = slept('{"retryAfter":"' .. os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 10) .. '"}')
    assert.is_true(seconds > 7 and seconds <= 10)
    assert.equal(0, slept(nil, { ["retry-after"] = "Thu, 01 Jan 1970 00:00:00 GMT" }))
  end)

  it("never sleeps past the deadline, and survives absurd waits", function()
    for _, value in ipairs { "9999999999999999999999", "-5", "soon", "", "1e9", "Fri, 31 Dec 5000 23:59:59 GMT", "NaN", "0x10" } do
      local _, err, transport = list_with(double.problem(503, "{}", { ["retry-after"] = value }))
      assert.equal(503, err.status)
      for _, seconds in ipairs(transport.slept) do assert.is_true(seconds >= 0 and seconds <= 60) end
    end
    local _, err, transport = list_with(double.problem(503, '{"retryAfter":"5000-01-01T00:00:00Z"}', {}))
    assert.equal(1, #transport.asked)
    assert.is_true(err.retry_after > 1e9)
  end)

  it("gives the transport the time that is left", function()
    local transport = double.answers(double.problem(503, "{}"), function(req)
      assert.is_true(req.timeout <= 2)
      return double.json "[]"
    end)
    assert(double.client(transport).installations:list({}, { timeout = 2 }))
    assert.is_true(transport.asked[1].timeout <= 2 and transport.asked[1].timeout > 1)
    local slow = double.answers(function()
      local started = core.now()
      while core.now() - started < 0.03 do end -- luacheck: ignore
      return double.problem(503, "{}")
    end)
    local _, err = double.client(slow).installations:list({}, { timeout = 0.02, retry = 9 })
    assert.equal(503, err.status)
    assert.equal(1, #slow.asked)
  end)

  it("covers a body that breaks off before its first element, not after", function()
    local transport = double.answers(double.pieces({ "[ " }, "reset", "closed"), double.json '[{"id":"a"}]')
    local seen = {}
    for installation in double.client(transport).installations:each() do seen[#seen + 1] = installation.id end
    assert.same({ "a" }, seen)
    assert.equal(2, #transport.asked)

    transport = double.answers(double.pieces({ '[{"id":"a"},' }, "reset", "closed"))
    local stream = double.client(transport).installations:stream()
    assert.equal("a", stream:next().id)
    local value, err = stream:next()
    assert.is_nil(value)
    assert.equal("closed", err.kind)
    assert.equal(1, err.delivered)
    assert.equal(1, #transport.asked)
    assert.equal(err, select(2, stream:next()))
  end)

  it("of a whole list begins afresh", function()
    local list, _, transport = list_with(double.pieces({ '[{"id":"a"},' }, "reset", "closed"), double.json '[{"id":"b"},{"id":"c"}]')
    assert.equal(2, #list)
    assert.equal("b", list[1].id)
    assert.equal(2, #transport.asked)
  end)

  it("asks for a new bearer token once after 401", function()
    local tokens, asked = { "one", "two", "three" }, 0
    local transport = double.answers(double.problem(401, "{}"), double.json '{"id":"me"}')
    local client = double.client(transport, { bearer = function() asked = asked + 1 return tokens[asked] end })
    assert.equal("me", client.users:me().id)
    assert.equal("Bearer two", transport.asked[2].headers.Authorization)
    transport = double.answers(double.problem(401, "{}"))
    local _, err = double.client(transport, { bearer = function() return "t" end }).users:me()
    assert.equal(401, err.status)
    assert.equal(2, #transport.asked)
    transport = double.answers(double.problem(401, "{}"))
    double.client(transport, { bearer = "fixed" }).users:me()
    assert.equal(1, #transport.asked)
    _, err = double.client(transport, { bearer = function() return nil, "vault is sealed" end }).users:me()
    assert.truthy(err.kind == "config" and err.message:find("vault is sealed", 1, true))
  end)

  it("refuses locally what the credentials do not allow", function()
    local transport = double.answers(double.json "{}")
    local _, err = double.client(transport).users:me()
    assert.truthy(err.kind == "config" and err.message:find("takes only a bearer token", 1, true))
    _, err = ampersand.new({ transport = transport, bearer = "jwt", project = "p", integration = "i" })
      .installations:pause("i-1")
    if os.getenv "AMP_API_KEY" == nil and os.getenv "AMPERSAND_API_KEY" == nil then assert.equal("config", err.kind) end
  end)
end)

describe("a paged list", function()
  local function page(results, pagination)
    return double.json('{"results":[' .. results .. '],"pagination":' .. pagination .. "}")
  end

  it("is followed to its end, with the token escaped", function()
    local function answers()
      return double.answers(page('{"id":1},{"id":2}', '{"done":false,"nextPageToken":"a+/="}'), page("", '{"done":false,"nextPageToken":"b"}'),
        page('{"id":3}', '{"done":true,"nextPageToken":"ignored"}'))
    end
    local transport = answers()
    local client = double.client(transport)
    local list = assert(client.operations:list("i-1", { pageSize = 2 }))
    assert.equal(3, #list)
    assert.truthy(transport.asked[1].url:find("?pageSize=2", 1, true))
    assert.truthy(transport.asked[2].url:find("pageToken=a%2B%2F%3D", 1, true))
    assert.equal(3, #transport.asked)
    local seen = 0
    for operation in double.client(answers()).operations:each("i-1") do seen = seen + operation.id end
    assert.equal(6, seen)
    assert.equal(3, (double.client(answers()).operations:count("i-1")))
    local sizes = {}
    for one in double.client(answers()).operations:pages("i-1") do sizes[#sizes + 1] = #one end
    assert.same({ 2, 0, 1 }, sizes)
    transport = answers()
    assert.equal(2, #assert(double.client(transport).operations:list("i-1", { max = 2 })))
    assert.equal(1, #transport.asked)
    assert.equal(2, (double.client(answers()).operations:where { id = { gt = 1 } }:count "i-1"))
  end)

  it("ends in an error, not in a loop, when the server goes round or loses the thread", function()
    for name, last in pairs {
      repeated = page("1", '{"done":false,"nextPageToken":"a"}'), missing = page("1", '{"done":false}'),
      null = page("1", '{"done":false,"nextPageToken":null}'), number = page("1", '{"done":false,"nextPageToken":7}'),
      empty = page("1", '{"done":false,"nextPageToken":""}'), odd = page("1", "[]"), absent = double.json '{"results":[1]}',
    } do
      local transport = double.answers(page("1", '{"done":false,"nextPageToken":"a"}'), last)
      local list, err = double.client(transport).operations:list "i-1"
      assert.is_nil(list, name)
      assert.equal("protocol", err.kind, name)
      assert.equal(2, #transport.asked, name)
      transport = double.answers(page("1", '{"done":false,"nextPageToken":"a"}'), last)
      local seen = 0
      local ok
      ok, err = pcall(function() for _ in double.client(transport).operations:each "i-1" do seen = seen + 1 end end)
      assert.is_false(ok)
      assert.equal("protocol", err.kind)
      assert.equal(2, seen)
      assert.equal(2, err.delivered)
    end
  end)

  it("tries a page again without repeating or losing anything", function()
    local transport = double.answers(page("1", '{"done":false,"nextPageToken":"a"}'), double.problem(503, "{}"),
      double.pieces({ '{"results":[2,' }, "reset", "closed"), page("2", '{"done":true}'))
    assert.same({ 1, 2 }, assert(double.client(transport).operations:list "i-1"))
  end)
end)
