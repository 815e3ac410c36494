--- Parts of requests that many programs never ask for: further headers, queries, why there is no credential.
-- ampersand.client.request hands these functions on.

local request = require "ampersand.client.request"

local parts = {}

--- Sets a header, whatever the case of an earlier one of that name.
---@param headers table<string, string>
---@param name string
---@param value any
function parts.set_header(headers, name, value)
  local lower = tostring(name):lower()
  for other in pairs(headers) do
    if tostring(other):lower() == lower then headers[other] = nil end
  end
  headers[name] = value
end

--- Adds headers of the program's own.
---@param headers table<string, string>
---@param more table<string, any>?
---@return boolean? ok, string? message
function parts.add_headers(headers, more)
  for name, value in pairs(more or {}) do
    value = tostring(value)
    if type(name) ~= "string" or not name:match("^[%w!#$%%&'*+%-.^_`|~]+$") then
      return nil, ("header name %q is not a token of RFC 9110"):format(tostring(name):gsub("%c", "?"))
    end
    if value:find("[%z\r\n]") then
      return nil, ("the value of header %s has a line break or a NUL in it"):format(name)
    end
    parts.set_header(headers, name, value)
  end
  return true
end

--- The query of a URL, and what of it may be shown.
---@param query table<string, any>
---@return string text, string names
function parts.query_string(query)
  local names, words = {}, {}
  for name in pairs(query) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = query[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      words[#words + 1] = request.escape(name) .. "=" .. request.escape(each)
    end
  end
  return #words > 0 and "?" .. table.concat(words, "&") or "", #names > 0 and "?" .. table.concat(names, "&") or ""
end

--- Why an operation cannot be asked for.
---@param op table
---@return string
function parts.no_credential(op)
  if op.auth == "bearer" then
    return op.id .. " takes only a bearer token: give `bearer`, a JWT or a function that returns one"
  end
  local other = op.auth == "key" and "" or " (or `bearer`)"
  return "no API key: give `api_key`" .. other .. " to ampersand.new, or set AMP_API_KEY in the environment"
end

return parts
