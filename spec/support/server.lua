-- Starts programs for specs, examples and measurements: each is stopped by its process id, and ends with the process
-- that started it, whatever ends that one.

local core = require "ampersand.core"
local machine = require "support.machine"
local socket = require "socket"

local server = {}
local Server = {}
Server.__index = Server

function server.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

function server.read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

--- A new folder of its owner's alone, below the system's temporary files.
---@return string path
function server.folder()
  local path = os.tmpname()
  os.remove(path)
  core.make_private(path .. "/.")
  return path
end

-- Whether programs may not be started below the system's temporary files.
local function is_noexec()
  local mounts = io.open "/proc/self/mounts"
  local text = mounts and mounts:read "*a" or ""
  if mounts then mounts:close() end
  return text:find "\n%S+ /tmp %S+ %S*noexec" ~= nil
end

--- A new folder for programs and modules that are started from there.
---@return string path absolute
function server.folder_for_programs()
  if not is_noexec() then return server.folder() end
  local name = os.tmpname() -- which no one else has
  local path = ("%s/build/%s"):format(os.getenv "PWD", name:match "[^/]+$")
  core.make_private(path .. "/.")
  os.remove(name)
  return path
end

--- The body out of its chunks.
---@param text string
---@return string
function server.dechunk(text)
  local parts, at = {}, 1
  while true do
    local _, stop, size = text:find("^(%x+)\r\n", at)
    size = tonumber(size or "0", 16)
    if size == 0 then return table.concat(parts) end
    parts[#parts + 1] = text:sub(stop + 1, stop + size)
    at = stop + size + 3
  end
end

--- Removes a file, or a folder with all that is in it.
function server.remove(path)
  local lfs = require "lfs"
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then server.remove(path .. "/" .. name) end
    end
  end
  os.remove(path)
end

--- Waits until `condition()` holds.
---@param seconds number at most
---@param condition function
---@return any held what it returned; false or nil when it never held
function server.await(seconds, condition)
  local deadline = socket.gettime() + seconds
  while true do
    local held = condition()
    if held or socket.gettime() > deadline then return held end
    socket.sleep(0.005)
  end
end

--- Whether something listens on a port of the loopback address.
function server.listens(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

--- Whether a process runs: one that has ended and for which no one has waited yet does not. In a container /proc may
--- have other numbers than ours.
function server.alive(pid)
  local state = server.read(("/proc/%d/stat"):format(pid)):match "%) (%a)"
  if state then return state ~= "Z" end
  return machine.succeeds(("kill -0 %d"):format(pid))
end

-- Each process begins somewhere else, so that those that run side by side do not try the same ports.
local function somewhere()
  local address = tonumber(tostring({}):match "0x(%x+)" or "0", 16) % 2 ^ 31
  return math.floor((address / 16 + socket.gettime() * 1e6) % 20000)
end
local tried

--- Some different free ports of the loopback address, below those that the system gives to connections (32768 and
-- more): no one else takes them between now and the server's start.
---@param count integer
---@return integer[] ports
function server.free_ports(count)
  tried = tried or somewhere()
  local ports = {}
  while #ports < count do
    tried = (tried + 7) % 20000
    local listener = socket.tcp()
    local port = 11000 + tried
    if listener:bind("127.0.0.1", port) and not server.listens(port) then ports[#ports + 1] = port end
    listener:close()
  end
  return ports
end

--- A port on which no one listens, for as long as the socket is kept: connections to it are refused.
---@return integer port
---@return table socket to be closed
function server.closed_port()
  local holder = assert(socket.tcp())
  assert(holder:bind("127.0.0.1", 0))
  local _, port = holder:getsockname()
  return math.floor(tonumber(port)), holder
end

-- A shell reads the names of signals for the program until our end of the pipe closes, also when we are killed, and
-- takes the program with it. An interrupt of the terminal is for us: the server goes when we do. Where we have removed
-- everything ourselves, nothing is left to it: it is told so, since each process that it would start takes time.
local KEEPER = [[trap '' INT; %s </dev/null >>%s 2>&1 & pid=$!; echo $pid >%s; exec 2>/dev/null
  while read -r signal; do [ $signal != exit ] || exit 0; kill -$signal $pid; done; kill $pid; wait $pid; rm -rf %s]]

--- Starts a program and waits until it is ready.
---@param command string of the shell, one program
---@param options table what (its name in errors); directory (removed with the server: `out` is what the program
--   writes, `pid` its id; nil: none); ready (function(server) -> value or nil: server.address); seconds (20)
---@return table server pid, directory, address, stop(), output()
function server.start(command, options)
  local directory = options.directory
  local file = directory and directory .. "/out" or os.tmpname()
  local self = setmetatable({ directory = directory, file = file }, Server)
  self.pid_file = directory and directory .. "/pid" or file .. ".pid"
  local out, pid = server.quote(file), server.quote(self.pid_file)
  self.pipe = assert(io.popen(KEEPER:format("exec " .. command, out, pid, directory and server.quote(directory)
    or out .. " " .. pid), "w"))
  self.address = server.await(options.seconds or 20, function()
    self.pid = self.pid or tonumber(server.read(self.pid_file):match "^(%d+)\n")
    if not self.pid then return nil end
    return options.ready(self) or not server.alive(self.pid) and "gone"
  end)
  if self.address and self.address ~= "gone" then return self end
  local text = self:output()
  self:stop()
  error(("%s did not start:\n%s"):format(options.what, text), 3)
end

--- What the program has written so far.
function Server:output()
  return server.read(self.file)
end

--- Ends the program and removes its files; a second call does nothing. What ignores SIGTERM for 5 s is killed.
function Server:stop()
  if not self.pipe then return end
  local function ends(signal)
    self.pipe:write(signal, "\n")
    self.pipe:flush()
    return server.await(5, function() return not server.alive(self.pid) end)
  end
  if self.pid and not ends "TERM" then ends "KILL" end
  if self.pid and not self.directory then
    os.remove(self.file)
    os.remove(self.pid_file)
    self.pipe:write "exit\n"
  end
  self.pipe:close()
  self.pipe = nil
end

return server
