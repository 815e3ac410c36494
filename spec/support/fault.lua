-- Starts the fault server for specs.

local socket = require "socket"
local certificates = require "support.certificates"
local server = require "support.server"

local fault = {}

---@class Fault
---@field directory string certificates are here
---@field ports table<string, integer>
local Fault = {}
Fault.__index = Fault

--- Starts it; it ends with Fault:stop() or with this process.
---@return Fault
function fault.start()
  local directory = server.folder()
  certificates.make(directory)
  local command = ("%s spec/support/fault_server.lua '%s'"):format(os.getenv "LUA" or "lua5.4", directory)
  -- The server itself runs uninstrumented, whatever is preloaded into the specs.
  if os.getenv "LD_PRELOAD" then command = "env -u LD_PRELOAD " .. command end
  local process = server.start(command, { what = "the fault server", directory = directory, ready = function()
    return server.read(directory .. "/ports"):match ".+"
  end })
  local ports = {}
  for name, port in process.address:gmatch "(%S+) (%d+)" do ports[name] = tonumber(port) end
  return setmetatable({ directory = directory, process = process, ports = ports }, Fault)
end

local shared

--- The one that the specs of this process share, until it ends.
---@return Fault
function fault.shared()
  shared = shared or fault.start()
  return shared
end

---@param path string
---@param port string? "plain" if nil
---@return string
function Fault:url(path, port)
  port = port or "plain"
  local scheme = (port == "plain" or port == "full") and "http" or "https"
  return ("%s://127.0.0.1:%d/%s"):format(scheme, assert(self.ports[port], port), path)
end

--- Asks the server a question in a connection of its own.
---@param path string
---@return integer
function Fault:ask(path)
  local conn = assert(socket.connect("127.0.0.1", self.ports.plain))
  conn:send(("GET /-/%s HTTP/1.1\r\nHost: x\r\n\r\n"):format(path))
  local length
  for line in function() return (conn:receive "*l") end do
    length = tonumber(line:match "^Content%-Length: (%d+)") or length
    if line == "" then break end
  end
  local body = conn:receive(length)
  conn:close()
  return tonumber(body)
end

--- How many requests arrived whose path contains `words`.
---@param words string
---@return integer
function Fault:arrivals(words)
  return self:ask("arrivals/" .. words)
end

function Fault:stop()
  self.process:stop()
end

return fault
