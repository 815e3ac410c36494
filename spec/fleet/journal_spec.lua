-- One journal, one writer: two processes at once, journals that were damaged or cut.

local command = require "support.command"
local core = require "ampersand.core"
local journal = require "ampersand.fleet.journal"
local process = require "support.process"
local simulated = require "support.simulated"

local COUNT, STEP = 40, 2
local CHANGED = simulated.changed(COUNT, STEP)
local fn = simulated.edit(STEP)

local PROGRAM = [[
local simulated = require "support.simulated"
local url, key, project, integration, journal, what = (table.unpack or unpack)(arg)
local client = simulated.client({ url = url, key = key, project = project, integration = integration })
local report, err
if what == "edit" then
  report, err = client.installations:edit(simulated.edit(]] .. STEP .. [[), { journal = journal, settle = 0 })
else
  report, err = client.installations:undo(journal, { settle = 0 })
end
print(report or err)
print(report and report:complete() and "complete" or "not complete")
]]

describe("a journal", function()
  local server, client, name

  before_each(function() server, client, name = simulated.open(COUNT) end)
  after_each(function() simulated.close(server, client, name) end)

  local function edit(more) return simulated.run(client, name, fn, more) end

  local function undo() return client.installations:undo(name, { settle = 0 }) end

  local function start(what)
    return process.start(PROGRAM, server.url, server.key, server.project, server.integration, name, what)
  end

  local function write(text) command.write(name, text) end

  local function lines_of(text)
    local lines = {}
    for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
    return lines
  end

  -- Runs it twice at once; gives what the one said that came too late.
  local function race(what)
    local first, second = start(what), start(what)
    local outputs = { first:wait(), second:wait() }
    local done = outputs[1]:find "\ncomplete\n$" and 1 or 2
    assert.truthy(outputs[done]:find "\ncomplete\n$", outputs[1] .. outputs[2])
    return outputs[3 - done], ({ first, second })[done].pid
  end

  it("belongs to one process at a time: the second edit and the second undo are refused by name", function()
    server:control("faults", { on = "updateInstallation", delay = 0.1 })
    local late, pid = race "edit"
    assert.truthy(late:find(("in use by process %d"):format(pid), 1, true), late)
    local _, installations, most = simulated.edits(server)
    assert.same({ CHANGED, 1 }, { installations, most })
    assert.is_nil(simulated.difference(server, COUNT, fn))

    late, pid = race "undo"
    assert.truthy(late:find(("in use by process %d"):format(pid), 1, true), late)
    _, installations, most = simulated.edits(server)
    assert.same({ CHANGED, 2 }, { installations, most })
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("stays locked while it is read, and is free when its process ends, whatever that one has started", function()
    local refused, started
    assert(edit { parallel = 1, on_progress = function()
      if refused then return end
      for line in io.lines(name) do assert(core.decode(line)) end -- closes a second descriptor of the file
      refused = select(2, edit())
      started = assert(io.popen("read -r _", "w"))
    end })
    assert.equal("config", refused.kind)
    assert.truthy(refused.message:find("in use by process " .. core.process_id(), 1, true), refused.message)
    assert.equal(CHANGED, assert(undo()).done)
    started:close()
  end)

  it("is free again after an edit that was broken off by an error", function()
    assert.error_matches(function()
      edit { parallel = 1, canary = { count = 1, check = function() error "broken off" end } }
    end, "broken off")
    assert.equal(CHANGED - 1, assert(edit()).done)
  end)

  it("is only ever appended to", function()
    local before = ""
    local function grown()
      local text = command.read(name)
      assert.is_true(before == text:sub(1, #before))
      assert.truthy(#text > #before)
      before = text
    end
    server:control("faults", { on = "listInstallations", cut = 90000, next = 1 })
    assert.is_nil((edit()))
    grown()
    write(before .. '{"type":"pl') -- killed while it planned anew
    before = command.read(name)
    assert.equal(CHANGED, assert(edit()).done)
    grown()
    assert.equal(CHANGED, assert(edit()).before)
    grown()
    assert.equal(CHANGED, assert(undo()).done)
    grown()
    assert.is_nil(simulated.difference(server, COUNT))
  end)

  it("that is damaged in its middle is undone as far as it can be read, and the rest is named", function()
    assert(edit())
    local lines, lost, damaged = lines_of(command.read(name)), {}, {}
    local edits = simulated.edits(server)
    for i = 3, #lines - 1, 17 do
      local record = core.decode(lines[i])
      lines[i], damaged[#damaged + 1] = lines[i]:sub(1, -4), i
      if record.type == "plan" then lost[record.id] = true end
    end
    write(table.concat(lines, "\n") .. "\n")

    local report, err = edit()
    assert.is_nil(report)
    assert.truthy(err.message:find(("line %d is not a record of a journal"):format(damaged[1]), 1, true), err.message)
    report = assert(undo())
    assert.same(damaged, report.damaged)
    assert.is_false(report:complete())
    local unknown = 0
    for _ in pairs(lost) do unknown = unknown + 1 end
    assert.truthy(unknown > 0)
    assert.equal(unknown, report.unreadable)
    assert.truthy(tostring(report):find(("%d installations of the plan cannot be read"):format(unknown), 1, true),
      tostring(report))
    for id, count in pairs(simulated.edits(server)) do
      assert.equal(lost[id] and 1 or 2, count, id)
      assert.equal(1, edits[id])
    end
    -- every installation that still holds the new values is named as such
    assert.equal(0, report.unrecorded)
  end)

  it("without its head, or without the record that ends the plan, is still undone", function()
    for _, pattern in ipairs { '^[^\n]*"type":"edit"', '"type":"planned"' } do
      assert(edit())
      local text = command.read(name)
      local at = text:find(pattern)
      write(text:sub(1, at - 1) .. "\0" .. text:sub(at + 1))
      local report = assert(undo())
      assert.equal(CHANGED, report.done)
      assert.equal(1, #report.damaged)
      assert.is_nil(simulated.difference(server, COUNT))
      os.remove(name)
    end
  end)
end)

describe("the file of a journal", function()
  local name
  before_each(function() name = os.tmpname() end)
  after_each(function() os.remove(name) end)

  local function write(text) command.write(name, text) end

  local function types()
    local out = {}
    for record in assert(journal.reader(name)) do out[#out + 1] = record.type .. (record.line or "") end
    return table.concat(out, " ")
  end

  local function plan(n) return { type = "plan", n = n, id = "a\nb", changes = {} } end

  it("is readable JSON lines, each in the file before `write` returns", function()
    local book = assert(journal.open(name))
    for i = 1, 3 do
      assert(book:write(plan(i)))
      local lines = 0
      for line in io.lines(name) do
        lines = lines + 1
        assert.equal(lines, core.decode(line).n)
      end
      assert.equal(i, lines)
    end
    book:close()
    book:close()
    assert.equal("plan plan plan", types())
  end)

  it("goes on after half a line, wherever the process was killed", function()
    local whole = '{"type":"edit"}\n{"type":"note"}\n'
    for cut = 1, #whole do
      for kind in pairs(journal.BEGINS) do
        write(whole:sub(1, cut))
        local book = assert(journal.open(name))
        assert(book:begin { type = kind })
        assert(book:write { type = "done", n = 1 })
        book:close()
        local before = cut < 15 and "" or cut < 31 and "edit " or "edit note "
        assert.equal(before .. kind .. " done", types(), cut)
      end
    end
  end)

  it("may be cut again before the next run has begun", function()
    write '{"type":"edit"}\n{"ty\n{"type":"res'
    assert.equal("edit", types())
    local book = assert(journal.open(name))
    assert(book:begin { type = "resume" })
    book:close()
    assert.equal("edit resume", types())
  end)

  it("gives damage in its middle by number, also what is JSON but not a record", function()
    write '{"type":"edit"}\n{"ty\n{"type":"done","n":1}\n[]\n{"type":"done"}\n{"type":"done","n":0.5}\n{"type":"end"}\n'
    assert.equal("edit damaged2 done damaged4 damaged5 damaged6 end", types())
    write "just a note\nof mine\n"
    assert.equal("", types())
    assert.is_nil((journal.reader(name .. ".absent")))
  end)

  it("says when it cannot be written or locked", function()
    local ok, why = journal.open(name .. "/below")
    assert.is_nil(ok)
    assert.truthy(why:find(name, 1, true))
    local full = io.open("/dev/full", "w")
    if not full then return end
    full:close()
    local book = assert(journal.open("/dev/full"))
    ok, why = book:write { type = "edit" }
    assert.is_nil(ok)
    assert.matches("space", why)
    book:close()
  end)

  it("never takes the place of a standard descriptor that its program has closed", function()
    local program = ("exec 1>&-; exec %s -e 'local file = assert(require([[ampersand.core]]).append_file([[%s]])); print [[lost]]'")
      :format(os.getenv "LUA" or "lua", name)
    os.execute(program)
    assert.equal("", command.read(name))
  end)

  it("refuses a closed file, and another object in its place", function()
    local file = assert(core.append_file(name))
    assert.equal(0, file:size())
    assert(file:write "abc")
    assert.is_true(file:sync())
    assert.equal(3, file:size())
    file:close()
    file:close()
    for _, method in ipairs { "write", "sync", "size" } do
      assert.error_matches(function() file[method](file, "x") end, "the file is closed")
    end
    assert.error(function() file.write(io.stdout, "x") end)
  end)
end)
