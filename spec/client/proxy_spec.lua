-- Requests through the proxy: against the mock server's proxy, and single headers against a double.

local ampersand = require "ampersand"
local core = require "ampersand.core"
local double = require "support.double"
local mock = require "support.mock"

local UUID = "0f0e0d0c-1111-2222-3333-444455556666"

describe("client:proxy", function()
  local server, client

  setup(function() server = mock.start { installations = 5 } end)
  teardown(function() server:stop() end)
  before_each(function()
    client = ampersand.new { api_key = server.key, base_url = server.url, project = "my-project" }
  end)
  after_each(function()
    client:close()
    server:control("faults", { clear = true })
    server:control("requests", { clear = true })
  end)

  local function last()
    local seen = server:requests().requests
    return seen[#seen]
  end

  it("sends any method to the provider and decodes its answer", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" } do
      local told, info = assert(client:proxy(method, "/crm/v3/{odd}/a%20b", {
        installation = "installation-0000002", query = { limit = 10, id = { "x y", "z" } }, headers = { ["X-Mine"] = "1" },
      }))
      assert.same({ method, "/crm/v3/{odd}/a b", "installation-0000002", 200 },
        { told.method, told.path, told.installationId, info.status })
      assert.equal("10", told.query.limit)
      assert.equal("1", told.headers["x-mine"])
      assert.equal("", told.body)
    end
    assert.is_true((client:proxy("HEAD", "/x", { installation = "installation-0000002" })))
  end)

  it("asks once for the project's id where it knows a name", function()
    for _ = 1, 3 do assert(client:proxy("GET", "/x", { installation = "installation-0000002" })) end
    assert(client:with { timeout = 5 }:proxy("GET", "/x", { installation = "installation-0000002" }))
    assert.equal("project-456", last().headers["x-amp-project-id"])
    assert.equal("1", last().headers["x-amp-proxy-version"])
    assert.equal(1, server:requests().by_operation.getProject)
  end)

  it("finds a group's installation by the integration's name", function()
    local told = assert(client:proxy("GET", "/x", { group = "group-0000003", integration = "salesforce" }))
    assert.equal("installation-0000003", told.installationId)
    told = assert(client:with { integration = "salesforce" }:proxy("GET", "/x", { group = "group-0000003" }))
    assert.equal("installation-0000003", told.installationId)
  end)

  it("sends tables as JSON and strings as they are", function()
    local given = { installation = "installation-0000002" }
    given.body = { name = "Jörg", empty = {}, list = ampersand.array {} }
    local sent = assert(client:proxy("POST", "/echo", given))
    assert.same(given.body, sent)
    given.body, given.content_type = "raw \0 \255 bytes", "application/x-thing"
    local echoed, info = assert(client:proxy("PUT", "/echo", given))
    assert.equal("raw \0 \255 bytes", echoed)
    assert.equal("application/x-thing", info.headers["content-type"])
    given.body, given.content_type, given.headers = "{}", nil, { ["content-type"] = "application/merge-patch+json" }
    echoed, info = assert(client:proxy("PATCH", "/echo", given))
    assert.same({}, echoed)
    assert.equal("application/merge-patch+json", info.headers["content-type"])
    given.body, given.headers = '{"a":1}\n{"a":2}\n', { ["Content-Type"] = "application/x-ndjson" }
    assert.equal('{"a":1}\n{"a":2}\n', (client:proxy("POST", "/echo", given)))
  end)

  it("streams an answer of any size, and lets it go early", function()
    local given = { installation = "installation-0000002", stream = true }
    local answer, info = assert(client:proxy("GET", "/bytes/3000000", given))
    assert.same({ 200, 200, "application/octet-stream" }, { answer.status, info.status, answer.headers["content-type"] })
    local size = 0
    for piece in function() return answer:read() end do size = size + #piece end
    assert.equal(3000000, size)
    assert.is_nil(answer:read())
    answer:close()

    answer = assert(client:proxy("GET", "/bytes/3000000", given))
    assert.is_string(answer:read())
    answer:close()
    answer:close()
    assert.same({ n = 2 }, { n = select("#", answer:read()) })
    assert.is_string((assert(client:proxy("GET", "/x", { installation = "installation-0000002" })).path))
  end)

  it("reports a stream that broke off", function()
    server:control("faults", { on = "proxy", cut = 100000, next = 1 })
    local answer = assert(client:proxy("GET", "/bytes/300000", { installation = "installation-0000002", stream = true }))
    local chunk, err
    repeat chunk, err = answer:read() until not chunk
    assert.equal("closed", err.kind)
    assert.equal("proxy", err.operation)
    assert.same({ nil, err }, { answer:read() })
  end)

  it("gives the provider's own errors as the error object, their body too", function()
    local value, err = client:proxy("GET", "/status/418", { installation = "installation-0000002" })
    assert.is_nil(value)
    assert.same({ "status", 418, false }, { err.kind, err.status, err.retryable })
    assert.equal("/status/418", err.body.path)
    value, err = client:proxy("GET", "/status/404", { installation = "installation-0000002", stream = true })
    assert.is_nil(value)
    assert.same({ 404, "/status/404" }, { err.status, err.body.path })
    value, err = client:proxy("GET", "/x", { installation = "nothing" })
    assert.is_nil(value)
    assert.equal(404, err.status)
    assert.is_nil(tostring(err):find(server.key, 1, true))
  end)

  it("waits as long as the proxy says, where the request may be sent again", function()
    server:control("faults", { on = "proxy", status = 429, retry_after = 0.1, next = 1 })
    local start = core.now()
    local _, info = assert(client:proxy("GET", "/x", { installation = "installation-0000002", throttle = true }))
    assert.is_true(core.now() - start >= 0.1)
    assert.equal(2, info.attempts)
    assert.equal("throttle", last().headers["x-amp-rate-limiter-mode"])
    server:control("faults", { on = "proxy", status = 429, retry_after = 1, next = 1 })
    local value, err = client:proxy("POST", "/x", { installation = "installation-0000002" })
    assert.is_nil(value)
    assert.same({ 429, 1, true, 1 }, { err.status, err.attempts, err.retryable, err.retry_after })
  end)

  it("says where its arguments are wrong, before anything is sent", function()
    local before = server:requests().count
    assert.error_matches(function() client:proxy("GET", "/x") end, "whose credentials")
    assert.error_matches(function() client:proxy("GET", "/x", { instalation = "a" }) end, 'did you mean "installation"')
    assert.error_matches(function() client:proxy("POST", "/x", { installation = "a", body = "text" }) end, "needs `content_type`")
    assert.error_matches(function() client:proxy("GTE", "/x", { installation = "a" }) end, 'did you mean "GET"')
    assert.error_matches(function() client:proxy("GET", "/x?a=1", { installation = "a" }) end, "use `query`")
    assert.error_matches(function() client:proxy("GET", "/x", { installation = "a", query = { a = { {} } } }) end, 'field "a"')
    local _, err = client:proxy("GET", "/x", { group = "g" })
    assert.same({ "config", "no integration" }, { err.kind, err.message:match "^no integration" })
    assert.equal(before, server:requests().count)
    client:close()
    assert.error_matches(function() client:proxy("GET", "/x", { installation = "a" }) end, "is closed")
  end)
end)

describe("the proxy's headers", function()
  local function sent(given, ...)
    local transport = double.answers(...)
    local client = double.client(transport, { project = UUID })
    local value, info = client:proxy("POST", "/a", given)
    return transport.asked, value, info, transport
  end

  it("name the project, the version and the customer, whatever the caller's headers say", function()
    local asked = sent({
      installation = "i-1", query = { b = { 1, "&" }, a = true }, throttle = true,
      headers = { ["X-Amp-Project-Id"] = "other", accept = "text/csv" },
    }, double.json "{}")
    assert.equal(1, #asked)
    local headers = asked[1].headers
    assert.equal("https://api.example.com/a?a=true&b=1&b=%26", asked[1].url)
    assert.same({ UUID, "1", "i-1", "throttle", "text/csv", "test-key" }, {
      headers["x-amp-project-id"], headers["x-amp-proxy-version"], headers["x-amp-installation-id"],
      headers["x-amp-rate-limiter-mode"], headers.accept, headers["X-Api-Key"],
    })
    assert.is_nil(headers["X-Amp-Project-Id"] or headers.Accept or headers["x-amp-group-ref"])
    headers = sent({ group = "g", integration = "hub" }, double.json "{}")[1].headers
    assert.same({ "hub", "g" }, { headers["x-amp-integration-name"], headers["x-amp-group-ref"] })
    assert.is_nil(headers["x-amp-installation-id"] or headers["x-amp-rate-limiter-mode"])
  end)

  it("go to the proxy's own server", function()
    local transport = double.answers(double.json "{}")
    local client = ampersand.new { api_key = "k-123456", project = UUID, transport = transport }
    assert(client:proxy("GET", "/crm", { installation = "i" }))
    assert.equal("https://proxy.withampersand.com/crm", transport.asked[1].url)
    client = ampersand.new { bearer = "token-123456", project = UUID, transport = transport }
    local _, err = client:proxy("GET", "/crm", { installation = "i" })
    assert.same({ "config", 1 }, { err.kind, #transport.asked })
  end)

  it("of a 429 decide what is tried again", function()
    local limited = { ["x-amp-retry-after"] = "Thu, 06 Mar 2025 22:09:49 UTC", ["x-amp-retryable"] = "true" }
    local asked, value, info, transport = sent({ installation = "i", retry = true },
      double.problem(429, "{}", limited), double.json "{}")
    assert.same({ 2, {}, 2, { 0 } }, { #asked, value, info.attempts, transport.slept })
    limited["x-amp-retryable"] = "false"
    asked, value, info = sent({ installation = "i", retry = true }, double.problem(429, "{}", limited))
    assert.same({ 1, false }, { #asked, info.retryable })
    assert.is_nil(value)
  end)

  it("are not looked up again for another key's project of the same name", function()
    local transport = double.answers(double.json '{"id":"id-1"}', double.json "{}", double.json '{"id":"id-2"}', double.json "{}")
    local client = double.client(transport)
    assert(client:proxy("GET", "/a", { installation = "i" }))
    assert(client:with { api_key = "another-key" }:proxy("GET", "/a", { installation = "i" }))
    assert.same({ "id-1", "id-2" }, { transport.asked[2].headers["x-amp-project-id"], transport.asked[4].headers["x-amp-project-id"] })
    transport = double.answers(double.problem(404, '{"title":"no such project"}'))
    local value, err = double.client(transport):proxy("GET", "/a", { installation = "i" })
    assert.is_nil(value)
    assert.same({ 404, "getProject", 1 }, { err.status, err.operation, #transport.asked })
  end)
end)
