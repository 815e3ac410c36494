-- Copas exists for some Luas only: Debian has it for 5.1, 5.2 and LuaJIT.
local has_copas, copas = pcall(require, "copas")

describe("the copas loop", function()
  if not has_copas then
    it("has no copas here", function() assert.is_truthy(_VERSION == "Lua 5.3" or _VERSION == "Lua 5.4") end)
    return
  end
  require("support.loop_cases").declare(function()
    local function spawn(f) copas.addthread(f) end
    local function run(finished)
      while not finished() do copas.step(0.1) end
    end
    return require "ampersand.loop.copas", spawn, run
  end)
end)
