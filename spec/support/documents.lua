-- Reads the vendor's OpenAPI documents (and the table of operations made from them) when they lie next to the
-- project, and says what they ask for, one flat row per operation. Knows nothing of ampersand.client.operations, so
-- that the two can be compared.
local cjson = require "cjson"
local machine = require "support.machine"

local documents = { dir = "../shared/api" }

local FILES = {
  { "api.bundled.json" }, { "read.json", "read" }, { "write.json", "write" }, { "search.json", "search" },
}
local METHODS = { get = true, post = true, put = true, patch = true, delete = true }

-- Answers the documents describe in place, without a name.
documents.UNNAMED = { createBillingAccountSession = "BillingAccountSession" }

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

--- Whether the documents are there.
function documents.present()
  return read(documents.dir .. "/operations.tsv") ~= nil
end

documents.ABSENT = machine.absent("../shared/api", "the vendor's documents belong beside the project")

--- Declares specs that compare with the documents; where these are absent, one pending spec stands for all of a file.
---@param it function busted's, which only the spec file itself sees
---@param pending function
---@return fun(name: string, f: function)
function documents.specs(it, pending)
  local announced
  return function(name, f)
    if documents.present() then return it(name, f) end
    if announced then return end
    announced = true
    pending(documents.ABSENT)
  end
end

--- The page that the vendor shows for "list installations".
---@return string
function documents.page()
  return assert(read(documents.dir .. "/list-installations.page.txt"))
end

function documents.sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local sorted_keys = documents.sorted_keys

local texts = setmetatable({}, { __mode = "k" })

