-- Writes lua/ampersand/types.lua, what editors know of the API, from the vendor's documents and our table of
-- operations:
--   lua spec/support/generate_types.lua > types.new && mv types.new lua/ampersand/types.lua
package.path = "lua/?.lua;spec/?.lua;" .. package.path
local documents = require "support.documents"
local operations = require "ampersand.client.operations"

local sorted_keys = documents.sorted_keys

local generator = {}

local HEAD = [[
---@meta ampersand.types
-- luacheck: ignore
-- What editors know of the API: every schema, every resource and method. Never loaded by a program.
-- Generated from the vendor's documents (MIT) by spec/support/generate_types.lua; do not edit.

---@class ampersand.CallOptions
---@field timeout? number seconds in all, with retries
---@field connect_timeout? number seconds
---@field read_timeout? number seconds without a byte
---@field retry? boolean|integer|table
---@field headers? table<string, string>
---@field nulls? "keep"|"drop"
---@field max? integer stop a list after so many elements
---@field max_depth? integer
---@field max_bytes? integer
---@field max_values? integer
---@field max_element_bytes? integer
---@field max_element_values? integer
---@field big_integers? "number"|"string"
---@field unknown_fields? "refuse"|"ignore" near misses of known names, in bodies

---@class ampersand.Info
---@field status integer
---@field headers table<string, string> names in lower case
---@field request_id? string
---@field attempts integer
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
  self:method(class, op, "each", "Iterates while the body arrives; raises the error object.", {
    ("fun(): %s|nil iterator"):format(element),
  })
  self:method(class, op, "stream", "The form of each that raises nothing: next() and close().", {
    "ampersand.Stream|nil stream", "ampersand.Error|nil err",
  })
  self:method(class, op, "pages", "Iterates over whole pages; raises the error object.", {
    ("fun(): %s[]|nil iterator"):format(element),
  })
  self:method(class, op, "first", "The first element, nil when there is none.", { element .. "|nil value", ERROR })
  self:method(class, op, "count", "How many there are, counted without tables.", { "integer|nil count", ERROR })
  self:line "---A view of the elements for which the condition holds."
  self:line "---@param condition table|function"
  self:line("---@return ampersand.resource.%s", class)
  self:line("function %s:where(condition) end", class)
  self:line ""
  self:line "---A view of the elements reduced to some paths."
  self:line "---@param paths string[]"
  self:line("---@return ampersand.resource.%s", class)
  self:line("function %s:select(paths) end", class)
  self:line ""
end

function Writer:verb(op, summary)
  if op.verb == "in_project" then
    self:line("---A view of the list over all integrations of the project. %s %s", op.method, op.path)
    self:line("---@return ampersand.resource.%s", op.resource)
    self:line("function %s:in_project() end", op.resource)
    return self:line ""
  end
  local words = ("%s. %s %s"):format(summary:gsub("%.$", ""), op.method, op.path)
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

local DROPPED = {
  createGroup = "Create a group", createConsumer = "Create a consumer", deleteProject = "Delete a project",
}

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
    writer:verb(op, operation and operation.summary or DROPPED[op.id] .. " (no longer in the vendor's documents)")
  end
  writer:line "---@class ampersand.Client"
  for _, resource in ipairs(resources) do writer:line("---@field %s ampersand.resource.%s", resource, resource) end
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
  return (table.concat(writer.lines, "\n"):gsub("[ \t]+\n", "\n") .. "\n")
end

generator.class_name = class_name

if arg and arg[0] and arg[0]:match "generate_types%.lua$" then io.write(generator.text()) end

return generator
