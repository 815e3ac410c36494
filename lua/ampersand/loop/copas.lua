--- Requests inside copas: `loop = require "ampersand.loop.copas"`. Copas knows sockets only, so what it is given here
-- looks like one: a descriptor to select, and a flag that makes it ready at once.

local copas = require "copas"
local socket = require "socket"

local loop = {}
local parked = setmetatable({}, { __mode = "k" }) -- coroutine -> the socket it seems to wait for
local silent = socket.udp() -- a descriptor on which nothing ever arrives
silent:setsockname("127.0.0.1", 0)

local Imitation = {}
Imitation.__index = Imitation

function Imitation:getfd() return self.fd end

function Imitation:dirty() return self.woken end

-- Copas asks before it waits, and again when the descriptor is ready.
function Imitation:receive()
  if self.asked then return "ready" end
  self.asked = true
  return nil, "timeout"
end

-- Copas closes the last socket a finished coroutine waited for.
function Imitation:close() end -- luacheck: no self

local function await(fd)
  local imitation = setmetatable({ fd = fd, woken = false, asked = false }, Imitation)
  parked[coroutine.running()] = imitation
  copas.receive(imitation)
  parked[coroutine.running()] = nil
end

function loop.inside()
  local co, main = coroutine.running()
  return co ~= nil and not main
end

function loop.poll(fd) await(fd) end

-- Copas ends no coroutine, so the driver needs no supervision and the time is not needed.
function loop.park() await(silent:getfd()) end

function loop.wake(co)
  if parked[co] then parked[co].woken = true end
end

return loop
