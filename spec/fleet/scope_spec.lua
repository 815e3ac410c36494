-- Saved state is bound to what made it: journals of edits, states of watches.

local command = require "support.command"
local core = require "ampersand.core"
local double = require "support.double"
local mock = require "support.mock"
local simulated = require "support.simulated"

local ONE = { { path = "content.read.objects.*.schedule", value = "1 1 * * *" } }
local TWO = { { path = "content.read.objects.*.schedule", value = "2 2 * * *" } }

describe("a journal is bound to", function()
  local server, client, name

  setup(function() server = mock.start { installations = 60 } end)
  teardown(function() server:stop() end)

  before_each(function()
    client = simulated.client(server)
    name = os.tmpname()
    os.remove(name)
  end)

  after_each(function()
    client:close()
    os.remove(name)
  end)

  local function few(with) return (with or client).installations:where { id = { "installation-0000010", "installation-0000020" } } end

  local function edit(view, change)
    return view:edit(change, { journal = name, settle = 0 })
  end

  -- What is refused leaves the journal as it is, and sends nothing.
  local function refused(words, report, err)
    assert.is_nil(report)
    assert.equal("config", err.kind)
    assert.truthy(err.message:find(words, 1, true), err.message)
  end

  it("its conditions and its changes: others are refused in words, the same ones go on", function()
    assert.equal(2, assert(edit(few(), ONE)).done)
    local text, patches = command.read(name), server:requests().by_operation.updateInstallation
    refused('the journal is of changes [{"path":"content.read.objects.*.schedule","value":"1 1 * * *"}], not '
      .. '[{"path":"content.read.objects.*.schedule","value":"2 2 * * *"}]', edit(few(), TWO))
    refused("not a function", edit(few(), function() end))
    refused('the journal is of conditions [{"id":["installation-0000010","installation-0000020"]}], not []',
      edit(client.installations, ONE))
    refused('not [{"id":"installation-0000010"}]', edit(client.installations:where { id = "installation-0000010" }, ONE))
    refused('not [{"id":"x"},{"id":"y"}]', edit(client.installations:where { id = "x" }:where { id = "y" }, ONE))
    refused('not [{"id":"x"}]', client.installations:where { id = "x" }:undo(name))
    assert.is_true(text == command.read(name))
    assert.equal(patches, server:requests().by_operation.updateInstallation)
    assert.equal(2, assert(edit(few(), ONE)).before)
    assert.equal(2, assert(few():undo(name)).done)
  end)

  it("its project, its integration and its server", function()
    assert(edit(few(), ONE))
    for words, change in pairs {
      ["is of project project-456, not other"] = { project = "other" },
      ["is of integration integration-123, not other"] = { integration = "other" },
    } do
      local other = client:with(change)
      refused(words, edit(few(other), ONE))
      refused(words, other.installations:undo(name))
    end
    refused("is of integration integration-123, not the whole project", edit(few():in_project(), ONE))
    refused("is of integration integration-123, not the whole project", client.installations:in_project():undo(name))
    local elsewhere = simulated.client(server, { base_url = server.url:gsub("127%.0%.0%.1", "localhost") })
    refused("is of base URL http://127.0.0.1", elsewhere.installations:undo(name))
    elsewhere:close()
    assert(client.installations:undo(name))
  end)

  it("no form of a condition that means the same when it is written", function()
    assert(edit(client.installations:where { createTime = { gte = "2099-01-01" }, [{ "group", "groupRef" }] = { "a", core.null } }, ONE))
    local report = assert(edit(client.installations:where { ["group.groupRef"] = { "a", core.null },
      createTime = { gte = "2099-01-01" } }, ONE))
    assert.equal(0, report.changed)
  end)

  it("a function only by what it does: applied again, it must ask for what the plan holds", function()
    local value = "1 1 * * *"
    local function change(config)
      for _, object in pairs(config.content.read.objects) do object.schedule = value end
    end
    local function some(installation) return installation.id:find "00000[12]0$" ~= nil end
    local view = client.installations:where(some)
    server:control("faults", { on = "updateInstallation", status = 422, skip = 1 })
    assert.equal(1, assert(edit(view, change)).fail)
    server:control("faults", { clear = true })
    value = "3 3 * * *"
    local report, err = edit(view, change)
    assert.is_nil(report)
    assert.matches("installation%-00000[12]0: the function makes another change now than the plan", err.message)
    assert.equal(1, err.report.before)
    refused("not", edit(client.installations, change))
    value = "1 1 * * *"
    assert.equal(1, assert(edit(client.installations:where(function() return false end), change)).done)
    assert.equal(2, assert(client.installations:undo(name)).done)
  end)

  it("its project alone while it has no whole plan, for then nothing was sent", function()
    refused("cannot be changed as asked", edit(few(), { { path = "content.provider", value = "x" } }))
    refused("is of project project-456, not other", edit(client:with({ project = "other" }).installations, ONE))
    local view = client.installations:where { id = "installation-0000010" }
    assert.equal(1, assert(edit(view, ONE)).done)
    assert.equal(1, assert(client.installations:undo(name)).done)
  end)

  it("nothing more than was known when it is of the first version", function()
    local file = assert(io.open(name, "w"))
    file:write('{"ampersand":"edit/1","integration":"integration-123","project":"project-456","type":"edit"}\n',
      '{"type":"planned","changed":0,"listed":60}\n')
    file:close()
    assert.equal(0, assert(edit(client.installations, ONE)).changed)
  end)

  it("no secret", function()
    refused("something like a key or a token", edit(client.installations:where { id = server.key }, ONE))
  end)
end)

