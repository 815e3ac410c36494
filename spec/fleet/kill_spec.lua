-- Edits and undos whose process is killed, again and again, at moments drawn from a seed.

local command = require "support.command"
local lfs = require "lfs"
local process = require "support.process"
local simulated = require "support.simulated"
local socket = require "socket"

local COUNT, STEP = 100, 2
local CHANGED = simulated.changed(COUNT, STEP)

-- Runs an edit or an undo, and tells by a file that it came to its end, and whether nothing is left to do.
local PROGRAM = [[
local simulated = require "support.simulated"
local url, key, project, integration, journal, what = (table.unpack or unpack)(arg)
local client = simulated.client({ url = url, key = key, project = project, integration = integration })
local given = { journal = what == "edit" and journal or nil, settle = 0.2, max_failures = 1000 }
local report, err
if what == "edit" then
  report, err = client.installations:edit(simulated.edit(]] .. STEP .. [[), given)
else
  report, err = client.installations:undo(journal, given)
end
print(report or err)
local file = assert(io.open(journal .. ".end", "w"))
file:write(report and report:complete() and "complete" or "partial")
file:close()
]]

-- The same numbers on every Lua.
local function dice(seed)
  local state = seed
  return function(n)
    state = state * 16807 % 2147483647
    return state % n
  end
end

describe("an edit whose process is killed at random moments", function()
  local server, client, journal

  before_each(function() server, client, journal = simulated.open(COUNT) end)
  after_each(function()
    simulated.close(server, client, journal)
    os.remove(journal .. ".end")
  end)

  local function start(what)
    return process.start(PROGRAM, server.url, server.key, server.project, server.integration, journal, what)
  end

  -- "complete" or "partial" when the run has come to its end.
  local function ended()
    local file = io.open(journal .. ".end")
    local word = file and file:read "*a"
    if file then file:close() end
    return word ~= "" and word
  end

  local function is_planned()
    local file = io.open(journal)
    local text = file and file:read "*a" or ""
    if file then file:close() end
    return text:find('"type":"planned"', 1, true) ~= nil
  end

  -- A moment to kill at: for the first two runs while the plan is written, then some lines after it.
  local function moment(round, draw)
    local in_plan, after = round <= 2 and draw(100000) or math.huge, nil
    return function()
      local size = lfs.attributes(journal, "size") or 0
      if not after and size > 0 and is_planned() then after = size + draw(3000) end
      return ended() or size > (after or in_plan)
    end
  end

  -- Kills runs until one gets to its end; `check` after each.
  local function kill_again_and_again(what, draw, check)
    local kills, output = 0, nil
    for round = 1, 60 do
      local running = start(what)
      process.wait_until(moment(round, draw), 20)
      socket.sleep(draw(4) / 1000)
      local word = ended()
      if not word then
        running:kill()
        kills = kills + 1
      end
      output = running:wait()
      os.remove(journal .. ".end")
      check()
      if word == "complete" then break end
    end
    return kills, output
  end

  -- A file may grow so far and no further, as on a disk that is full; at first that ends the plan, then the run.
  it("sends nothing that its journal cannot hold, and goes on when there is room", function()
    local program = os.tmpname()
    finally(function() os.remove(program) end) -- luacheck: ignore 113
    local file = assert(io.open(program, "w"))
    file:write(PROGRAM)
    file:close()
    local function run_within(blocks)
      local pipe = assert(io.popen(("trap '' XFSZ; ulimit -f %s; exec %s %s %s %s %s %s %s edit 2>&1"):format(blocks,
        os.getenv "LUA" or "lua", program, server.url, server.key, server.project, server.integration, journal)))
      local output = pipe:read "*a"
      pipe:close()
      return output
    end
    assert(simulated.run(client, journal, simulated.edit(STEP))) -- once with room enough, to know how much that is
    local text = command.read(journal)
    local plan, all = text:find '"type":"planned"' / 512, #text / 512
    simulated.close(server, client, journal)
    server, client, journal = simulated.open(COUNT)

    local planned, stopped = 0, 0
    local begun = 0 -- what the second run leaves of a plan; the third makes its own below it
    for i, blocks in ipairs { 1, plan / 2, plan + 3, (plan + all) / 2, all } do
      os.remove(journal .. ".end")
      local output = run_within(math.floor(begun + blocks))
      assert.matches("the journal cannot be written", output, 1, true)
      if i == 2 then begun = #command.read(journal) / 512 end
      stopped = stopped + 1
      planned = planned + (is_planned() and 1 or 0)
      local _, installations = simulated.edits(server)
      local announced = select(2, command.read(journal):gsub('"type":"send"', ""))
      assert.is_true(installations <= announced, installations .. " edits, " .. announced .. " announced")
    end
    assert.same({ 5, 3 }, { stopped, planned })
    assert.is_true(assert(simulated.run(client, journal, simulated.edit(STEP))):complete())
    assert.is_nil(simulated.difference(server, COUNT, simulated.edit(STEP)))
    local _, installations, most = simulated.edits(server)
    assert.same({ CHANGED, 1 }, { installations, most })
  end)

  it("loses nothing, applies nothing twice, touches nothing else, also when answers get lost or are refusals", function()
    local draw = dice(4711)
    for _ = 1, 10 do draw(2) end
    for _, fault in ipairs { { lose = true }, { drop = true }, { status = 503 } } do
      fault.on, fault.rate = "updateInstallation", 0.08
      server:control("faults", fault)
    end
    -- what is asked is done at once, but the answer takes its time: most kills meet requests under way
    server:control("faults", { on = "updateInstallation", delay = 0.03 })
    server:control("faults", { on = "getInstallation", delay = 0.01 })
    local function nothing_twice(limit)
      return function()
        local edits, _, most = simulated.edits(server)
        assert.truthy(most <= limit, "an installation was edited twice")
        for id in pairs(edits) do assert.equal(0, tonumber(id:match "%d+$") % STEP, id) end
      end
    end
    local kills, output = kill_again_and_again("edit", draw, nothing_twice(1))
    assert.truthy(kills >= 3, "the edit was hardly ever killed")
    assert.truthy(output and output:find(CHANGED .. " to change", 1, true), output)
    assert.is_nil(simulated.difference(server, COUNT, simulated.edit(STEP)))
    local _, installations, most = simulated.edits(server)
    assert.equal(CHANGED, installations)
    assert.equal(1, most)

    kills = kill_again_and_again("undo", draw, nothing_twice(2))
    assert.truthy(kills >= 3, "the undo was hardly ever killed")
    assert.is_nil(simulated.difference(server, COUNT))
    local edits
    edits, installations, most = simulated.edits(server)
    assert.equal(CHANGED, installations)
    assert.equal(2, most)
    for id, count in pairs(edits) do assert.equal(2, count, id) end
  end)
end)
