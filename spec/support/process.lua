-- Runs Lua programs in parallel to a spec, which kills them at a moment of its choosing.

local socket = require "socket"

local process = {}
local Process = {}
Process.__index = Process

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

--- Starts this Lua on a program's text. Its output, errors too, is kept for `wait`.
---@param source string
---@param ... string arguments of the program
---@return table process with pid
function process.start(source, ...)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(source)
  file:close()
  local words = { os.getenv "LUA" or "lua", quote(name) }
  for _, word in ipairs { ... } do words[#words + 1] = quote(word) end
  local pipe = assert(io.popen("echo $$; exec " .. table.concat(words, " ") .. " 2>&1", "r"))
  return setmetatable({ pid = assert(tonumber(pipe:read "*l")), pipe = pipe, name = name }, Process)
end

--- Sends SIGKILL: the program gets no chance to write or say anything more.
function Process:kill()
  os.execute(("kill -9 %d 2>/dev/null"):format(self.pid))
end

--- Waits until the program has ended.
---@return string output
function Process:wait()
  if not self.pipe then return self.output end
  self.output = self.pipe:read "*a"
  self.pipe:close()
  self.pipe = nil
  os.remove(self.name)
  return self.output
end

--- Waits until `condition()` holds, looking often.
---@param seconds number at most
---@return boolean held
function process.wait_until(condition, seconds)
  local deadline = socket.gettime() + seconds
  repeat
    if condition() then return true end
    socket.sleep(0.002)
  until socket.gettime() > deadline
  return false
end

return process
