-- Starts and stops the mock server for specs, in a process of its own that ends with this one.

local core = require "ampersand.core"
local server = require "support.server"

local mock = {}
local Mock = {}
Mock.__index = Mock

-- { installations = 10, quiet = true } -> a Lua table's source
local function source_of(options)
  local words = {}
  for name, value in pairs(options) do
    local flag = "--" .. name:gsub("_", "-")
    if value then words[#words + 1] = ("%q"):format(value == true and flag or flag .. "=" .. tostring(value)) end
  end
  return "{" .. table.concat(words, ",") .. "}"
end

--- Starts a mock server and waits until it listens. It ends with us.
---@param options table? options of the command, with underscores: `{ installations = 1000, delay = 0.1 }`
---@return table mock with url, key, bearer, pid
function mock.start(options)
  options = options or {}
  local program = ("os.exit(require('ampersand.mock').main%s)"):format(source_of(options))
  local command = ("%s -e %s"):format(os.getenv "LUA" or "lua", server.quote(program))
  local process = server.start(command, { what = "the mock server", ready = function(self)
    return self:output():match "listening (%S+)\n"
  end })
  return setmetatable({
    url = process.address, pid = process.pid, process = process, port = tonumber(process.address:match ":(%d+)/"),
    key = options.key or "mock-key", bearer = options.bearer or "mock-token",
    project = "project-456", integration = "integration-123",
  }, Mock)
end

--- Ends the server; a second call does nothing.
function Mock:stop()
  self.process:stop()
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
