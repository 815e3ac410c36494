local core = require "ampersand.core"
local calls = require "support.calls"
local documents = require "support.documents"
local operations = require "ampersand.client.operations"
local socket = require "socket"
local support = require "support.mock"

-- In busted each use of a global searches its environments, and luassert's functions take long: the values of many
-- installations are checked without either.
local error, ipairs, pairs, type = error, ipairs, pairs, type

local function escape(value)
  return (value:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local PARAMS = calls.params

local function path_of(op, params, query)
  local path = op.path:gsub("{(%w+)}", function(name) return escape((params or {})[name] or PARAMS[name]) end)
  local pairs_of_query = {}
  for name, value in pairs(query or {}) do pairs_of_query[#pairs_of_query + 1] = name .. "=" .. escape(value) end
  local tail = #pairs_of_query > 0 and "?" .. table.concat(pairs_of_query, "&") or ""
  return (op.server and "/" .. op.server or "") .. "/v1" .. path .. tail
end

local function credentials(op)
  if op.auth == "bearer" then return { ["X-Api-Key"] = false, Authorization = "Bearer mock-token" } end
  if op.auth == "none" then return { ["X-Api-Key"] = false } end
  return {}
end

-- Calls an operation; the answer is decoded when it is JSON.
local function call(server, id, case, headers)
  local op = assert(operations.by_id[id], id)
  case = case or {}
  local body = case.body and core.encode(case.body)
  local path = path_of(op, case.params, case.query)
  local status, text, head = server:ask(op.method, path, body, headers or credentials(op))
  local kind = (head["content-type"] or ""):match "^[^;]*"
  local value = text
  if kind == "application/json" or kind == "application/problem+json" then value = assert(core.decode(text)) end
  return status, value, kind, head
end

local function good(server, id, case)
  local status, value = call(server, id, case)
  assert.equal(operations.by_id[id].status, status, id .. ": " .. core.encode(value))
  return value
end

local function refused(server, status, id, case, headers)
  local got, problem, kind = call(server, id, case, headers)
  assert.equal(status, got, id)
  return problem, kind
end

-- Whether a value fits a schema of the vendor's documents ----------------------------------------------------------

local LUA_TYPES = { string = "string", boolean = "boolean", number = "number", integer = "number" }

local function need(holds, where, words)
  if not holds then error(where .. words, 0) end
end

local function check_object(document, schema, value, where)
  local properties, required = document:members(schema)
  for name in pairs(required) do need(value[name] ~= nil, where, " lacks " .. name) end
  for name, member in pairs(value) do
    local property = properties[name] or schema.additionalProperties
    need(property, where, " has the unknown member " .. name)
    if type(property) == "table" then document.fits(document, property, member, where .. "." .. name) end
  end
end

local function one_of(document, schema, value, where)
  local reasons = {}
  for _, choice in ipairs(schema.oneOf) do
    local ok, why = pcall(document.fits, document, choice, value, where)
    if ok then return end
    reasons[#reasons + 1] = tostring(why)
  end
  error(where .. " fits none of the choices: " .. table.concat(reasons, "; "), 0)
end

local function fits(document, schema, value, where)
  schema = document:resolve(schema)
  if value == core.null then return end
  if where:find "%.scopes%[1%]$" and type(value) == "table" then return end -- the page's example nests them once more
  if schema.oneOf then return one_of(document, schema, value, where) end
  if schema.enum then
    for _, allowed in ipairs(schema.enum) do if allowed == value then return end end
    error(where .. " is not one of the values allowed: " .. tostring(value), 0)
  end
  if schema.type == "array" then
    need(getmetatable(value) == core.array_mt, where, " is not an array")
    for i, item in ipairs(value) do fits(document, schema.items, item, where .. "[" .. i .. "]") end
  elseif schema.properties or schema.allOf or type(schema.additionalProperties) == "table" then
    need(type(value) == "table" and not getmetatable(value), where, " is not an object")
    check_object(document, schema, value, where)
  elseif LUA_TYPES[schema.type] then
    need(type(value) == LUA_TYPES[schema.type], where, " is not a " .. schema.type)
  end
end

local schemas

-- The schema of an operation's good answer in the documents, and the document it is from.
local function answer_schema(op)
  if not schemas then
    schemas = {}
    for _, document in ipairs(documents.open()) do
      document.fits = fits
      for _, methods in pairs(document.paths) do
        for _, entry in pairs(methods) do
          if type(entry) == "table" and entry.operationId then
            schemas[entry.operationId] = { entry = entry, document = document }
          end
        end
      end
    end
  end
  local found = schemas[op.id]
  local answer = found and found.entry.responses[tostring(op.status)]
  local content = answer and answer.content and answer.content["application/json"]
  return content and content.schema, found and found.document
end

local made = {} -- ids that earlier calls gave

local SHAPES = {
  object = function(value) return type(value) == "table" and getmetatable(value) == nil end,
  map = function(value) return type(value) == "table" and getmetatable(value) == nil end,
  array = function(value) return getmetatable(value) == core.array_mt end,
  page = function(value) return getmetatable(value.results) == core.array_mt and value.pagination.done ~= nil end,
  text = function(value) return value:find "^https://" ~= nil end,
  none = function(value) return value == "" end,
}

describe("the mock server answers", function()
  local server, called = nil, {}

  setup(function() server = support.start { installations = 30 } end)
  teardown(function() server:stop() end)

  for _, case in ipairs(calls.list) do
    local id = case[1]
    it(id, function()
      called[id] = true
      local op = operations.by_id[id]
      local value = good(server, id, calls.resolve(case, made))
      assert.is_true(SHAPES[op.returns](value), id .. " has not the shape " .. op.shape)
      calls.keep(case, made, value)
      if not documents.present() then return end
      local schema, document = answer_schema(op)
      if schema then fits(document, schema, value, id) end
    end)
  end

  it("every operation there is", function()
    local missing = {}
    for _, op in ipairs(operations.all()) do
      if not called[op.id] then missing[#missing + 1] = op.id end
    end
    assert.same({}, missing)
  end)
end)

describe("the client and the mock server", function()
  it("understand each other in every operation", function()
    local ampersand = require "ampersand"
    local server = support.start { installations = 30 }
    finally(function() server:stop() end)
    local with_key = ampersand.new { api_key = server.key, base_url = server.url }
    local with_bearer = ampersand.new { bearer = server.bearer, base_url = server.url }
    local known = {}
    for _, case in ipairs(calls.list) do
      local op = operations.by_id[case[1]]
      local request, params = calls.resolve(case, known), {}
      for _, name in ipairs(op.placeholders) do params[name] = request.params[name] or PARAMS[name] end
      for name, value in pairs(request.query) do params[name] = value end
      params.body = request.body
      local client = op.auth == "bearer" and with_bearer or with_key
      local value, err = client:call(op.id, params)
      assert.is_not_nil(value, op.id .. ": " .. tostring(err))
      calls.keep(case, known, value)
    end
    local arrived = server:requests().by_operation
    for _, op in ipairs(operations.all()) do assert.is_truthy(arrived[op.id], op.id .. " did not arrive") end
  end)
end)

describe("the mock server's answers and the documents", function()
  it("agree in every installation", function()
    if not documents.present() then pending(documents.ABSENT) end
    local mock = require "ampersand.mock"
    local schema, document = answer_schema(operations.by_id.getInstallation)
    for i = 2, 150 do fits(document, schema, mock.installation(i), "installation " .. i) end
  end)
end)

-- Something for every placeholder.
local any_params = setmetatable({}, { __index = function(_, name) return PARAMS[name] or "x" end })

describe("the mock server refuses", function()
  local server
  setup(function() server = support.start { installations = 30 } end)
  teardown(function() server:stop() end)

  it("credentials of the wrong sort", function()
    for _, op in ipairs(operations.all()) do
      local key = { ["X-Api-Key"] = "mock-key" }
      local token = { ["X-Api-Key"] = false, Authorization = "Bearer mock-token" }
      local nothing, wrong = { ["X-Api-Key"] = false }, { ["X-Api-Key"] = "no", Authorization = "Bearer no" }
      local case = { params = any_params }
      if op.auth == "bearer" then refused(server, 401, op.id, case, key) end
      if op.auth == "key" then refused(server, 401, op.id, case, token) end
      if op.auth ~= "none" then
        refused(server, 401, op.id, case, nothing)
        refused(server, 401, op.id, case, wrong)
      end
    end
  end)

  it("bodies that lack what is required, or hold another type, naming the member", function()
    local count = 0
    for _, op in ipairs(operations.all()) do
      local case = { params = any_params, query = {} }
      for _, name in ipairs(op.required_query) do case.query[name] = "x" end
      local first
      for _, field in ipairs(op.body or {}) do
        if field.required and (#field.path == 1 or field.one_of) then first = first or field end
      end
      if first then
        case.body = { irrelevant = 1 }
        local problem, kind = refused(server, 400, op.id, case)
        local name = first.one_of and first.one_of[1] or first.name
        local detail = kind == "text/plain" and problem or problem.detail
        assert.is_truthy(detail:find(name, 1, true), op.id .. ": " .. detail)
        if kind == "application/problem+json" then assert.equal("body", problem.issues[1]["in"]) end
        case.body = { [name] = true }
        problem, kind = refused(server, 400, op.id, case)
        detail = kind == "text/plain" and problem or problem.detail
        assert.is_truthy(detail:find(name .. " must be of type", 1, true), op.id .. ": " .. detail)
        count = count + 1
      end
    end
    assert.is_true(count > 30)
  end)

  it("queries that lack what is required", function()
    for _, op in ipairs(operations.all()) do
      if #op.required_query > 0 and not op.body then
        local problem = refused(server, 400, op.id, { params = any_params })
        assert.equal("query", problem.issues[1]["in"])
      end
    end
  end)

  it("a body on GET and DELETE", function()
    refused(server, 400, "listProjects", { body = { a = 1 } })
    refused(server, 400, "deleteInstallation", { body = { a = 1 } })
    assert.equal(200, (call(server, "getInstallation")))
  end)

  it("ids it does not know", function()
    local unknown = { { "installationId", "getInstallation" }, { "connectionId", "getConnection" },
      { "operationId", "getOperation" }, { "projectIdOrName", "getProject" }, { "provider", "getProvider" },
      { "orgId", "getOrg" }, { "integrationIdOrName", "deleteIntegration" }, { "billingAccountId", nil } }
    for _, pair in ipairs(unknown) do
      if pair[2] then refused(server, 404, pair[2], { params = { [pair[1]] = "unknown/../x" } }) end
    end
    refused(server, 404, "getInstallation", { params = { integrationId = "integration-124" } })
  end)

  it("masks that are no masks", function()
    local function with(mask, values)
      return { body = { updateMask = mask, installation = values or { config = { content = {} } } } }
    end
    refused(server, 400, "updateInstallation", with(core.array {}))
    refused(server, 400, "updateInstallation", with "config.createdBy")
    refused(server, 400, "updateInstallation", with(core.array { "healthStatus" }, { healthStatus = "unhealthy" }))
    refused(server, 400, "updateInstallation", with(core.array { "config.content.read.objects." }))
    refused(server, 400, "updateInstallation", with(core.array { 7 }))
    local problem = refused(server, 400, "updateInstallation", with(core.array { "config.createdBy" }))
    assert.is_truthy(problem.detail:find("has no value", 1, true))
    assert.same(require "ampersand.mock".installation(1), (select(2, call(server, "getInstallation"))))
  end)

  it("what makes no sense, with a reason that names the place", function()
    local function yaml(text) return { body = { sourceYaml = text } } end
    local connection = { body = { groupRef = "g", consumerRef = "c", provider = "freshdesk",
      basicAuth = { username = "u", password = "p" } } }
    local basic = good(server, "generateConnection", connection).id
    for _, case in ipairs {
      { 404, "getOperation", { params = { operationId = "nonsense" } } },
      { 404, "getOperation", { params = { operationId = "operation-123-999999" } } },
      { 404, "getBackfillProgress", { params = { objectName = "dragon" } } },
      { 422, "createIntegration", { body = { name = "salesforce", provider = "slack", latestRevision = {
        content = {}, specVersion = "1.0.0" } } }, "name is taken" },
      { 422, "batchUpsertIntegrations", yaml "integrations: none", "amp.yaml:1:1: \"specVersion\" is required" },
      { 422, "createRevision", yaml "specVersion: '1'\nintegrations: []\n", "does not name this integration" },
      { 404, "acceptInvite", { body = { invitedEmail = "nobody@example.com" } } },
      { 400, "upsertMetadataForInstallation", { body = { groupRef = "group-123", fields = { contact = core.array { {
        fieldName = "x", displayName = 1, valueType = "int" } } } } }, "displayName must be a string" },
      { 400, "pauseReads", { body = { objects = core.array { "dragon" } } }, "holds no read object: dragon" },
      { 400, "getConnection", { query = { refresh = "please" } }, "refresh must be force or ifExpired" },
      { 400, "oauthConnect", { body = { projectIdOrName = "my-project", provider = "freshdesk", groupRef = "g",
        consumerRef = "c" } }, "provider does not log in by OAuth" },
      { 400, "oauthUpdate", { params = { connectionId = basic } }, "connectionId does not log in by OAuth" },
      { 422, "createInstallation", { body = { groupRef = "nobody", config = { content = {} } } }, "has no connection yet" },
      { 422, "createInstallation", { body = { groupRef = "group-123", config = { content = { provider = "slack" } } } },
        "config.content.provider is not the provider" },
      { 400, "createJWTKey", { body = { label = "x", algorithm = "RS256", publicKeyPem = "no" } }, "publicKeyPem is not" },
      { 400, "writeRecords", { body = { groupRef = "group-123", type = "create", record = {}, mode = "soon" } },
        "mode must be synchronous or asynchronous" },
      { 400, "writeRecords", { body = { groupRef = "group-123", type = "delete", record = {}, mode = "asynchronous" } },
        "mode must be synchronous" },
      { 400, "writeRecords", { body = { groupRef = "group-123", type = "create", batch = core.array { {} } } },
        "batch%[0%].record is required" },
    } do
      local problem = refused(server, case[1], case[2], case[3])
      local detail = type(problem) == "string" and problem or problem.detail
      if case[4] then assert.truthy(detail:find((case[4]:gsub("%-", "%%-"))), case[2] .. ": " .. detail) end
    end
  end)

  it("in the way of the operation: plain JSON, plain text, problem", function()
    local _, kind = refused(server, 404, "getJWTKey", { params = { keyId = "x" } })
    assert.equal("application/json", kind)
    local text
    text, kind = refused(server, 400, "writeRecords", { body = { groupRef = "group-123", type = "steal" } })
    assert.equal("text/plain", kind)
    assert.is_truthy(text:find("type must be create, update or delete", 1, true))
    _, kind = refused(server, 400, "searchRecords", { query = { groupRef = "group-123" }, body = { objectName = "x" } })
    assert.equal("application/json", kind)
  end)
end)

describe("the mock server remembers", function()
  local server
  setup(function() server = support.start { installations = 30, read_seconds = 0.3 } end)
  teardown(function() server:stop() end)

  local function update(params, mask, content)
    return good(server, "updateInstallation", {
      params = params, body = { updateMask = core.array(mask), installation = { config = { content = content } } },
    })
  end

  it("an update of what the mask names, and of nothing else", function()
    local second = { installationId = "installation-0000002" }
    local before = good(server, "getInstallation", { params = second })
    local object = { objectName = "a.b", schedule = "0 0 * * *" }
    local after = update(second, { "config.content.read.objects.a.b" },
      { read = { objects = { ["a.b"] = object, other = object } }, proxy = { enabled = false } })
    assert.same(object, after.config.content.read.objects["a.b"])
    assert.is_nil(after.config.content.read.objects.other)
    assert.not_equal(before.config.id, after.config.id)
    assert.not_equal(before.updateTime, after.updateTime)
    before.config.content.read.objects["a.b"] = object
    before.config.id, before.config.createTime = after.config.id, after.config.createTime
    before.updateTime = after.updateTime
    assert.same(before, after)
    assert.same(after, good(server, "getInstallation", { params = second }))
    assert.same(after, good(server, "listInstallations")[2])
    assert.equal(1, server:control "edits"["installation-0000002"])
  end)

  it("a JSON Patch, or nothing of it", function()
    update(nil, { "config.content.read.objects.contact" }, { read = { objects = { contact = {
      objectName = "contact", schedule = "0 * * * *", selectedFields = { a = true },
      fieldFilters = core.array { 1, 2, 3 },
    } } } })
    local function patch(...)
      return { body = { groupRef = "group-123", action = "read", changes = core.array { ... } } }
    end
    local object = good(server, "patchObjectConfigContent", patch(
      { op = "add", path = "/selectedFields/x~1y~0z", value = true }, { op = "remove", path = "/selectedFields/a" },
      { op = "replace", path = "/schedule", value = "0 1 * * *" }, { op = "add", path = "/fieldFilters/-", value = 4 },
      { op = "remove", path = "/fieldFilters/0" }, { op = "add", path = "/fieldFilters/1", value = 9 })
    ).config.content.read.objects.contact
    assert.same({ ["x/y~z"] = true }, object.selectedFields)
    assert.equal("0 1 * * *", object.schedule)
    assert.same(core.array { 2, 9, 3, 4 }, object.fieldFilters)
    for _, bad in ipairs {
      { op = "remove", path = "/nothing" }, { op = "replace", path = "/nothing", value = 1 },
      { op = "add", path = "/x" }, { op = "add", path = "/a/b", value = 1 },
      { op = "move", path = "/a", from = "/b" }, { op = "remove", path = "" },
      { op = "remove", path = "/fieldFilters/9" }, { op = "add", path = "/fieldFilters/9", value = 1 },
    } do
      local problem = refused(server, 400, "patchObjectConfigContent",
        patch({ op = "replace", path = "/schedule", value = "never" }, bad))
      assert.equal("changes[1]", problem.issues[1].name)
    end
    local now = good(server, "getInstallation").config.content.read.objects.contact
    assert.same(object, now)
    local elsewhere = patch { op = "remove", path = "/a" }
    elsewhere.params = { objectName = "lead" }
    refused(server, 404, "patchObjectConfigContent", elsewhere)
    refused(server, 400, "patchObjectConfigContent", patch())
  end)

  it("what is created and deleted, a connection going with its installation", function()
    local connection = good(server, "generateConnection", { body = {
      groupRef = "fresh", consumerRef = "c", provider = "salesforce" } })
    local made_one = good(server, "createInstallation", { body = {
      groupRef = "fresh", config = { content = { read = { objects = {} } } } } })
    assert.equal(connection.id, made_one.connection.id)
    assert.equal("[]", core.encode(good(server, "listInstallations", { query = { groupRef = "nobody" } })))
    assert.same(core.array { made_one }, good(server, "listInstallations", { query = { groupRef = "fresh" } }))
    refused(server, 422, "deleteConnection", { params = { connectionId = connection.id } })
    good(server, "deleteInstallation", { params = { installationId = made_one.id } })
    refused(server, 404, "getInstallation", { params = { installationId = made_one.id } })
    refused(server, 404, "getConnection", { params = { connectionId = connection.id } })
    good(server, "deleteInstallation", { params = { installationId = "installation-0000009" } })
    assert.equal(29, #good(server, "listInstallations"))
    refused(server, 404, "deleteInstallation", { params = { installationId = "installation-0000009" } })
  end)

  it("every item of the plain resources, by the words of its create", function()
    local topic = good(server, "createTopic", { body = { name = "One" } })
    refused(server, 409, "createTopic", { body = { name = "One" } })
    refused(server, 400, "createEventTopicRoute", { body = { eventType = "connection.error", topicId = "nothing" } })
    good(server, "deleteTopic", { params = { topicId = topic.id } })
    for _, other in ipairs(good(server, "listTopics")) do assert.not_equal("One", other.name) end
  end)

  it("fields of an object that were added", function()
    local definition = { fieldName = "score", displayName = "Score", valueType = "int" }
    good(server, "upsertMetadataForInstallation", { body = { groupRef = "group-123", fields = { contact = core.array { definition } } } })
    local fields = good(server, "getObjectMetadataForInstallation", { query = { groupRef = "group-123" } }).fields
    assert.same({ "Score", true, false }, { fields.score.displayName, fields.score.isCustom, fields.score.readOnly })
  end)

  it("an integration's next revision", function()
    local hubspot = { params = { integrationIdOrName = "hubspot" } }
    local before = good(server, "getIntegration", hubspot).latestRevision.id
    local hydrate = {
      params = { integrationId = "integration-124", revisionId = before }, query = { connectionId = "connection-123" },
    }
    for _, object in ipairs(good(server, "getHydratedRevision", hydrate).content.write.objects) do
      assert.equal(object.objectName, object.displayName)
    end
    good(server, "batchUpsertIntegrations", { body = { sourceYaml = "specVersion: '1'\nintegrations:\n"
      .. "  - name: hubspot\n    provider: hubspot\n    displayName: HubSpot\n" } })
    local after = good(server, "getIntegration", hubspot).latestRevision
    assert.not_equal(before, after.id)
    assert.same({ name = "hubspot", provider = "hubspot", displayName = "HubSpot" }, after.content)
    refused(server, 404, "getHydratedRevision", hydrate)
  end)

  it("tokens of a connection: shown when asked, new when refreshed by force", function()
    local function tokens(query)
      return good(server, "getConnection", { query = query }).oauth2AuthorizationCode
    end
    assert.is_nil(tokens())
    local first = tokens { includeCreds = "true" }
    assert.is_nil(first.refreshToken)
    assert.is_table(tokens({ includeCreds = "true", includeRefreshToken = "true" }).refreshToken)
    assert.same(first, tokens { includeCreds = "true", refresh = "ifExpired" })
    assert.not_equal(first.accessToken.token, tokens({ includeCreds = "true", refresh = "force" }).accessToken.token)
  end)

  it("what a test makes of an installation, null taking away", function()
    local params = { installationId = "installation-0000005" }
    server:control("installations", { ids = core.array { params.installationId }, set = { healthStatus = core.null, note = "x" } })
    local installation = good(server, "getInstallation", { params = params })
    assert.same({ "nil", "x" }, { tostring(installation.healthStatus), installation.note })
  end)

  it("connections that no installation uses yet, in the list", function()
    local spare = good(server, "generateConnection", { body = { groupRef = "spare", consumerRef = "c", provider = "salesforce" } })
    local list = good(server, "listConnections", { query = { groupRef = "spare" } })
    assert.same({ 1, spare.id }, { #list, list[1].id })
  end)

  it("the connection that an installation is moved to", function()
    local other = good(server, "generateConnection", { body = { groupRef = "group-123", consumerRef = "c", provider = "salesforce" } })
    local params = { installationId = "installation-0000002" }
    local moved = good(server, "updateInstallation", { params = params, body = {
      updateMask = core.array { "connectionId" }, installation = { connectionId = other.id } } })
    assert.equal(other.id, moved.connection.id)
    assert.equal(other.id, good(server, "getInstallation", { params = params }).connection.id)
  end)

  it("secrets of a destination, shown and rotated only when asked", function()
    local id = { destination = "defaultWebhook" }
    assert.is_nil(good(server, "getDestination", { params = id }).secrets)
    local first = good(server, "getDestination", { params = id, query = { includeSecrets = "true" } }).secrets
    assert.is_truthy(first.webhookSigningKey:find "^whsec_")
    local again = good(server, "getDestination", { params = id, query = { includeSecrets = "true" } }).secrets
    assert.same(first, again)
    good(server, "getDestination", { params = id, query = { rotate = "true" } })
    local rotated = good(server, "getDestination", { params = id, query = { includeSecrets = "true" } }).secrets
    assert.not_same(first, rotated)
  end)

  it("keys: a new one opens, a closed one does not", function()
    local key = good(server, "createApiKey", { body = { label = "new" } }).key
    assert.equal(200, (call(server, "getInstallation", nil, { ["X-Api-Key"] = key })))
    good(server, "updateApiKey", { params = { apiKey = key }, body = {
      updateMask = core.array { "active" }, apiKey = { active = false } } })
    refused(server, 401, "getInstallation", nil, { ["X-Api-Key"] = key })
  end)

  it("operations, page by page", function()
    local seen, token, pages = {}, nil, 0
    repeat
      local page = good(server, "listOperations", { query = { pageToken = token } })
      for _, operation in ipairs(page.results) do
        assert.is_nil(seen[operation.id])
        seen[operation.id], seen[#seen + 1] = true, operation.id
      end
      token, pages = page.pagination.nextPageToken, pages + 1
      assert.equal(page.pagination.done, token == nil)
    until not token
    assert.equal(3, pages)
    assert.equal(450, #seen)
    assert.equal("operation-123-450", seen[1])
    assert.equal("operation-123-1", seen[450])
    for _, size in ipairs { "0", "1001", "many", "1.5" } do
      refused(server, 400, "listOperations", { query = { pageSize = size } })
    end
    refused(server, 400, "listOperations", { query = { pageToken = "forged" } })
  end)

  -- The operation once it has ended.
  local function finished(id)
    local deadline = core.now() + 20
    while core.now() < deadline do
      local operation = good(server, "getOperation", { params = { operationId = id } })
      if operation.status ~= "in_progress" then return operation end
      socket.sleep(0.05)
    end
    error("the operation does not end")
  end

  it("reads, which take their time and then are done", function()
    local id = good(server, "triggerRead", { body = { groupRef = "group-0000003", mode = "async" } }).operationId
    local params = { operationId = id, installationId = "installation-0000003" }
    assert.equal("in_progress", good(server, "getOperation", { params = params }).status)
    assert.equal("in_progress", good(server, "getInstallation", { params = params }).lastOperationStatus)
    local progress = good(server, "getBackfillProgress", { params = params })
    assert.equal(id, progress.operationId)
    local operation = finished(id)
    assert.equal("success", operation.status)
    assert.is_true(progress.recordsProcessed < 5000)
    assert.equal(5000, operation.metadata.progress.recordsProcessed)
    assert.equal("success", good(server, "getInstallation", { params = params }).lastOperationStatus)
    assert.equal(id, good(server, "listOperations", { params = params }).results[1].id)
    refused(server, 400, "triggerRead", { body = { groupRef = "group-123", mode = "sync" } })
    refused(server, 400, "triggerRead", { body = { groupRef = "nobody", mode = "async" } })
    refused(server, 400, "triggerRead", {
      params = { objectName = "dragon" }, body = { groupRef = "group-123", mode = "async" } })
  end)

  it("failed operations and why", function()
    server:control("installations", {
      ids = core.array { "installation-0000004" }, set = { connection = { status = "bad_credentials" } } })
    local id = good(server, "triggerRead", { body = { groupRef = "group-0000004", mode = "async" } }).operationId
    assert.equal("failure", finished(id).status)
    local logs = good(server, "listOperationLogs", { params = { operationId = id } })
    assert.equal("ERROR", logs[2].severity)
    assert.is_truthy(logs[2].message.error:find("401", 1, true))
    assert.is_string(logs[2].message.details.remedy)
  end)

  it("records that are written, and finds them", function()
    local function write(body)
      body.groupRef = "group-123"
      return call(server, "writeRecords", { body = body })
    end
    local status, one = write { type = "create", record = { email = "zoë@example.com" } }
    assert.equal(200, status)
    local id = one.result.recordId
    write { type = "update", record = { id = id, email = "new@example.com" } }
    local function search(name, value)
      return good(server, "searchRecords", { query = { groupRef = "group-123" }, body = {
        objectName = "contact", fieldFilters = core.array { { fieldName = name, operator = "eq", value = value } },
      } }).result
    end
    assert.equal("new@example.com", search("id", id)[1].fields.email)
    local failed
    status, failed = write { type = "create", record = { email = "invalid" } }
    assert.equal(422, status)
    assert.is_false(failed.result.success)
    assert.is_truthy(failed.errors[1].message:find("email", 1, true))
    assert.is_string(failed.operationId)
    local batch = core.array { { record = { email = "a@b.example" } }, { record = { email = "invalid" } } }
    status, one = write { type = "create", batch = batch }
    assert.same({ 200, 1, 1 }, { status, one.successCount, one.failureCount })
    status, one = write { type = "create", batch = batch, batchPolicy = { allOrNone = true } }
    assert.same({ 422, 0, 2 }, { status, one.successCount, one.failureCount })
    assert.equal(1, #search("email", "a@b.example"))
    assert.equal(200, (write { type = "delete", record = { id = id } }))
    assert.same({}, search("id", id))
    status, one = write { type = "create", mode = "asynchronous", record = { email = "later@example.com" } }
    assert.equal(200, status)
    assert.is_nil(one.result)
    assert.equal("write", good(server, "getOperation", { params = { operationId = one.operationId } }).actionType)
  end)

  it("a login in several steps", function()
    local first = good(server, "customAuthConnect", { body = {
      projectIdOrName = "my-project", provider = "slack", groupRef = "steps", consumerRef = "c" } })
    local second = { body = {
      projectIdOrName = "my-project", sessionId = first.redirect.sessionId, callbackParams = {} } }
    assert.equal("steps", good(server, "customAuthConnect", second).connection.group.groupRef)
    refused(server, 400, "customAuthConnect", second)
  end)
end)
