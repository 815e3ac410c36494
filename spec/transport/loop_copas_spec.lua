local machine = require "support.machine"

local found, copas = pcall(require, "copas")
if not found then pending(machine.absent("copas", "apt-get install lua-copas, which Debian has for Lua 5.1, 5.2 and LuaJIT")) return end

describe("the copas loop", function()
  require("support.loop_cases").declare(function()
    local function spawn(f) copas.addthread(f) end
    local function run(finished)
      while not finished() do copas.step(0.1) end
    end
    return require "ampersand.loop.copas", spawn, run
  end)
end)
