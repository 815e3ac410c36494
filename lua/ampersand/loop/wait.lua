--- Who waits for what on one engine.
--
-- Without a loop the caller blocks in the engine. With a loop the first coroutine that waits drives the engine: it
-- polls the engine's descriptor and steps; the others are parked and woken when their own transfer has news. When the
-- driver is through, another takes its place; when it is never resumed again, a parked one notices and takes over.
--
-- A loop is an adapter: inside() tells whether the caller may yield to it; poll(fd, events, seconds) waits for a
-- descriptor (or, without one, for the time alone); park(seconds) waits for wake(token) or the time. `token` is the
-- waiting coroutine.

local http = require "ampersand.http"

---@class ampersand.Waiters
local Waiters = {}
Waiters.__index = Waiters

local wait = {}

-- How long a parked coroutine sleeps before it looks after the driver.
local PATIENCE = 0.1

---@param engine userdata
---@param loop table? an adapter
---@return ampersand.Waiters
function wait.new(engine, loop)
  return setmetatable({ engine = engine, loop = loop, parked = {} }, Waiters)
end

-- Wakes those whose transfers moved.
local function settle(self)
  local parked = self.parked
  for id in self.engine.moved, self.engine do
    local waiter = parked[id]
    if waiter then
      parked[id] = nil
      waiter.loop.wake(waiter.token)
    end
  end
end

local function block(self)
  self.engine:wait()
  self.engine:step()
  settle(self)
end

--- Returns when `transfer` has something to say.
---@param transfer userdata
function Waiters:await(transfer)
  while not transfer:want() do block(self) end
end

--- Returns after `seconds`.
---@param seconds number
function Waiters:sleep(seconds) -- luacheck: no self
  local deadline = http.now() + seconds
  while seconds > 0 do
    http.sleep(seconds)
    seconds = deadline - http.now()
  end
end

--- Ends all transfers.
function Waiters:close()
  self.engine:close()
end

return wait
