-- The main job over real HTTP, against the mock server: every field of the documentation's page arrives, and what goes
-- wrong is told in words.

local ampersand = require "ampersand"
local build = require "support.build"
local documents = require "support.documents"
local mock = require "support.mock"

-- The example of the page the project began with, written down by hand; its times and ids are the vendor's.
local GROUP = {
  groupRef = "group-123", groupName = "Super Customer", projectId = "project-456",
  createTime = "2023-07-13T21:34:44.816Z", updateTime = "2023-07-13T21:34:44.816Z",
}
local TOKEN = { token = "<string>", issuedAt = "2024-04-22T18:55:28.456076Z", expiresAt = "2024-10-22T18:55:28.456076Z" }
local PAGE = {
  id = "installation-123", projectId = "project-456", integrationId = "integration-123", group = GROUP, healthStatus = "healthy",
  connection = {
    id = "connection-123", projectId = "project-456", provider = "salesforce",
    providerApp = {
      id = "provider-app-123", projectId = "project-456", externalRef = "external-id-123", provider = "salesforce",
      clientId = "client-id-123", scopes = { { "oauth", "offline", "crm.read" } },
      createTime = "2023-11-07T05:31:56Z", updateTime = "2023-11-07T05:31:56Z",
    },
    group = GROUP,
    consumer = {
      consumerRef = "consumer-123", consumerName = "Super Customer", projectId = "project-456",
      createTime = "2023-07-13T21:34:44.816Z", updateTime = "2023-07-13T21:34:44.816Z",
    },
    providerWorkspaceRef = "provider-workspace-123", providerConsumerRef = "provider-consumer-123",
    createTime = "2023-07-13T21:34:44.816Z", updateTime = "2023-07-13T21:34:44.816Z",
    authScheme = "oauth2/authorizationCode", status = "working",
    oauth2AuthorizationCode = { accessToken = TOKEN, refreshToken = TOKEN, scopes = { "<string>" } },
    apiKey = "api-key-123",
  },
  createTime = "2023-11-07T05:31:56Z", createdBy = "consumer:consumer-123", updateTime = "2023-11-07T05:31:56Z",
  config = {
    id = "config-123", revisionId = "revision-123", createTime = "2023-11-07T05:31:56Z", createdBy = "builder:builder-123",
    content = { provider = "salesforce", read = { objects = {} }, write = { objects = {} }, proxy = { enabled = true } },
  },
}

-- Every field of `expected` is in `actual` with an equal value; more fields are welcome.
local function assert_contains(expected, actual, path)
  if type(expected) ~= "table" then
    assert.equal(expected, actual, path)
    return
  end
  assert.equal("table", type(actual), path)
  for key, value in pairs(expected) do assert_contains(value, actual[key], path .. "." .. key) end
end

local server
setup(function() server = mock.start { installations = 300 } end)
teardown(function() server:stop() end)

