--- Who waits for what on one engine.
--
-- Outside of any loop the caller blocks in the engine. In a loop the first coroutine that waits drives the engine: it
-- polls the engine's descriptor and steps. The others are parked and woken when their own transfer has news. When the
-- driver has what it wants another takes its place; when it is never resumed again a parked one notices and takes over.
--
-- A loop is an adapter, a table of plain functions:
--   inside()       whether the caller may yield to this loop; where not, the call blocks
--   poll(fd)       waits until the descriptor is readable, which the engine also makes it when a time is up
--   park(seconds)  waits for a wake of this coroutine, at most for the time
--   wake(token)    ends the park of the coroutine `token`; nothing happens if it is not parked
--   forget(fd)     optional: the descriptor is about to be closed
--   driven         optional: true where somebody calls Waiters:poll, so that no coroutine drives

local http = require "ampersand.http"

---@class ampersand.Waiters
local Waiters = {}
Waiters.__index = Waiters

local wait = {}

-- How long a parked coroutine sleeps before it looks after the driver, in seconds: one of them, and all the others.
local PATIENCE, LONG_PATIENCE = 0.1, 1

-- Coroutines that belong to a loop of ours, whatever loop the program has.
local adopted = setmetatable({}, { __mode = "k" })

---@param engine userdata
---@param loop table? an adapter
---@return ampersand.Waiters
function wait.new(engine, loop)
  return setmetatable({ engine = engine, loop = loop, parked = {} }, Waiters)
end

--- Makes `loop` the one that `co` yields to.
---@param co thread
---@param loop table
function wait.adopt(co, loop)
  adopted[co] = loop
end

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

local function loop_here(self)
  local co = coroutine.running()
  local loop = co and adopted[co] or self.loop
  if not loop or not loop.inside() then return nil end
  check_yieldable()
  return loop
end

--- Wakes the coroutine that is parked for the target `id`.
---@param id any
function Waiters:wake(id)
  local waiter = self.parked[id]
  if not waiter then return end
  self.parked[id] = nil
  waiter.loop.wake(waiter.token)
end

-- Wakes those whose transfers moved.
local function settle(self)
  for id in self.engine.moved, self.engine do self:wake(id) end
end

local function step(self)
  if not self.engine:usable() then return end
  self.engine:step()
  settle(self)
end

local function is_alive(co) return co ~= nil and coroutine.status(co) ~= "dead" end

local function park(self, loop, target)
  local me, id, steps = coroutine.running(), target:id(), self.engine:steps()
  if not is_alive(self.watch) then self.watch = me end
  self.parked[id] = { loop = loop, token = me }
  loop.park(self.watch == me and PATIENCE or LONG_PATIENCE)
  self.parked[id] = nil
  -- Work is waiting and nobody has looked at it for all this time: the driver is gone.
  if self.driver and self.engine:usable() and self.engine:steps() == steps and self.engine:due() then
    self.driver = nil
  end
end

local function drive(self, loop)
  self.driver = coroutine.running()
  if self.watch == self.driver then self.watch = nil end
  loop.poll(self.engine:pollfd())
  step(self)
end

local function has_driver(self, loop)
  return loop.driven or (self.driver ~= coroutine.running() and is_alive(self.driver))
end

local function close_engine(self)
  local fd = self.loop and self.loop.forget and self.engine:usable() and self.engine:pollfd()
  if fd then self.loop.forget(fd) end
  self.engine:close()
end

-- The driver has what it wants: another one takes over, or the last one closes what was to be closed.
local function hand_over(self)
  self.driver = nil
  for id, waiter in pairs(self.parked) do
    if not waiter.loop.driven then
      self.driver = waiter.token
      return self:wake(id)
    end
  end
  if self.closing then close_engine(self) end
end

local function yield_until(self, loop, target)
  local me = coroutine.running()
  repeat
    if has_driver(self, loop) then park(self, loop, target) else drive(self, loop) end
  until target:want()
  if self.watch == me then self.watch = nil end
  if self.driver == me then hand_over(self) end
end

--- Returns when `target` has something to say: when target:want() is true. Its news come by target:id().
---@param target userdata|table
function Waiters:await(target)
  if target:want() then return end
  local loop = loop_here(self)
  if loop then return yield_until(self, loop, target) end
  repeat
    self.engine:wait()
    step(self)
  until target:want()
end

--- Gets what was just started on its way, without waiting for it. Whoever drives the engine does so by itself.
function Waiters:nudge()
  if is_alive(self.driver) and self.driver ~= coroutine.running() then return end
  step(self)
end

--- Moves everything for at most `budget` seconds, from outside of all coroutines, and never waits.
---@param budget number? 0: one step
function Waiters:poll(budget)
  local loop, now = self.loop, http.now()
  local stop = now + (budget or 0)
  repeat
    local before = now
    step(self)
    local ran = loop and loop.run and loop.run() or 0
    now = http.now()
  until now + (now - before) >= stop -- the next round may take as long as this one
    or (ran == 0 and not (self.engine:usable() and self.engine:due()))
end

--- Ends all transfers with kind "cancelled"; whoever waits is told.
function Waiters:close()
  self.closing = true
  if not self.engine:usable() then return self.engine:close() end
  self.engine:cancel()
  settle(self)
  if not is_alive(self.driver) then close_engine(self) end
end

return wait
