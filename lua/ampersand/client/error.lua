--- The one error object: printable in a line, inspectable by field, free of secrets.
--
-- `kind` is one of: resolve, connect, tls (the server saw nothing), timeout, closed, protocol, limit, phase,
-- cancelled (the transport's), status (the server answered with an error), decode (an answer that is not what
-- it should be), config (a key, project or integration is missing).

---@class ampersand.Error
---@field kind string          see above
---@field message string       what happened, without the "METHOD url" prefix that tostring() adds
---@field status integer?      HTTP status
---@field problem table?       the problem+json body (RFC 9457), decoded
---@field body any             the whole body of an error answer: a table when it was JSON, else at most 64 KiB of text
---@field request_id string?   what the vendor's support asks for
---@field retry_after number?  seconds the server asked to wait
---@field retryable boolean?   whether trying again later can help, as the server says it, else by kind and status
---@field attempts integer     how many times the request was sent
---@field sent boolean?        whether the server may have seen the request
---@field delivered integer?   elements an iterator had yielded before the error
---@field file string?         the file that could not be locked or written
---@field operation string?    operation id of the vendor's documents
---@field method string?
---@field url string?          the template and the names of query parameters, never their values

local printable = require "ampersand.util.terminal_text"
local redact = require "ampersand.util.redact"

local Error = {}
Error.__index = Error

local MAX_TEXT = 300

-- Control characters could repaint a terminal; long texts hide the line that matters.
local function one_line(text)
  text = printable(text:gsub("%s+", " "):sub(1, 4 * MAX_TEXT))
  if #text > MAX_TEXT then
    -- never cut inside a UTF-8 sequence
    text = text:sub(1, MAX_TEXT):gsub("[\192-\255][\128-\191]*$", "") .. "…"
  end
  return text
end

--- Makes an error object. `fields.message` is required.
---@param fields table
---@param secrets table<any, string>? texts that must not appear in any field
---@return ampersand.Error
function Error.new(fields, secrets)
  fields = redact.copy(fields, secrets)
  fields.message = one_line(fields.message)
  fields.attempts = fields.attempts or 0
  return setmetatable(fields, Error)
end

local function text_field(value, name)
  local text = type(value) == "table" and value[name]
  if type(text) == "string" and text ~= "" then return text end
end

local MAX_ISSUES, MAX_NESTED = 3, 4

-- Adds a text that no earlier one has said, with the name of the input it is about.
local function add(parts, text, name)
  for _, earlier in ipairs(parts) do
    if earlier:lower():find(text:lower(), 1, true) then return end
  end
  parts[#parts + 1] = name and name .. ": " .. text or text
end

local collect

-- The first elements of a list, or a single value.
local function collect_each(parts, value, depth)
  if type(value) ~= "table" or value[1] == nil then return collect(parts, value, depth) end
  for i = 1, math.min(#value, MAX_ISSUES) do collect(parts, value[i], depth) end
end

-- The words of a problem (RFC 9457 with `issues` and `causes`), or of what other servers send: `message`, `error`,
-- `errors`, nested in any way. "API key is invalid; body.config: is required": the detail, and what was wrong where.
function collect(parts, value, depth)
  if type(value) == "string" and value ~= "" then return add(parts, value) end
  if type(value) ~= "table" or depth > MAX_NESTED then return end
  if value[1] ~= nil then return collect_each(parts, value, depth + 1) end
  local words, name = text_field(value, "detail") or text_field(value, "message"), text_field(value, "name")
  if depth > 0 then words = words or text_field(value, "title") end
  if words then add(parts, words, depth > 0 and name) end
  for _, inner in ipairs { "error", "error_description", "errors", "issues", "causes", "remedy" } do
    collect_each(parts, value[inner], depth + 1)
  end
end

--- The words for an answer with an error status.
---@param status integer
---@param body any decoded body, or text
---@return string
function Error.status_message(status, body)
  local title, parts = text_field(body, "title"), {}
  if type(body) == "table" or (type(body) == "string" and not body:match "^%s*<") then collect(parts, body, 0) end
  local message = tostring(status)
  if title then message = message .. " " .. title end
  local rest = table.concat(parts, "; ")
  if rest ~= "" and rest ~= title then message = message .. ": " .. rest end
  return message
end

function Error:__tostring()
  local text = self.message
  if self.method then text = ("%s %s: %s"):format(self.method, self.url or "?", text) end
  local notes = {}
  if self.kind ~= "status" then notes[#notes + 1] = self.kind end
  if self.request_id then notes[#notes + 1] = "request id " .. one_line(self.request_id) end
  if self.attempts > 1 then notes[#notes + 1] = self.attempts .. " attempts" end
  if self.retry_after then notes[#notes + 1] = ("retry after %.3g s"):format(self.retry_after) end
  if #notes > 0 then text = ("%s (%s)"):format(text, table.concat(notes, ", ")) end
  return text
end

--- Whether `value` is an error object of this library.
---@param value any
---@return boolean
function Error.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

return Error
