-- Routes requests: finds the operation, refuses what the real server would refuse, and calls the handler.

local admin = require "ampersand.mock.admin"
local faults = require "ampersand.mock.faults"
local handlers = require "ampersand.mock.handlers"
local http = require "ampersand.mock.http"
local is_interrupt = require "ampersand.util.is_interrupt"
local operations = require "ampersand.client.operations"
local problem = require "ampersand.mock.problem"
local proxy = require "ampersand.mock.handlers.proxy"
local query_string = require "ampersand.util.query_string"
local runs = require "ampersand.mock.runs"
local validation = require "ampersand.mock.validation"

local PIECE = 64 * 1024

-- Routes ------------------------------------------------------------------------------------------------------------

-- A path as a pattern, and the names of the values in it. An escaped colon does not separate a verb.
local function compile(op)
  local names = {}
  local pattern, weight = op.path:gsub("%-", "%%-"), #op.path:gsub("{%w+}", "")
  pattern = pattern:gsub("{(%w+)}", function(name)
    names[#names + 1] = name
    return "([^/]+)"
  end)
  return { op = op, pattern = "^" .. pattern .. "$", names = names, weight = weight }
end

local routes = {}
for i, op in ipairs(operations.all()) do routes[i] = compile(op) end
table.sort(routes, function(a, b) return a.weight > b.weight end)

-- The path parameters by name, or nil where the path does not match.
local function match(route, path)
  local values = { path:match(route.pattern) }
  if not values[1] then return nil end
  local params = {}
  for i, name in ipairs(route.names) do params[name] = query_string.unescape(values[i]) end
  return params
end

-- Two operations of different servers share a path: the server's prefix distinguishes them, else the body.
local function is_meant(op, server, body)
  if server then return (op.server or "api") == server end
  if op.id == "writeRecords" then return body.type ~= nil end
  if op.id == "triggerRead" then return body.type == nil end
  return true
end

local function find(method, path, server, body)
  local known = false
  for _, route in ipairs(routes) do
    local params = match(route, path)
    known = known or params
    if params and route.op.method == method and is_meant(route.op, server, body) then return route.op, params end
  end
  if known then problem.refuse(405, ("%s is not allowed for this path"):format(method)) end
  problem.refuse(404, ("no operation is at %s %s"):format(method, path))
end

-- Requests ----------------------------------------------------------------------------------------------------------

local Router = {}
Router.__index = Router

function Router:check_auth(op, headers)
  if op.auth == "none" then return end
  local token = (headers["authorization"] or ""):match "^[Bb]earer (.+)$"
  local by_key = op.auth ~= "bearer" and headers["x-api-key"] and self.store:knows_key(headers["x-api-key"])
  local by_token = op.auth ~= "key" and token == self.options.bearer
  if by_key or by_token then return end
  local wanted = ({ key = "an API key", bearer = "a bearer token" })[op.auth] or "an API key or a bearer token"
  problem.refuse(401, "This operation needs " .. wanted .. " that is valid.", {
    remedy = "Send the header X-Api-Key with a key of this project.",
    causes = { "the credential is missing or unknown" },
  })
end

-- Answers -----------------------------------------------------------------------------------------------------------

-- Joins the texts of an iterator into a JSON array, in pieces of at least 64 KiB.
local function array_pieces(texts)
  local before, closed = "[", false
  return function()
    if closed then return nil end
    local parts, size = {}, 0
    for text in texts do
      parts[#parts + 1], parts[#parts + 2] = before, text
      before, size = ",", size + #text
      if size >= PIECE then return table.concat(parts) end
    end
    closed = true
    parts[#parts + 1] = before == "[" and "[]" or "]"
    return table.concat(parts)
  end
end

local function length_of(pieces)
  local length = 0
  for piece in pieces do length = length + #piece end
  return length
end

function Router:answer(op, value, status)
  status = status or op.status
  if op.returns == "none" then return { status = status, headers = {} } end
  if op.returns == "text" then
    return { status = status, headers = { ["Content-Type"] = "text/plain; charset=utf-8" }, body = value }
  end
  if type(value) ~= "function" then return http.json(status, value) end
  local length = self.options.length and length_of(array_pieces(value())) or nil
  return {
    status = status, headers = { ["Content-Type"] = "application/json" }, body = array_pieces(value()), length = length,
  }
end

-- The operation of a request and its path parameters. The name of a server may stand before `/v1`.
local function route(request, body)
  local server, rest = request.path:match "^/(%l+)(/v1/.*)$"
  local path = (rest or request.path):match "^/v1(/.*)$"
  if not path then problem.refuse(404, "paths begin with /v1") end
  return find(request.method == "HEAD" and "GET" or request.method, path, server, body or {})
end

-- Serves a request and applies the fault that is due.
function Router:with_fault(request, id, serve)
  local fault = self.faults:choose(id) or {}
  request.fault = fault
  local response = faults.answer(fault) or serve()
  response.fault = response.fault or fault
  return response
end

function Router:call(request, body, why)
  local op, params = route(request, body)
  request.op = op
  return self:with_fault(request, op.id, function()
    self:check_auth(op, request.headers)
    validation.media(request)
    if not body then problem.refuse(400, why) end
    validation.query(op, request.query)
    validation.body(op, request, body)
    runs.settle(self.store)
    return self:answer(op, handlers[op.id](self.store, params, request.query, body))
  end)
end

function Router:proxied(request)
  request.is_proxy = true
  return self:with_fault(request, "proxy", function()
    self:check_auth({ auth = "any" }, request.headers)
    return proxy.answer(self.store, request)
  end)
end

-- The response of `serve`, or that of the problem it raises.
local function protect(request, id, serve, ...)
  local ok, response = pcall(serve, ...)
  if ok then return response end
  if is_interrupt(response) then error(response, 0) end
  if not problem.is(response) then io.stderr:write("mock: ", tostring(response), "\n") end
  response = problem.response(response, id, request.op)
  local fault = request.fault or {}
  response.fault = { delay = fault.delay }
  if request.is_proxy and response.status == 429 then proxy.limit(response, fault.retry_after or 1) end
  return response
end

function Router:serve(request, id)
  if proxy.is_meant(request) then return protect(request, id, self.proxied, self, request), nil end
  local body, why = validation.decode(request)
  if request.path:find(admin.ROUTE) then
    return protect(request, id, admin.answer, self, request, body), nil, true
  end
  return protect(request, id, self.call, self, request, body, why), body
end

--- Answers a request; never raises.
---@param request table as server.lua reads it
---@return table response
function Router:handle(request)
  self.count = self.count + 1
  local id = ("mock-%d"):format(self.count)
  local response, body, unnoted = self:serve(request, id)
  if not unnoted then self.log:note(request, body, response.status) end
  response.headers["X-Request-Id"] = id
  response.headers["Date"] = os.date "!%a, %d %b %Y %H:%M:%S GMT"
  response.gzip = self.options.gzip and (request.headers["accept-encoding"] or ""):find("gzip", 1, true) ~= nil
  return response
end

local router = {}

--- A router over a store. Its options are those of the command line.
function router.new(options, store)
  local self = setmetatable({ options = options, store = store, count = 0, faults = faults.new() }, Router)
  self.log = admin.new_log(options.log)
  for _, fault in ipairs(options.faults or {}) do self.faults:add(fault) end
  return self
end

return router
