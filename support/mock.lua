-- Starts and stops the mock server for specs, in a process of its own that ends with this one.

local core = require "ampersand.core"
local socket = require "socket"

local mock = {}
local Mock = {}
Mock.__index = Mock

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

-- { installations = 10, exit_on_eof = true } -> a Lua table's source
local function source_of(options)
  local words = {}
  for name, value in pairs(options) do
    local flag = "--" .. name:gsub("_", "-")
    if value then words[#words + 1] = ("%q"):format(value == true and flag or flag .. "=" .. tostring(value)) end
  end
  return "{" .. table.concat(words, ",") .. "}"
end

-- The first two lines of the file: the process id, then the address. The server may still be starting.
local function read_address(name, seconds)
  local deadline = socket.gettime() + seconds
  repeat
    local file = assert(io.open(name))
    local text = file:read "*a"
    file:close()
    local pid, url = text:match "^(%d+)\nlistening (%S+)\n"
    if pid then return tonumber(pid), url end
    socket.sleep(0.01)
  until socket.gettime() > deadline
end

--- Starts a mock server and waits until it listens. Its standard input is a pipe of ours, so it cannot outlive us.
---@param options table? options of the command, with underscores: `{ installations = 1000, delay = 0.1 }`
---@return table mock with url, key, bearer, pid
function mock.start(options)
  local all = { exit_on_eof = true }
  for name, value in pairs(options or {}) do all[name] = value end
  local name = os.tmpname()
  local program = ("os.exit(require('ampersand.mock').main%s)"):format(source_of(all))
  local command = ("echo $$ > %s; exec %s -e %s >> %s"):format(name, os.getenv "LUA" or "lua", quote(program), name)
  local pipe = assert(io.popen(command, "w"))
  local pid, url = read_address(name, 20)
  os.remove(name)
  if not pid then
    pipe:close()
    error("the mock server did not start", 2)
  end
  return setmetatable({
    url = url, pid = pid, pipe = pipe, port = tonumber(url:match ":(%d+)/"),
    key = all.key or "mock-key", bearer = all.bearer or "mock-token",
    project = "project-456", integration = "integration-123",
  }, Mock)
end

--- Ends the server; a second call does nothing.
function Mock:stop()
  if not self.pipe then return end
  os.execute(("kill %d 2>/dev/null"):format(self.pid))
  self.pipe:close()
  self.pipe = nil
end

--- Sends one plain request and reads the whole answer.
---@return integer status, string body, table headers
function Mock:ask(method, path, body, headers)
  local http, ltn12 = require "socket.http", require "ltn12"
  local parts = {}
  local all = { ["X-Api-Key"] = self.key }
  if body then all["Content-Length"], all["Content-Type"] = #body, "application/json" end
  for name, value in pairs(headers or {}) do all[name] = value or nil end
  local _, status, head = assert(http.request {
    method = method, url = self.url:gsub("/v1$", "") .. path, headers = all,
    source = body and ltn12.source.string(body), sink = ltn12.sink.table(parts), redirect = false,
  })
  return status, table.concat(parts), head
end

--- Uses a control of the server, `/__mock/<name>`, with a table as its body.
---@return any answer decoded
function Mock:control(name, settings)
  local status, body = self:ask(settings and "POST" or "GET", "/__mock/" .. name, settings and core.encode(settings))
  if status ~= 200 then error(("control %s: %s %s"):format(name, status, body), 2) end
  return assert(core.decode(body))
end

--- What has arrived: `{ count = n, by_operation = {…}, requests = { { method, path, query, headers, status }… } }`.
function Mock:requests()
  return self:control "requests"
end

return mock
