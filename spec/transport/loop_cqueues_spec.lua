local cqueues = require "cqueues"
local fault = require "support.fault"
local http = require "ampersand.http"

describe("the engine's descriptor", function()
  it("is readable when a step has something to do", function()
    local server, engine, controller = fault.shared(), http.engine { http_proxy = "" }, cqueues.new()
    finally(function() engine:close() end) -- luacheck: ignore 113
    local transfer = assert(engine:start {
      method = "GET", url = server:url "slow?seconds=0.1", timeout = 10, read_timeout = 10,
    })
    local turns = 0
    controller:wrap(function()
      while transfer:outcome() == nil do
        turns = turns + 1
        cqueues.poll { pollfd = engine:pollfd(), events = "r" }
        engine:step()
      end
    end)
    assert(controller:loop())
    assert.equal(200, (transfer:head()))
    assert.equal('[{"id":"a"},{"id":"b"},{"id":"c"}]', transfer:read())
    assert.is_true(turns < 50, turns .. " turns") -- it slept between them
  end)
end)

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
