-- What a fleet's programs exit with: nothing that could not look, or left something undone, exits with 0.

local command = require "support.command"
local mock = require "support.mock"

local LUA = os.getenv "LUA" or "lua"

describe("a program exits with", function()
  local server, session

  before_each(function()
    server = mock.start { installations = 60 }
    session = command.session(server)
  end)

  after_each(function()
    session:close()
    server:stop()
  end)

  local function pager(more)
    return session:run(LUA .. ' examples/fleet/pager.lua "$HOME/pager.state" 0.1 1', more)
  end

  it("0 where the pager has polled, and not where it could not", function()
    local down = "http://127.0.0.1:1"
    assert.equal(1, pager({ AMP_API_URL = down }).code)
    assert.equal(4, pager({ AMP_API_KEY = "not-the-key" }).code)
    local result = pager()
    assert.equal(0, result.code, result.err)
    assert.equal(1, pager({ AMP_API_URL = down }).code)
    server:control("faults", { on = "listInstallations", status = 503, next = 8 })
    assert.equal(1, pager().code)
    server:control("faults", { clear = true })
    assert.equal(1, session:run(LUA .. ' examples/fleet/pager.lua "$HOME/pager.state" 0.1 1',
      { AMPERSAND_PROJECT_ID = "other" }).code)
  end)

  it("1 where a watch of the command could not look at its last poll", function()
    local down = { AMP_API_URL = "http://127.0.0.1:1" }
    for _, flags in ipairs { "", " --fail-if unhealthy", " --fail-if any --existing", ' --state "$HOME/w"' } do
      local result = session:run("ampersand installations watch --interval 0.1 --polls 2" .. flags, down)
      assert.equal(1, result.code, flags .. result.err)
      assert.truthy(result.err ~= "")
    end
    assert.equal(0, session:run("ampersand installations watch --polls 1").code)
  end)
end)
