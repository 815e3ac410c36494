local cqueues = require "cqueues"

describe("the cqueues loop", function()
  require("support.loop_cases").declare(function()
    local controller = cqueues.new()
    local function spawn(f) controller:wrap(f) end
    local function run(finished)
      while not finished() do assert(controller:step(0.1)) end
    end
    return require "ampersand.loop.cqueues", spawn, run
  end, true)
end)
