--- Arguments by name: of `client:call(id, params, options)`, and of `client:request`, which no operation describes.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local params = require "ampersand.client.params"
local request = require "ampersand.client.request"

local by_name = {}

local function raise(what, words, ...)
  argcheck.raise(what .. ": " .. words:format(...))
end

--- Reads the arguments of `client:call(id, params, options)`: wire names, and `body` apart.
---@return ampersand.Call?, ampersand.Error?
function by_name.of_call(what, op, client, given, options)
  argcheck.check({ params = given, options = options }, { params = "table", options = "table" }, what)
  local placeholder, path, query, body = {}, {}, {}, nil
  for _, name in ipairs(op.placeholders) do placeholder[name] = true end
  for name, value in pairs(given or {}) do
    if name == "body" then
      body = value
    elseif placeholder[name] then
      local bad = request.bad_id(value)
      if bad then raise(what, "%s %s", name, bad) end
      path[name] = value
    elseif op.query[name] then
      query[name] = params.check_query_value(what, name, value)
    else
      local known = { "body" }
      for _, names in ipairs { op.placeholders, op.query_names } do
        for _, wire in ipairs(names) do known[#known + 1] = wire end
      end
      raise(what, "unknown parameter %q; %s", tostring(name), argcheck.hint(name, known))
    end
  end
  if body ~= nil and not op.body then raise(what, "the operation takes no body") end
  options = options or call.NOTHING
  params.check(what, op, client._config, query, body, options)
  local missing = params.fill_path(what, op, client._config, path)
  return call.new(what, client, op, path, query, body, options, missing)
end

-- --- requests that no operation describes ------------------------------------------------------------------------

local function check_name(what, kind, name, known)
  if known[name] then return end
  raise(what, "unknown %s %q; %s", kind, tostring(name), argcheck.hint(name, argcheck.names(known)))
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local REQUEST_OPTIONS = { query = "table", body = "table|string|number|boolean", server = "string" }
for name, kind in pairs(params.OPTIONS) do REQUEST_OPTIONS[name] = kind end

--- Reads the arguments of `client:request(method, path, given)`; makes an operation of them.
---@return ampersand.Call
function by_name.of_request(what, client, method, path, given)
  check_name(what, "method", method, METHODS)
  if type(path) ~= "string" or not path:match("^/[^?#%c%s]*$") or (path .. "/"):find("/%.%.?/") then
    raise(what, "the path must begin with / and hold no ?, #, space, . or .. segment; use `query`")
  end
  given = argcheck.check(given, REQUEST_OPTIONS, what)
  check_name(what, "server", given.server or "api", request.SERVERS)
  local options = {}
  for name, value in pairs(given) do
    if params.OPTIONS[name] then options[name] = value end
  end
  params.check_choices(options, what)
  local query = given.query or {}
  for name, value in pairs(query) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      params.check_query_value(what, name, each)
    end
  end
  local op = {
    id = what, method = method, server = given.server, auth = "any", placeholders = {},
    path = path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }), -- no placeholders here
    returns = method == "HEAD" and "none" or "any",
    shown_path = path:gsub("(/api%-keys/)[^/]+", "%1{apiKey}"),
  }
  return call.new(what, client, op, {}, query, given.body, options)
end

return by_name
