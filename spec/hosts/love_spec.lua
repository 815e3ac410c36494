-- examples/love in a real LÖVE, drawn into memory.

local host = require "support.host"
local mock = require "support.mock"

if os.getenv "LUA_VERSION" ~= "jit" then return end -- the Lua of Debian's build

local INSTALLATIONS = 2000

-- The example, with a stopwatch around its update, that quits some frames after a change has pulsed.
local GAME = [[
dofile "EXAMPLE/main.lua"
local core = require "ampersand.core"
local update, draw, longest, frames, left = love.update, love.draw, 0, 0, nil
function love.update(...)
  local start = core.now()
  update(...)
  if frames > 0 then longest = math.max(longest, core.now() - start) end
  frames = frames + 1
end
local prints = {}
local print_on_screen = love.graphics.print
love.graphics.print = function(text, ...)
  prints[text] = true
  return print_on_screen(text, ...)
end
function love.draw()
  draw()
  if not left and prints["INSTALLATIONS installations"] then left = 30 end
  left = left and left - 1
  if left == 0 then
    print(("%d frames, the longest update took %.1f ms"):format(frames, longest * 1000))
    for text in pairs(prints) do if not text:find "^%d+ installations$" then print("problem: " .. text) end end
    love.event.quit()
  end
end
]]

describe("LÖVE", function()
  it("draws the fleet while it arrives, and no frame waits for the network", function()
    host.need(pending, "love", "love")
    local server = mock.start { installations = INSTALLATIONS }
    local game = os.tmpname()
    os.remove(game)
    finally(function() -- luacheck: ignore
      server:stop()
      os.execute("rm -r " .. game)
    end)
    os.execute(("mkdir %s && cp examples/love/conf.lua %s"):format(game, game))
    local file = assert(io.open(game .. "/main.lua", "w"))
    file:write((GAME:gsub("EXAMPLE", host.path "examples/love"):gsub("INSTALLATIONS", INSTALLATIONS)))
    file:close()
    local output = host.run(("love %s %s %s"):format(game, server.project, server.integration), server,
      { SDL_VIDEODRIVER = "offscreen", HOME = game })
    local frames, longest = output:match "(%d+) frames, the longest update took ([%d.]+) ms"
    assert.is_true((tonumber(frames) or 0) > 30, output)
    assert.is_true(tonumber(longest) < 400, output) -- the whole list takes longer
    assert.is_nil(output:find("problem", 1, true), output)
    assert.is_nil(output:find(server.key, 1, true))
  end)
end)
