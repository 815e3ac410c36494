-- The API behind the stand-in: finds the operation a request means, refuses what the real server would refuse, and
-- lets a handler answer the rest.

local core = require "ampersand.core"
local operations = require "ampersand.operations"
local http = require "ampersand.standin.http"
local handlers = require "ampersand.standin.handlers"
local problem = require "ampersand.standin.problem"

local unpack = table.unpack or unpack -- luacheck: ignore

local PIECE = 64 * 1024

-- Routes ----------------------------------------------------------------------------------------------------------

local function segments_of(path)
  local segments = {}
  for segment in path:gmatch "/([^/]*)" do segments[#segments + 1] = segment end
  return segments
end

-- A segment of a template: a literal, or the name of a value and what must follow it (`{id}:pause`).
local function compile(segment)
  local name, suffix = segment:match "^{(%w+)}(.*)$"
  return name and { name = name, suffix = suffix } or { literal = segment }
end

local function routes_of(list)
  local routes = {}
  for _, op in ipairs(list) do
    local route = { op = op, weight = #(op.path:gsub("{%w+}", "")) }
    for i, segment in ipairs(segments_of(op.path)) do route[i] = compile(segment) end
    routes[#routes + 1] = route
  end
  table.sort(routes, function(a, b) return a.weight > b.weight end)
  return routes
end

local routes = routes_of(operations.all())

-- The values of the path by name, or nil when it does not fit. The verb after a colon counts only unescaped.
local function fit(route, segments)
  if #route ~= #segments then return nil end
  local params = {}
  for i, part in ipairs(route) do
    local segment = segments[i]
    if part.literal then
      if segment ~= part.literal then return nil end
    else
      local value = segment:sub(1, #segment - #part.suffix)
      if value == "" or segment:sub(#value + 1) ~= part.suffix then return nil end
      params[part.name] = http.unescape(value)
    end
  end
  return params
end

-- Two operations of different servers may share a path; told apart by the server's prefix, else by the body.
local function is_meant(op, server, body)
  if server then return (op.server or "api") == server end
  if op.id == "writeRecords" then return body.type ~= nil end
  if op.id == "triggerRead" then return body.type == nil end
  return true
end

local function find(method, path, server, body)
  local segments, known = segments_of(path), false
  for _, route in ipairs(routes) do
    local params = fit(route, segments)
    known = known or params
    if params and route.op.method == method and is_meant(route.op, server, body) then return route.op, params end
  end
  if known then problem.refuse(405, ("%s is not allowed for this path"):format(method)) end
  problem.refuse(404, ("no operation is at %s %s"):format(method, path))
end

-- Checks ----------------------------------------------------------------------------------------------------------

local Api = {}
Api.__index = Api

function Api:check_auth(op, headers)
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

local function check_query(op, query)
  for _, name in ipairs(op.required_query) do
    if not query[name] then problem.invalid("query", name, "is required") end
  end
end

local function read_body(request)
  if request.body == "" then return {} end
  if request.method == "GET" or request.method == "HEAD" then problem.refuse(400, "a GET request has no body") end
  local kind = (request.headers["content-type"] or ""):lower():match "^[^;%s]*"
  if kind ~= "application/json" then
    problem.refuse(415, ("the body must be application/json, not %s"):format(kind == "" and "of unknown type" or kind))
  end
  local body, why = core.decode(request.body)
  if type(body) ~= "table" then problem.refuse(400, "the body is not a JSON object: " .. (why or type(body))) end
  return body
end

local function has(body, path)
  for i, key in ipairs(path) do
    if type(body) ~= "table" or body == core.null then return i > 1 and i == #path end
    body = body[key]
  end
  return body ~= nil and body ~= core.null
end

local function check_field(field, body)
  if not field.required then return end
  if field.one_of then
    for _, key in ipairs(field.one_of) do if body[key] ~= nil then return end end
    problem.invalid("body", table.concat(field.one_of, " or "), "is required")
  end
  local parent = { unpack(field.path, 1, #field.path - 1) }
  if #parent == 0 or has(body, parent) then
    if not has(body, field.path) then problem.invalid("body", field.name, "is required") end
  end
end

local function check_body(op, request, body)
  if not op.body then return end
  if request.body == "" then
    if op.body_required then problem.invalid("body", op.body[1].name, "is required") end
    return
  end
  for _, field in ipairs(op.body) do check_field(field, body) end
end

-- Answers ---------------------------------------------------------------------------------------------------------

-- Joins an iterator's texts to a JSON array, in pieces worth sending.
local function array_pieces(texts)
  local opened, closed
  return function()
    if closed then return nil end
    local parts, size = {}, 0
    while size < PIECE do
      local text = texts()
      if not text then
        closed = true
        parts[#parts + 1] = opened and "]" or "[]"
        break
      end
      parts[#parts + 1] = opened and "," or "["
      parts[#parts + 1] = text
      opened, size = true, size + #text
    end
    return table.concat(parts)
  end
end

local function length_of(pieces)
  local length = 0
  for piece in pieces do length = length + #piece end
  return length
end

function Api:answer(op, value)
  local response = { status = op.status, headers = {} }
  if op.returns == "none" then return response end
  response.headers["Content-Type"] = op.returns == "text" and "text/plain; charset=utf-8" or "application/json"
  if type(value) == "function" then
    response.body = array_pieces(value())
    if self.options.length then response.length = length_of(array_pieces(value())) end
  else
    response.body = op.returns == "text" and value or core.encode(value, { sort_keys = true })
  end
  return response
end

function Api:call(request)
  local server, path = request.path:match "^/(%l+)(/v1/.*)$"
  path = (path or request.path):match "^/v1(/.*)$"
  if not path then problem.refuse(404, "paths begin with /v1") end
  local body = read_body(request)
  local op, params = find(request.method == "HEAD" and "GET" or request.method, path, server, body)
  request.op = op
  self:check_auth(op, request.headers)
  check_query(op, request.query)
  check_body(op, request, body)
  local handler = handlers[op.id] or problem.refuse(501, op.id .. " has no answer here")
  return self:answer(op, handler(self.store, params, request.query, body))
end

--- Answers a request; never raises.
---@param request table as http.lua gives it
---@return table response
function Api:handle(request)
  self.count = self.count + 1
  local id = ("standin-%d"):format(self.count)
  local ok, response = pcall(self.call, self, request)
  if not ok then
    if not problem.is(response) then io.stderr:write("standin: ", tostring(response), "\n") end
    response = problem.response(response, id)
  end
  response.headers["X-Request-Id"] = id
  response.headers["Date"] = os.date "!%a, %d %b %Y %H:%M:%S GMT"
  response.gzip = self.options.gzip and (request.headers["accept-encoding"] or ""):find("gzip", 1, true) ~= nil
  return response
end

local api = {}

function api.new(options, store)
  return setmetatable({ options = options, store = store, count = 0 }, Api)
end

return api
