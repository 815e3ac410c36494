-- Starts and stops mock servers for specs, in processes of their own that end with this one. A process whose server was
-- stopped serves the next: to start a Lua takes longer than most specs' requests.

local core = require "ampersand.core"
local server = require "support.server"

local mock = {}
local Mock = {}
Mock.__index = Mock

-- A request for /next, with options as its body, ends the mock server and opens another one at the URL of the answer.
local PROGRAM = [=[
local core, mock = require "ampersand.core", require "ampersand.mock"
local known, current, following = {}, nil, nil
for _, option in ipairs(mock.options) do known[option[1]] = true end
local function open(options)
  for name in pairs(options) do assert(known[name], name) end
  local opened = assert(mock.open(options))
  local handle = opened.handle
  function opened.handle(request)
    if request.path ~= "/next" then return handle(request) end
    following, current.stopped = open(core.decode(request.body)), true
    current.listener:close()
    return { status = 200, headers = {}, body = following.url }
  end
  return opened
end
following = open {}
print("listening " .. following.url)
io.stdout:flush()
while true do
  current = following
  current:run()
  current:close()
end]=]

local idle = {} -- mock servers that no one uses

local function new_process()
  local command = ("%s -e %s"):format(os.getenv "LUA" or "lua", server.quote(PROGRAM))
  local process = server.start(command, { what = "the mock server", ready = function(self)
    return self:output():match "listening (%S+)\n"
  end })
  -- It is stopped before its pipe is closed, which waits for all that have it: what was left in the background, too.
  process.last = newproxy and newproxy(true) or setmetatable({}, { __gc = true }) -- luacheck: ignore
  getmetatable(process.last).__gc = function() process:stop() end
  return { url = process.address, process = process }
end

--- Starts a mock server that listens. It ends with us.
---@param options table? options of the command, with underscores: `{ installations = 1000, read_seconds = 0.1 }`
---@return table mock with url, key, bearer
function mock.start(options)
  local given = {}
  for name, value in pairs(options or {}) do given[name:gsub("_", "-")] = value end
  local self = setmetatable(table.remove(idle) or new_process(), Mock)
  self.url = self:next(given)
  self.port = tonumber(self.url:match ":(%d+)/")
  self.key, self.bearer = given.key or "mock-key", given.bearer or "mock-token"
  self.project, self.integration = "project-456", "integration-123"
  return self
end

-- Puts another mock server in the place of this one.
function Mock:next(options)
  local asked, status, url = pcall(self.ask, self, "POST", "/next", core.encode(options))
  if asked and status == 200 then return url end
  error(("the mock server did not start: %s\n%s"):format(tostring(status), self.process:output()), 3)
end

--- Ends the server; a second call does nothing.
function Mock:stop()
  if not self.process then return end
  idle[#idle + 1] = { url = self:next {}, process = self.process }
  self.process = nil
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
