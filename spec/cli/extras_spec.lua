-- The command where it stays or changes a fleet: watch, explain, edit, undo, wait.

local command = require "support.command"
local core = require "ampersand.core"

local server, session

local function run(line, more) return session:call(line, more) end

setup(function() server, session = command.open { installations = 85, read_seconds = 0.3 } end)
teardown(function() command.close(server, session) end)

describe("watch", function()
  it("reports changes as lines and as JSON, and remembers what it has reported", function()
    local state = ' --state "$HOME/seen" '
    local first = run("ampersand installations watch --polls 1 --ndjson" .. state)
    assert.same({ 0, "", "" }, { first.code, first.out, first.err })
    assert.equal(0, run("ampersand installations delete installation-0000007 --yes --quiet").code)
    local second = run("ampersand installations watch --polls 1 --ndjson" .. state)
    local change = core.decode(second.out)
    assert.same({ "removed", "installation-0000007" }, { change.type, change.id })
    assert.equal("", run("ampersand installations watch --polls 1 --ndjson" .. state).out)
    local lines = run "ampersand installations watch --polls 1 --existing --where id=installation-0000082"
    local expected = "  bad_credentials  installation-0000082  (Back\\slash & Tab Inc)  working -> bad_credentials\n"
    assert.truthy(lines.out:find(expected, 1, true), lines.out)
  end)

  it("ends with 3 as soon as its condition is met", function()
    local result = run "ampersand installations watch --existing --fail-if unhealthy --interval 60 --ndjson"
    assert.equal(3, result.code)
    assert.equal("unhealthy", core.decode(result.out:match "([^\n]+)\n$").type)
  end)

  it("ends for what no waiting helps against", function()
    assert.equal(4, run("ampersand installations watch", { AMP_API_KEY = "wrong-key" }).code)
    assert.equal(2, run("ampersand installations watch --state /dev/null/x --interval 0").code)
  end)
end)

describe("explain", function()
  it("names a cause and a next step", function()
    local result = run "ampersand installations explain installation-0000082"
    assert.truthy(result.out:find "^installation%-0000082: .-\nnext: .-\n")
    local code = run "ampersand installations explain installation-0000082 --template '{code}'"
    assert.equal("bad_credentials\n", code.out)
    assert.equal("healthy", core.decode(run("ampersand installations explain installation-123 --json").out).code)
    assert.equal(1, run("ampersand installations explain nobody").code)
  end)
end)

describe("edit and undo", function()
  local edit = "ampersand installations edit --where connection.provider=hubspot --set content.proxy.enabled:="
  local read = "ampersand installations list --where connection.provider=hubspot --sort id"
    .. " --template '{config.content.proxy.enabled}'"

  it("show the plan, ask, change, and put back", function()
    local before = run(read).out
    assert.truthy(before:find "true")
    local dry = run(edit .. "false --dry-run")
    assert.equal(0, dry.code)
    assert.truthy(dry.out:find("content.proxy.enabled: true -> false", 1, true), dry.out)
    assert.equal(before, run(read).out)
    assert.equal(2, run(edit .. 'false --journal "$HOME/j"').code) -- nobody to ask
    assert.equal(2, run(edit .. "false --yes").code) -- no journal
    local done = run(edit .. 'false --journal "$HOME/j" --yes')
    assert.equal(0, done.code, done.err)
    assert.is_nil(run(read).out:find "true")
    if not command.has_terminal() then pending(command.NO_TERMINAL) end
    local asked = session:show('ampersand installations undo "$HOME/j"', { keys = "n\r", after = "%[y/N%]" })
    assert.equal(1, asked.code)
    assert.truthy(asked.out:find "Change %d+ installations back%? %[y/N%] ")
    assert.is_nil(run(read).out:find "true")
    assert.equal(0, run('ampersand installations undo "$HOME/j" --yes').code)
    assert.equal(before, run(read).out)
  end)

  it("ask nothing where nothing would change", function()
    local result = session:call(edit .. 'false --where id=nobody --journal "$HOME/k"', nil, nil,
      { terminals = { [0] = true, true, true } })
    assert.equal(0, result.code)
    assert.truthy(result.out:find("0 of 0 installations would change", 1, true), result.out)
    assert.is_nil(result.out:find("[y/N]", 1, true))
  end)

  it("show what cannot be changed, and take away what is not there without a word", function()
    local one = "ampersand installations edit --where id=installation-123 --dry-run "
    local dry = run(one .. "--set content.read.extra.deep:=1")
    assert.truthy(dry.out:find("! config.content.read.extra cannot be changed: the API has no mask for it\n", 1, true), dry.out)
    assert.truthy(run(one .. "--unset content.none.deep").out:find "^0 of 1 ")
  end)

  it("refuse what is not a change", function()
    assert.equal(2, run("ampersand installations edit --dry-run").code)
    assert.equal(2, run("ampersand installations edit --dry-run --set content").code)
    assert.equal(2, run("ampersand installations edit --dry-run --set 'content.proxy.enabled:={'").code)
    assert.equal(2, run('ampersand installations undo "$HOME/none" --yes').code)
  end)
end)

describe("operations wait", function()
  local function trigger(mine)
    local started = mine:call "ampersand installations read contact -f groupRef=group-123 -f mode=async --template '{operationId}'"
    return started.out:match "%S+"
  end

  it("waits for success", function()
    local id = trigger(session)
    local result = run(("ampersand operations wait %s --interval 0.1 --template '{id} {status}'"):format(id))
    assert.equal(id .. " success\n", result.out, result.err)
  end)

  it("gives up with 5", function()
    command.with({ installations = 2, read_seconds = 600 }, function(mine)
      local result = mine:call(("ampersand operations wait %s --timeout 0.2 --interval 0.1"):format(trigger(mine)))
      assert.same({ 5, "" }, { result.code, result.out })
      assert.truthy(result.err:find("still going on", 1, true), result.err)
    end)
  end)

  it("ends with 3 when the operation fails", function()
    command.with({ installations = 2, read_seconds = 0.2, fail_reads = true }, function(mine)
      local result = mine:call(("ampersand operations wait %s --interval 0.1"):format(trigger(mine)))
      assert.equal(3, result.code, result.err)
      assert.truthy(result.err:find("failed", 1, true))
    end)
  end)
end)
