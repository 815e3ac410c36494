--- How coroutines in an event loop wait for one engine: in turns. ampersand.transport.scheduler describes it and hands these
-- functions on.

local http = require "ampersand.http"
local wait = require "ampersand.transport.scheduler"

local turns = {}

-- A coroutine that nobody will resume can be collected, and with it what it waited for.
local WEAK = { __mode = "v" }

-- How long a parked coroutine sleeps before it looks after the driver, in seconds: one of them, and all the others.
local PATIENCE, LONG_PATIENCE = 0.1, 1

-- PUC Lua 5.1 alone cannot tell whether it may yield, and its own message would help nobody. (A metamethod that waits
-- cannot be told from other functions and gets that message.)
local function check_yieldable()
  local level = 3
  local info = debug.getinfo(level, "Sn")
  while info do
    if info.what == "C" or info.name == "(for generator)" then
      error("Lua 5.1 cannot wait inside pcall or a `for` iterator: "
        .. "use view:stream(), or call from the coroutine itself", 0)
    end
    level = level + 1
    info = debug.getinfo(level, "Sn")
  end
end
if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then check_yieldable = function() end end

--- The loop that the caller may yield to; nil: the call blocks.
---@param waiters ampersand.Waiters
---@return table?
function turns.loop_here(waiters)
  local co = coroutine.running()
  local adopted = co and wait.adopted[co]
  -- only the engine for which it was adopted knows the loop: on any other one the call blocks
  local loop = adopted and adopted.waiters == waiters and adopted.loop or not adopted and waiters.loop
  if not loop or not loop.inside() then return nil end
  check_yieldable()
  return loop
end

local function park(self, loop, target)
  local me, id, steps = coroutine.running(), target:id(), self.engine:steps()
  if not wait.is_alive(self.roles.watch) then self.roles.watch = me end
  self.parked[id] = setmetatable({ loop = loop, token = me }, WEAK)
  loop.park(self.roles.watch == me and PATIENCE or LONG_PATIENCE)
  self.parked[id] = nil
  -- Work is waiting and nobody has looked at it for all this time: the driver is gone.
  if self.roles.driver and self.engine:usable() and self.engine:steps() == steps and self.engine:due() then
    self.roles.driver = nil
  end
end

local function drive(self, loop)
  self.roles.driver = coroutine.running()
  if self.roles.watch == self.roles.driver then self.roles.watch = nil end
  loop.poll(self.engine:pollfd())
  wait.step(self)
end

local function has_driver(self, loop)
  return loop.driven or (self.roles.driver ~= coroutine.running() and wait.is_alive(self.roles.driver))
end

-- The driver has what it wants: another one takes over, or the last one closes what was to be closed.
local function hand_over(self)
  self.roles.driver = nil
  for id, waiter in pairs(self.parked) do
    if waiter.token and not waiter.loop.driven then
      self.roles.driver = waiter.token
      return self:wake(id)
    end
  end
  if self.closing then wait.close_engine(self) end
end

--- Waits in `loop` until `target` has something to say.
---@param self ampersand.Waiters
---@param loop table
---@param target userdata|table
function turns.yield_until(self, loop, target)
  local me = coroutine.running()
  repeat
    if has_driver(self, loop) then park(self, loop, target) else drive(self, loop) end
  until target:want()
  if self.roles.watch == me then self.roles.watch = nil end
  if self.roles.driver == me then hand_over(self) end
end

--- See Waiters:poll.
---@param self ampersand.Waiters
---@param budget number?
function turns.poll(self, budget)
  local loop, now = self.loop, http.now()
  local stop = now + (budget or 0)
  repeat
    local before = now
    wait.step(self)
    local ran = loop and loop.run and loop.run() or 0
    now = http.now()
  until now + (now - before) >= stop -- the next round may take as long as this one
    or (ran == 0 and not (self.engine:usable() and self.engine:due()))
end

return turns
