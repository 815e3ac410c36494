--- Arguments of a method -> path, query, body, options.
--
-- Ids fill the path from the right, the client's defaults supply the left; in `fields`, names the operation declares
-- as query go to the URL and the rest is the body; `options` are ours. Misuse is raised at the caller's line.

local options = require "ampersand.options"
local request = require "ampersand.request"

local arguments = {}

--- Options of a single call; everything else a caller writes there is a typo.
arguments.OPTIONS = {
  timeout = "seconds", connect_timeout = "seconds", read_timeout = "seconds", retry = "boolean|count|table",
  headers = "table", nulls = "string", max = "count", max_depth = "count", max_bytes = "count",
  max_values = "count", max_element_bytes = "count", max_element_values = "count", big_integers = "string",
  cancel = "table",
}

-- Which default fills which placeholder.
local DEFAULTS = {
  projectIdOrName = "project", integrationId = "integration", integrationIdOrName = "integration", orgId = "org",
}

local HOW_TO_GIVE = {
  project = "give `project` to ampersand.new or client:with, or set AMPERSAND_PROJECT_ID",
  integration = "give `integration` to ampersand.new or client:with, or set AMPERSAND_INTEGRATION_ID",
  org = "give `org` to ampersand.new or client:with",
}

--- The words for a default that is not configured.
---@param name string "project", "integration" or "org"
---@return string
function arguments.missing(name)
  return ("no %s: %s"):format(name, HOW_TO_GIVE[name])
end

local CHOICES = { nulls = { keep = true, drop = true }, big_integers = { number = true, string = true } }

--- Raises when an option that is one of a few words is another word.
---@param given table
---@param what string
function arguments.check_choices(given, what)
  for name, choices in pairs(CHOICES) do
    local value = given[name]
    if value ~= nil and not choices[value] then
      options.misuse(("%s: option %q must be one of %s, got %q"):format(what, name,
        table.concat(options.names(choices), ", "), tostring(value)))
    end
  end
end

local function check_options(given, what)
  given = options.check(given, arguments.OPTIONS, what)
  arguments.check_choices(given, what)
  return given
end

local function take_id(what, position, op, value)
  local bad = request.bad_id(value)
  if bad then options.misuse(("%s: id %d of %s %s"):format(what, position, op.path, bad)) end
  return value
end