-- One text for equal schemas, to find the name of one written out in place.
local function canonical(value)
  if type(value) ~= "table" or texts[value] then return texts[value] or tostring(value) end
  local parts = {}
  for _, key in ipairs(sorted_keys(value)) do parts[#parts + 1] = tostring(key) .. "=" .. canonical(value[key]) end
  texts[value] = "{" .. table.concat(parts, ",") .. "}"
  return texts[value]
end

local Document = {}
Document.__index = Document

local function open(file, server)
  local text = assert(read(documents.dir .. "/" .. file), "no " .. file)
  local self = setmetatable(cjson.decode(text), Document)
  self.server, self.names = server, {}
  for _, name in ipairs(sorted_keys(self.components.schemas)) do
    local contents = canonical(self.components.schemas[name])
    self.names[contents] = self.names[contents] or name
  end
  return self
end

--- The schema behind a reference, and its name; schemas written out in place are recognised by their contents.
function Document:resolve(schema)
  local name = schema["$ref"] and schema["$ref"]:match "#/components/schemas/(.+)$"
  if name then return self.components.schemas[name], name end
  return schema, self.names[canonical(schema)]
end

--- The properties of a schema and which are required, `allOf` taken together.
function Document:members(schema, properties, required)
  properties, required = properties or {}, required or {}
  schema = self:resolve(schema)
  for _, part in ipairs(schema.allOf or {}) do self:members(part, properties, required) end
  for name, property in pairs(schema.properties or {}) do properties[name] = property end
  for _, name in ipairs(schema.required or {}) do required[name] = true end
  return properties, required
end

function documents.open()
  local all = {}
  for i, entry in ipairs(FILES) do all[i] = open(entry[1], entry[2]) end
  return all
end

-- The little of YAML that the webhook document uses: nested maps, lists of words, descriptions over several lines.
local function yaml_lines(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    local indent, rest = line:match "^( *)(.-)%s*$"
    if rest ~= "" and rest:sub(1, 1) ~= "#" then lines[#lines + 1] = { indent = #indent, text = rest } end
  end
  lines[#lines + 1] = { indent = -1, text = "" }
  return lines
end

local YAML_WORDS = { ["true"] = true, ["false"] = false, ["{}"] = {} }

local function yaml_scalar(text)
  if YAML_WORDS[text] ~= nil then return YAML_WORDS[text] end
  local list = text:match "^%[(.*)%]$"
  if not list then return (text:gsub("^['\"](.*)['\"]$", "%1")) end
  local items = {}
  for item in list:gmatch "[^,%s]+" do items[#items + 1] = item end
  return items
end

local function yaml_block(lines, at)
  local indent, block = lines[at].indent, {}
  while lines[at].indent == indent do
    local item = lines[at].text:match "^%- (.+)$"
    local key, rest = lines[at].text:match "^'?([%w_$/.-]+)'?:%s*(.*)$"
    at = at + 1
    if item then
      block[#block + 1] = yaml_scalar(item)
    elseif key == "description" then
      rest = rest:gsub("^>%-?$", "")
      while lines[at].indent > indent or rest:match '^"[^"]*$' do
        rest = rest .. " " .. lines[at].text
        at = at + 1
      end
      block[key] = yaml_scalar((rest:gsub("^ ", "")))
    elseif rest == "" then
      block[key], at = yaml_block(lines, at)
    else
      block[key] = yaml_scalar(rest)
    end
  end
  return block, at
end

--- The document of the messages sent to webhooks: schemas, no operations.
function documents.open_webhook()
  local document = yaml_block(yaml_lines(assert(read(documents.dir .. "/webhook.yaml"))), 1)
  document.names = {}
  return setmetatable(document, Document)
end

-- What several alternative sets of required names have in common, and where they differ: "a|b".
local function alternatives(self, branches)
  local fields, count = {}, {}
  for _, branch in ipairs(branches) do
    local properties, required = self:members(branch)
    for name, property in pairs(properties) do fields[name] = property end
    for name in pairs(required) do count[name] = (count[name] or 0) + 1 end
  end
  local required, one_of = {}, {}
  for _, name in ipairs(sorted_keys(count)) do
    if count[name] == #branches then required[name] = true else one_of[#one_of + 1] = name end
  end
  if one_of[1] then required[table.concat(one_of, "|")] = true end
  return fields, required
end

--- The members of a request body and which are required, "a|b" for one of two.
function documents.body_members(self, schema)
  schema = self:resolve(schema)
  local only = schema.allOf and #schema.allOf == 1 and schema.allOf[1]
  if only and only.oneOf then return alternatives(self, only.oneOf) end
  local properties, required = self:members(schema)
  local a, b = (schema.description or ""):match "One of (%w+) or (%w+) is required"
  if a then
    local pair = { a, b }
    table.sort(pair)
    required[table.concat(pair, "|")] = true
  end
  return properties, required
end

local function body_columns(self, row, body)
  row.body, row.body_type, row.fields, row.required_fields = "-", "-", "", ""
  if not body then return end
  row.body = body.required and "required" or "optional"
  row.body_type = next(body.content)
  local properties, required = documents.body_members(self, body.content[row.body_type].schema)
  row.fields = table.concat(sorted_keys(properties), " ")
  for _, name in ipairs(sorted_keys(properties)) do
    local _, inner = self:members(properties[name])
    for key in pairs(inner) do required[name .. "." .. key] = true end
  end
  row.required_fields = table.concat(sorted_keys(required), " ")
end

local function parameters(self, row, list)
  local path, query = {}, {}
  for _, parameter in ipairs(list or {}) do
    local where = parameter["in"]
    if where == "path" then path[#path + 1] = parameter.name end
    if where == "query" then
      local mark = parameter.required and "!:" or ":"
      query[#query + 1] = parameter.name .. mark .. self:resolve(parameter.schema).type
    end
  end
  table.sort(path)
  table.sort(query)
  row.path_params, row.query = table.concat(path, " "), table.concat(query, " ")
end

local function auth(security)
  local key, bearer
  for _, way in ipairs(security) do
    key, bearer = key or way.APIKeyHeader, bearer or way.Bearer
  end
  return key and bearer and "any" or key and "key" or bearer and "bearer" or "none"
end

local function shape(self, schema, unnamed)
  local target, name = self:resolve(schema)
  local properties = target.properties or {}
  if target.type == "array" then return "[" .. shape(self, target.items) .. "]" end
  if target.type == "string" then return "text" end
  if properties.results and properties.pagination then return "results" .. shape(self, properties.results) end
  if not target.properties and type(target.additionalProperties) == "table" then
    return "{" .. shape(self, target.additionalProperties) .. "}"
  end
  if name or not target.oneOf then return name or assert(unnamed, "an answer without a name") end
  local names = {}
  for i, branch in ipairs(target.oneOf) do names[i] = shape(self, branch) end
  return table.concat(names, "|")
end

local function answers(self, row, responses, id)
  local errors = {}
  for status, response in pairs(responses) do
    local content_type = next(response.content or {}) or "-"
    if status:match "^2" then
      assert(not row.status, "two ways to succeed")
      row.status, row.content_type = tonumber(status), content_type
      row.shape = content_type == "-" and "-"
        or shape(self, response.content[content_type].schema, documents.UNNAMED[id])
    else
      errors[#errors + 1] = status .. "=" .. content_type
    end
  end
  table.sort(errors)
  row.errors = table.concat(errors, " ")
end

-- What the documents said before these three were taken out of them (their published history).
local function dropped(id, tag, method, path, fields, status)
  local any = fields ~= ""
  return {
    id = id, tag = tag, method = method, server = "-", path = "/projects/{projectIdOrName}" .. path,
    path_params = "projectIdOrName", query = "", body = any and "required" or "-",
    body_type = any and "application/json" or "-", fields = fields, required_fields = fields, auth = "any",
    status = status, content_type = "-", shape = "-", dropped = true,
    errors = "422=application/problem+json default=application/problem+json",
  }
end

local function operation_row(document, path, method, operation)
  local row = { id = operation.operationId, tag = operation.tags[1], method = method:upper(), path = path }
  row.server, row.dropped = document.server or "-", false
  row.auth = auth(operation.security or document.security)
  parameters(document, row, operation.parameters)
  body_columns(document, row, operation.requestBody)
  answers(document, row, operation.responses, row.id)
  return row
end

--- One row per operation, by name; every column is a text, a number or a boolean.
function documents.rows()
  local rows = {}
  for _, document in ipairs(documents.open()) do
    for path, methods in pairs(document.paths) do
      for method, operation in pairs(methods) do
        if METHODS[method] then rows[operation.operationId] = operation_row(document, path, method, operation) end
      end
    end
  end
  rows.createGroup = dropped("createGroup", "Group", "POST", "/groups", "groupName groupRef", 201)
  rows.createConsumer = dropped("createConsumer", "Consumer", "POST", "/consumers", "consumerName consumerRef", 201)
  rows.deleteProject = dropped("deleteProject", "Project", "DELETE", "", "", 204)
  return rows
end

--- The rows of operations.tsv, by name, each a map from the column's heading to its text.
function documents.tsv()
  local rows, heads = {}, nil
  for line in (read(documents.dir .. "/operations.tsv") .. "\n"):gmatch "(.-)\r?\n" do
    local cells = {}
    for cell in (line .. "\t"):gmatch "(.-)\t" do cells[#cells + 1] = cell end
    if not heads then
      heads = cells
    elseif #cells > 1 then
      local row = {}
      for i, head in ipairs(heads) do row[head] = cells[i] end
      rows[row.operationId] = row
    end
  end
  return rows
end

return documents
