local ampersand = require "ampersand"
local command = require "support.command"
local core = require "ampersand.core"
local mock = require "support.mock"
local simulated = require "support.simulated"
local starting = require "support.server"

local COUNT = 120

-- A manifest in which salesforce reads some objects, by schedule.
local function manifest(objects, more)
  local lines = { "specVersion: 1.0.0", "integrations:", "  - name: salesforce", "    provider: salesforce",
    "    read:", "      objects:" }
  for name, schedule in pairs(objects) do
    lines[#lines + 1] = ("        - {objectName: %s, destination: defaultWebhook, schedule: %q}"):format(name, schedule)
  end
  return table.concat(lines, "\n") .. "\n" .. (more or "")
end

describe("integrations:deploy", function()
  local server, client

  before_each(function()
    server = mock.start { installations = COUNT }
    client = simulated.client(server)
  end)
  after_each(function() server:stop() end)

  local function puts() return server:requests().by_operation.batchUpsertIntegrations or 0 end
  local function deploy(text, given)
    given = given or {}
    given.yaml = text
    return client.integrations:deploy(given)
  end
  local function readers(name)
    local count = 0
    for one in client.installations:each() do
      local object = ampersand.get(one, "config.content.read.objects." .. name)
      if object and not object.disabled then count = count + 1 end
    end
    return count
  end

  it("deploys what the plan says, and then has nothing to do", function()
    local shown
    local text = manifest({ contact = "0 * * * *" }, "  - {name: fresh, provider: slack}\n")
    local result = assert(deploy(text, { confirm = function(plan) shown = plan return true end }))
    assert.is_true(result.deployed)
    assert.equal(shown, result.plan)
    assert.same({ "changed", "new" }, { result.plan.integrations[1].state, result.plan.integrations[2].state })
    assert.same({ "hubspot" }, result.plan.others)
    for i, name in ipairs { "salesforce", "fresh" } do
      local integration = client.integrations:get(name)
      assert.same({ name = name, id = integration.id, revision = integration.latestRevision.id }, result.revisions[i])
    end
    assert.equal(1, puts())
    result = assert(deploy(text, { confirm = function() error "not asked" end }))
    assert.is_false(result.deployed)
    assert.same({ 0, {} }, { result.plan.changed, result.revisions })
    assert.equal(1, puts())
  end)

  it("counts the installations that read what is dropped now, paused ones not", function()
    local ids = core.array()
    for one in client.installations:each() do
      local object = ampersand.get(one, "config.content.read.objects.lead")
      if object and #ids < 3 then ids[#ids + 1] = one.id end
    end
    assert.equal(3, #ids)
    server:control("installations", { ids = ids, set = { config = { content = { read = { objects = {
      lead = { disabled = true } } } } } } })
    local expected = { lead = readers "lead", deal = readers "deal" }
    assert(deploy(manifest { contact = "0 * * * *", lead = "0 * * * *", deal = "0 * * * *" }))
    local plan = assert(deploy(manifest { contact = "0 * * * *" }, { dry_run = true })).plan
    assert.same({ "deal", "lead" }, plan.integrations[1].dropped)
    assert.same(expected, plan.integrations[1].readers)
    assert.truthy(tostring(plan):find(("- read.objects.lead: %d installations read it now; they go on reading it")
      :format(expected.lead), 1, true), tostring(plan))
  end)

  it("pauses the reads of dropped objects only where that is asked for", function()
    assert(deploy(manifest { contact = "0 * * * *", lead = "0 * * * *", deal = "0 * * * *" }))
    local before = readers "lead"
    assert.is_true(before > 0)
    assert(deploy(manifest { contact = "0 * * * *", deal = "0 * * * *" }))
    assert.equal(before, readers "lead")
    assert.is_true(readers "deal" > 0)
    local result = assert(deploy(manifest { contact = "0 * * * *" }, { destructive = true }))
    assert.truthy(tostring(result.plan):find("their reads of it are paused", 1, true))
    assert.equal(0, readers "deal")
    assert.equal(before, readers "lead")
  end)

  it("changes no installation", function()
    assert(deploy(manifest { contact = "1 * * * *" }))
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("sends nothing for a plan, a refusal, an invalid manifest, or a revision that someone else made meanwhile", function()
    local text = manifest { contact = "0 * * * *" }
    local result = assert(deploy(text, { dry_run = true, confirm = function() error "not asked" end }))
    assert.same({ false, 1 }, { result.deployed, result.plan.changed })
    local none, err = deploy(text, { confirm = function() return false end })
    assert.is_nil(none)
    assert.same({ "cancelled", false }, { err.kind, err.sent })
    none, err = deploy(manifest { contact = "0 * * * *" } .. "    reed: {}\n")
    assert.is_nil(none)
    assert.equal("config", err.kind)
    assert.equal(8, err.problems[1].line)
    assert.truthy(err.message:find('amp.yaml:8:5: integrations[salesforce].reed: unknown name "reed"; did you mean "read"?', 1, true))
    none, err = deploy('"\\e[31mred": 1\n')
    assert.is_nil(none)
    assert.is_nil(err.message:find("\27", 1, true))
    assert.equal(0, puts())
    none, err = deploy(text, { confirm = function()
      client.revisions:create { sourceYaml = manifest { lead = "0 * * * *" } }
      return true
    end })
    assert.is_nil(none)
    assert.truthy(err.message:find("deployed by someone else", 1, true))
    assert.equal(0, puts())
  end)

  it("returns the errors of the server, without a plan that is only half known", function()
    for operation, stage in pairs { listIntegrations = "plan", listInstallations = "plan", batchUpsertIntegrations = "send" } do
      server:control("faults", { clear = true })
      server:control("faults", { on = operation, status = 403 })
      local asked = false
      local none, err = deploy(manifest { contact = "0 * * * *" }, { confirm = function() asked = true return true end })
      assert.is_nil(none)
      assert.same({ "status", 403, stage == "send" }, { err.kind, err.status, asked }, operation)
    end
  end)

  it("compares what is meant: the order of objects and what is empty do not matter", function()
    assert(deploy(manifest { contact = "0 * * * *", lead = "0 * * * *" }))
    local text = [[
specVersion: '2'
integrations:
  - provider: salesforce
    name: salesforce
    displayName:
    write: {objects: []}
    proxy: {enabled: false}
    read:
      objects:
        - {schedule: "0 * * * *", objectName: lead, destination: defaultWebhook}
        - {schedule: "0 * * * *", objectName: contact, destination: defaultWebhook, requiredFields: []}
]]
    local result = assert(deploy(text, { dry_run = true }))
    assert.equal("unchanged", result.plan.integrations[1].state, tostring(result.plan))
  end)

  it("names the edits that bring existing installations along", function()
    assert(deploy(manifest { contact = "0 * * * *", lead = "0 * * * *", ["a.b"] = "0 * * * *" }))
    local plan = assert(deploy(manifest { contact = "9 * * * *", deal = "0 * * * *" }, { dry_run = true })).plan
    local edits, notes = plan:edits()
    assert.same({
      { integration = "salesforce", object = "contact", set = { ["content.read.objects.contact.schedule"] = "9 * * * *" } },
      { integration = "salesforce", object = "lead", set = { ["content.read.objects.lead.disabled"] = true } },
    }, edits)
    assert.same({ "salesforce: a.b has a dot in its name: edit it in a program", "salesforce: deal is new: customers choose its fields" },
      notes)
  end)

  it("reads a file, or the folder that holds it", function()
    local folder = starting.folder()
    finally(function() starting.remove(folder) end)
    local none, err = client.integrations:deploy { file = folder }
    assert.is_nil(none)
    assert.same({ "config", true }, { err.kind, err.message:find("cannot read " .. folder, 1, true) ~= nil })
    local file = assert(io.open(folder .. "/amp.yaml", "w"))
    file:write(manifest { contact = "0 * * * *" })
    file:close()
    for _, path in ipairs { folder, folder .. "/", folder .. "/amp.yaml" } do
      assert.equal(1, assert(client.integrations:deploy { file = path, dry_run = true }).plan.changed)
    end
  end)

  it("refuses invalid arguments at the caller's line", function()
    for _, given in ipairs {
      {}, { yaml = "x", file = "y" }, { yaml = 7 }, { yaml = "x", destructiv = true }, { yaml = "x", confirm = true },
    } do
      local ok, message = pcall(function() return client.integrations:deploy(given), nil end)
      assert.is_false(ok)
      assert.truthy(message:find("deploy_spec.lua", 1, true), message)
    end
    local given = { yaml = manifest { contact = "0 * * * *" } }
    for words, call in pairs {
      ["a colon"] = function() return client.integrations.deploy(given), nil end,
      ["narrow lists"] = function() return client.integrations:where { name = "salesforce" }:deploy(given), nil end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.truthy(message:find("deploy_spec.lua", 1, true) and message:find(words, 1, true), message)
    end
  end)
end)

describe("ampersand deploy", function()
  local server, session, folder

  setup(function()
    server = mock.start { installations = COUNT }
    session = command.session(server)
    folder = session.home
  end)
  teardown(function()
    session:close()
    server:stop()
  end)

  local function run(words, text)
    local file = assert(io.open(folder .. "/amp.yaml", "w"))
    file:write(text)
    file:close()
    return session:call("ampersand " .. words .. " " .. folder)
  end

  it("shows the plan, refuses without a terminal, applies with --yes", function()
    local text = manifest { contact = "0 * * * *", deal = "0 * * * *" }
    local result = run("deploy --dry-run", text)
    assert.equal(3, result.code, result.err)
    assert.truthy(result.out:find("~ read.objects.contact.schedule", 1, true), result.out)
    assert.truthy(result.out:find("Plan: 0 new, 1 changed, 0 unchanged.", 1, true))
    result = run("deploy", text)
    assert.equal(2, result.code)
    assert.truthy(result.out:find("Plan: 0 new, 1 changed", 1, true))
    assert.truthy(result.err:find("nothing was deployed: without a terminal, give --yes", 1, true), result.err)
    assert.is_nil(server:requests().by_operation.batchUpsertIntegrations)
    if command.has_terminal() then
      local asked = session:show("ampersand deploy " .. folder, { keys = "n\r", delay = 0.25 })
      assert.equal(1, asked.code)
      assert.truthy(asked.out:find("Deploy this? [y/N]", 1, true), asked.out)
      assert.is_nil(server:requests().by_operation.batchUpsertIntegrations)
    end
    result = run("deploy --yes", text)
    assert.equal(0, result.code, result.err)
    assert.truthy(result.out:find("salesforce is deployed as revision-", 1, true), result.out)
    result = run("deploy --dry-run", text)
    assert.equal(0, result.code, result.err)
    assert.equal(1, server:requests().by_operation.batchUpsertIntegrations)
  end)

  it("prints edits that the shell and `installations edit` take", function()
    assert.equal(0, run("deploy --yes", manifest { contact = "0 * * * *", deal = "0 * * * *" }).code)
    local result = run("deploy --dry-run --edit-installations", manifest { contact = "5 * * * *" })
    local count = 0
    for line in result.out:gmatch "\n  ampersand ([^\n]+)" do
      count = count + 1
      local edited = session:run("ampersand " .. line:gsub("%-%-journal %S+", "--dry-run"))
      assert.equal(0, edited.code, line .. ": " .. edited.err)
      assert.truthy(edited.out:find "[1-9]%d* .*would change", line .. ": " .. edited.out)
    end
    assert.equal(2, count, result.out)
  end)

  it("validates without an account, with lines and exit codes", function()
    local result = run("validate", manifest { contact = "0 * * * *" })
    assert.same({ 0, "" }, { result.code, result.out })
    result = run("validate", manifest { contact = "0 * * * *" } .. "    reed: {}\n")
    assert.equal(1, result.code)
    assert.equal(folder .. '/amp.yaml:8:5: integrations[salesforce].reed: unknown name "reed"; did you mean "read"?\n', result.out)
    result = run("deploy --yes", manifest { contact = "0 * * * *" } .. "    reed: {}\n")
    assert.equal(1, result.code)
    assert.truthy(result.out:find("^[^\n]+/amp.yaml:8:5: [^\n]+\n$"), result.out)
    assert.truthy(result.err:find("is not valid, nothing was sent\n", 1, true), result.err)
    result = run("validate", '"\\e[31mred": 1\n')
    assert.same({ 1, nil }, { result.code, result.out:find("\27", 1, true) })
    result = session:call "ampersand validate /nowhere"
    assert.same({ 2, "ampersand: cannot read /nowhere, nor an amp.yaml in it\n" }, { result.code, result.err })
  end)
end)
