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

local function text_field(problem, name)
  local value = type(problem) == "table" and problem[name]
  if type(value) == "string" and value ~= "" then return value end
end

-- "API key is invalid; body.config: is required": the detail, and what was wrong with which input.
local function problem_text(problem)
  local parts = { text_field(problem, "detail") }
  local issues = type(problem.issues) == "table" and problem.issues or {}
  for i = 1, math.min(#issues, 3) do
    local text = text_field(issues[i], "detail") or text_field(issues[i], "title")
    local name = text_field(issues[i], "name")
    if text then parts[#parts + 1] = name and (name .. ": " .. text) or text end
  end
  parts[#parts + 1] = text_field(problem, "remedy")
  return table.concat(parts, "; ")
end

--- The words for an answer with an error status.
---@param status integer
---@param body any decoded body, or text
---@return string
function Error.status_message(status, body)
  local title, rest = nil, ""
  if type(body) == "table" then
    title, rest = text_field(body, "title"), problem_text(body)
    if not title and rest == "" then rest = text_field(body, "message") or text_field(body, "error") or "" end
  elseif type(body) == "string" and not body:match("^%s*<") then
    rest = body
  end
  local message = tostring(status)
  if title then message = message .. " " .. title end
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
