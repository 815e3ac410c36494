--- Arguments of methods -> path, query, body, options. ampersand.client.by_id and .raw read those of client:call and
-- client:request.
--
-- Ids fill the path from the right, the client's defaults supply the left; in `fields`, names the operation declares
-- as query go to the URL and the rest is the body; `options` are ours. Invalid arguments raise at the caller's line.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local environment = require "ampersand.util.environment"
local operations = require "ampersand.client.operations"
local request = require "ampersand.client.request"
local require = require "ampersand.util.require"

local NOTHING = call.NOTHING

local params = {}

local RETRY = { attempts = "count", base = "wait", cap = "wait", always = "boolean" }

local function check_headers(headers, what)
  for name, value in pairs(headers) do
    local bad = request.bad_header(name, value)
    if bad then argcheck.raise(what .. ": " .. bad) end
  end
end

local function check_retry(retry, what)
  argcheck.check(retry, RETRY, what .. ": retry")
end

--- Options of a single call; everything else a caller writes there is a typo.
params.OPTIONS = {
  timeout = "seconds", connect_timeout = "seconds", read_timeout = "seconds", max = "count", max_depth = "count",
  max_bytes = "count", max_values = "count", max_element_bytes = "count", max_element_values = "count",
  retry = { types = "boolean|count|table", check = check_retry },
  headers = { types = "table", check = check_headers },
  nulls = { types = "string", choices = { "keep", "drop" } },
  big_integers = { types = "string", choices = { "number", "string" } },
  unknown_fields = { types = "string", choices = { "refuse", "ignore" } },
  cancel = { types = "table", methods = { "watch", "unwatch" }, words = "a token of ampersand.cancel.token()" },
}

local raise = argcheck.raise_in

-- --- ids ---------------------------------------------------------------------------------------------------------

--- The words for a default that is not configured.
---@param name string "project", "integration" or "org"
function params.missing(name)
  local variable = name ~= "org" and ", or set " .. environment.NAMES[name][1] or ""
  return ("no %s: give `%s` to ampersand.new or client:with%s"):format(name, name, variable)
end

-- The ids (nil without any), the fields and the options among a method's arguments.
local function take_arguments(what, op, ...)
  local count, ids, fields, options = select("#", ...), nil, nil, nil
  for i = 1, count do
    local value = (select(i, ...))
    if type(value) == "table" then
      if options then raise(what, "takes ids, fields and options; got %d tables", count - (ids and #ids or 0)) end
      fields, options = fields or value, fields and value
    elseif not fields then
      local bad = request.bad_id(value)
      if bad then raise(what, "id %d of %s %s", i, op.path, bad) end
      ids = ids or {}
      ids[i] = value
    elseif value ~= nil then
      raise(what, "ids come before tables")
    end
  end
  if ids and #ids > #op.placeholders then
    raise(what, "got %d ids, but %s takes %d", #ids, op.path, #op.placeholders)
  end
  return ids, fields, options
end

-- Completes wire name -> id with the client's defaults; the words for one that is not configured.
function params.fill_path(what, op, config, path)
  local placeholders = op.placeholders
  for position = 1, #placeholders do
    local name = placeholders[position]
    if path[name] == nil then
      local default = operations.DEFAULTS[name]
      -- what a PUT, PATCH or DELETE changes is named by the caller, never by a default
      local target = position == #placeholders and op.method ~= "GET" and op.method ~= "POST"
      if not default or target then raise(what, "the id %s is missing (%s)", name, op.path) end
      local id = config[default]
      if not id then return params.missing(default) end
      local bad = request.bad_id(id)
      if bad then return ("the configured %s %s"):format(default, bad) end
      path[name] = id
    end
  end
end

-- --- fields ------------------------------------------------------------------------------------------------------

function params.check_query_value(what, name, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    raise(what, "field %q must be a string, number or boolean, got %s", name, kind)
  end
  return value
end

--- Checks what a call gives beyond its ids. Near misses of the names of a body's fields are refused, too.
function params.check(what, op, config, query, body, options)
  if options ~= NOTHING then argcheck.check(options, params.OPTIONS, what) end
  for i = 1, #op.required_query do
    local name = op.required_query[i]
    if query[name] == nil then raise(what, "the field %q is required", name) end
  end
  if not op.body or (body ~= nil and type(body) ~= "table") then return end
  local fields, unknown_fields = require "ampersand.client.fields", options.unknown_fields or config.unknown_fields
  local problem = body and unknown_fields ~= "ignore" and fields.body_problem(op.id, body)
    or fields.missing(op, body or {})
  if problem then raise(what, "%s", problem) end
end

local function split_fields(what, op, fields)
  local query, body, ours = NOTHING, nil, NOTHING
  for name, value in pairs(fields) do
    if op.query[name] then
      if query == NOTHING then query = {} end
      query[name] = params.check_query_value(what, name, value)
    elseif op.body then
      body = body or {}
      body[name] = value
    elseif params.OPTIONS[name] then -- where there is no body no field has such a name
      if ours == NOTHING then ours = {} end
      ours[name] = value
    else
      local known = argcheck.names(params.OPTIONS)
      for _, field in ipairs(op.query_names) do known[#known + 1] = field end
      raise(what, "unknown field or option %q; %s", tostring(name), argcheck.hint(name, known))
    end
  end
  return query, body, ours
end

-- The path with the ids of a call, and which default is missing. One with the client's ids alone is made once.
local function path_of(what, op, client, ids)
  local paths = client._kept.paths
  if not ids and paths[op] then return paths[op] end
  local path = {}
  for i, id in ipairs(ids or path) do path[op.placeholders[#op.placeholders - #ids + i]] = id end
  local missing = params.fill_path(what, op, client._config, path)
  if not ids and not missing then paths[op] = path end
  return path, missing
end

--- Reads the arguments of `client.resource:verb(ids…, fields, options)`.
---@param what string for messages, such as "installations:get"
---@return ampersand.Call?, ampersand.Error?
function params.of_method(what, op, client, ...)
  local ids, fields, given = take_arguments(what, op, ...)
  local query, body, options = split_fields(what, op, fields or NOTHING)
  if given then
    local ours = options
    options = {}
    for name, value in pairs(ours) do options[name] = value end
    for name, value in pairs(given) do options[name] = value end
  end
  params.check(what, op, client._config, query, body, options)
  local path, missing = path_of(what, op, client, ids)
  return call.new(what, client, op, path, query, body, options, missing)
end

return params
