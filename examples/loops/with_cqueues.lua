-- Three things at once in one cqueues controller: two lists and a clock.
local ampersand = require "ampersand"
local cqueues = require "cqueues"

local client = ampersand.new {
  project = arg[1], integration = arg[2], loop = require "ampersand.loop.cqueues",
}
local controller, running = cqueues.new(), 2

for i = 1, 2 do
  controller:wrap(function()
    local list = ampersand.assert(client.installations:list())
    print(("list %d: %d installations"):format(i, #list))
    running = running - 1
  end)
end

controller:wrap(function()
  local ticks = 0
  while running > 0 do
    cqueues.sleep(0.001)
    ticks = ticks + 1
  end
  print(ticks > 0 and "the clock went on meanwhile" or "the clock stood still")
  client:close()
end)

assert(controller:loop())
