-- Single moments of an edit, over an API of three installations that lives in this process.

local command = require "support.command"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local double = require "support.double"
local mask = require "ampersand.fleet.update_mask"

-- A transport over `api.installations`; `api.before(req)` may answer instead, `api.after(req)` once the request has had
-- its effect.
local function new_api()
  local api = { installations = {}, asked = {}, slept = {}, edits = 0 }
  for i = 1, 3 do
    api.installations[i] = core.decode(([[{ "id": "i%d", "integrationId": "x", "healthStatus": "healthy",
      "updateTime": "2024-01-01T00:00:00Z", "config": { "id": "c%d", "createdBy": "builder:a", "content": {
      "read": { "objects": { "contact": { "objectName": "contact", "schedule": "old", "note": null } } },
      "proxy": { "enabled": true } } } }]]):format(i, i))
  end

  local function find(url)
    local id = url:match "/installations/([^/?]+)"
    for _, installation in ipairs(api.installations) do
      if installation.id == id then return installation end
    end
  end

  local function apply(installation, body)
    for _, path in ipairs(body.updateMask) do
      mask.set(installation, path, deep.copy(mask.get(body.installation, path)))
    end
    api.edits = api.edits + 1
    installation.config.id = "edited-" .. api.edits
    return installation
  end

  api.transport = {
    request = function(_, req)
      local asked = { method = req.method, url = req.url, body = req.body and core.decode(req.body) }
      table.insert(api.asked, asked)
      local answer = api.before and api.before(asked)
      local value = api.installations
      if not answer and req.url:find "/installations/" then
        value = find(req.url)
        if req.method == "PATCH" then apply(value, asked.body) end
      end
      answer = answer or api.after and api.after(asked)
      if answer and answer.fault then return nil, answer.fault, answer.kind, true end
      return answer or double.json(core.encode(value))
    end,
    sleep = function(_, seconds) table.insert(api.slept, seconds) end,
  }

  function api.count(method, id)
    local n = 0
    for _, asked in ipairs(api.asked) do
      if asked.method == method and (not id or asked.url:find("/installations/" .. id, 1, true)) then n = n + 1 end
    end
    return n
  end
  return api
end

