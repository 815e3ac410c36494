-- The sessions of examples/cli/README.md, run as they stand there against the stand-in.

local command = require "support.command"
local standin = require "support.standin"

local GUIDE = "examples/cli/README.md"

-- The guide's commands run in the reader's directory; the stand-in of the guide listens on another port.
local SETTING = [[
root=$PWD; export LUA_PATH="$root/lua/?.lua;;" LUA_CPATH="$root/$LUA_CPATH"
ampersand() { "$LUA" "$root/bin/ampersand" "$@"; }
cd "$HOME"
]]

-- { { command, expected output }… }
local function steps()
  local list, inside = {}, false
  for line in io.lines(GUIDE) do
    if line:find "^```" then
      inside = line == "```console"
    elseif inside and line:find "^%$ " then
      list[#list + 1] = { line:sub(3), "" }
    elseif inside then
      list[#list][2] = list[#list][2] .. line .. "\n"
    end
  end
  return list
end

-- What differs from run to run: the port, and the folder of the configuration.
local function settle(text, session, server)
  text = text:gsub(("127.0.0.1:%d"):format(server.port):gsub("%p", "%%%0"), "127.0.0.1:8080")
  return (text:gsub(session.home:gsub("%p", "%%%0"), "~/.config"))
end

describe("the guide of the command line", function()
  it("does what it says", function()
    local server = standin.start { installations = 200 }
    local session = command.session()
    finally(function()
      server:stop()
      session:close()
    end)
    session.env.AMP_API_URL, session.env.AMP_API_KEY = server.url:gsub("/v1$", ""), server.key
    local all = steps()
    assert.is_true(#all > 20, #all .. " steps")
    for _, step in ipairs(all) do
      local result = session:run(SETTING .. "{ " .. step[1] .. "\n} 2>&1")
      assert.equal(step[2], settle(result.out, session, server), step[1])
    end
  end)

  it("shows the exit codes there are", function()
    local text = command.read(GUIDE)
    for _, meaning in ipairs(require("ampersand.cli.exit").MEANINGS) do
      assert.truthy(text:find(("\n| %d | "):format(meaning[1]), 1, true), meaning[1])
    end
  end)
end)
