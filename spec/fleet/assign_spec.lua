-- Changes that are data, the warnings of a plan, and how a report says that something is missing.

local command = require "support.command"
local core = require "ampersand.core"
local double = require "support.double"
local simulated = require "support.simulated"

local assign = require "ampersand.fleet.assign"

local function config(text) return assert(core.decode(text)) end

local function made(before, changes)
  local value = config(before)
  assign.compile(changes, "edit")(value)
  return core.encode(value, { sort_keys = true })
end

describe("a change that is data", function()
  local OBJECTS = '{"content":{"read":{"objects":{"a":{"s":1},"b":{"s":2,"t":3}}}}}'

  it("follows wildcards: every member that is there, none that is not", function()
    assert.equal('{"content":{"read":{"objects":{"a":{"s":9},"b":{"s":9,"t":3}}}}}',
      made(OBJECTS, { { path = "content.read.objects.*.s", value = 9 } }))
    assert.equal('{"content":{"read":{"objects":{"a":{"n":{"d":9},"s":1},"b":{"n":{"d":9},"s":2,"t":3}}}}}',
      made(OBJECTS, { { path = "config.content.read.objects.*.n.d", value = 9 } }))
    assert.equal('{"content":{"read":{"objects":{"a":0,"b":0}}}}', made(OBJECTS, { { path = "content.*.*.*", value = 0 } }))
    assert.equal(OBJECTS, made(OBJECTS, { { path = "content.write.objects.*.s", value = 9 } }))
    assert.equal(OBJECTS, made(OBJECTS, { { path = "content.read.objects.*.s.*.x", value = 9 } }))
    assert.equal('{"list":[{"x":1},{"x":1}]}', made('{"list":[{},{"x":2}]}', { { path = "list.*.x", value = 1 } }))
  end)

  it("removes, and makes nothing on the way to what is not there", function()
    assert.equal('{"content":{"read":{"objects":{"a":{"s":1},"b":{"s":2}}}}}',
      made(OBJECTS, { { path = "content.read.objects.*.t", remove = true } }))
    assert.equal(OBJECTS, made(OBJECTS, { { path = "content.write.objects.a", remove = true } }))
    assert.equal('{"content":{"read":{"objects":{}}}}', made(OBJECTS, { { path = "content.read.objects.*", remove = true } }))
  end)

  it("takes a list of keys for names with dots, null for null, and shares no table", function()
    assert.equal('{"a.b":{"*c":null}}', made('{"a.b":{"*c":1}}', { { path = { "a.b", "*c" }, value = core.null } }))
    local shared, value = { x = 1 }, config '{"a":{"k":0},"b":{"k":0}}'
    assign.compile({ { path = "*.k", value = shared } }, "edit")(value)
    value.a.k.x = 2
    assert.same({ 1, 1 }, { value.b.k.x, shared.x })
  end)

  it("says what is wrong with it", function()
    local installations = double.client(double.answers(double.json "[]")).installations
    for words, changes in pairs {
      ["the list of changes is empty"] = {}, ["change 1 is not a table"] = { "a" },
      ["b.c needs either a value or `remove = true`"] = { { path = "b.c" } },
      ['change 1: unknown field "valeu"; did you mean "value"?'] = { { path = "a", valeu = 1 } },
      ["`path` is a text"] = { { path = "a..b", value = 1 } }, ["`path` is a text such"] = { { value = 1 } },
      ["a needs either"] = { { path = "a", value = 1, remove = true } },
    } do
      local ok, raised = pcall(installations.edit, installations, changes, { journal = false })
      assert.is_false(ok)
      assert.truthy(raised:find("installations:edit: " .. words, 1, true), raised)
    end
  end)
end)

