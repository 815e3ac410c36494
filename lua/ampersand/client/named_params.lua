--- Arguments by name, of `client:call` and `client:request`; and what the reading of arguments needs only for some
-- operations. ampersand.client.params hands these functions on.

local argcheck = require "ampersand.util.argcheck"
local request = require "ampersand.client.request"
local arguments = require "ampersand.client.params"

local named = {}

local HOW_TO_GIVE = {
  project = "give `project` to ampersand.new or client:with, or set AMPERSAND_PROJECT_ID",
  integration = "give `integration` to ampersand.new or client:with, or set AMPERSAND_INTEGRATION_ID",
  org = "give `org` to ampersand.new or client:with",
}

--- The words for a default that is not configured.
---@param name string "project", "integration" or "org"
---@return string
function named.missing(name)
  return ("no %s: %s"):format(name, HOW_TO_GIVE[name])
end

local RETRY = { attempts = "count", base = "wait", cap = "wait", always = "boolean" }

-- The functions that a table must have to be what the option wants.
local SHAPES = {
  cancel = { words = "a token of ampersand.cancel.token()", "watch", "unwatch" },
  loop = { words = "an adapter, such as require \"ampersand.loop.frame\".new()", "inside", "park", "wake" },
  transport = { words = "a function, or a table with the function `request`", "request" },
}

--- Raises when an option that is a table is not what it should be.
---@param given table
---@param what string
function named.check_tables(given, what)
  if type(given.retry) == "table" then argcheck.check(given.retry, RETRY, what .. ": retry") end
  for name, shape in pairs(SHAPES) do
    for _, method in ipairs(type(given[name]) == "table" and shape or {}) do
      if type(given[name][method]) ~= "function" then
        argcheck.raise(("%s: option %q must be %s"):format(what, name, shape.words))
      end
    end
  end
end

local function present(body, name)
  local value = body
  for key in name:gmatch("[^.]+") do
    if type(value) ~= "table" then return true end -- an absent or odd parent is reported by itself
    value = value[key]
  end
  return value ~= nil
end

local function has_parent(body, name)
  local parent = name:match("^(.*)%.[^.]+$")
  return not parent or (present(body, parent))
end

--- Raises unless the required fields of a body are there.
---@param what string
---@param op table
---@param body table
function named.check_body(what, op, body)
  for _, field in ipairs(op.body) do
    local found = not field.required or not has_parent(body, field.name)
    for name in field.name:gmatch("[^|]+") do found = found or present(body, name) end
    if not found then
      local names = field.name:gsub("|", '" or "')
      argcheck.raise(('%s: the field "%s" is required (%s)'):format(what, names, op.id))
    end
  end
end

--- Reads the arguments of `client:call(id, params, options)`: wire names, and `body` apart.
---@param what string
---@param op table
---@param config table
---@param params table?
---@param given table?
---@return table parts
---@return string? missing
function named.of_call(what, op, config, params, given)
  argcheck.check({ params = params, options = given }, { params = "table", options = "table" }, what)
  local placeholder = {}
  for _, name in ipairs(op.placeholders) do placeholder[name] = true end
  local path, query, body = {}, {}, nil
  for name, value in pairs(params or {}) do
    if name == "body" then
      body = value
    elseif placeholder[name] then
      local bad = request.bad_id(value)
      if bad then argcheck.raise(("%s: %s %s"):format(what, name, bad)) end
      path[name] = value
    elseif op.query[name] then
      query[name] = arguments.check_query_value(what, name, value)
    else
      local known = { "body" }
      for _, list in ipairs { op.placeholders, op.query_names } do
        for _, wire in ipairs(list) do known[#known + 1] = wire end
      end
      argcheck.raise(("%s: unknown parameter %q; %s"):format(what, tostring(name), argcheck.hint(name, known)))
    end
  end
  if body ~= nil and not op.body then argcheck.raise(what .. ": the operation takes no body") end
  arguments.check_required(what, op, query, body)
  local missing = arguments.fill_path(what, op, config, path)
  return { path = path, query = query, body = body, options = arguments.check_options(given, what) }, missing
end

-- "unknown server "raed"; did you mean "read"?"
local function check_name(what, kind, name, known)
  if known[name] then return end
  argcheck.raise(("%s: unknown %s %q; %s"):format(what, kind, tostring(name), argcheck.hint(name, argcheck.names(known))))
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local REQUEST_OPTIONS = { query = "table", body = "table|string|number|boolean", server = "string" }
for name, kind in pairs(arguments.OPTIONS) do REQUEST_OPTIONS[name] = kind end

local function check_literal_path(what, path)
  if type(path) ~= "string" or not path:match("^/[^?#%c%s]*$") or (path .. "/"):find("/%.%.?/") then
    argcheck.raise(what .. ": the path must begin with / and hold no ?, #, space, . or .. segment; use `query`")
  end
end

--- Reads the arguments of `client:request(method, path, given)`; makes an operation of them.
---@return table op
---@return table parts
function named.of_request(what, method, path, given)
  check_name(what, "method", method, METHODS)
  check_literal_path(what, path)
  given = argcheck.check(given, REQUEST_OPTIONS, what)
  check_name(what, "server", given.server or "api", request.SERVERS)
  local ours = {}
  for name, value in pairs(given) do
    if arguments.OPTIONS[name] then ours[name] = value end
  end
  arguments.check_choices(ours, what)
  local query = given.query or {}
  for name, value in pairs(query) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      arguments.check_query_value(what, name, each)
    end
  end
  local op = {
    id = what, method = method, server = given.server, auth = "any", placeholders = {},
    path = path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }), -- no placeholders here
    returns = method == "HEAD" and "none" or "any",
    shown_path = path:gsub("(/api%-keys/)[^/]+", "%1{apiKey}"),
  }
  return op, { path = {}, query = query, body = given.body, options = ours }
end

return named
