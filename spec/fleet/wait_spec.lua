local ampersand = require "ampersand"
local cjson = require "cjson"
local clock = require "support.clock"
local core = require "ampersand.core"
local double = require "support.double"
local simulated = require "support.simulated"
local mock = require "support.mock"

local function operation(status, more)
  return ('{"id":"op-1","status":"%s","actionType":"read","installationId":"i","integrationId":"x"%s}'):format(
    status, more or "")
end

local function client_of(...)
  local transport = double.answers(...)
  return double.client(transport, { retry = false }), transport
end

describe("waiting for an operation", function()
  it("polls until it has succeeded, less and less often", function()
    local going = double.json(operation "in_progress")
    local client, transport = client_of(going, going, going, going, double.json(operation "success"))
    local found, info = client.operations:wait "op-1"
    assert.equal("success", found.status)
    assert.equal(200, info.status)
    assert.same({ 0.5, 0.75, 1.125, 1.6875 }, transport.slept)
    assert.equal("https://api.example.com/v1/projects/my-project/operations/op-1", transport.asked[1].url)
    assert.equal(5, #transport.asked)
  end)

  it("polls at the given interval, and takes an unknown status for going on", function()
    local client, transport = client_of(double.json(operation "queued"), double.json(operation "in_progress"),
      double.json(operation "success"))
    assert(client.operations:wait("op-1", { interval = 3 }))
    assert.same({ 3, 3 }, transport.slept)
  end)

  it("gives no request more time than is left", function()
    local going = double.json(operation("in_progress", ',"metadata":{"objects":["contact"]}'))
    local progress = double.json '{"recordsProcessed":1}'
    local client, transport = client_of(going, progress, going, progress, double.json(operation "failure"), double.json "[]")
    local seen = 0
    local found = client.operations:wait("op-1", { timeout = 3, on_progress = function() seen = seen + 1 end })
    assert.is_nil(found)
    assert.equal(2, seen)
    assert.equal(6, #transport.asked)
    for _, asked in ipairs(transport.asked) do assert.truthy(asked.timeout <= 3, asked.url .. " " .. asked.timeout) end
  end)

  it("fails at once on failure, with the result and the last error logs", function()
    local logs = '[{"severity":"INFO","message":{"msg":"started"}},{"severity":"error","message":{"msg":"old"}},'
      .. '{"severity":"ERROR","message":{"msg":"read failed","error":"the token is expired"}},{"severity":"INFO"}]'
    local client, transport = client_of(double.json(operation("failure", ',"result":"[contact] Read failed"')),
      double.json(logs))
    local found, err = client.operations:wait "op-1"
    assert.is_nil(found)
    assert.equal("status", err.kind)
    assert.equal("operation op-1 failed: [contact] Read failed: the token is expired", err.message)
    assert.equal("failure", err.failed_operation.status)
    assert.equal(2, #err.logs)
    assert.is_false(err.retryable)
    assert.same({}, transport.slept)
    assert.matches("/operations/op%-1/logs$", transport.asked[2].url)
  end)

  it("fails also when the logs cannot be had, and keeps no secret that they tell", function()
    local client = client_of(double.json(operation "failure"), double.problem(500, "{}"))
    assert.equal("operation op-1 failed", select(2, client.operations:wait "op-1").message)
    client = client_of(double.json(operation "failure"),
      double.json '[{"severity":"ERROR","message":{"msg":"key test-key refused"}}]')
    local _, err = client.operations:wait "op-1"
    assert.equal("operation op-1 failed: key [redacted] refused", err.message)
    assert.equal("key [redacted] refused", err.logs[1].message.msg)
  end)

  it("waits out what may pass, and nothing else", function()
    local client, transport = client_of(double.problem(503, "{}"), { fault = "reset", kind = "closed", sent = true },
      double.json(operation "success"))
    assert.truthy(client.operations:wait "op-1")
    assert.equal(2, #transport.slept)
    client, transport = client_of(double.problem(404, '{"title":"Not Found"}'))
    local found, err = client.operations:wait "op-1"
    assert.is_nil(found)
    assert.equal(404, err.status)
    assert.equal(1, #transport.asked)
  end)

  it("ends at its timeout, saying what it saw last", function()
    clock.take()
    finally(clock.restore) -- luacheck: ignore 113
    local client, transport = client_of(double.json(operation "in_progress"))
    function transport.sleep(_, seconds) clock.pass(seconds) end
    local found, err = client.operations:wait("op-1", { timeout = 0.3, interval = 0.01 })
    assert.is_nil(found)
    assert.equal("timeout", err.kind)
    assert.equal("operation op-1 is still going on after 0.3 s", err.message)
    client, transport = client_of(double.problem(503, '{"title":"Service Unavailable"}'))
    function transport.sleep(_, seconds) clock.pass(seconds) end
    err = select(2, client.operations:wait("op-1", { timeout = 0.3, interval = 0.01 }))
    assert.equal("timeout", err.kind)
    assert.matches("could not be seen for 0.3 s: 503 Service Unavailable", err.message)
  end)

  it("reports progress, from the operation or from the backfill of its object", function()
    local seen = {}
    local function listen(progress, of) seen[#seen + 1] = { progress, of.status } end
    local client, transport = client_of(
      double.json(operation("in_progress", ',"metadata":{"progress":{"objectName":"contact","recordsProcessed":5}}')),
      double.json(operation("in_progress", ',"metadata":{"objects":["contact"]}')),
      double.json '{"objectName":"contact","recordsProcessed":10,"recordsEstimatedTotal":40}',
      double.json(operation("success", ',"metadata":{"progress":{"recordsProcessed":40,"recordsEstimatedTotal":0}}')))
    assert(client.operations:wait("op-1", { on_progress = listen }))
    assert.same({
      { { processed = 5, object = "contact" }, "in_progress" },
      { { processed = 10, total = 40, share = 0.25, object = "contact" }, "in_progress" },
      { { processed = 40, total = 0 }, "success" },
    }, seen)
    assert.matches("/integrations/x/installations/i/objects/contact/backfill%-progress$", transport.asked[3].url)
  end)

  it("asks no more for a backfill that there is none of", function()
    local going = double.json(operation("in_progress", ',"metadata":{"objects":["contact"]}'))
    local client, transport = client_of(going, double.problem(404, "{}"), going, double.json(operation "success"))
    assert(client.operations:wait("op-1", { on_progress = function() error "no progress is known" end }))
    assert.equal(4, #transport.asked)
  end)

  it("knows its options", function()
    local client = client_of(double.json "{}")
    assert.error_matches(function() client.operations:wait("op-1", { timout = 1 }) end, "did you mean \"timeout\"")
    assert.error_matches(function() client.operations:wait "" end, "id of the operation is empty")
    assert.error_matches(function() client.operations:wiat "op-1" end, "did you mean \"wait\"")
  end)
end)

describe("an answer that names its operation", function()
  it("can be waited for, and is written as it came", function()
    local client, transport = client_of(double.json '{"operationId":"op-1","more":[]}',
      double.json(operation "success"))
    local answer = assert(client.installations:read("contact", { groupRef = "g", mode = "async" }))
    assert.equal('{"more":[],"operationId":"op-1"}', core.encode(answer, { sort_keys = true }))
    assert.equal("op-1", cjson.decode(cjson.encode(answer)).operationId)
    local names = {}
    for name in pairs(answer) do names[#names + 1] = name end
    assert.equal(2, #names)
    assert.equal("success", assert(answer:wait()).status)
    assert.equal(2, #transport.asked)
  end)

  it("is also what client:call and a write give, and nothing else changes", function()
    local client = client_of(double.json '{"operationId":"op-1"}')
    assert.is_function(client:call("triggerRead", { objectName = "a", body = { groupRef = "g", mode = "async" } }).wait)
    assert.is_function(client.records:write("a", { groupRef = "g", type = "create", record = {} }).wait)
    assert.is_nil(getmetatable(client:call("getOperation", { operationId = "op-1" })))
    client = client_of(double.json '{"success":true}')
    assert.is_nil(client.records:write("a", { groupRef = "g", type = "create", record = {} }).wait)
    client = client_of(double.problem(400, "{}"))
    assert.is_nil((client.installations:read("contact", { groupRef = "g", mode = "async" })))
  end)
end)

describe("waiting, against the mock server", function()
  local server
  after_each(function() server:stop() end)

  it("is one line, with progress", function()
    server = mock.start { installations = 5, read_seconds = 0.2 }
    local client, shares = simulated.client(server), {}
    local found = ampersand.assert(ampersand.assert(
      client.installations:read("contact", { groupRef = "group-0000002", mode = "async" })
    ):wait { interval = 0.05, on_progress = function(progress) shares[#shares + 1] = progress.share end })
    assert.equal("success", found.status)
    assert.matches("records read", found.result)
    assert.truthy(#shares >= 2)
    for i = 2, #shares do assert.truthy(shares[i] >= shares[i - 1]) end
    assert.equal(1, shares[#shares])
    client:close()
  end)

  it("reports why a read failed", function()
    server = mock.start { installations = 5, read_seconds = 0.1, fail_reads = true }
    local client = simulated.client(server)
    local answer = assert(client.installations:read("contact", { groupRef = "group-0000002", mode = "async" }))
    local found, err = answer:wait { interval = 0.02, timeout = 20 }
    assert.is_nil(found)
    assert.matches("Read failed", err.message)
    assert.truthy(#err.logs > 0)
    client:close()
  end)
end)
