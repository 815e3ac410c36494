-- The examples and the README's code run as they are written.

local standin = require "support.standin"

local LUA = os.getenv "LUA" or "lua"

-- Runs a Lua file with the stand-in as its API; answers what it wrote and whether it ended well.
local function run(server, file, arguments, more)
  local command = ("AMP_API_URL='%s' AMP_API_KEY='%s' %s %s %s %s 2>&1; echo \"exit $?\""):format(
    server.url:gsub("/v1$", ""), server.key, more or "", LUA, file, arguments or "")
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  local output, code = text:match "^(.*)exit (%d+)\n$"
  return output, code == "0"
end

describe("the example", function()
  local server

  before_each(function() server = standin.start { installations = 25 } end)
  after_each(function() server:stop() end)

  it("list_installations.lua shows a table with the health of all", function()
    local text, ok = run(server, "examples/list_installations.lua", "project-456 integration-123")
    assert.is_true(ok, text)
    assert.truthy(text:find("^INSTALLATION +GROUP +PROVIDER +CONNECTION +HEALTH\n"), text)
    assert.equal(25, select(2, text:gsub("\ninstallation%-%w+ [^\n]+healthy", "")), text)
    assert.truthy(text:find("\n25 installations: ", 1, true))
    assert.is_nil(text:gsub("\n", ""):find "%c", "control characters reach the terminal")
  end)

  it("list_installations.lua says what is wrong in one line", function()
    local text, ok = run(server, "examples/list_installations.lua", "nobody integration-123")
    assert.is_false(ok)
    assert.truthy(text:find("404", 1, true), text)
    text, ok = run(server, "examples/list_installations.lua", "", "env -u AMPERSAND_PROJECT_ID")
    assert.is_false(ok)
    assert.truthy(text:find("AMPERSAND_PROJECT_ID", 1, true), text)
  end)

  it("demo.lua starts its own server and stops it", function()
    local text, ok = run(server, "examples/demo.lua", "examples/list_installations.lua")
    assert.is_true(ok, text)
    assert.truthy(text:find("25 installations: 2 unhealthy, 23 healthy", 1, true), text)
  end)

  -- The block about fleets watches for ever; spec/fleet_examples_spec.lua runs what it shows.
  it("the README's Lua blocks run one after the other", function()
    local file = assert(io.open "README.md")
    local blocks = {}
    for block in file:read("*a"):gmatch "\n```lua\n(.-)\n```" do
      if not block:find(":watch", 1, true) then blocks[#blocks + 1] = block end
    end
    file:close()
    assert.is_true(#blocks >= 3)
    local name = os.tmpname()
    finally(function() os.remove(name) end) -- luacheck: ignore
    file = assert(io.open(name, "w"))
    file:write(table.concat(blocks, "\n"))
    file:close()
    local text, ok = run(server, name)
    assert.is_true(ok, text)
    assert.truthy(text:find("\thealthy\n", 1, true), text)
  end)
end)