describe("a run of an edit", function()
  local api, client, name

  before_each(function()
    api = new_api()
    client = double.client(api.transport, { retry = { attempts = 1 } })
    name = os.tmpname()
    os.remove(name)
  end)

  after_each(function() os.remove(name) end)

  local function edit(more)
    local given = { journal = name, settle = 0 }
    for option, value in pairs(more or {}) do given[option] = value end
    return client.installations:edit(function(config)
      config.content.read.objects.contact.schedule = "new"
    end, given)
  end

  local function text()
    local file = assert(io.open(name))
    local all = file:read "*a"
    file:close()
    return all
  end

  it("tries four times what the server puts off, looking before each", function()
    api.before = function(asked)
      local patch = asked.method == "PATCH" and asked.url:find "/i2$"
      return patch and double.problem(503, "{}", { ["retry-after"] = "7" })
    end
    local report = assert(edit())
    assert.equal(2, report.done)
    assert.equal(1, report.fail)
    assert.matches("503", report.problems[1].why)
    assert.matches("\n  i2: fail: ", tostring(report), 1, true)
    assert.equal(4, api.count("PATCH", "i2"))
    assert.equal(5, api.count("GET", "i2"))
    assert.same({ 7, 7, 7, 7 }, api.slept)
  end)

  it("leaves in doubt what it can neither hear nor see, and finds out in the next run", function()
    local broken
    api.before = function(asked)
      if asked.method == "GET" and broken and asked.url:find "/i1$" then return double.problem(500, "{}") end
    end
    api.after = function(asked)
      if asked.method == "PATCH" and asked.url:find "/i1$" then
        broken = true
        return { fault = "reset", kind = "closed" }
      end
    end
    local report = assert(edit())
    assert.equal(1, report.doubt)
    assert.equal(2, report.done)
    assert.is_nil(text():find('"type":"doubt"', 1, true))
    broken = false
    report = assert(edit())
    assert.equal(1, report.done)
    assert.equal(2, report.before)
    assert.equal(1, api.count("PATCH", "i1"))
  end)

  it("finds out by itself when only the answer was lost", function()
    api.after = function(asked)
      if asked.method == "PATCH" then return { fault = "reset", kind = "closed" } end
    end
    assert.equal(3, assert(edit()).done)
    assert.equal(3, api.edits)
  end)

  it("keeps nulls, also for a client that drops them", function()
    client = double.client(api.transport, { nulls = "drop" })
    assert.equal(3, assert(edit()).done)
    for _, asked in ipairs(api.asked) do
      if asked.method == "PATCH" then
        assert.equal(core.null, asked.body.installation.config.content.read.objects.contact.note)
      end
    end
  end)

  it("sees a change by its time alone, too, and does not come back to it", function()
    local once
    api.before = function(asked)
      if asked.method == "GET" and asked.url:find "/i3$" and not once then
        once = true
        api.installations[3].updateTime = "2024-02-02T00:00:00Z"
      end
    end
    local report = assert(edit())
    assert.equal(1, report.skip)
    assert.equal("i3", report.problems[1].id)
    local looks = api.count "GET"
    report = assert(edit())
    assert.equal(looks, api.count "GET")
    assert.equal(1, report.skip)
    assert.is_true(report:complete())
  end)

  local function somebody_makes_the_same_change()
    api.before = function(asked)
      if asked.method == "GET" and asked.url:find "/i1$" then
        api.installations[1].config.id = "theirs"
        api.installations[1].config.content.read.objects.contact.schedule = "new"
      end
    end
  end

  it("does not take somebody else's equal change for its own", function()
    somebody_makes_the_same_change()
    local report = assert(edit())
    assert.equal(1, report.skip)
    assert.equal(2, assert(client.installations:undo(name)).changed)
    assert.equal("new", api.installations[1].config.content.read.objects.contact.schedule)
    assert.equal("old", api.installations[2].config.content.read.objects.contact.schedule)
  end)

  it("leaves alone in an undo what the edit has skipped, also where records may be lost", function()
    somebody_makes_the_same_change()
    assert.equal(1, assert(edit()).skip)
    command.write(name, text():match '^(.*\n)[^\n]*"type":"end"')
    local looks = api.count("GET", "i1")
    local report = assert(client.installations:undo(name, { settle = 0 }))
    assert.same({ 2, 0 }, { report.done, report.unrecorded })
    assert.is_true(report:complete())
    assert.equal(looks, api.count("GET", "i1"))
  end)

  it("remembers that a run has lost its tail until another one comes to its end", function()
    assert(edit { parallel = 1 })
    command.write(name, (text():gsub('("type":"planned"}\n).*$', "%1")))
    api.before = function(asked)
      if asked.method == "GET" and asked.url:find "/i1$" then return double.problem(403, "{}") end
    end
    assert.is_nil((edit { parallel = 1, max_failures = 1 }))
    api.before = nil
    local report = assert(client.installations:undo(name, { settle = 0 }))
    assert.same({ 0, 3 }, { report.done, report.unrecorded })
  end)

  it("reports in an undo what holds the new values where the journal's own lines about it cannot be read", function()
    assert(edit { parallel = 1 })
    command.write(name, (text():gsub('[^\n]*"id":"i2"[^\n]*"type":"[ds][^\n]*\n', "damaged\n")))
    local report = assert(client.installations:undo(name, { settle = 0 }))
    assert.same({ 2, 1, 2 }, { report.done, report.unrecorded, #report.damaged })
    assert.is_false(report:complete())
  end)

  it("does not name the process of an earlier run as the one that holds the journal", function()
    command.write(name, '{"pid":1,"type":"edit"}\n{"type":"end"}\n')
    local holder = assert(core.append_file(name))
    local report, err = edit()
    holder:close()
    assert.is_nil(report)
    assert.matches("is in use by another process", err.message, 1, true)
  end)

  it("believes no number of a journal that its records do not bear out", function()
    command.write(name, '{"ampersand":"edit/1","integration":"hubspot","project":"my-project","type":"edit"}\n'
      .. '{"changes":[],"id":"i1","n":1,"type":"plan"}\n{"changes":[],"id":"i2","n":1000000,"type":"plan"}\n'
      .. '{"changed":2000000,"listed":3,"type":"planned"}\n')
    local report = assert(client.installations:undo(name, { dry_run = true, out = function() end }))
    assert.same({ 0, 0 }, { report.changed, report.unreadable })
  end)

  it("asks the API to skip the sample read when asked to", function()
    assert(edit { skip_sampling = true })
    for _, asked in ipairs(api.asked) do
      assert.equal(asked.method == "PATCH", asked.url:find("?skipSampling=true", 1, true) ~= nil)
    end
  end)

  it("waits for its canary, checks it once, and not again when it goes on", function()
    local checks = 0
    local canary = { count = 1, wait = 33, check = function() checks = checks + 1 return true end }
    api.before = function(asked)
      if asked.method == "PATCH" and not asked.url:find "/i3$" then return double.problem(403, "{}") end
    end
    assert.equal(2, assert(edit { canary = canary }).fail)
    assert.same({ 33 }, api.slept)
    assert.equal(1, checks)
    api.before = nil
    assert.equal(2, assert(edit { canary = canary }).done)
    assert.equal(1, checks)
    assert.same({ 33 }, api.slept)
  end)

  it("takes a canary larger than the plan for the plan", function()
    local report = assert(edit { canary = 100 })
    assert.equal(3, report.canary)
    assert.equal(3, report.done)
  end)

  it("sends what somebody sees in the journal, and no more", function()
    assert(edit { journal = name, parallel = 1 })
    local types = {}
    for kind in text():gmatch '"type":"(%l+)"' do types[#types + 1] = kind end
    assert.equal("edit plan plan plan planned send done send done send done end", table.concat(types, " "))
    assert.same({ "config.content.read.objects.contact" }, api.asked[3].body.updateMask)
  end)
end)