describe("the state of a watch is bound to", function()
  local function list(...)
    local out = {}
    for i, id in ipairs { ... } do out[i] = ('{"id":"%s","healthStatus":"healthy"}'):format(id) end
    return double.json("[" .. table.concat(out, ",") .. "]")
  end

  local function saved(view)
    local watch = view(double.client(double.answers(list("a", "b"))).installations):watch { polls = 1 }
    assert.is_nil(watch:next())
    return assert(core.decode(core.encode(watch:state())))
  end

  local function all(installations) return installations end
  local function healthy(installations) return installations:where { healthStatus = "healthy" } end

  it("its view, its project and its server; with others it is refused in words", function()
    local client = double.client(double.answers(list "a"))
    for _, case in ipairs {
      { saved(all), client.installations:where { id = "a" }, 'is of conditions [], not [{"id":"a"}]' },
      { saved(healthy), client.installations, 'is of conditions [{"healthStatus":"healthy"}], not []' },
      { saved(all), client.installations:in_project(), "is of integration hubspot, not the whole project" },
      { saved(all), client:with({ project = "other" }).installations, "is of project my-project, not other" },
      { saved(all), double.client(double.answers(list "a"), { base_url = "https://eu.example.com/v1" }).installations,
        "is of base URL https://api.example.com/v1, not https://eu.example.com/v1" },
    } do
      local ok, raised = pcall(case[2].watch, case[2], { state = case[1] })
      assert.is_false(ok)
      assert.truthy(raised:find("installations:watch: `state` " .. case[3], 1, true), raised)
    end
    local same = healthy(client.installations):watch { state = saved(healthy), polls = 1 }
    assert.equal("removed", same:next().type)
  end)

  it("nothing when it is of the first version, and to all of that from then on", function()
    local client = double.client(double.answers(list "a"))
    local watch = client.installations:watch {
      state = { version = 1, complete = true, installations = { a = "healthy - -@-" } }, polls = 1,
    }
    assert.is_nil(watch:next())
    local state = core.decode(core.encode(watch:state()))
    assert.error_matches(function() client.installations:where { id = "a" }:watch { state = state } end, "is of conditions")
  end)
end)
