-- Journals that have lost their tail: what a machine without power, or a copy that broke off, leaves of one.

local command = require "support.command"
local core = require "ampersand.core"
local mock = require "support.mock"
local simulated = require "support.simulated"

local COUNT, STEP = 30, 2
local CHANGED = simulated.changed(COUNT, STEP)
local fn = simulated.edit(STEP)

describe("a journal whose tail is lost", function()
  local server, client, name

  before_each(function() server, client, name = simulated.open(COUNT) end)
  after_each(function() simulated.close(server, client, name) end)

  local function edit(more) return simulated.run(client, name, fn, more) end

  local function undo() return client.installations:undo(name, { settle = 0 }) end

  local function write(text) command.write(name, text) end

  local function records(kind) return simulated.records(name, kind) end

  -- Installations about which no record but the plan's is left.
  local function without_record()
    local open, count = {}, 0
    for line in io.lines(name) do
      local record = core.decode(line)
      if record and record.type == "plan" then open[record.id], count = true, count + 1 end
      if record and open[record.id] and record.type ~= "plan" then open[record.id], count = nil, count - 1 end
    end
    return open, count
  end

  local function cut(bytes)
    local text = command.read(name)
    write(text:sub(1, #text - bytes))
  end

  -- The bytes behind the plan.
  local function tail()
    local text = command.read(name)
    return #text - select(2, text:find '"type":"planned"}\n')
  end

  local function check_named(report, open)
    local named = {}
    for _, problem in ipairs(report.problems) do
      assert.equal("unrecorded", problem.outcome)
      assert.matches("no record of a request", problem.why)
      named[problem.id] = true
    end
    assert.same(open, named)
  end

  it("is noticed: what holds the new values without a record is reported, by resume and by undo", function()
    for _, share in ipairs { 0.2, 0.5, 0.9, 1 } do
      for _, resumes in ipairs { false, true } do
        assert(edit())
        cut(math.floor(tail() * share))
        local open, count = without_record()
        assert.truthy(count > 0 and count <= CHANGED)
        if resumes then
          local report = assert(edit())
          assert.equal(count, report.unrecorded)
          assert.is_false(report:complete())
          assert.matches(count .. " without a record", tostring(report), 1, true)
          check_named(report, open)
          assert.equal(count, assert(edit()).unrecorded) -- and again, while it is so
        end
        local report = assert(undo())
        assert.equal(CHANGED - count, report.done)
        assert.equal(count, report.unrecorded)
        assert.is_false(report:complete())
        check_named(report, open)
        for id, edits in pairs(simulated.edits(server)) do assert.equal(open[id] and 1 or 2, edits, id) end
        server:stop()
        server = mock.start { installations = COUNT }
        client:close()
        client = simulated.client(server)
        os.remove(name)
      end
    end
  end)

  it("costs one read of each installation of the plan, and nothing where the end is there", function()
    assert(edit())
    local text = command.read(name)
    write(text:match '^(.*\n)[^\n]*"type":"end"')
    local function looks() return server:requests().by_operation.getInstallation end
    local before = looks()
    local report = assert(undo())
    assert.is_true(report:complete())
    assert.equal(before + CHANGED, looks())
    assert.is_true(assert(undo()):complete())
    assert.equal(before + CHANGED, looks())
  end)

  it("costs no read of what was not changed, where the end is there", function()
    server:control("faults", { on = "updateInstallation", status = 422, next = 2 })
    assert.equal(2, assert(edit()).fail)
    local before = server:requests().by_operation.getInstallation
    assert(undo())
    assert.equal(before + CHANGED - 2, server:requests().by_operation.getInstallation)
  end)

  it("leaves alone what is as it was before the edit", function()
    server:control("faults", { on = "updateInstallation", status = 403 })
    assert.is_nil((edit { max_failures = 5, parallel = 1 }))
    server:control("faults", { clear = true })
    cut(200)
    local report = assert(undo())
    assert.same({ 0, 0 }, { report.done, report.unrecorded })
    assert.is_true(report:complete())
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("is distinguished from one that is whole: every run ends with its counts", function()
    server:control("faults", { on = "updateInstallation", status = 422, next = 2 })
    assert(edit())
    assert(edit())
    server:control("faults", { on = "updateInstallation", status = 403 })
    assert.is_nil((client.installations:undo(name, { max_failures = 1, parallel = 1 })))
    server:control("faults", { clear = true })
    assert(undo())
    local counts = {}
    for i, record in ipairs(records "end") do
      counts[i] = { record.before, record.done, record.fail, record.whole, record.undo or false }
    end
    assert.same({
      { 0, CHANGED - 2, 2, true, false }, { CHANGED - 2, 2, 0, true, false },
      { 0, 0, 1, false, true }, { 0, CHANGED, 0, true, true },
    }, counts)
  end)

  it("can be no longer than a second: the plan and the end reach the disk, and what stands between once a second", function()
    local log, append_file, now, offset = {}, core.append_file, core.now, 0
    core.now = function() return now() + offset end
    core.append_file = function(path)
      local file = assert(append_file(path))
      return {
        write = function(_, text)
          log[#log + 1] = text:match '"type":"(%l+)"'
          if log[#log] == "send" or log[#log] == "done" then offset = offset + 0.5 end
          return file:write(text)
        end,
        sync = function()
          log[#log + 1] = "SYNC"
          return file:sync()
        end,
        size = function() return file:size() end,
        close = function() file:close() end,
      }
    end
    local started = core.now()
    assert(edit())
    local seconds = core.now() - started
    core.append_file, core.now = append_file, now
    local text = table.concat(log, " ")
    assert.truthy(text:find("planned SYNC send", 1, true), text)
    assert.truthy(text:find "end SYNC$", text)
    local _, syncs = text:gsub("SYNC", "")
    assert.truthy(offset == CHANGED and syncs >= offset and syncs <= 2 + seconds, syncs)
  end)

  it("and a disk that fails stop the run", function()
    local append_file, fails = core.append_file, "planned"
    local function failing(path)
      local file = assert(append_file(path))
      local last
      return {
        write = function(_, text)
          last = text:match '"type":"(%l+)"'
          return file:write(text)
        end,
        sync = function()
          if last == fails then return nil, "the disk is broken" end
          return file:sync()
        end,
        size = function() return file:size() end,
        close = function() file:close() end,
      }
    end
    core.append_file = failing
    local report, err = edit()
    assert.is_nil(report)
    assert.matches("nothing was sent: the disk is broken", err.message)
    assert.is_nil(server:requests().by_operation.updateInstallation)
    fails = "end"
    report, err = edit()
    core.append_file = append_file
    assert.is_nil(report)
    assert.matches("the disk is broken", err.message)
    assert.equal(CHANGED, err.report.done)
  end)
end)
