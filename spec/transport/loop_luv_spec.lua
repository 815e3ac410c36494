local machine = require "support.machine"

local found, uv = pcall(require, "luv")
if not found then pending(machine.absent("luv", "apt-get install lua-luv")) return end

describe("the luv loop", function()
  require("support.loop_cases").declare(function()
    local function spawn(f) assert(coroutine.resume(coroutine.create(f))) end
    local function run(finished)
      while not finished() do uv.run "once" end
    end
    return require "ampersand.loop.luv", spawn, run
  end, true)
end)
