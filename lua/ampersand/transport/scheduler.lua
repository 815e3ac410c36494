--- Who waits for what on one engine.
--
-- Outside of any loop the caller blocks in the engine. In a loop the first coroutine that waits drives the engine: it
-- polls the engine's descriptor and steps. The others are parked and woken when their own transfer is ready. When the
-- driver has what it wants another takes its place; when it is never resumed again a parked one notices and takes over.
--
-- A loop is an adapter, a table of plain functions:
--   inside()       whether the caller may yield to this loop; where not, the call blocks
--   poll(fd)       waits until the descriptor is readable, which the engine also makes it when a time is up
--   park(seconds)  waits for a wake of this coroutine, at most for the time
--   wake(token)    ends the park of the coroutine `token`; nothing happens if it is not parked
--   forget(fd)     optional: the descriptor is about to be closed
--   driven         optional: true where somebody calls Waiters:poll, so that no coroutine drives

local core = require "ampersand.core"

---@class ampersand.Waiters
local Waiters = {}
Waiters.__index = Waiters

local wait = {}

--- Coroutines that belong to a loop of ours, whatever loop the program has. It holds those that live.
wait.adopted = setmetatable({}, { __mode = "k" })

--- Makes a scheduler of a table that has an `engine`, once.
---@param waiters table
---@param loop table? an adapter
---@return ampersand.Waiters
function wait.of(waiters, loop)
  if getmetatable(waiters) == Waiters then return waiters end
  -- roles: the driver, and its supervisor; both can be collected when nothing else refers to them
  waiters.loop, waiters.parked, waiters.stopped, waiters.roles = loop, {}, {}, setmetatable({}, { __mode = "v" })
  return setmetatable(waiters, Waiters)
end

--- Makes `loop` the one that `co` yields to when it waits on `waiters`.
---@param co thread
---@param loop table
---@param waiters ampersand.Waiters
function wait.adopt(co, loop, waiters)
  wait.adopted[co] = { loop = loop, waiters = waiters }
end

--- Wakes the coroutine that is parked for the target `id`.
---@param id any
function Waiters:wake(id)
  local waiter = self.parked[id]
  if not waiter then return end
  self.parked[id] = nil
  if waiter.token then waiter.loop.wake(waiter.token) end
end

--- Moves all transfers and wakes those whose transfers are ready.
---@param self ampersand.Waiters
function wait.step(self)
  local engine = self.engine
  if not engine:usable() then return end
  engine:step()
  wait.settle(self)
end

--- Wakes those whose transfers are ready.
---@param self ampersand.Waiters
function wait.settle(self)
  for id in self.engine.pop_ready, self.engine do self:wake(id) end
end

--- Whether a coroutine may still do something.
---@param co thread?
---@return boolean
function wait.is_alive(co)
  return co ~= nil and coroutine.status(co) ~= "dead"
end

--- Closes the engine, which the loop must know.
---@param self ampersand.Waiters
function wait.close_engine(self)
  local fd = self.loop and self.loop.forget and self.engine:usable() and self.engine:pollfd()
  if fd then self.loop.forget(fd) end
  self.engine:close()
end

-- --- coroutines in a loop, in turns ---------------------------------------------------------------------------

-- A coroutine that will not be resumed can be collected, and with it what it waited for.
local WEAK = { __mode = "v" }

-- How long a parked coroutine sleeps before it checks the driver, in seconds: one of them, and all the others.
local PATIENCE, LONG_PATIENCE = 0.1, 1

-- Only PUC Lua 5.1 cannot determine whether it may yield, and its own message is misleading. (A metamethod that waits
-- cannot be distinguished from other functions and gets that message.)
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
if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") or not debug then check_yieldable = function() end end

-- The loop that the caller may yield to; nil: the call blocks.
local function loop_here(waiters)
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
  -- Work is waiting and was not driven for all this time: the driver is gone.
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

-- Waits in `loop` until `target` has something to say.
local function yield_until(self, loop, target)
  local me = coroutine.running()
  repeat
    if has_driver(self, loop) then park(self, loop, target) else drive(self, loop) end
  until target:want()
  if self.roles.watch == me then self.roles.watch = nil end
  if self.roles.driver == me then hand_over(self) end
end

--- Returns when target:want() is true. That it is ready is announced by target:id().
---@param target userdata|table
function Waiters:await(target)
  if target:want() then return end
  if self.loop or next(wait.adopted) then
    local loop = loop_here(self)
    if loop then return yield_until(self, loop, target) end
  end
  repeat
    if not self.engine:usable() then return self:wake_all() end -- closed, or another process's
    self.engine:wait()
    wait.step(self)
  until target:want()
end

--- Wakes everybody: they find their requests ended.
function Waiters:wake_all()
  local ids = {}
  for id in pairs(self.parked) do ids[#ids + 1] = id end
  for _, id in ipairs(ids) do self:wake(id) end
end

--- Gets what was just started on its way, without waiting for it. Whoever drives the engine does so by itself.
function Waiters:nudge()
  if wait.is_alive(self.roles.driver) and self.roles.driver ~= coroutine.running() then return end
  wait.step(self)
end

--- Lets a coroutine that has work stop until the next poll, once the budget of this one is used up.
function Waiters:turn()
  if not self.stop or core.now() < self.stop then return end
  local loop = loop_here(self)
  if not loop or not loop.driven then return end
  self.stopped[#self.stopped + 1] = coroutine.running()
  loop.park()
end

-- Wakes the coroutines that a budget has stopped.
local function wake_stopped(self)
  local stopped = self.stopped
  self.stopped = {}
  for _, co in ipairs(stopped) do self.loop.wake(co) end
end

--- Moves everything for at most `budget` seconds, from outside of all coroutines, and never waits.
---@param budget number? 0: one step
function Waiters:poll(budget)
  local loop, now = self.loop, core.now()
  local stop = now + (budget or 0)
  self.stop = stop
  wake_stopped(self)
  repeat
    local before = now
    wait.step(self)
    local ran = loop and loop.run and loop.run() or 0
    now = core.now()
  until now + (now - before) >= stop -- the next round may take as long as this one
    or (ran == 0 and not (self.engine:usable() and self.engine:due()))
end

--- Ends all transfers with kind "cancelled"; waiting coroutines are woken.
function Waiters:close()
  self.closing = true
  wake_stopped(self)
  if not self.engine:usable() then return self.engine:close() end
  self.engine:cancel()
  wait.settle(self)
  if not wait.is_alive(self.roles.driver) then wait.close_engine(self) end
end

return wait