local function take_ids(what, op, count, ...)
  local ids, tables = {}, {}
  for i = 1, count do
    local value = (select(i, ...))
    if type(value) == "table" then
      tables[#tables + 1] = value
    elseif #tables == 0 then
      ids[#ids + 1] = take_id(what, i, op, value)
    elseif value ~= nil then
      options.misuse(("%s: ids come before tables"):format(what))
    end
  end
  if #ids > #op.placeholders then
    options.misuse(("%s: got %d ids, but %s takes %d"):format(what, #ids, op.path, #op.placeholders))
  end
  if #tables > 2 then options.misuse(("%s: takes ids, fields and options; got %d tables"):format(what, #tables)) end
  return ids, tables[1], tables[2]
end

-- The default for one placeholder; nil and a message when it is not configured.
local function default_for(what, op, config, position)
  local name = op.placeholders[position]
  local default = DEFAULTS[name]
  -- what a PUT, PATCH or DELETE changes is named by the caller, never by a default
  local target = position == #op.placeholders and op.method ~= "GET" and op.method ~= "POST"
  if not default or target then options.misuse(("%s: the id %s is missing (%s)"):format(what, name, op.path)) end
  if not config[default] then return nil, arguments.missing(default) end
  local bad = request.bad_id(config[default])
  if bad then return nil, ("the configured %s %s"):format(default, bad) end
  return config[default]
end

-- Completes wire name -> id with defaults; nil and a message when one is not configured.
local function fill_path(what, op, config, path)
  for position, name in ipairs(op.placeholders) do
    if path[name] == nil then
      local id, missing = default_for(what, op, config, position)
      if not id then return nil, missing end
      path[name] = id
    end
  end
  return path
end

local function check_query_value(what, name, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    options.misuse(("%s: field %q must be a string, number or boolean, got %s"):format(what, name, kind))
  end
  return value
end

local function split_fields(what, op, fields)
  local query, body, ours = {}, nil, {}
  for name, value in pairs(fields or {}) do
    if op.query[name] then
      query[name] = check_query_value(what, name, value)
    elseif op.body then
      body = body or {}
      body[name] = value
    elseif arguments.OPTIONS[name] then -- where there is no body no field has such a name
      ours[name] = value
    else
      options.misuse(("%s: unknown field %q; %s"):format(what, tostring(name), options.hint(name, op.query_names)))
    end
  end
  return query, body, ours
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

local function check_required(what, op, query, body)
  for _, name in ipairs(op.required_query) do
    if query[name] == nil then options.misuse(("%s: the field %q is required"):format(what, name)) end
  end
  if body == nil and not op.body_required then return end
  body = body or {}
  for _, field in ipairs(op.body or {}) do
    local found = not field.required or not has_parent(body, field.name)
    for name in field.name:gmatch("[^|]+") do found = found or present(body, name) end
    if not found then
      local names = field.name:gsub("|", '" or "')
      options.misuse(('%s: the field "%s" is required (%s)'):format(what, names, op.id))
    end
  end
end

--- Reads the arguments of `client.resource:verb(ids…, fields, options)`.
---@param what string for messages, such as "installations:get"
---@param op table
---@param config table
---@return table parts path, query, body, options
---@return string? missing which default is not configured, and how to give it
function arguments.of_method(what, op, config, ...)
  local ids, fields, given = take_ids(what, op, select("#", ...), ...)
  local query, body, ours = split_fields(what, op, fields)
  check_required(what, op, query, body)
  for name, value in pairs(given or {}) do ours[name] = value end
  check_options(ours, what)
  local path, skipped = {}, #op.placeholders - #ids
  for i, id in ipairs(ids) do path[op.placeholders[skipped + i]] = id end
  local _, missing = fill_path(what, op, config, path)
  return { path = path, query = query, body = body, options = ours }, missing
end

--- Reads the arguments of `client:call(id, params, options)`: wire names, and `body` apart.
---@param what string
---@param op table
---@param config table
---@param params table?
---@param given table?
---@return table parts
---@return string? missing
function arguments.of_call(what, op, config, params, given)
  local placeholder = {}
  for _, name in ipairs(op.placeholders) do placeholder[name] = true end
  local path, query, body = {}, {}, nil
  for name, value in pairs(params or {}) do
    if name == "body" then
      body = value
    elseif placeholder[name] then
      local bad = request.bad_id(value)
      if bad then options.misuse(("%s: %s %s"):format(what, name, bad)) end
      path[name] = value
    elseif op.query[name] then
      query[name] = check_query_value(what, name, value)
    else
      local known = { "body" }
      for _, list in ipairs { op.placeholders, op.query_names } do
        for _, wire in ipairs(list) do known[#known + 1] = wire end
      end
      options.misuse(("%s: unknown parameter %q; %s"):format(what, tostring(name), options.hint(name, known)))
    end
  end
  if body ~= nil and not op.body then options.misuse(what .. ": the operation takes no body") end
  check_required(what, op, query, body)
  local _, missing = fill_path(what, op, config, path)
  return { path = path, query = query, body = body, options = check_options(given, what) }, missing
end

-- "unknown server "raed"; did you mean "read"?"
local function check_name(what, kind, name, known)
  if known[name] then return end
  options.misuse(("%s: unknown %s %q; %s"):format(what, kind, tostring(name), options.hint(name, options.names(known))))
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local REQUEST_OPTIONS = { query = "table", body = "table|string|number|boolean", server = "string" }
for name, kind in pairs(arguments.OPTIONS) do REQUEST_OPTIONS[name] = kind end

local function check_literal_path(what, path)
  if type(path) ~= "string" or not path:match("^/[^?#%c%s]*$") or (path .. "/"):find("/%.%.?/") then
    options.misuse(what .. ": the path must begin with / and hold no ?, #, space, . or .. segment; use `query`")
  end
end

--- Reads the arguments of `client:request(method, path, given)`; makes an operation of them.
---@return table op
---@return table parts
function arguments.of_request(what, method, path, given)
  check_name(what, "method", method, METHODS)
  check_literal_path(what, path)
  given = options.check(given, REQUEST_OPTIONS, what)
  check_name(what, "server", given.server or "api", request.SERVERS)
  local ours = {}
  for name, value in pairs(given) do
    if arguments.OPTIONS[name] then ours[name] = value end
  end
  arguments.check_choices(ours, what)
  local query = given.query or {}
  for name, value in pairs(query) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do check_query_value(what, name, each) end
  end
  local op = {
    id = what, method = method, server = given.server, auth = "any", placeholders = {},
    path = path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }), -- no placeholders here
    returns = method == "HEAD" and "none" or "any",
    shown_path = path:gsub("(/api%-keys/)[^/]+", "%1{apiKey}"),
  }
  return op, { path = {}, query = query, body = given.body, options = ours }
end

return arguments
