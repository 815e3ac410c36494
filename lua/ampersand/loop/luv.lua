--- Requests inside luv: `loop = require "ampersand.loop.luv"`. A request made in a coroutine lets uv.run go on.

local uv = require "luv"

local loop = {}
local polls = {} -- descriptor -> handle

-- What wakes a coroutine runs on the loop's own stack, and an error in it must not get lost.
local function resume(co)
  local ok, message = coroutine.resume(co)
  if not ok then error(debug.traceback(co, tostring(message)), 0) end
end

function loop.inside()
  local co, main = coroutine.running()
  return co ~= nil and not main
end

function loop.poll(fd)
  local co, handle = coroutine.running(), polls[fd] or uv.new_poll(fd)
  polls[fd] = handle
  handle:start("r", function()
    handle:stop()
    resume(co)
  end)
  coroutine.yield()
end

local timers = setmetatable({}, { __mode = "k" }) -- parked coroutine -> what will resume it

function loop.park(seconds)
  local co, timer = coroutine.running(), uv.new_timer()
  timers[co] = timer
  timer:start(math.ceil(seconds * 1000), 0, function()
    timers[co] = nil
    timer:close()
    resume(co)
  end)
  coroutine.yield()
end

function loop.wake(co)
  local timer = timers[co]
  if timer then timer:start(0, 0, function()
    timers[co] = nil
    timer:close()
    resume(co)
  end) end
end

-- The collector closes the handle: luv 1.44 crashes at exit when uv.run does not come to see a close of ours.
function loop.forget(fd)
  if polls[fd] then polls[fd]:stop() end
  polls[fd] = nil
end

return loop
