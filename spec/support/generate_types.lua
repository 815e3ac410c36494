-- Writes lua/ampersand/types.lua, the annotations for editors, from the vendor's documents, our table of operations
-- and cli/descriptions:
--   lua spec/support/generate_types.lua > types.new && mv types.new lua/ampersand/types.lua
package.path = "lua/?.lua;spec/?.lua;" .. package.path
local descriptions = require "ampersand.cli.descriptions"
local documents = require "support.documents"
local operations = require "ampersand.client.operations"

local sorted_keys = documents.sorted_keys

local generator = {}

local HEAD = [[
---@meta ampersand.types
-- luacheck: ignore
-- Annotations for editors: every schema, every resource and method. Never loaded by a program.
-- Generated from the vendor's documents (MIT) by spec/support/generate_types.lua; do not edit.

---Options of one call.
---@class ampersand.CallOptions
---@field timeout? number seconds for the whole call, its tries included; default 60
---@field connect_timeout? number seconds for one connection; default 10
---@field read_timeout? number seconds without a byte; default 30
---@field retry? boolean|integer|ampersand.RetryOptions false, a number of tries, or true (POST and PATCH too); default 3
---@field headers? table<string, string> added to the request
---@field cancel? ampersand.CancelToken ends the call early
---@field max? integer stop a list after this many elements
---@field nulls? "keep"|"drop" "drop" leaves members out that are null; default "keep"
---@field big_integers? "number"|"string" "string" for integers that a number cannot hold; default "number"
---@field max_bytes? integer of a whole answer; the default depends on the operation
---@field max_values? integer of a whole answer; the default depends on the operation
---@field max_element_bytes? integer of one element of a list; default 16 MiB
---@field max_element_values? integer of one element of a list; default 10^6
---@field max_depth? integer nesting; default 1000
---@field unknown_fields? "refuse"|"ignore" what happens to near misses of known names, in bodies; default "refuse"

---How often a request is sent. The wait before a try is random, up to base seconds doubled with each try, at most cap.
---@class ampersand.RetryOptions
---@field attempts? integer tries in all; default 3
---@field base? number seconds; default 0.25
---@field cap? number seconds; default 8
---@field always? boolean repeat POST and PATCH, too

---Options of ampersand.new. client:with takes those that do not concern the connection: credentials, project,
---integration, org, region, user_agent, on_event and the options of a call without max and cancel.
---@class ampersand.Options
---@field api_key? string default: AMP_API_KEY, then AMPERSAND_API_KEY of the environment
---@field bearer? string|fun(reason: "first"|"expired"|"refused", token: string?): string?, any a JWT, or a function that returns one
---@field project? string id or name; default: AMPERSAND_PROJECT_ID
---@field integration? string id or name; default: AMPERSAND_INTEGRATION_ID
---@field org? string id
---@field base_url? string replaces all servers; /v1 is added unless the path ends in a version; default: AMP_API_URL
---@field region? string the vendor's servers in a region, such as "eu"; default: AMP_REGION
---@field servers? table<string, string> single servers by name: api, read, write, search, proxy
---@field timeout? number seconds for a whole call, its tries included; default 60
---@field connect_timeout? number seconds for one connection; default 10
---@field read_timeout? number seconds without a byte; default 30
---@field retry? boolean|integer|ampersand.RetryOptions false, a number of tries, or true (POST and PATCH too); default 3
---@field headers? table<string, string> added to every request
---@field user_agent? string appended to "ampersand-lua/VERSION"
---@field on_event? fun(event: table) called after every try
---@field nulls? "keep"|"drop" "drop" leaves members out that are null; default "keep"
---@field big_integers? "number"|"string" "string" for integers that a number cannot hold; default "number"
---@field max_bytes? integer of a whole answer; the default depends on the operation
---@field max_values? integer of a whole answer; the default depends on the operation
---@field max_element_bytes? integer of one element of a list; default 16 MiB
---@field max_element_values? integer of one element of a list; default 10^6
---@field max_depth? integer nesting; default 1000
---@field unknown_fields? "refuse"|"ignore" near misses of known names, in bodies, where and select; default "refuse"
---@field http_proxy? string URL of a proxy, "" for none; default: the environment's, except for loopback
---@field http_version? "1.1"|"2" default "2" over TLS
---@field max_connections? integer open connections; further calls wait
---@field keepalive? boolean TCP probes on idle connections after 60 s; default true; not in nginx
---@field requests_per_second? number further calls wait
---@field ca_file? string path of a PEM file of authorities; default: the system's
---@field ca_path? string directory of authorities; default: the system's
---@field client_cert? string path of a PEM file
---@field client_key? string path of a PEM file
---@field client_key_password? string|fun(): string of an encrypted client_key
---@field insecure_skip_verify? boolean accepts any certificate, so that any server can obtain the key; default false
---@field allow_insecure_http? boolean plain http to machines other than this one; default false
---@field transport? table|function sends the requests; default: libcurl, or that of the host
---@field loop? table adapter of an event loop, such as require "ampersand.loop.luv"

---A value that a field is compared with; ampersand.null is userdata.
---@alias ampersand.Value string|number|boolean|userdata

---A test of one field. Several operators mean "and".
---@class ampersand.Test
---@field eq? ampersand.Value equal
---@field ne? ampersand.Value present, of the same type, and different
---@field ["in"]? ampersand.Value[] one of these
---@field lt? string|number less; strings byte by byte
---@field lte? string|number less or equal
---@field gt? string|number greater
---@field gte? string|number greater or equal
---@field prefix? string begins with
---@field present? boolean true: present, null included; false: absent

---A condition of where. Several members mean "and". A name is a dotted path; * is any key or index.
---@class ampersand.Condition
---@field any? ampersand.Condition[] one of these conditions holds
---@field all? ampersand.Condition[] all of these conditions hold
---@field [string] ampersand.Value|ampersand.Value[]|ampersand.Test

---The second result of a successful call.
---@class ampersand.Info
---@field status integer HTTP status
---@field headers table<string, string> names in lower case
---@field request_id? string for the vendor's support
---@field attempts integer how often the request was sent
]]

