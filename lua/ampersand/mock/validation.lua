-- Checks of every request: its media type, its query, the members of its body and their types.

local core = require "ampersand.core"
local problem = require "ampersand.mock.problem"

local validation = {}

--- The body as a table, or nil and a message.
---@param request table
---@return table|nil body, string why
function validation.decode(request)
  if request.body == "" then return {} end
  local body, why = core.decode(request.body)
  if type(body) == "table" then return body end
  return nil, "the body is not a JSON object: " .. (why or type(body))
end

local BARE = { GET = true, HEAD = true, DELETE = true }

--- Refuses a body where none belongs, or one that is not JSON.
function validation.media(request)
  if request.body == "" then return end
  if BARE[request.method] then problem.refuse(400, ("a %s request has no body"):format(request.method)) end
  local kind = (request.headers["content-type"] or ""):lower():match "^[^;%s]*"
  if kind ~= "application/json" then
    problem.refuse(415, ("the body must be application/json, not %s"):format(kind == "" and "of unknown type" or kind))
  end
end

--- Refuses a query that lacks what the operation requires.
function validation.query(op, query)
  for _, name in ipairs(op.required_query) do
    if not query[name] then problem.invalid("query", name, "is required") end
  end
end

-- Bodies ------------------------------------------------------------------------------------------------------------

-- The type of a member by its name; a string where nothing else is said.
local TYPES = {}
for kind, names in pairs {
  array = "associations batch changes fieldFilters headers objects scopes updateMask",
  object = "autoBatchPolicy basicAuth batchPolicy callbackParams config connection content customAuth destination"
    .. " fields installation jwtKey latestRevision metadata oauth2AuthorizationCode oauth2ClientCredentials"
    .. " oauth2PasswordCredentials org project providerApp providerMetadata record retryPolicy secrets",
  number = "maxDelayMinutes pages timeout",
  boolean = "enableCSRFProtection",
} do
  for name in names:gmatch "%S+" do TYPES[name] = kind end
end

local function type_of(value)
  if type(value) ~= "table" then return type(value) end
  return getmetatable(value) == core.array_mt and "array" or "object"
end

local function check_type(op, name, value)
  local last = name:match "[^.]+$"
  local wanted = op.id == "updateApiKey" and last == "apiKey" and "object" or TYPES[last] or "string"
  if type_of(value) ~= wanted then problem.invalid("body", name, "must be of type " .. wanted) end
  if value == "" or last == "updateMask" and #value == 0 then problem.invalid("body", name, "must not be empty") end
end

local function present(value)
  return value ~= nil and value ~= core.null
end

local function check_choice(op, field, body)
  local found = false
  for _, name in ipairs(field.one_of) do
    if present(body[name]) then
      check_type(op, name, body[name])
      found = true
    end
  end
  if field.required and not found then
    problem.invalid("body", table.concat(field.one_of, " or "), "is required")
  end
end

-- A nested member counts only where the outer one is present; that one has been checked before.
local function check_field(op, field, body)
  if field.one_of then return check_choice(op, field, body) end
  local value = body
  for i, key in ipairs(field.path) do
    if i > 1 and not present(value) then return end
    value = value[key]
  end
  if present(value) then return check_type(op, field.name, value) end
  if field.required then problem.invalid("body", field.name, "is required") end
end

--- Refuses a body that lacks what the operation requires, or holds members of other types.
function validation.body(op, request, body)
  if not op.body then return end
  if request.body == "" then
    if op.body_required then problem.invalid("body", op.body[1].name, "is required") end
    return
  end
  for _, field in ipairs(op.body) do check_field(op, field, body) end
end

return validation
