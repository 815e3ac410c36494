--- Arguments of a method -> path, query, body, options.
--
-- Ids fill the path from the right, the client's defaults supply the left; in `fields`, names the operation declares
-- as query go to the URL and the rest is the body; `options` are ours. Misuse is raised at the caller's line.
-- Arguments by name, as `client:call` and `client:request` take them, are ampersand.client.named_params'.

local later = require "ampersand.util.later"
local argcheck = require "ampersand.util.argcheck"
local request = require "ampersand.client.request"

local arguments = later "ampersand.client.named_params"

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

local CHOICES = {
  nulls = { keep = true, drop = true }, big_integers = { number = true, string = true },
  http_version = { ["1.1"] = true, ["2"] = true },
}

--- Raises when an option that is one of a few words is another word.
---@param given table
---@param what string
function arguments.check_choices(given, what)
  for name, choices in pairs(CHOICES) do
    local value = given[name]
    if value ~= nil and not choices[value] then
      argcheck.raise(("%s: option %q must be one of %s, got %q"):format(what, name,
        table.concat(argcheck.names(choices), ", "), tostring(value)))
    end
  end
  for _, value in pairs(given) do
    if type(value) == "table" then return arguments.check_tables(given, what) end
  end
end

--- Checks the options of a call.
---@param given table?
---@param what string
---@return table given
function arguments.check_options(given, what)
  given = argcheck.check(given, arguments.OPTIONS, what)
  if next(given) ~= nil then arguments.check_choices(given, what) end
  return given
end

local function take_ids(what, op, count, ...)
  local ids, tables = {}, {}
  for i = 1, count do
    local value = (select(i, ...))
    if type(value) == "table" then
      tables[#tables + 1] = value
    elseif #tables == 0 then
      local bad = request.bad_id(value)
      if bad then argcheck.raise(("%s: id %d of %s %s"):format(what, i, op.path, bad)) end
      ids[i] = value
    elseif value ~= nil then
      argcheck.raise(("%s: ids come before tables"):format(what))
    end
  end
  if #ids > #op.placeholders then
    argcheck.raise(("%s: got %d ids, but %s takes %d"):format(what, #ids, op.path, #op.placeholders))
  end
  if #tables > 2 then argcheck.raise(("%s: takes ids, fields and options; got %d tables"):format(what, #tables)) end
  return ids, tables[1], tables[2]
end

--- Completes wire name -> id with the client's defaults.
---@param what string
---@param op table
---@param config table
---@param path table<string, any>
---@return string? missing which default is not configured, and how to give it
function arguments.fill_path(what, op, config, path)
  local placeholders = op.placeholders
  for position = 1, #placeholders do
    local name = placeholders[position]
    if path[name] == nil then
      local default = DEFAULTS[name]
      -- what a PUT, PATCH or DELETE changes is named by the caller, never by a default
      local target = position == #placeholders and op.method ~= "GET" and op.method ~= "POST"
      if not default or target then argcheck.raise(("%s: the id %s is missing (%s)"):format(what, name, op.path)) end
      local id = config[default]
      if not id then return arguments.missing(default) end
      local bad = request.bad_id(id)
      if bad then return ("the configured %s %s"):format(default, bad) end
      path[name] = id
    end
  end
end

--- Raises unless a value can stand in a query.
---@param what string
---@param name string
---@param value any
---@return string|number|boolean value
function arguments.check_query_value(what, name, value)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    argcheck.raise(("%s: field %q must be a string, number or boolean, got %s"):format(what, name, kind))
  end
  return value
end

local function split_fields(what, op, fields)
  local query, body, ours = {}, nil, {}
  for name, value in pairs(fields) do
    if op.query[name] then
      query[name] = arguments.check_query_value(what, name, value)
    elseif op.body then
      body = body or {}
      body[name] = value
    elseif arguments.OPTIONS[name] then -- where there is no body no field has such a name
      ours[name] = value
    else
      argcheck.raise(("%s: unknown field %q; %s"):format(what, tostring(name), argcheck.hint(name, op.query_names)))
    end
  end
  return query, body, ours
end

--- Raises unless the required fields are there.
---@param what string
---@param op table
---@param query table<string, any>
---@param body any
function arguments.check_required(what, op, query, body)
  for _, name in ipairs(op.required_query) do
    if query[name] == nil then argcheck.raise(("%s: the field %q is required"):format(what, name)) end
  end
  if op.body and (body ~= nil or op.body_required) then arguments.check_body(what, op, body or {}) end
end

--- Reads the arguments of `client.resource:verb(ids…, fields, options)`.
---@param what string for messages, such as "installations:get"
---@param op table
---@param config table
---@return table parts path, query, body, options
---@return string? missing which default is not configured, and how to give it
function arguments.of_method(what, op, config, ...)
  local count, path = select("#", ...), {}
  local parts = { path = path, query = {}, options = {} }
  if count > 0 then
    local ids, fields, given = take_ids(what, op, count, ...)
    local query, body, ours = split_fields(what, op, fields or {})
    for name, value in pairs(given or {}) do ours[name] = value end
    local skipped = #op.placeholders - #ids
    for i, id in ipairs(ids) do path[op.placeholders[skipped + i]] = id end
    parts.query, parts.body, parts.options = query, body, ours
  end
  arguments.check_required(what, op, parts.query, parts.body)
  arguments.check_options(parts.options, what)
  return parts, arguments.fill_path(what, op, config, path)
end

return arguments