-- The first sentence of a description on one line, without Markdown links.
local function brief(text)
  text = (text or ""):gsub("%[([^%]]*)%]%b()", "%1"):gsub("[%c%s]+", " "):gsub("^ ", "")
  text = text:gsub("(%f[%a][ei]%.[ge]%.) ", "%1\1") -- "e.g. This" ends no sentence
  text = (text:match "^(.-[%.!?]) %u" or text):gsub("\1", " ")
  if #text > 110 then text = text:sub(1, 107):gsub("[%w\128-\255]*$", ""):gsub("[%s%p]+$", "") .. "..." end
  return text
end

local function class_name(name)
  return (name:gsub("%-(%d+)$", "%1"))
end

local function field_key(name)
  return name:match "^%a[%w_]*$" and name or ('["%s"]'):format(name)
end

local SCALARS = { string = "string", integer = "integer", number = "number", boolean = "boolean" }

-- Output: one block of text per class, in the order they are asked for.
local Writer = {}
Writer.__index = Writer

function Writer:line(text, ...)
  self.lines[#self.lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

local function joined(list)
  local seen, names = {}, {}
  for _, name in ipairs(list) do
    if not seen[name] then names[#names + 1] = name end
    seen[name] = true
  end
  return table.concat(names, "|")
end

local function array_of(element)
  return (element:find("|", 1, true) and "(" .. element .. ")" or element) .. "[]"
end

local function enum_of(values)
  local list = {}
  for i, value in ipairs(values) do list[i] = ('"%s"'):format(value) end
  return joined(list)
end

--- The annotation of a schema; classes for objects without a name are called after where they stand.
function Writer:type_of(document, schema, place)
  local target, name = document:resolve(schema)
  if name then return class_name(name) end
  if target.enum and target.type == "string" then return enum_of(target.enum) end
  if target.type == "array" then return array_of(self:type_of(document, target.items or {}, place)) end
  if target.oneOf or target.anyOf then
    local list = {}
    for i, branch in ipairs(target.oneOf or target.anyOf) do list[i] = self:type_of(document, branch, place) end
    return joined(list)
  end
  if target.properties or target.allOf then
    self.pending[#self.pending + 1] = { name = place, schema = target, document = document }
    return place
  end
  if type(target.additionalProperties) == "table" then
    return ("table<string, %s>"):format(self:type_of(document, target.additionalProperties, place))
  end
  return SCALARS[target.type] or target.type == "object" and "table<string, any>" or "any"
end

function Writer:fields(document, properties, required, place)
  for _, name in ipairs(sorted_keys(properties)) do
    local annotation = self:type_of(document, properties[name], place .. "." .. name)
    local words = brief((document:resolve(properties[name])).description or properties[name].description)
    local mark = required[name] and "" or "?"
    self:line("---@field %s%s %s%s", field_key(name), mark, annotation, words ~= "" and " " .. words or "")
  end
end

function Writer:class(document, name, schema)
  local properties, required = document:members(schema)
  for _, branch in ipairs(schema.oneOf or {}) do document:members(branch, properties, {}) end
  if schema.description then self:line("---%s", brief(schema.description)) end
  self:line("---@class %s", name)
  self:fields(document, properties, required, name)
  local more = schema.additionalProperties
  if type(more) == "table" and next(more) then
    self:line("---@field [string] %s", self:type_of(document, more, name .. ".value"))
  end
  self:line ""
end

-- Classes that came up on the way, until none is left.
function Writer:settle()
  while self.pending[1] do
    local one = table.remove(self.pending, 1)
    self:class(one.document, one.name, one.schema)
  end
end

local function is_class(document, schema)
  if schema.properties or schema.allOf then return true end
  for _, branch in ipairs(schema.oneOf or {}) do
    local _, name = document:resolve(branch)
    if not name then return true end
  end
  return false
end

function Writer:schema(document, key, schema)
  local name = class_name(key)
  if is_class(document, schema) then
    self:class(document, name, schema)
  else
    -- ask for the contents, not for the name again
    local named = document.names
    document.names = {}
    if schema.description then self:line("---%s", brief(schema.description)) end
    self:line("---@alias %s %s", name, self:type_of(document, schema, name .. ".value"))
    self:line ""
    document.names = named
  end
  self:settle()
end

-- --- operations ------------------------------------------------------------------------------

local DEFAULTED = { projectIdOrName = true, integrationId = true, integrationIdOrName = true, orgId = true }

-- The ids a caller has to give, and whether a default may stand for the last one.
local function ids_of(op)
  local first = #op.placeholders + 1
  for i, name in ipairs(op.placeholders) do
    local target = i == #op.placeholders and op.method ~= "GET" and op.method ~= "POST"
    if not DEFAULTED[name] or target then
      first = i
      break
    end
  end
  local ids = {}
  for i = first, #op.placeholders do ids[#ids + 1] = op.placeholders[i] end
  return ids
end

local function fields_name(op)
  return op.id:sub(1, 1):upper() .. op.id:sub(2) .. "Fields"
end

local function has_fields(op)
  return op.body ~= nil or op.query_names[1] ~= nil
end

local function is_required(op)
  if op.required_query[1] then return true end
  for _, field in ipairs(op.body or {}) do
    if field.required and not field.path[2] and op.body_required then return true end
  end
  return false
end

local RETURNS = { array = "%s[]", page = "%s[]", map = "table<string, %s>", object = "%s" }

local function return_type(op)
  if op.returns == "text" then return "string" end
  if op.returns == "none" then return "true" end
  return RETURNS[op.returns]:format(op.element)
end

-- The fields of one call: its query, and the members of its body.
function Writer:operation_fields(document, found, op)
  if not has_fields(op) or op.verb == "in_project" then return end
  self:line("---@class %s%s", fields_name(op), op.body and "" or ": ampersand.CallOptions")
  local properties, required = {}, {}
  if found and found.requestBody then
    properties, required = documents.body_members(document, select(2, next(found.requestBody.content)).schema)
  end
  for _, parameter in ipairs(found and found.parameters or {}) do
    if parameter["in"] == "query" then
      properties[parameter.name], required[parameter.name] = parameter.schema, parameter.required
    end
  end
  if not found then -- dropped by the vendor: the line is all there is
    for _, field in ipairs(op.body) do
      properties[field.name], required[field.name] = { type = "string" }, field.required
    end
  end
  self:fields(document, properties, required, fields_name(op))
  self:line ""
  self:settle()
end

local function parameters_of(op)
  local names = ids_of(op)
  local ids = #names
  if has_fields(op) then names[#names + 1] = "fields" end
  names[#names + 1] = "options"
  return names, ids
end

-- The same method with the id that a default of the client supplies otherwise.
function Writer:overload(class, op, ids, returns)
  local id = op.placeholders[#op.placeholders - ids]
  if not id then return end
  local parts = { "self: ampersand.resource." .. class, id .. ": string" }
  for i = 1, ids do parts[#parts + 1] = op.placeholders[#op.placeholders - ids + i] .. ": string" end
  if has_fields(op) then
    parts[#parts + 1] = ("fields%s: %s"):format(is_required(op) and "" or "?", fields_name(op))
  end
  parts[#parts + 1] = "options?: ampersand.CallOptions"
  local types = {}
  for i, line in ipairs(returns) do types[i] = line:match "^(.*) %w+$" end
  self:line("---@overload fun(%s): %s", table.concat(parts, ", "), table.concat(types, ", "))
end

-- A method; `verb` differs from the operation's own for the other forms of a list.
function Writer:method(class, op, verb, summary, returns)
  local names, ids = parameters_of(op)
  self:line("---%s", summary)
  if verb == op.verb then self:overload(class, op, ids, returns) end
  for i = 1, ids do self:line("---@param %s string", names[i]) end
  if has_fields(op) then self:line("---@param fields%s %s", is_required(op) and "" or "?", fields_name(op)) end
  self:line "---@param options? ampersand.CallOptions"
  for _, line in ipairs(returns) do self:line("---@return %s", line) end
  self:line("function %s:%s(%s) end", class, verb, table.concat(names, ", "))
  self:line ""
end

local ERROR = "ampersand.Info|ampersand.Error|nil info"

function Writer:list_forms(class, op)
  local element = op.element
  self:method(class, op, "each", "Iterates over the elements while the body arrives; raises the error object.", {
    ("fun(): %s|nil iterator"):format(element),
  })
  self:method(class, op, "stream", "Like each, with next() and close(); next() returns nil, err instead of raising.", {
    "ampersand.Stream|nil stream", "ampersand.Error|nil err",
  })
  self:method(class, op, "pages", "Iterates over whole pages; raises the error object.", {
    ("fun(): %s[]|nil iterator"):format(element),
  })
  self:method(class, op, "first", "Gets the first element; nil if there is none.", { element .. "|nil value", ERROR })
  self:method(class, op, "count", "Counts the elements without making tables.", { "integer|nil count", ERROR })
  self:line "---Returns a view of the elements for which the condition holds."
  self:line("---@param condition ampersand.Condition|fun(element: %s): boolean", element)
  self:line("---@return ampersand.resource.%s", class)
  self:line("function %s:where(condition) end", class)
  self:line ""
  self:line "---Returns a view that keeps only these paths of each element."
  self:line "---@param paths (string|string[])[] dotted paths, or lists of names"
  self:line("---@return ampersand.resource.%s", class)
  self:line("function %s:select(paths) end", class)
  self:line ""
end

function Writer:verb(op, summary)
  if op.verb == "in_project" then
    self:line("---Returns a view of the list over all integrations of the project. `%s %s`", op.method, op.path)
    self:line("---@return ampersand.resource.%s", op.resource)
    self:line("function %s:in_project() end", op.resource)
    return self:line ""
  end
  local words = ("%s `%s %s`"):format(summary, op.method, op.path)
  self:method(op.resource, op, op.verb, words, { return_type(op) .. "|nil value", ERROR })
  if op.verb == "list" and op.returns ~= "map" then self:list_forms(op.resource, op) end
end

-- Operation id -> its part of the documents, and which document.
local function index(all)
  local found = {}
  for _, document in ipairs(all) do
    for _, methods in pairs(document.paths) do
      for _, operation in pairs(methods) do
        if operation.operationId then found[operation.operationId] = { operation, document } end
      end
    end
  end
  return found
end

local function write_operations(writer, all)
  local found, last, resources = index(all), nil, {}
  for _, op in ipairs(operations.all()) do
    if op.resource ~= last then
      last = op.resource
      resources[#resources + 1] = last
      writer:line("---@class ampersand.resource.%s", last)
      writer:line("local %s = {}", last)
      writer:line ""
    end
    local operation, document = (found[op.id] or {})[1], (found[op.id] or { nil, all[1] })[2]
    local unnamed = documents.UNNAMED[op.id]
    if unnamed then writer:class(document, unnamed, operation.responses["200"].content["application/json"].schema) end
    writer:operation_fields(document, operation, op)
    writer:verb(op, descriptions[op.id] .. (operation and "" or " No longer in the vendor's documents."))
  end
  writer:line "---@class ampersand.Client"
  for _, resource in ipairs(resources) do writer:line("---@field %s ampersand.resource.%s", resource, resource) end
end

-- Other schemas use the contents of some aliases, not their names.
local function without_unused_aliases(text)
  for name in text:gmatch "\n%-%-%-@alias (%w+) " do
    local _, uses = text:gsub("%f[%w]" .. name .. "%f[^%w_.]", "")
    if uses == 1 then
      text = text:gsub("\n%-%-%-%u[^\n]*(\n%-%-%-@alias " .. name .. " )", "%1")
        :gsub("\n%-%-%-@alias " .. name .. " [^\n]*\n", "")
    end
  end
  return text
end

--- The text of lua/ampersand/types.lua.
function generator.text()
  local writer = setmetatable({ lines = { HEAD }, pending = {} }, Writer)
  local all = documents.open()
  for _, document in ipairs { all[1], all[2], all[3], all[4], documents.open_webhook() } do
    for _, name in ipairs(sorted_keys(document.components.schemas)) do
      writer:schema(document, name, document.components.schemas[name])
    end
  end
  write_operations(writer, all)
  return without_unused_aliases(table.concat(writer.lines, "\n"):gsub("[ \t]+\n", "\n") .. "\n")
end

generator.class_name, generator.is_class = class_name, is_class

if arg and arg[0] and arg[0]:match "generate_types%.lua$" then io.write(generator.text()) end

return generator
