local ampersand = require "ampersand"
local double = require "support.double"
local simulated = require "support.simulated"

local COUNT, STEP = 60, 4

describe("an edit of the fleet", function()
  local server, client, name

  before_each(function() server, client, name = simulated.open(COUNT) end)
  after_each(function() simulated.close(server, client, name) end)

  local fn = simulated.edit(STEP)
  local changed = simulated.changed(COUNT, STEP)

  local function edit(more, with) return simulated.run(with or client, name, fn, more) end

  local function arrived(operation)
    return server:requests().by_operation[operation] or 0
  end

  local function records(type) return simulated.records(name, type) end

  it("changes what was asked and nothing else, once, for one listing and a look and a patch each", function()
    local report = assert(edit())
    assert.equal(COUNT, report.listed)
    assert.equal(changed, report.changed)
    assert.equal(changed, report.done)
    assert.is_true(report:complete())
    assert.equal(("%d listed, %d to change: %d done"):format(COUNT, changed, changed), tostring(report))
    assert.is_nil(simulated.difference(server, COUNT, fn))
    local _, installations, most = simulated.edits(server)
    assert.equal(changed, installations)
    assert.equal(1, most)
    assert.equal(changed, arrived "getInstallation")
    assert.equal(changed, arrived "updateInstallation")
  end)

  it("does nothing more when it is run again, and undoes itself", function()
    assert(edit())
    local again = assert(edit())
    assert.equal(changed, again.before)
    assert.equal(0, again.done)
    assert.equal(1, arrived "listInstallations")
    assert.equal(changed, arrived "updateInstallation")

    local shown = {}
    local function out(line) shown[#shown + 1] = line end
    local report = assert(client.installations:undo(name, { dry_run = true, out = out }))
    assert.equal(changed, report.changed)
    assert.equal(changed + 1, #shown)
    assert.truthy(shown[1]:find('schedule: "1 1 * * *" -> ', 1, true))
    assert.equal(changed, arrived "updateInstallation")

    assert.equal(changed, assert(client.installations:undo(name)).done)
    assert.is_nil(simulated.difference(server, COUNT))
    report = assert(client.installations:undo(name))
    assert.equal(changed, report.before)
    assert.equal(2 * changed, arrived "updateInstallation")
    local refused, err = edit()
    assert.is_nil(refused)
    assert.matches("was undone", err.message)
  end)

  it("shows a dry run without sending or writing anything", function()
    local lines = {}
    local report = assert(edit { dry_run = true, out = function(line) lines[#lines + 1] = line end })
    assert.equal(changed, report.changed)
    assert.matches("would change", tostring(report))
    assert.matches("^installation%-0000004  %S", lines[1])
    assert.matches('\n  ~ content.read.objects.%l+.schedule: "[^"]+" %-> "1 1 %* %* %*"\n', lines[1])
    assert.matches("\n  updateMask: config.content.read.objects.%l+", lines[1])
    assert.equal(("%d of %d installations would change; nothing was sent"):format(changed, COUNT), lines[#lines])
    assert.equal(0, arrived "updateInstallation")
    assert.is_nil(io.open(name))
  end)

  it("asks for the smallest mask, with the values of the objects that changed", function()
    local one = client.installations:where { id = "installation-0000020" }
    local objects = {}
    assert(one:edit(function(config)
      for object in pairs(config.content.read.objects) do objects[#objects + 1] = object end
      config.content.read.objects[objects[1]].schedule = "2 2 * * *"
    end, { journal = name }))
    local plan = records "plan"[1]
    assert.truthy(#objects > 1)
    assert.equal(1, #plan.changes)
    assert.equal("config.content.read.objects." .. objects[1], plan.changes[1].path)
    assert.is_nil(plan.group) -- of the customer the journal holds the changes alone
  end)

  it("writes each request to the journal before it sends it", function()
    local transport = require("ampersand.transport.curl").new {}
    local announced = 0
    local inner = { sleep = function(_, s) transport:sleep(s) end, close = function() transport:close() end }
    function inner.request(_, req)
      if req.method == "PATCH" then
        local sends = records "send"
        assert.equal(sends[#sends].id, req.url:match "[^/]+$")
        announced = announced + 1
        assert(announced == #sends)
      end
      return transport:request(req)
    end
    local watched = simulated.client(server, { transport = inner })
    assert(edit({}, watched))
    assert.equal(changed, announced)
    watched:close()
  end)

  it("takes a canary first, spread over the plan, and stops when it is not well", function()
    local seen = {}
    local report, err = edit { canary = { share = 0.2, check = function(installation, entry)
      seen[#seen + 1] = installation.id
      assert.equal(installation.id, entry.id)
      return #seen < 2, "too slow"
    end } }
    assert.is_nil(report)
    assert.equal("cancelled", err.kind)
    assert.truthy(err.message:find("the canary failed, nothing more was sent: " .. seen[2] .. ": too slow", 1, true))
    assert.equal(3, err.report.canary)
    assert.equal(3, err.report.done)
    assert.equal(3, arrived "updateInstallation")
    assert.equal("installation-0000020", seen[1])
    assert.equal("installation-0000040", seen[2])
    assert.equal(3, assert(client.installations:undo(name)).done)
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("sees by itself that a canary became unhealthy; when it is well again, the same call goes on", function()
    local waits = 0
    local other = simulated.client(server, { on_event = function(event)
      if event.operation == "updateInstallation" and waits == 0 then
        waits = 1
        server:control("installations", { id = "installation-0000060", set = { healthStatus = "unhealthy" } })
      end
    end })
    local report, err = edit({ canary = 1 }, other)
    assert.is_nil(report)
    assert.matches("it became unhealthy", err.message)
    server:control("installations", { id = "installation-0000060", set = { healthStatus = "healthy" } })
    report = assert(edit({ canary = 1 }, other))
    assert.equal(1, report.before)
    assert.equal(changed - 1, report.done)
    assert.is_nil(simulated.difference(server, COUNT, fn))
    other:close()
  end)

  it("leaves alone what somebody else changed meanwhile, in the edit and in the undo", function()
    local theirs = simulated.client(server)
    local function change(id)
      assert(theirs.installations:update(id, { updateMask = ampersand.array { "config.content.proxy.enabled" },
        installation = { config = { content = { proxy = { enabled = true } } } } }))
    end
    local report = assert(edit { canary = { count = 1, check = function()
      change "installation-0000008"
      server:control("installations", { id = "installation-0000012", remove = true })
      return true
    end } })
    assert.equal(changed - 2, report.done)
    assert.equal(2, report.skip)
    local why = {}
    for _, problem in ipairs(report.problems) do why[problem.id] = problem.why end
    assert.matches("^changed by another editor since %(config config%-0000008, now config%-%d+%)$",
      why["installation-0000008"])
    assert.equal("it is gone", why["installation-0000012"])
    local edits = simulated.edits(server)
    assert.equal(1, edits["installation-0000008"])

    change "installation-0000016"
    local undone = assert(client.installations:undo(name))
    assert.equal(changed - 3, undone.done)
    assert.equal(1, undone.skip)
    assert.equal("installation-0000016", undone.problems[1].id)
    assert.is_true(undone:complete())
    theirs:close()
  end)

  it("is stopped by nothing that passes: 429, 503, answers that get lost", function()
    -- at most three of them in a row, whichever installations they meet
    server:control("faults", { on = "updateInstallation", status = 429, retry_after = 0, next = 3 })
    server:control("faults", { on = "updateInstallation", lose = true, skip = 4, next = 3 })
    server:control("faults", { on = "updateInstallation", status = 503, skip = 8, next = 3 })
    server:control("faults", { on = "getInstallation", status = 503, next = 2 })
    assert.equal(changed, assert(edit()).done)
    assert.is_nil(simulated.difference(server, COUNT, fn))
    local _, installations, most = simulated.edits(server)
    assert.equal(changed, installations)
    assert.equal(1, most)
  end)

  it("does not send again what was not answered; the next run reads it, and goes on", function()
    server:control("faults", { on = "updateInstallation", drop = true, next = 2 })
    local report = assert(edit())
    assert.equal(changed - 2, report.done)
    assert.equal(2, report.doubt)
    assert.is_false(report:complete())
    assert.equal("doubt", report.problems[1].outcome)
    report = assert(edit())
    assert.equal(2, report.done)
    assert.is_true(report:complete())
    assert.is_nil(simulated.difference(server, COUNT, fn))
    local _, _, most = simulated.edits(server)
    assert.equal(1, most)
  end)

  it("undoes what was done though its answer never came", function()
    local hasty = simulated.client(server, { timeout = 0.5 * tonumber(os.getenv "AMP_SLOW" or 1) })
    server:control("faults", { on = "updateInstallation", hang = true, next = 1 })
    server:control("faults", { on = "getInstallation", status = 404, skip = 1, next = 1 })
    local report = assert(edit({ parallel = 1 }, hasty))
    assert.equal(changed - 1, report.done + report.before)
    hasty:close()
    local undone = assert(client.installations:undo(name, { settle = 0 }))
    assert.equal(changed - 1, undone.done)
    local edits = simulated.edits(server)
    assert.equal(1, edits["installation-0000004"]) -- it looked gone, so it was left as it was
  end)

  it("waits for a killed run's request before it decides, to edit as to undo", function()
    local slept = {}
    local transport = require("ampersand.transport.curl").new {}
    local resting = simulated.client(server, { transport = {
      request = function(_, req) return transport:request(req) end,
      sleep = function(_, seconds) slept[#slept + 1] = seconds end,
    } })
    for _, go_on in ipairs {
      function() return edit({ settle = 1000 }, resting) end,
      function() return resting.installations:undo(name, { settle = 1000 }) end,
    } do
      os.remove(name)
      slept = {}
      server:control("faults", { on = "updateInstallation", drop = true, next = 1 })
      assert.equal(1, assert(edit()).doubt)
      assert(go_on())
      assert.equal(1, #slept)
      assert.truthy(slept[1] > 900 and slept[1] <= 1000)
      assert.is_true(assert(client.installations:undo(name)):complete())
      assert.is_nil(simulated.difference(server, COUNT))
    end
    transport:close()
  end)

  it("notes what the server refuses, and stops when too much is refused", function()
    server:control("faults", { on = "updateInstallation", status = 422, next = 2 })
    local report = assert(edit())
    assert.equal(2, report.fail)
    assert.matches("422", report.problems[1].why)
    assert.equal(2, assert(edit()).done)
    assert.is_nil(simulated.difference(server, COUNT, fn))

    server:control("faults", { on = "updateInstallation", status = 403 })
    local undone, err = client.installations:undo(name, { max_failures = 3, parallel = 1 })
    assert.is_nil(undone)
    assert.matches("stopped after 3 failures", err.message)
    assert.equal(3, err.report.fail)
    server:control("faults", { clear = true })
    assert.equal(changed, assert(client.installations:undo(name)).done)
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("sends nothing when the listing breaks off, or the plan cannot be carried out", function()
    server:control("faults", { on = "listInstallations", cut = 90000, next = 1 })
    local report, err = edit()
    assert.is_nil(report)
    assert.truthy(err.delivered > 0)
    assert.is_nil((client.installations:undo(name)))

    report, err = client.installations:edit(function(config, installation)
      fn(config, installation)
      if installation.id == "installation-0000060" then config.content.provider = "other" end
    end, { journal = name })
    assert.is_nil(report)
    assert.matches("nothing was sent: 1 installations cannot .*%(installation%-0000060: .*provider", err.message)
    assert.equal(0, arrived "updateInstallation")
    assert.equal(changed, assert(edit()).done) -- the same journal is free for a plan that can be carried out
  end)

  it("asks before it does what could not be undone", function()
    local function add(config, installation)
      if installation.id == "installation-0000007" then config.content.read.objects.new = { objectName = "new" } end
    end
    local report, err = client.installations:edit(add, { journal = name })
    assert.is_nil(report)
    assert.matches("could not be undone", err.message)
    assert.equal(1, assert(client.installations:edit(add, { journal = name, irreversible = true })).done)
    report = assert(client.installations:undo(name))
    assert.equal(1, report.fail)
    assert.matches("cannot be removed", report.problems[1].why)
  end)

  it("writes no secret into a journal", function()
    local report, err = client.installations:edit(function(config)
      config.createdBy = "consumer:" .. server.key
    end, { journal = name })
    assert.is_nil(report)
    assert.matches("something like a key or a token", err.message)
    assert(edit { canary = 1 })
    for line in io.lines(name) do assert.is_nil(line:find(server.key, 1, true)) end
  end)

  it("touches no file that is not its journal", function()
    local function refused(text, words, with)
      local file = assert(io.open(name, "w"))
      file:write(text)
      file:close()
      local report, err = edit({}, with)
      assert.is_nil(report)
      assert.equal("config", err.kind)
      assert.matches(words, err.message)
      file = assert(io.open(name))
      assert.equal(text, file:read "*a")
      file:close()
    end
    refused("my notes", "not a journal of an edit")
    refused('{"type":"edit"}\n', "not a journal of an edit")
    refused('{"ampersand":"edit/1","type":"edit","project":"other","integration":"integration-123"}\n',
      "is of project other")
    local header = '{"ampersand":"edit/1","type":"edit","project":"%s","integration":"%s"}\n'
    refused(header:format(server.project, server.integration) .. '{"a\n{"type":"done","n":1}\n', "line 2 is not a record")
    assert.is_nil((client.installations:undo(name .. ".absent")))
    assert.equal(0, server:requests().count)
  end)

  it("does without a journal when `journal` is false", function()
    assert.equal(changed, assert(edit { journal = false, canary = 0.1 }).done)
    assert.is_nil(simulated.difference(server, COUNT, fn))
  end)

  it("reaches the whole project, each integration by its own path", function()
    local seen = {}
    local report = assert(client.installations:in_project():edit(function(config, installation)
      if installation.integrationId == "integration-124" or installation.id == "installation-0000009" then
        config.createdBy = "builder:me"
        seen[#seen + 1] = installation.id
      end
    end, { journal = name }))
    assert.equal(4, report.done)
    assert.equal(4, #seen)
    assert.equal(4, assert(client.installations:in_project():undo(name)).done)
  end)

  it("stops when the journal cannot be written", function()
    local full = io.open("/dev/full", "w")
    if not full then return end
    full:close()
    local report, err = edit { journal = "/dev/full" }
    assert.is_nil(report)
    assert.matches("cannot be written, so nothing was sent: .*space", err.message)
    report, err = edit { journal = "/nowhere/at/all.jsonl" }
    assert.is_nil(report)
    assert.equal("config", err.kind)
    assert.equal(0, arrived "updateInstallation")
  end)

  it("reports every outcome while it runs", function()
    local seen = {}
    server:control("faults", { on = "updateInstallation", status = 422, skip = 2, next = 1 })
    assert(edit { parallel = 1, canary = 1, on_progress = function(event) seen[#seen + 1] = event end })
    assert.equal(changed + 1, #seen)
    assert.equal("done", seen[1].outcome)
    assert.equal("installation-0000060", seen[1].id)
    assert.equal("canary", seen[2].outcome)
    assert.equal("fail", seen[4].outcome)
    assert.equal(changed, seen[4].of)
  end)
end)

describe("the arguments of an edit", function()
  local client = double.client(double.answers(double.json "[]"))
  local function nothing() end

  it("are checked before anything is asked", function()
    local installations = client.installations
    assert.error_matches(function() installations:edit() end, "expected a function")
    assert.error_matches(function() installations:edit(nothing) end, "give `journal`")
    assert.error_matches(function() installations:edit(nothing, { jurnal = "x" }) end, "did you mean \"journal\"")
    assert.error_matches(function() installations:edit(nothing, { journal = true }) end, "give `journal`")
    assert.error_matches(function() installations:edit(nothing, { journal = false, canary = 0 }) end, "share above 0")
    assert.error_matches(function() installations:edit(nothing, { journal = false, canary = { wait = 1 } }) end,
      "or a count")
    assert.error_matches(function() installations:edit(nothing, { journal = false, canary = true }) end,
      "share below 1")
    assert.error_matches(function() installations:edit(nothing, { journal = false, settle = -1 }) end, "zero or more")
    assert.error_matches(function() installations:select { "id" }:edit(nothing, { journal = false }) end, "selection")
    assert.error_matches(function() installations:undo() end, "path of a journal")
    assert.error_matches(function() client.connections:edit(nothing) end, "no method \"edit\"")
    assert.error_matches(function() installations:edti(nothing) end, "did you mean \"edit\"")
  end)

  it("may be an edit of nothing at all", function()
    local report = assert(client.installations:edit(nothing, { journal = false, canary = 0.5 }))
    assert.equal("0 listed, 0 to change: 0 done", tostring(report))
    assert.is_true(report:complete())
  end)

  it("must give what JSON can hold: dry run and edit refuse the rest alike, before anything is sent", function()
    local itself, deep = {}, {}
    itself.inner = { itself }
    for _ = 1, 5000 do deep = { a = deep } end
    local name = os.tmpname()
    for _, case in ipairs {
      { print, "enabled is a function," }, { "\255", "enabled is a text that is not UTF-8" },
      { 0 / 0, "enabled is NaN," }, { 1 / 0, "enabled is infinite," }, { io.stdout, "enabled is a userdata," },
      { itself, "enabled.inner[1] is a table that holds itself" }, { { ["\255"] = 1 }, "enabled has a key that is not" },
      { { 1, x = 2 }, "enabled: cannot encode a table" }, { { { print } }, "enabled[1][1] is a function" },
      { deep, "… is a table that is nested too deep" },
    } do
      local value, words = case[1], case[2]
      local transport = double.answers(double.json '[{"id":"a","config":{"content":{"proxy":{"enabled":true}}}}]')
      local with = double.client(transport)
      local function change(config) config.content.proxy.enabled = value end
      local told = {}
      local report = assert(with.installations:edit(change, {
        dry_run = true, out = function(line) told[#told + 1] = line end }))
      told = table.concat(told, "\n")
      assert.truthy(told:find("! config.content.proxy.enabled", 1, true) and told:find(words, 1, true), told)
      assert.truthy(told:find("0 of 1 installations would change; nothing was sent, and 1 cannot", 1, true), told)
      assert.equal(1, report.against)
      for _, journal in ipairs { name, false } do
        local done, err = with.installations:edit(change, { journal = journal })
        assert.is_nil(done)
        assert.truthy(err.message:find("nothing was sent: 1 installations cannot", 1, true), err.message)
        assert.truthy(err.message:find(words, 1, true), err.message)
      end
      assert.equal(3, #transport.asked) -- three listings
    end
    os.remove(name)
  end)

  it("must give a config, false or nothing", function()
    local with = double.client(double.answers(double.json '[{"id":"a","config":{"content":{}}}]'))
    local function number() return 1 end
    assert.error_matches(function() with.installations:edit(number, { journal = false }) end, "got number")
    assert.equal(0, assert(with.installations:edit(function() return false end, { journal = false })).changed)
  end)
end)
