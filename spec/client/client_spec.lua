local ampersand = require "ampersand"
local double = require "support.double"

local LIST = '[{"id":"a","healthStatus":"healthy"},{"id":"b","healthStatus":"unhealthy"},{"id":"c","healthStatus":"healthy"}]'

local function client_of(...)
  local transport = double.answers(...)
  return double.client(transport), transport
end

local function ids(list)
  local out = {}
  for i, element in ipairs(list) do out[i] = element.id end
  return table.concat(out, ",")
end

describe("listing", function()
  it("asks what the documents say and gives native tables", function()
    local client, transport = client_of(double.json(LIST))
    local list, info = client.installations:list()
    assert.equal("a,b,c", ids(list))
    assert.equal(200, info.status)
    assert.equal(1, info.attempts)
    local req = transport.asked[1]
    assert.equal("GET", req.method)
    assert.equal("https://api.example.com/v1/projects/my-project/integrations/hubspot/installations", req.url)
    assert.equal("test-key", req.headers["X-Api-Key"])
    assert.truthy(req.headers["User-Agent"]:find("^ampersand%-lua/%d"))
    assert.is_nil(req.body)
  end)

  it("takes the query from the fields, and options apart from them", function()
    local client, transport = client_of(double.json(LIST))
    assert.equal(2, #assert(client.installations:list { groupRef = "a b&c", max = 2 }))
    assert.truthy(transport.asked[1].url:find("/installations?groupRef=a%20b%26c", 1, true))
  end)

  it("stops after `max` elements, however they are read", function()
    for max = 1, 4 do
      local some = math.min(max, 3)
      local client = client_of(double.json(LIST))
      local seen = {}
      for one in client.installations:each({}, { max = max }) do seen[#seen + 1] = one end
      assert.equal(some, #seen)
      for page in client.installations:pages { max = max } do assert.equal(some, #page) end
      assert.equal(some, (client.installations:count({}, { max = max })))
      local stream = client.installations:where { id = { present = true } }:stream { max = max }
      for _ = 1, some do assert.is_table(stream:next()) end
      assert.is_nil((stream:next()))
    end
  end)

  it("keeps the elements that a Lua function takes, in one table and at most `max`", function()
    local function healthy(one) return one.healthStatus == "healthy" end
    local client = client_of(double.json(LIST))
    assert.equal("a,c", ids(assert(client.installations:where(healthy):list())))
    assert.equal("a", ids(assert(client.installations:where(healthy):list { max = 1 })))
    assert.equal("c", ids(assert(client.installations:where(function(one) return one.id > "b" end):list { max = 1 })))
  end)

  it("iterates while the body arrives, in any chunks", function()
    for size = 1, #LIST + 1 do
      local pieces = {}
      for from = 1, #LIST, size do pieces[#pieces + 1] = LIST:sub(from, from + size - 1) end
      local client = client_of(double.pieces(pieces))
      local seen = {}
      for installation in client.installations:each() do seen[#seen + 1] = installation end
      assert.equal("a,b,c", ids(seen))
    end
  end)

  it("asks for small pieces of what it decodes, so that an event loop gets its turn", function()
    local asked, at = {}, 1
    local client = client_of(function()
      at = 1
      return {
        status = 200,
        read = function(most)
          asked[#asked + 1] = most
          local piece = LIST:sub(at, at + 7)
          at = at + 8
          return piece ~= "" and piece or nil
        end,
      }
    end)
    assert.equal("a,b,c", ids(assert(client.installations:list())))
    assert.equal(3, client.installations:count())
    assert.is_true(#asked >= 2 * #LIST / 8)
    for _, most in ipairs(asked) do assert.is_true(most <= 8192) end
  end)

  it("yields an element before the next one has arrived", function()
    local given = 0
    local pieces = { '[{"id":"a"},', '{"id":"b"},', '{"id":"c"}]' }
    local client = client_of(function()
      return { status = 200, read = function() given = given + 1 return pieces[given] end }
    end)
    local stream = client.installations:stream()
    assert.equal("a", stream:next().id)
    assert.equal(1, given)
    stream:close()
  end)

  it("closes the transfer when the stream is closed early, and only then without reuse", function()
    local answer = double.pieces { LIST }()
    local client = client_of(function() return answer end)
    local stream = client.installations:stream()
    stream:next()
    stream:close()
    stream:close()
    assert.same({ false }, answer.closed)
    assert.is_nil(stream:next())

    answer = double.pieces { LIST }()
    for _ in client.installations:each() do end -- luacheck: ignore
    assert.same({ true }, answer.closed)
  end)

  it("closes the transfer at once when a loop is left early, in Lua 5.4", function()
    local answer = double.pieces { LIST }()
    local client = client_of(function() return answer end)
    for _ in client.installations:each() do break end -- luacheck: ignore
    if _VERSION >= "Lua 5.4" then assert.same({ false }, answer.closed) else assert.same({}, answer.closed) end
  end)

  it("has first, count and pages", function()
    local client = client_of(double.json(LIST))
    assert.equal("a", client.installations:first().id)
    assert.equal(3, (client.installations:count()))
    local sizes = {}
    for page in client.installations:pages() do sizes[#sizes + 1] = #page end
    assert.same({ 3 }, sizes)
    client = client_of(double.json "[]")
    local first, info = client.installations:first()
    assert.is_nil(first)
    assert.equal(200, info.status)
    assert.equal(0, (client.installations:count()))
  end)

  it("filters and selects, in views that do not change each other", function()
    local client = client_of(double.json(LIST))
    local healthy = client.installations:where { healthStatus = "healthy" }
    local only_b = client.installations:where { healthStatus = "unhealthy" }:select { "id" }
    assert.equal("a,c", ids(healthy:list()))
    assert.same({ { id = "b" } }, only_b:list())
    assert.equal(2, (healthy:count()))
    assert.equal("c", healthy:where(function(i) return i.id > "a" end):first().id)
    assert.equal(1, (healthy:where(function(i) return i.id > "a" end):count()))
    assert.equal("a,c", ids(healthy:list()))
  end)

  it("lists the whole project", function()
    local client, transport = client_of(double.json(LIST))
    assert.equal(3, #client.installations:in_project():list())
    assert.equal("https://api.example.com/v1/projects/my-project/installations", transport.asked[1].url)
    assert.equal("b", client.installations:in_project():where { id = "b" }:first().id)
  end)

  it("gets one installation, whatever characters its id has", function()
    local client, transport = client_of(double.json '{"id":"x"}')
    for id, escaped in pairs {
      ["a/b"] = "a%2Fb", ["x:pause"] = "x%3Apause", ["a b"] = "a%20b", ["é"] = "%C3%A9", ["%2e%2e"] = "%252e%252e",
      ["a?b#c"] = "a%3Fb%23c", ["a\0b"] = "a%00b", ["..."] = "...", [42] = "42",
    } do
      assert.equal("x", client.installations:get(id).id)
      local url = transport.asked[#transport.asked].url
      assert.equal("https://api.example.com/v1/projects/my-project/integrations/hubspot/installations/" .. escaped, url)
    end
  end)

  it("refuses ids that would change the path", function()
    local client, transport = client_of(double.json "{}")
    for _, id in ipairs { "", ".", ".." } do
      assert.error_matches(function() client.installations:get(id) end, "installations:get: id 1")
    end
    assert.error_matches(function() client.installations:get(nil) end, "is missing")
    assert.error_matches(function() client.installations:get() end, "installationId is missing")
    assert.error_matches(function() client.installations:get({}, "i") end, "ids come before tables")
    assert.error_matches(function() client.installations:get(1.5) end, "not a whole number")
    assert.error_matches(function() client.installations:get(true) end, "got boolean")
    assert.equal(0, #transport.asked)
  end)
end)

describe("changing", function()
  it("fills the left of the path from defaults, or from the caller", function()
    local client, transport = client_of { status = 204, headers = {} }
    assert.is_true((client:with { integration = "salesforce" }.installations:delete("i-1")))
    assert.equal("https://api.example.com/v1/projects/my-project/integrations/salesforce/installations/i-1", transport.asked[1].url)
    assert.is_true((client.installations:delete("p", "x", "i-2")))
    assert.equal("https://api.example.com/v1/projects/p/integrations/x/installations/i-2", transport.asked[2].url)
    assert.error_matches(function() client.installations:delete("o", "p", "x", "i") end, "takes 3")
  end)

  it("never lets a default name what is deleted", function()
    local client, transport = client_of { status = 204 }
    assert.error_matches(function() client.integrations:delete() end, "integrationIdOrName is missing")
    assert.error_matches(function() client.projects:delete() end, "projectIdOrName is missing")
    assert.equal(0, #transport.asked)
    assert.is_true((client.integrations:delete("old")))
  end)

  it("splits fields into query and body", function()
    local client, transport = client_of(double.json '{"id":"n"}')
    local body = { groupRef = "g", config = { content = {} }, skipSampling = true }
    assert.equal("n", client.installations:create(body).id)
    local req = transport.asked[1]
    assert.truthy(req.url:find("?skipSampling=true", 1, true))
    assert.equal("application/json", req.headers["Content-Type"])
    local sent = ampersand.json.decode(req.body)
    assert.same({ groupRef = "g", config = { content = {} } }, sent)
    assert.truthy(req.body:find('"content":{}', 1, true))
  end)

  it("names the required field that is missing", function()
    local client, transport = client_of(double.json "{}")
    assert.error_matches(function() client.installations:create { groupRef = "g" } end, '"config" is required')
    assert.error_matches(function() client.installations:create { groupRef = "g", config = {} } end, '"config.content" is required')
    assert.error_matches(function() client.records:search("contact") end, "required")
    assert.error_matches(function() client.integrations:batch_upsert("p", {}) end, '"sourceZipUrl" or "sourceYaml" is required')
    assert.equal(0, #transport.asked)
  end)

  it("answers true for a success without a body, and text for text", function()
    local client = client_of { status = 201, headers = { ["content-length"] = "0" } }
    assert.is_true((client.integrations:create { name = "n", provider = "p", latestRevision = { content = {}, specVersion = "1" } }))
    client = client_of { status = 200, headers = { ["content-type"] = "text/plain" }, body = "https://example.com/go" }
    assert.equal("https://example.com/go", (client.oauth:update("connection-1")))
  end)

  it("calls operations by the vendor's names where path and body collide", function()
    local client, transport = client_of(double.json '{"key":"k"}')
    assert(client:call("updateApiKey", { apiKey = "in-path", body = { updateMask = { "label" }, apiKey = { label = "x" } } }))
    local req = transport.asked[1]
    assert.equal("PATCH", req.method)
    assert.equal("https://api.example.com/v1/projects/my-project/api-keys/in-path", req.url)
    assert.same({ updateMask = { "label" }, apiKey = { label = "x" } }, ampersand.json.decode(req.body))
    assert.error_matches(function() client:call("updateApiKye", {}) end, 'did you mean "updateApiKey"')
    assert.error_matches(function() client:call("listInstallations", { gruopRef = "x" }) end, 'did you mean "groupRef"')
    assert.error_matches(function() client:call("getInstallation", { installationId = "" }) end, "is empty")
    assert.error_matches(function() client:call("listProjects", { body = {} }) end, "takes no body")
    assert.error_matches(function() client:call("deleteIntegration") end, "integrationIdOrName is missing")
  end)

  it("keeps apart what has one name in the path, the body and the options", function()
    local client, transport = client_of(double.json "{}")
    local BASE = "https://api.example.com/v1"
    local cases = {
      { "updateApiKey", { apiKey = "a/b", body = { updateMask = { "active" }, apiKey = { active = false } } },
        "PATCH", "/projects/my-project/api-keys/a%2Fb", '{"apiKey":{"active":false},"updateMask":["active"]}' },
      { "updateDestination", { destination = "d-1", body = { updateMask = { "name" }, destination = { name = "n", metadata = {} } } },
        "PATCH", "/projects/my-project/destinations/d-1", '{"destination":{"metadata":{},"name":"n"},"updateMask":["name"]}' },
      { "createBillingAccountSession", { billingAccountId = "b-1", body = { redirectUrl = "https://x.example/", timeout = 900 } },
        "POST", "/billingAccounts/b-1/portalSession", '{"redirectUrl":"https://x.example/","timeout":900}' },
      { "writeRecords", { objectName = "lead", body = { groupRef = "g", type = "create", record = {}, headers = { a = "b" } } },
        "POST", "/projects/my-project/integrations/hubspot/objects/lead",
        '{"groupRef":"g","headers":{"a":"b"},"record":{},"type":"create"}' },
    }
    for _, case in ipairs(cases) do
      assert(client:call(case[1], case[2], { timeout = 7, headers = { ["X-Mine"] = "1" } }))
      local req = transport.asked[#transport.asked]
      assert.same({ case[3], BASE .. case[4] }, { req.method, req.url }, case[1])
      assert.equal(case[5], ampersand.json.encode(ampersand.json.decode(req.body), { sort_keys = true }))
      assert.equal("1", req.headers["X-Mine"])
      assert.is_nil(req.headers.a)
      assert.is_true(req.timeout <= 7 and req.timeout > 6)
    end
    -- the verbs as well: ids come before tables, fields before options
    assert(client.api_keys:update("k", cases[1][2].body))
    assert(client.destinations:update("d-1", cases[2][2].body))
    assert(client.billing_accounts:create_session("b-1", cases[3][2].body, { timeout = 7 }))
    assert(client.records:write("lead", cases[4][2].body, { headers = { ["X-Mine"] = "2" } }))
    local asked = transport.asked
    assert.equal(BASE .. "/projects/my-project/api-keys/k", asked[#asked - 3].url)
    for i = 1, 4 do
      assert.equal(cases[i][5], ampersand.json.encode(ampersand.json.decode(asked[#asked - 4 + i].body), { sort_keys = true }))
    end
    assert.is_true(asked[#asked - 1].timeout <= 7)
    assert.equal("2", asked[#asked].headers["X-Mine"])
  end)

  it("sends JSON Patch to one object's config, and masks where the documents want one", function()
    local client, transport = client_of(double.json "{}")
    assert(client.installations:patch_object("contact", {
      groupRef = "g", action = "read",
      changes = { { op = "replace", path = "/schedule", value = "0 * * * *" }, { op = "add", path = "/backfill", value = {} },
        { op = "remove", path = "/destination" } },
    }))
    local req = transport.asked[1]
    assert.equal("PATCH", req.method)
    assert.equal("https://api.example.com/v1/projects/my-project/integrations/hubspot/objects/contact/config-content", req.url)
    assert.equal('{"action":"read","changes":[{"op":"replace","path":"/schedule","value":"0 * * * *"},'
      .. '{"op":"add","path":"/backfill","value":{}},{"op":"remove","path":"/destination"}],"groupRef":"g"}',
      ampersand.json.encode(ampersand.json.decode(req.body), { sort_keys = true }))
    assert.error_matches(function() client.installations:patch_object("contact", { action = "read", changes = {} }) end,
      '"groupRef" or "installationId" is required')

    local masked = {}
    for _, op in ipairs(require("ampersand.client.operations").all()) do
      for _, field in ipairs(op.body or {}) do
        if field.name == "updateMask" then
          masked[#masked + 1] = op.id
          assert.is_true(op.method == "PATCH" and field.required, op.id)
          local body = {}
          for _, other in ipairs(op.body) do
            if other.name ~= "updateMask" and other.required then body[other.name] = {} end
          end
          local params = { body = body }
          for _, name in ipairs(op.placeholders) do params[name] = "x" end
          assert.error_matches(function() client:call(op.id, params) end, '"updateMask" is required')
        end
      end
    end
    assert.equal(8, #masked)
    assert.equal(1, #transport.asked)
  end)

  it("writes empty maps as {} and empty lists as []", function()
    local client, transport = client_of(double.json "{}")
    assert(client.projects:update("p", { updateMask = ampersand.array {}, project = {} }))
    assert.equal('{"project":{},"updateMask":[]}',
      ampersand.json.encode(ampersand.json.decode(transport.asked[1].body), { sort_keys = true }))
    for _, id in ipairs { "deleteInstallation", "getInstallation" } do
      assert(client:call(id, { installationId = "i" }))
      local req = transport.asked[#transport.asked]
      assert.is_nil(req.body or req.headers["Content-Type"])
    end
  end)

  it("sends what is not in the table yet", function()
    local client, transport = client_of(double.json '{"new":true}')
    assert.is_true(client:request("POST", "/projects/p/things", { query = { a = "1 2" }, body = { x = 1 } }).new)
    assert.equal("https://api.example.com/v1/projects/p/things?a=1%202", transport.asked[1].url)
    assert.error_matches(function() client:request("GET", "things") end, "must begin with /")
    assert.error_matches(function() client:request("GET", "/a/../b") end, "segment")
    assert.error_matches(function() client:request("GTE", "/a") end, 'did you mean "GET"')
    assert.error_matches(function() client:request("GET", "/a", { server = "raed" }) end, 'did you mean "read"')
  end)
end)

describe("settings", function()
  it("say which option was meant", function()
    assert.error_matches(function() ampersand.new { projet = "x" } end, 'unknown option "projet"; did you mean "project"')
    assert.error_matches(function() ampersand.new { timeout = "soon" } end, "positive number of seconds")
    assert.error_matches(function() ampersand.new { timeout = -1 } end, "positive number of seconds")
    assert.error_matches(function() ampersand.new "key" end, "expected a table")
    assert.error_matches(function() ampersand.new { nulls = "keeep" } end, "must be one of")
    assert.error_matches(function() ampersand.new { servers = { raed = "https://x" } } end, 'did you mean "read"')
  end)

  it("raise at the line of the caller", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() ampersand.new { projet = "x" } end)
    assert.truthy(message:find("client_spec.lua:" .. line .. ":", 1, true), message)
    local client = client_of(double.json "[]")
    line = debug.getinfo(1, "l").currentline + 1
    _, message = pcall(function() client.installations:list { grupRef = "x" } end)
    assert.truthy(message:find("client_spec.lua:" .. line .. ":", 1, true), message)
    assert.truthy(message:find('did you mean "groupRef"', 1, true), message)
  end)

  it("name resources and methods that were meant", function()
    local client = client_of(double.json "[]")
    assert.error_matches(function() return client.instalations end, 'did you mean "installations"')
    assert.error_matches(function() client.installations:lst() end, 'did you mean "list"')
    assert.error_matches(function() client.installations:list(1, 2, 3, 4) end, "takes 2")
    assert.error_matches(function() client.installations:list(function() end) end, "got function")
    assert.error_matches(function() client.installations:list({}, { timeuot = 1 }) end, 'did you mean "timeout"')
    assert.error_matches(function() client.users:each() end, "is not a list")
    assert.error_matches(function() client.users:list() end, "is not a list")
    assert.error_matches(function() client.installations.list() end, "call it with a colon")
    assert.error_matches(function() client.installations.get("x") end, "call it with a colon")
    local line = debug.getinfo(1, "l").currentline + 1
    local _, message = pcall(function() client.installations:where { healthStatus = { eqq = 1 } } end)
    assert.truthy(message:find("client_spec.lua:" .. line .. ": ", 1, true), message)
  end)

  it("report a missing key, project or integration at the call, with what to do", function()
    local getenv = os.getenv
    os.getenv = function() return nil end -- luacheck: ignore
    finally(function() os.getenv = getenv end) -- luacheck: ignore
    local transport = double.answers(double.json "[]")
    local list, err = ampersand.new({ transport = transport, project = "p", integration = "i" }).installations:list()
    assert.is_nil(list)
    assert.equal("config", err.kind)
    assert.truthy(tostring(err):find("AMP_API_KEY", 1, true))
    err = select(2, ampersand.new({ transport = transport, api_key = "k", integration = "i" }).installations:list())
    assert.truthy(err.kind == "config" and tostring(err):find("no project", 1, true))
    err = select(2, ampersand.new({ transport = transport, api_key = "k", project = "p" }).installations:list())
    assert.truthy(err.kind == "config" and tostring(err):find("AMPERSAND_INTEGRATION_ID", 1, true))
    for _, verb in ipairs { "count", "first", "stream" } do
      local installations = ampersand.new({ transport = transport, api_key = "k", integration = "i" }).installations
      err = select(2, installations[verb](installations))
      assert.truthy(err.kind == "config" and tostring(err):find("no project", 1, true), verb)
    end
    assert.has_error(function() for _ in ampersand.new({ api_key = "k" }).installations:each() do end end) -- luacheck: ignore
    assert.equal(0, #transport.asked)
    transport = double.answers(double.json "{}")
    assert(ampersand.new({ transport = transport }).providers:list())
  end)

  it("fall back to the environment", function()
    local getenv = os.getenv
    local set = { AMPERSAND_API_KEY = "second", AMP_API_URL = "http://127.0.0.1:9/", AMPERSAND_PROJECT_ID = "ep",
      AMPERSAND_INTEGRATION_ID = "ei" }
    os.getenv = function(name) return set[name] end -- luacheck: ignore
    finally(function() os.getenv = getenv end) -- luacheck: ignore
    local transport = double.answers(double.json "[]")
    assert(ampersand.new({ transport = transport }).installations:list())
    assert.equal("http://127.0.0.1:9/v1/projects/ep/integrations/ei/installations", transport.asked[1].url)
    assert.equal("second", transport.asked[1].headers["X-Api-Key"])
    set.AMP_API_KEY = "first"
    assert(ampersand.new({ transport = transport }).installations:list())
    assert.equal("first", transport.asked[2].headers["X-Api-Key"])
    set.AMP_API_KEY = ""
    assert(ampersand.new({ transport = transport }).installations:list())
    assert.equal("second", transport.asked[3].headers["X-Api-Key"])
  end)

  it("keep the key off plain http to other machines", function()
    assert.error_matches(function() ampersand.new { base_url = "http://api.example.com/v1" } end, "plain http")
    assert.error_matches(function() ampersand.new { base_url = "ftp://api.example.com" } end, "scheme ftp")
    assert.error_matches(function() ampersand.new { base_url = "https://user:pw@api.example.com" } end, "user name")
    assert.error_matches(function() ampersand.new { base_url = "api.example.com" } end, "not an http")
    assert.error_matches(function() ampersand.new { base_url = "http://127.0.0.1.example.com" } end, "plain http")
    assert(ampersand.new { base_url = "http://api.example.com/v1", allow_insecure_http = true })
    assert(ampersand.new { base_url = "http://localhost:8080/v1" })
  end)

  it("send each operation to its server, and everything to base_url", function()
    local transport = double.answers(double.json "{}")
    local client = ampersand.new { api_key = "k", project = "p", integration = "i", transport = transport,
      servers = { read = "https://read.example.com/v1" } }
    client.installations:read("contact", { groupRef = "g", mode = "async" })
    assert.equal("https://read.example.com/v1/projects/p/integrations/i/objects/contact", transport.asked[1].url)
    client.records:search { groupRef = "g", objectName = "contact", fieldFilters = ampersand.array {} }
    assert.equal("https://search.withampersand.com/v1/projects/p/integrations/i?groupRef=g", transport.asked[2].url)
    assert.equal('[]', transport.asked[2].body:match('"fieldFilters":(%[%])'))
    double.client(transport).records:write("contact", { groupRef = "g", type = "create", record = {} })
    assert.truthy(transport.asked[3].url:find("^https://api%.example%.com/v1/projects/"))
  end)

  it("never show the key", function()
    local client = double.client(double.answers(double.json "[]"), { api_key = "s3cret-key", bearer = "s3cret-jwt" })
    local function walk(value, seen)
      if type(value) == "string" then assert.is_nil(value:find("s3cret", 1, true)) end
      if type(value) ~= "table" or seen[value] then return end
      seen[value] = true
      for k, v in pairs(value) do walk(k, seen) walk(v, seen) end
      walk(getmetatable(value), seen)
    end
    walk(client, {})
    assert.is_nil(tostring(client):find("s3cret", 1, true))
    assert.is_nil(tostring(client.installations):find("s3cret", 1, true))
  end)

  it("keep lines out of headers", function()
    local transport = double.answers(double.json "[]")
    local client = double.client(transport)
    assert.error_matches(function() client:with { api_key = "a\r\nX-Evil: 1" } end, 'option "api_key" has a line break')
    assert.error_matches(function() client:with { user_agent = "a\r\nX-Evil: 1" } end, "line break")
    assert.error_matches(function() client:with { headers = { ["X A"] = "1" } } end, "not a token")
    assert.error_matches(function() ampersand.new { headers = { X = "1\n" } } end, "line break")
    assert.error_matches(function() client.installations:list({}, { headers = { ["X-A\nB"] = "1" } }) end, "not a token")
    assert.equal(0, #transport.asked)
    double.client(transport).installations:list({}, { headers = { ["X-Trace"] = "t" } })
    assert.equal("t", transport.asked[1].headers["X-Trace"])
  end)

  it("raise after close", function()
    local client, transport = client_of(double.json "[]")
    local variant = client:with { project = "q" }
    client.installations:list()
    client:close()
    client:close()
    assert.is_true(transport.closed)
    assert.error_matches(function() client.installations:list() end, "the client is closed")
    assert.error_matches(function() variant.installations:list() end, "the client is closed")
  end)

  it("of with() leave the first client as it was", function()
    local client, transport = client_of(double.json "[]")
    client:with({ integration = "other", nulls = "drop" }).installations:list()
    client.installations:list()
    assert.truthy(transport.asked[1].url:find("/other/", 1, true))
    assert.truthy(transport.asked[2].url:find("/hubspot/", 1, true))
    assert.error_matches(function() client:with { ca_file = "x" } end, "belongs to ampersand.new")
    assert.error_matches(function() client:with { projct = "x" } end, 'did you mean "project"')
  end)

  it("report every try to on_event", function()
    local events = {}
    local transport = double.answers(double.problem(503, "{}"), double.json(LIST))
    local client = double.client(transport, { on_event = function(event) events[#events + 1] = event end })
    client.installations:list()
    assert.equal(2, #events)
    assert.equal(503, events[1].status)
    assert.equal("listInstallations", events[2].operation)
    assert.equal(200, events[2].status)
    assert.equal(#LIST, events[2].bytes)
    assert.is_true(events[2].seconds >= 0)
  end)
end)

describe("what cannot be meant", function()
  local function refused(words, f)
    local ok, err = pcall(f)
    assert.is_false(ok)
    assert.truthy(tostring(err):find("client_spec.lua", 1, true), err)
    assert.truthy(tostring(err):find(words, 1, true), err)
  end

  it("is refused at the caller's line", function()
    local client, transport = client_of(double.json(LIST))
    local some = client.installations:where { healthStatus = "unhealthy" }
    refused("`where` and `select` narrow lists", function() some:delete "a" end)
    refused("`where` and `select` narrow lists", function() client.installations:select({ "id" }):get "a" end)
    refused("close is a method", function() client.close() end)
    refused("client:with { project =", function() client.project = "other" end)
    refused('option "cancel" must be a token', function() client.installations:list({}, { cancel = {} }) end)
    refused("did you mean \"attempts\"?", function() client.installations:list({}, { retry = { atempts = 9 } }) end)
    refused("client:call listInstallations: option \"params\" must be table", function()
      client:call("listInstallations", "x")
    end)
    refused("must be a whole number of at least 1", function() ampersand.new { retry = { attempts = -3 } } end)
    refused("must be a number of seconds, zero or more", function() ampersand.new { retry = { base = "x" } } end)
    refused("an adapter", function() ampersand.new { loop = require "ampersand.loop.frame" } end)
    refused("the function `request`", function() ampersand.new { transport = {} } end)
    refused('option "api_key" is empty', function() ampersand.new { api_key = "" } end)
    refused("must be one of", function() ampersand.new { http_version = "3" } end)
    assert.equal(0, #transport.asked)
  end)

  it("is an error when a transport of the caller's answers it", function()
    for _, answer in ipairs { "x", {}, { status = 200 }, { status = 200, headers = {} } } do
      local _, err = double.client(function() return answer end).installations:list()
      assert.same({ "config", 1 }, { err.kind, err.attempts })
      assert.truthy(tostring(err):find("the transport must answer", 1, true))
    end
    local _, err = double.client(function() end, { retry = false }).installations:list()
    assert.truthy(tostring(err):find("the transport answered nothing", 1, true))
  end)
end)
