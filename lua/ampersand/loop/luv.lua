--- Requests inside luv: `loop = require "ampersand.loop.luv"`. A request made in a coroutine lets uv.run go on.
--
-- Inside Neovim this is Neovim's own loop, and coroutines are resumed through vim.schedule: callbacks of that loop must
-- not call vim.api (E5560).

local vim = rawget(_G, "vim")
local uv = vim and (vim.uv or vim.loop) or require "luv"
local schedule = vim and vim.schedule

local loop = {}

-- A callback runs on the loop's own stack, and an error in it must not get lost.
local function continue(co)
  if coroutine.status(co) == "dead" then return end -- closed while it waited
  local ok, message = coroutine.resume(co)
  if not ok then error(debug.traceback(co, tostring(message)), 0) end
end

local function resume(co)
  if not schedule then return continue(co) end
  schedule(function() continue(co) end)
end

function loop.inside()
  local co, main = coroutine.running()
  return co ~= nil and not main
end

local polls = {} -- descriptor -> its handle, and the coroutines that wait for it

local function new_poll(fd)
  polls[fd] = { handle = uv.new_poll(fd), waiting = {} }
  return polls[fd]
end

function loop.poll(fd)
  local poll = polls[fd] or new_poll(fd)
  table.insert(poll.waiting, (coroutine.running()))
  poll.handle:start("r", function()
    local waiting = poll.waiting
    poll.waiting = {}
    poll.handle:stop()
    for _, co in ipairs(waiting) do resume(co) end
  end)
  coroutine.yield()
end

-- Handles are stopped and left to the collector: luv 1.44 crashes at exit when uv.run does not come to see a close.
function loop.forget(fd)
  if polls[fd] then polls[fd].handle:stop() end
  polls[fd] = nil
end

local timers = setmetatable({}, { __mode = "k" }) -- parked coroutine -> the timer that will resume it
local idle = {}

local function resume_in(milliseconds, co)
  local timer = timers[co]
  uv.update_time() -- the loop's clock stands still while no callback runs
  timer:start(milliseconds, 0, function()
    timers[co] = nil
    idle[#idle + 1] = timer
    resume(co)
  end)
end

function loop.park(seconds)
  local co = coroutine.running()
  timers[co] = table.remove(idle) or uv.new_timer()
  resume_in(math.ceil(seconds * 1000), co)
  coroutine.yield()
end

function loop.wake(co)
  if timers[co] then resume_in(0, co) end
end

return loop