describe("the plan of an edit", function()
  local FLEET = '[{"id":"a","config":{"content":{"proxy":{"enabled":true},"write":{"objects":{"x":{"l":[1],"e":[]}}}}}},'
    .. '{"id":"b","config":{"content":{"proxy":{"enabled":false},"write":{"objects":{"x":{"l":[],"e":{}}}}}}}]'

  local function plan(changes)
    local lines = {}
    local client = double.client(double.answers(double.json(FLEET)))
    local report = assert(client.installations:edit(changes, { dry_run = true, out = function(line)
      lines[#lines + 1] = line
    end }))
    return report, table.concat(lines, "\n")
  end

  it("warns where a value becomes one of another type, once for each path", function()
    local report, shown = plan { { path = "content.proxy.enabled", value = "false" } }
    assert.same({ { path = "content.proxy.enabled", before = "a boolean", after = "a string", count = 2 } },
      { report.type_changes[1] })
    local words = "warning: content.proxy.enabled: a string replaces a boolean in 2 installations"
    assert.truthy(shown:find(words, 1, true), shown)
    assert.truthy(tostring(report):find(words, 1, true))
    report = plan { { path = "content.write.objects.x.l", value = { a = 1 } } }
    assert.same({ "an array", "an object", 1 }, { report.type_changes[1].before, report.type_changes[1].after,
      report.type_changes[1].count })
  end)

  it("warns of a hundred paths at most", function()
    local objects = {}
    for i = 1, 150 do objects["o" .. i] = { l = 1 } end
    local fleet = core.encode(core.array { { id = "a", config = { content = { write = { objects = objects } } } } })
    local client = double.client(double.answers(double.json(fleet)))
    local report = assert(client.installations:edit({ { path = "content.write.objects.*.l", value = "1" } },
      { dry_run = true, out = function() end }))
    assert.equal(100, #report.type_changes)
  end)

  it("does not warn where the type stays, or nothing was there", function()
    for _, change in ipairs {
      { path = "content.proxy.enabled", value = false }, { path = "content.write.objects.x.new", value = 1 },
      { path = "content.write.objects.x.l", value = core.array { 2 } }, { path = "content.write.objects.x", remove = true },
      { path = "content.write.objects.x.e", value = { a = 1 } },
    } do
      assert.same({}, (plan { change }).type_changes)
    end
  end)

  it("refuses a wildcard that stands for nothing in any installation, and near misses of names", function()
    for words, changes in pairs {
      ["no installation has content.write.objectz.*.x"] = { { path = "content.write.objectz.*.x", value = 1 } },
      ["no installation has content.read.objects.*.schedule"] = {
        { path = "content.proxy.enabled", value = true }, { path = "content.read.objects.*.schedule", value = "@daily" } },
    } do
      for _, given in ipairs { { dry_run = true, out = function() end }, { journal = false } } do
        local client = double.client(double.answers(double.json(FLEET)))
        local report, err = client.installations:edit(changes, given)
        assert.is_nil(report)
        assert.equal("config", err.kind)
        assert.truthy(err.message:find(words, 1, true), err.message)
      end
    end
    local none = double.client(double.answers(double.json "[]")).installations
    assert.equal(0, assert(none:edit({ { path = "content.read.objects.*.schedule", value = 1 } }, { journal = false })).changed)
    local report = plan { { path = "content.write.objects.*.l.*.x", remove = true } }
    assert.is_true(report:complete())
  end)

  it("finds near misses of names in what is added, not in what the server has", function()
    local FLEET_OF_TYPOS = '[{"id":"a","config":{"content":{"read":{"objects":{"x":{"schedul":"a","destination":"d"}}}}}}]'
    local function edit(fn, more)
      local client = double.client(double.answers(double.json(FLEET_OF_TYPOS)), more)
      return assert(client.installations:edit(fn, { dry_run = true, out = function() end }))
    end
    assert.equal(0, edit({ { path = "content.read.objects.*.destination", value = "e" } }).against)
    for _, name in ipairs { "shedule", "schedule" } do
      local function add(own) own.content.read.objects.x[name] = "b" end
      assert.equal(name == "shedule" and 1 or 0, edit(add).against)
      assert.equal(0, edit(add, { unknown_fields = "ignore" }).against)
    end
    assert.equal(1, edit(function(own) own.content.read.objects.y = { objectNam = "y" } end).against)
    assert.equal(0, edit({ { path = "content.read.objects.*.something", value = 1 } }).against)
  end)

  it("is not complete where the edit would be refused", function()
    local report, shown = plan { { path = "content.provider", value = "x" } }
    assert.is_false(report:complete())
    assert.equal("nothing would be sent, since installations cannot be changed as asked: 2", report:shortfall())
    assert.truthy(shown:find("2 cannot be changed as asked, so the edit would send nothing", 1, true), shown)
    report = plan { { path = "content.proxy.enabled", value = true } }
    assert.is_true(report:complete())
    assert.is_nil(report:shortfall())
  end)
end)

describe("the report of an edit", function()
  local server, client, name

  before_each(function() server, client, name = simulated.open(20) end)
  after_each(function() simulated.close(server, client, name) end)

  local CHANGES = { { path = "createdBy", value = "builder:me" } }

  it("counts what another editor has changed apart, and keeps it in mind", function()
    local theirs = simulated.client(server)
    local function change(id, enabled)
      assert(theirs.installations:update(id, { updateMask = core.array { "config.content.proxy.enabled" },
        installation = { config = { content = { proxy = { enabled = enabled } } } } }))
    end
    local function edit(more)
      return assert(client.installations:edit(CHANGES, { journal = name, canary = more }))
    end
    local report = edit { count = 1, check = function()
      change("installation-0000005", true)
      server:control("installations", { id = "installation-0000006", remove = true })
      return true
    end }
    assert.same({ 20, 18, 2, 1 }, { report.changed, report.done, report.skip, report.conflicts })
    assert.equal("left alone, changed by another editor: 1", report:shortfall())
    assert.equal(1, edit().conflicts)
    change("installation-0000007", false)
    report = assert(client.installations:undo(name))
    assert.same({ 17, 1 }, { report.done, report.conflicts })
    report = assert(client.installations:undo(name))
    assert.same({ 17, 1 }, { report.before, report.conflicts })
    theirs:close()
  end)

  it("says how far a stopped edit is, as does every event", function()
    server:control("faults", { on = "updateInstallation", status = 403, skip = 5 })
    local last
    local report, err = client.installations:edit(CHANGES, { journal = name, parallel = 1, max_failures = 2,
      on_progress = function(event) last = event end })
    assert.is_nil(report)
    assert.equal("5 of 20 done", err.report:progress())
    assert.equal("5 of 20 done", err.report:shortfall())
    assert.same({ 5, 20 }, { last.done, last.of })
    assert.is_false(err.report:complete())
  end)

  it("of a dry undo says what would be put back, and read", function()
    server:control("faults", { on = "updateInstallation", status = 403, skip = 5 })
    assert.is_nil((client.installations:edit(CHANGES, { journal = name, parallel = 1, max_failures = 1 })))
    command.write(name, (command.read(name):match '^(.*\n)[^\n]*"type":"end"'))
    local function dry()
      local shown = {}
      local report = assert(client.installations:undo(name, { dry_run = true, out = function(line)
        shown[#shown + 1] = line
      end }))
      assert.is_true(report:complete())
      assert.equal(5, report.changed)
      return table.concat(shown, "\n")
    end
    assert.truthy(dry():find("records of the journal may be lost: 15 more installations would be read", 1, true))
    assert(client.installations:undo(name))
    assert.is_nil(dry():find("may be lost", 1, true))
  end)
end)
