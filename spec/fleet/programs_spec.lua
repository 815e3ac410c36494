-- What a fleet's programs exit with: nothing that could not look, or left something undone, exits with 0.

local command = require "support.command"
local core = require "ampersand.core"

local LUA = os.getenv "LUA" or "lua"

describe("a program exits with", function()
  local server, session

  before_each(function() server, session = command.open { installations = 20 } end)
  after_each(function() command.close(server, session) end)

  local function run(line, more) return session:call(line, more) end

  local function pager(more, state)
    return session:start(('exec %s examples/fleet/pager.lua "$HOME/%s" 0.1 1'):format(LUA, state or "pager.state"), more)
  end

  -- Whether a journal has an installation that is done.
  local function has_begun()
    return command.read(session.home .. "/j"):find('"type":"done"', 1, true)
  end

  it("0 where the pager has polled, and not where it could not", function()
    local down = { AMP_API_URL = "http://127.0.0.1:1" }
    local unable = { pager(down, "new.state") } -- they try again, side by side
    assert.equal(4, pager({ AMP_API_KEY = "not-the-key" }):wait().code)
    local result = pager():wait()
    assert.equal(0, result.code, result.err)
    server:control("faults", { on = "listInstallations", status = 503, next = 8 })
    unable[2], unable[3] = pager(down), pager()
    for i = 1, 3 do assert.equal(1, unable[i]:wait().code) end
    server:control("faults", { clear = true })
    assert.equal(1, pager({ AMPERSAND_PROJECT_ID = "other" }):wait().code)
  end)

  local EDIT = "ampersand installations edit --set createdBy=builder:me "

  it("1 where a dry run finds what the edit would refuse", function()
    local dry = run "ampersand installations edit --dry-run --set content.provider=x"
    assert.equal(1, dry.code)
    assert.matches("nothing would be sent, since installations cannot be changed as asked: 20", dry.err, 1, true)
    assert.equal(0, run(EDIT .. "--dry-run").code)
  end)

  it("1 where another editor was there, and says how far it is where it is stopped", function()
    server:control("faults", { on = "updateInstallation", status = 403, skip = 8 })
    local stopped = run(EDIT .. '--journal "$HOME/j" --yes --parallel 1')
    assert.equal(1, stopped.code)
    assert.matches("8 of 20 done; the same command resumes", stopped.err, 1, true)
    server:control("faults", { clear = true })
    local theirs = "ampersand installations update %s -f updateMask:='[\"config.content.proxy.enabled\"]' "
      .. "-f installation.config.content.proxy.enabled:=true"
    assert.equal(0, run(theirs:format "installation-0000015").code)
    for _ = 1, 2 do
      local done = run(EDIT .. '--journal "$HOME/j" --yes')
      assert.equal(1, done.code, done.out .. done.err)
      assert.matches("left alone, changed by another editor: 1", done.err, 1, true)
    end
    assert.equal(0, run('ampersand installations undo "$HOME/j" --yes').code)
  end)

  it("1 where the journal cannot be written, or another process has it", function()
    for _, journal in ipairs { "/dev/full", "/nowhere/at/all" } do
      local result = run(EDIT .. "--yes --journal " .. journal)
      assert.equal(1, result.code, result.err)
      assert.matches("the journal cannot be written, so nothing was sent: ", result.err, 1, true)
    end
    server:control("faults", { on = "updateInstallation", delay = 0.3, skip = 1 })
    local first = session:start(EDIT .. '--journal "$HOME/j" --yes'):await(has_begun)
    local result = run(EDIT .. '--journal "$HOME/j" --yes')
    server:control("faults", { clear = true })
    assert.equal(1, result.code, result.err)
    assert.equal(0, first:wait().code)
    assert.matches("is in use by process %d+", result.err)
  end)

  it("2 where the journal is another edit's, and what it asks for is the whole path", function()
    local function edit(set) return run('ampersand installations edit --journal "$HOME/j" --yes ' .. set) end
    assert.equal(0, edit("--set 'content.read.objects.*.schedule=1 1 * * *'").code)
    for _, installation in ipairs(core.decode(run("ampersand installations list --json").out)) do
      for name, object in pairs(installation.config.content.read.objects) do
        assert.equal("1 1 * * *", object.schedule, name)
      end
    end
    local other = edit("--set 'content.read.objects.*.schedule=2 2 * * *'")
    assert.equal(2, other.code)
    assert.matches("the journal is of changes", other.err, 1, true)
    assert.equal(2, edit("--where id=x --set 'content.read.objects.*.schedule=1 1 * * *'").code)
  end)

  it("0 with a warning where a value becomes one of another type", function()
    local edit = "ampersand installations edit --dry-run --where config.content.proxy.enabled=true --set "
    local result = run(edit .. "content.proxy.enabled=false")
    assert.equal(0, result.code, result.err)
    assert.matches("warning: content%.proxy%.enabled: a string replaces a boolean in %d+ installations", result.out)
    assert.matches("--set PATH:=JSON", result.err, 1, true)
    result = run(edit .. "content.proxy.enabled:=false")
    assert.same({ 0, "" }, { result.code, result.err })
  end)

  it("0 after a server that limits the rate, and says that it waits", function()
    server:control("faults", { on = "updateInstallation", status = 429, retry_after = 0.1, skip = 5, next = 1 })
    local result = run(EDIT .. '--journal "$HOME/j" --yes')
    assert.equal(0, result.code, result.err)
    assert.equal("ampersand: the server limits the rate; waiting for 0.1 s\n", result.err)
  end)

  it("130 where it is interrupted, and says how far it is", function()
    server:control("faults", { on = "updateInstallation", delay = 0.5, skip = 1 })
    local result = session:start(EDIT .. '--journal "$HOME/j" --yes'):await(has_begun):signal("INT"):wait()
    server:control("faults", { clear = true })
    assert.equal(130, result.code, result.err)
    assert.matches("%d+ of 20 done; the same command resumes", result.err)
    local resumed = run(EDIT .. '--journal "$HOME/j" --yes')
    assert.equal(0, resumed.code, resumed.err)
    assert.matches("%d+ earlier, %d+ done", resumed.out)
  end)

  it("1 where a watch of the command could not look at its last poll", function()
    local down = { AMP_API_URL = "http://127.0.0.1:1" }
    for _, flags in ipairs { "", " --fail-if unhealthy", " --fail-if any --existing", ' --state "$HOME/w"' } do
      local result = run("ampersand --tries 1 installations watch --interval 0.02 --polls 2" .. flags, down)
      assert.equal(1, result.code, flags .. result.err)
      assert.truthy(result.err ~= "")
    end
    assert.equal(0, run("ampersand installations watch --polls 1").code)
  end)

  it("1 where another watch has the same state", function()
    local first = session:start 'ampersand installations watch --interval 60 --state "$HOME/w"'
    first:await(function() return command.read(session.home .. "/w") ~= "" end)
    local result = run 'ampersand installations watch --polls 1 --state "$HOME/w"'
    first:signal("TERM"):wait()
    assert.equal(1, result.code)
    assert.matches("w is in use by another watch", result.err)
    assert.equal(0, run('ampersand installations watch --polls 1 --state "$HOME/w"').code)
  end)
end)