describe("listing over HTTP", function()
  local client

  local function new(more)
    local settings = {
      api_key = server.key, base_url = server.url, project = server.project, integration = server.integration, retry = false,
    }
    for name, value in pairs(more or {}) do settings[name] = value end
    return ampersand.new(settings)
  end

  before_each(function() client = new() end)
  after_each(function() client:close() end)

  it("brings every field of the page", function()
    local first = assert(client.installations:first())
    assert_contains(PAGE, first, "installation")
    assert_contains(PAGE, assert(client.installations:get "installation-123"), "installation")
    assert.equal(ampersand.array {} and getmetatable(ampersand.array {}), getmetatable(first.connection.providerApp.scopes))
  end)

  it("compares with the page itself where it is at hand", function()
    if not documents.present() then pending(documents.ABSENT) end
    local text = documents.page():match "curl %-%-request GET.-\n(%[\n{.-\n}\n%])\n"
    local page = assert(ampersand.json.decode(text))
    assert_contains(page[1], client.installations:first(), "installation")
  end)

  it("gives the same installations in every form", function()
    local list, info = client.installations:list()
    assert.equal(300, #list)
    assert.equal(200, info.status)
    local n = 0
    for installation in client.installations:each() do
      n = n + 1
      assert.same(list[n], installation)
    end
    assert.equal(300, n)
    assert.equal(300, (client.installations:count()))
    assert.same(list[1], (client.installations:first()))
    assert.equal(7, #client.installations:list { max = 7 })
    local stream, seen = client.installations:stream(), 0
    while stream:next() do seen = seen + 1 end
    assert.equal(300, seen)
  end)

  it("knows every kind of installation: all schemes, statuses, unicode, nulls", function()
    local schemes, statuses, healths, unicode = {}, {}, {}, false
    for installation in client.installations:each() do
      local connection = installation.connection
      if type(connection) == "table" then
        schemes[tostring(connection.authScheme)], statuses[tostring(connection.status)] = true, true
      end
      healths[tostring(installation.healthStatus)] = true
      local name = ampersand.get(installation, "group.groupName") or ""
      unicode = unicode or name:find("[\128-\255]") ~= nil
    end
    for _, scheme in ipairs { "none", "apiKey", "basic", "oauth2/authorizationCode", "oauth2/authorizationCodePKCE",
      "oauth2/clientCredentials", "oauth2/password" } do assert.is_true(schemes[scheme], scheme) end
    for _, status in ipairs { "created", "working", "bad_credentials" } do assert.is_true(statuses[status], status) end
    assert.is_true(healths.healthy and healths.unhealthy)
    assert.is_true(unicode)
  end)

  it("filters in C as a program would in Lua", function()
    local expected = {}
    for installation in client.installations:each() do
      if installation.healthStatus == "unhealthy" then expected[#expected + 1] = installation end
    end
    assert.is_true(#expected > 0)
    local unhealthy = client.installations:where { healthStatus = "unhealthy" }
    assert.same(expected, assert(unhealthy:list()))
    assert.equal(#expected, (unhealthy:count()))
    local ids = unhealthy:select({ "id", "group.groupRef" }):list()
    assert.same({ id = expected[1].id, group = { groupRef = expected[1].group.groupRef } }, ids[1])
  end)

  it("asks for one group, and for the whole project", function()
    local reference = client.installations:first().group.groupRef
    local of_group = assert(client.installations:list { groupRef = reference })
    assert.is_true(#of_group >= 1 and #of_group < 300)
    for _, installation in ipairs(of_group) do assert.equal(reference, installation.group.groupRef) end
    assert.is_true(client.installations:in_project():count() >= 300)
  end)

  it("leaves the loop without reading the rest", function()
    for installation in client.installations:each() do -- luacheck: ignore
      assert.equal("installation-123", installation.id)
      break
    end
    assert.equal(300, (client.installations:count()))
  end)

  it("reports a wrong key with the server's title and request id", function()
    local list, err = new({ api_key = "wrong-key-123" }).installations:list()
    assert.is_nil(list)
    assert.equal(401, err.status)
    assert.truthy(tostring(err):find(err.problem.title, 1, true))
    assert.truthy(err.request_id and tostring(err):find(err.request_id, 1, true))
    assert.is_nil(tostring(err):find("wrong-key-123", 1, true))
  end)

  it("reports an unknown project and an unknown installation", function()
    local list, err = new({ project = "nobody" }).installations:list()
    assert.is_nil(list)
    assert.equal(404, err.status)
    list, err = client.installations:get "no such / one"
    assert.is_nil(list)
    assert.equal(404, err.status)
  end)

  it("is refused by a closed port, and says so", function()
    local port = require("socket").bind("127.0.0.1", 0)
    local _, number = port:getsockname()
    port:close()
    local _, err = new({ base_url = "http://127.0.0.1:" .. number .. "/v1" }).installations:list()
    assert.equal("connect", err.kind)
    assert.is_false(err.sent)
  end)

  it("cannot resolve a host that is not there", function()
    local _, err = new({ base_url = "https://no-such-host.invalid/v1", timeout = 10, http_proxy = "" }).installations:list()
    assert.truthy(err.kind == "resolve" or err.kind == "connect", tostring(err))
    assert.is_true(err.retryable)
  end)

  it("ends at the deadline when no answer comes", function()
    local silent = require("socket").bind("127.0.0.1", 0) -- accepts in the kernel's queue, never answers
    local _, number = silent:getsockname()
    local core = require "ampersand.core"
    local started = core.now()
    local _, err = new({ base_url = "http://127.0.0.1:" .. number .. "/v1", timeout = 0.5, retry = 3 }).installations:list()
    silent:close()
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - started < 1.5 * (tonumber(os.getenv "AMP_SLOW") or 1))
  end)

  it("works in a process that forked after the client was made", function()
    local process = assert(package.loadlib(build.c("process", "module"), "luaopen_process"))()
    client.installations:count()
    local pid = process.fork()
    if pid == 0 then
      local ok = client.installations:count() == 300
      process.leave(ok and 0 or 1)
    end
    assert.equal(0, process.wait(pid))
    assert.equal(300, (client.installations:count()))
  end)
end)

describe("several calls", function()
  local client
  before_each(function()
    client = ampersand.new {
      api_key = server.key, base_url = server.url, project = server.project, integration = server.integration, retry = false,
    }
  end)
  after_each(function() client:close() end)

  it("run side by side, in order, and one that fails does not lose the others", function()
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = function() return client.installations:get(i == 7 and "nobody" or "installation-123") end
    end
    local values, errors = client:parallel(5, tasks)
    assert.equal(20, values.n)
    for i = 1, 20 do
      if i == 7 then assert.equal(404, errors[i].status) else assert.equal("installation-123", values[i].id) end
    end
    assert.error_matches(function() client:parallel(0, tasks) end, "at least 1")
    assert.error_matches(function() client:parallel(2, nil) end, "n")
  end)

  it("end when their token is cancelled, before, between and during", function()
    local token = ampersand.cancel.token()
    token:cancel()
    local list, err = client.installations:list({}, { cancel = token })
    assert.is_nil(list)
    assert.equal("cancelled", err.kind)

    token = ampersand.cancel.token()
    local stream = client.installations:stream({}, { cancel = token })
    assert.equal("installation-123", stream:next().id)
    token:cancel()
    list, err = stream:next()
    assert.is_nil(list)
    assert.equal("cancelled", err.kind)
    assert.equal(1, err.delivered)
    assert.equal(300, (client.installations:count()))

    server:control("faults", { on = "getInstallation", delay = 5 })
    token = ampersand.cancel.token()
    local _, errors = client:parallel(2, {
      function() return client.installations:get("installation-123", {}, { cancel = token }) end,
      function() client.installations:count() token:cancel() return true end,
    })
    assert.equal("cancelled", errors[1].kind)
    assert.is_nil(errors[2])
  end)

  it("move when a program with a loop of its own polls", function()
    local frame = require("ampersand.loop.frame").new()
    local game = ampersand.new {
      api_key = server.key, base_url = server.url, project = server.project, integration = server.integration, loop = frame,
    }
    local found
    frame.start(coroutine.create(function() found = game.installations:count() end))
    for _ = 1, 10000 do
      if found then break end
      game:poll(0.002)
    end
    game:close()
    assert.equal(300, found)
  end)
end)

describe("a list of many", function()
  it("is counted beyond the limits of a list, which holds what count does not", function()
    local double = require "support.double"
    local client = double.client(double.answers(double.json "[[1,2,3],[4,5,6],[7,8,9]]"))
    assert.equal(3, (client.installations:count({}, { max_element_values = 4 })))
    local list, err = client.installations:list({}, { max_values = 10 })
    assert.is_nil(list)
    assert.equal("limit", err.kind)
    assert.equal(3, (client.installations:count({}, { max_element_values = 5 })))
  end)

  it("reads answer after answer alike, whatever options and failures come between", function()
    local double = require "support.double"
    local whole, broken = '[{"id":"a","x":null},{"id":"b","x":[]}]', '[{"id":"a"},{"id":'
    local transport = double.answers(double.json(whole), double.json(broken), double.json(whole), double.json(whole),
      double.json '{"id":"c","n":12345678901234567}', double.json '{"id":"d","n":null}', double.json "{", double.json '{"id":"e"}',
      double.json(whole), double.json(whole))
    local asking = double.client(transport, { retry = false })
    local list = asking.installations
    local first = assert(list:list())
    assert.equal("decode", (select(2, list:list())).kind)
    assert.same(first, list:list())
    local dropped = assert(list:list({}, { nulls = "drop" }))
    assert.is_nil(dropped[1].x)
    assert.equal("c", list:get("c").id)
    assert.same({ id = "d", n = ampersand.null }, list:get "d")
    assert.equal("decode", (select(2, list:get "x")).kind)
    assert.same({ id = "e" }, list:get "e")
    assert.is_nil(assert(asking:with({ nulls = "drop" }).installations:list())[1].x)
    assert.same(first, list:list())
  end)
end)
