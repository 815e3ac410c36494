--- Requests inside cqueues: `loop = require "ampersand.loop.cqueues"`. Coroutines of a controller wait without
-- blocking it; anywhere else a request blocks.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local loop = {}
local parked = setmetatable({}, { __mode = "k" }) -- coroutine -> condition

function loop.inside()
  local _, managed = cqueues.running()
  return managed
end

function loop.poll(fd)
  cqueues.poll { pollfd = fd, events = "r" }
end

function loop.park(seconds)
  local co = coroutine.running()
  local woken = parked[co] or condition.new()
  parked[co] = woken
  woken:wait(seconds)
end

function loop.wake(co)
  if parked[co] then parked[co]:signal() end
end

-- A descriptor's number may come back as something else; every controller of this coroutine must know.
loop.forget = cqueues.cancel

return loop
