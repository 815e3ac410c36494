-- The sessions of examples/fleet/README.md, run as they stand there against the stand-in, and its Lua, compiled.

local command = require "support.command"
local standin = require "support.standin"

local GUIDE = "examples/fleet/README.md"

local SETTING = [[
root=$PWD; export LUA_PATH="$root/lua/?.lua;;" LUA_CPATH="$root/$LUA_CPATH"
cd "$HOME"; ln -sfn "$root/examples" examples
]]

-- The blocks of one kind, each a list of lines.
local function blocks(kind)
  local list, inside = {}, false
  for line in io.lines(GUIDE) do
    if line:find "^```" then
      inside = line == "```" .. kind
      if inside then list[#list + 1] = {} end
    elseif inside then
      table.insert(list[#list], line)
    end
  end
  return list
end

-- { { command, expected output }… }; what is left running with `&` belongs to the next command.
local function steps()
  local list = {}
  for _, block in ipairs(blocks "console") do
    for _, line in ipairs(block) do
      if line:find "^%$ " and list[1] and list[#list][1]:find "&$" then
        list[#list][1] = list[#list][1] .. "\n" .. line:sub(3)
      elseif line:find "^%$ " then
        list[#list + 1] = { line:sub(3), "" }
      else
        list[#list][2] = list[#list][2] .. line .. "\n"
      end
    end
  end
  return list
end

-- What differs from run to run: how far a killed edit came, and the random part of a link.
local function settle(text)
  return (text:gsub("%d+ earlier, %d+ done", "N earlier, N done"):gsub("state=%w+", "state=…"))
end

describe("the guide of the fleet", function()
  it("does what it says", function()
    local server = standin.start { installations = 200, read_seconds = 0.5 }
    local session = command.session()
    finally(function()
      server:stop()
      session:close()
    end)
    session.env.AMP_API_URL, session.env.AMP_API_KEY = server.url:gsub("/v1$", ""), server.key
    session.env.AMPERSAND_PROJECT_ID, session.env.AMPERSAND_INTEGRATION_ID = "my-project", "salesforce"
    local all = steps()
    assert.is_true(#all >= 10, #all .. " steps")
    for _, step in ipairs(all) do
      local script = step[1]:gsub("lua5%.4", '"$LUA"')
      local result = session:run(SETTING .. "{ " .. script .. "\n} 2>&1")
      assert.equal(settle(step[2]), settle(result.out), step[1])
    end
    local by_operation = server:requests().by_operation
    assert.equal(2 * 8, by_operation.updateInstallation)
  end)

  it("is Lua where it says Lua", function()
    for _, block in ipairs(blocks "lua") do
      assert((loadstring or load)(table.concat(block, "\n"))) -- luacheck: ignore 113
    end
  end)
end)
