-- The library's clocks, which specs put forward instead of waiting.
local core = require "ampersand.core"

local clock = {}

local real = { now = core.now, time = core.time }
local ahead = 0

--- From here on both clocks can be put forward; call `clock.restore` in the teardown.
function clock.take()
  ahead = 0
  for name, read in pairs(real) do
    core[name] = function() return read() + ahead end
  end
end

---@param seconds number
function clock.pass(seconds)
  ahead = ahead + seconds
end

function clock.restore()
  for name, read in pairs(real) do core[name] = read end
end

return clock
