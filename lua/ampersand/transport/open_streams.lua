--- The open streams of a client with the option max_connections: a call must not wait for a connection that its own
-- caller holds.

local open_streams = {}

local OpenStreams = {}
OpenStreams.__index = OpenStreams

local MAIN = "the main program" -- which is not a coroutine before Lua 5.2

--- Makes an empty list of streams.
---@param most integer connections
---@param collect fun() closes streams that were abandoned
function open_streams.new(most, collect)
  local owners = setmetatable({}, { __mode = "kv" }) -- response of a stream -> coroutine that opened it
  return setmetatable({ most = most, collect = collect, owners = owners, opened = 0, collected = 0 }, OpenStreams)
end

--- Notes that this coroutine has opened a stream.
---@param res table
function OpenStreams:note(res)
  self.opened = self.opened + 1
  self.owners[res] = coroutine.running() or MAIN
end

-- Whether streams hold all connections, and none can be closed while this call waits: they are the caller's, or no
-- other coroutine runs meanwhile.
local function hold_all(self, engine, blocks)
  local me, mine = coroutine.running() or MAIN, 0
  if engine:streams() < self.most then return false end
  if blocks then return true end
  for res, owner in pairs(self.owners) do
    if owner == me and not res.closed and res.source:outcome() == nil then mine = mine + 1 end
  end
  return mine == engine:streams()
end

--- Whether a call of this coroutine would wait forever. Streams that were abandoned do not count.
---@param engine userdata
---@param blocks boolean whether nothing else runs while the call waits
---@return boolean
function OpenStreams:hold_all(engine, blocks)
  if engine:streams() < self.most then return false end
  if self.collected == self.opened and not hold_all(self, engine, blocks) then return false end
  self.collect()
  if hold_all(self, engine, blocks) then return true end
  self.collected = self.opened
  return false
end

return open_streams
