local core = require "ampersand.core"
local double = require "support.double"
local simulated = require "support.simulated"
local mock = require "support.mock"

describe("explaining an installation", function()
  local server, client, id

  setup(function()
    server = mock.start { installations = 20 }
    client = simulated.client(server)
    id = "installation-0000002"
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  local function set(fields)
    server:control("installations", { id = id, set = fields })
  end

  before_each(function()
    set { healthStatus = "healthy", lastOperationStatus = "success", connection = {
      status = "working", authScheme = "oauth2/authorizationCode", provider = "salesforce" } }
  end)

  it("finds nothing to do when all is well", function()
    local found = assert(client.installations:explain(id))
    assert.equal("healthy", found.code)
    assert.is_nil(found.operation)
    assert.equal(id .. ": it is healthy\nnext: nothing is to be done", tostring(found))
  end)

  it("gives a reconnect URL for bad credentials, with the last error", function()
    set { healthStatus = "unhealthy", lastOperationStatus = "failure", connection = { status = "bad_credentials" } }
    local found = assert(client.installations:explain(id))
    assert.equal("bad_credentials", found.code)
    assert.matches("^salesforce refuses the credentials of connection connection%-0000002: provider answered 401",
      found.cause)
    assert.matches("^https://login%.", found.reconnect_url)
    assert.equal("failure", found.operation.status)
    assert.equal("Let the customer log in.", found.remedy)
    assert.matches("\nnext: send the customer to the reconnect URL.*\nreconnect: https://", tostring(found))
  end)

  it("knows connections that log in otherwise", function()
    set { connection = { status = "bad_credentials", authScheme = "apiKey" } }
    local found = assert(client.installations:explain(id))
    assert.equal("bad_credentials", found.code)
    assert.is_nil(found.reconnect_url)
    assert.matches("new credentials %(apiKey%)", found.next_step)
  end)

  it("says so when no reconnect URL can be made", function()
    set { connection = { status = "bad_credentials" } }
    server:control("faults", { on = "oauthUpdate", status = 400, next = 1 })
    local found = assert(client.installations:explain(id))
    assert.is_nil(found.reconnect_url)
    assert.matches("no reconnect URL could be made %(400", found.next_step)
  end)

  it("gives the last failure and what the server advises", function()
    set { healthStatus = "unhealthy", lastOperationStatus = "failure" }
    local found = assert(client.installations:explain(id))
    assert.equal("failed_operation", found.code)
    assert.matches("failed: provider answered 403", found.cause)
    assert.equal("Ask the customer's administrator for permission.", found.next_step)
    assert.equal(1, #found.logs)
  end)

  it("sees that all reads are paused", function()
    assert(client.installations:pause(id))
    assert.equal("paused", assert(client.installations:explain(id)).code)
    assert(client.installations:unpause(id))
  end)

  it("returns the error when there is nothing to explain", function()
    local found, err = client.installations:explain "installation-9999999"
    assert.is_nil(found)
    assert.equal(404, err.status)
    server:control("faults", { on = "listOperations", status = 400, next = 1 })
    found, err = client.installations:explain(id)
    assert.is_nil(found)
    assert.equal("listOperations", err.operation)
  end)
end)

describe("an explanation", function()
  local function explain(installation, operations, logs)
    local client = double.client(double.answers(double.json(core.encode(installation)),
      double.json(('{"results":%s,"pagination":{"done":true}}'):format(operations)), double.json(logs or "[]")))
    return assert(client.installations:explain "i")
  end

  it("takes the latest failure by its time, whatever the order", function()
    local operations = '[{"id":"a","status":"failure","createTime":"2024-01-01T00:00:00Z","result":"old"},'
      .. '{"id":"b","status":"failure","createTime":"2024-03-01T00:00:00Z","result":"new","actionType":"write"},'
      .. '{"id":"c","status":"failure","createTime":"2024-02-01T00:00:00Z","result":"middle"}]'
    local found = explain({ id = "i", healthStatus = "healthy" }, operations)
    assert.equal("failed_operation", found.code)
    assert.equal("the last write failed: new", found.cause)
    assert.equal("read the logs of operation b", found.next_step)
  end)

  it("does not blame a failure that was made good", function()
    local operations = '[{"id":"a","status":"failure","createTime":"2024-01-01T00:00:00Z"},'
      .. '{"id":"b","status":"success","createTime":"2024-03-01T00:00:00Z"}]'
    local working = { status = "working" }
    assert.equal("healthy", explain({ id = "i", healthStatus = "healthy", connection = working }, operations).code)
    assert.equal("failed_operation", explain({ id = "i", healthStatus = "unhealthy" }, operations).code)
    assert.equal("unhealthy", explain({ id = "i", healthStatus = "unhealthy" }, "[]").code)
  end)

  it("calls healthy only what is known to be", function()
    local function look(health, connection)
      local found = explain({ id = "i", healthStatus = health, connection = connection }, "[]")
      assert.equal(found.code == "healthy", tostring(found):find("it is healthy", 1, true) ~= nil)
      return found
    end
    local function with(status) return { id = "c1", status = status } end
    assert.equal("healthy", look("healthy", with "working").code)
    assert.equal("unproven", look("healthy", with "created").code)
    assert.matches("^connection c1 was created or renewed, and has not been used", look("healthy", with "created").cause)
    for _, nothing in ipairs { false, core.null, "c1" } do
      assert.equal("no_connection", look("healthy", nothing or nil).code)
    end
    for _, status in ipairs { false, core.null, "other", 1 } do
      assert.equal("unknown", look("healthy", with(status or nil)).code)
      assert.equal("unknown", look(status or nil, with "working").code)
    end
  end)

  it("puts no control characters on a terminal", function()
    local found = explain({ id = "i", healthStatus = "unhealthy" },
      '[{"id":"a","status":"failure","result":"\\u001b[2Jgone\\u009b\\u202e"}]')
    assert.is_nil(tostring(found):find "[\27\194\226]")
  end)
end)
