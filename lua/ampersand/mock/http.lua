-- What a response and a log entry are made of: reasons, JSON bodies, text that JSON can hold.

local core = require "ampersand.core"
local redact = require "ampersand.util.redact"

local http = {}

local REASONS = {
  [200] = "OK", [201] = "Created", [204] = "No Content", [400] = "Bad Request", [401] = "Unauthorized",
  [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed", [409] = "Conflict",
  [415] = "Unsupported Media Type", [422] = "Unprocessable Content", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [503] = "Service Unavailable",
}

--- The words for a status.
function http.reason(status)
  return REASONS[status] or "Status " .. status
end

--- A response with a value as its JSON body.
function http.json(status, value)
  return {
    status = status, headers = { ["Content-Type"] = "application/json" },
    body = assert(core.encode(value, { sort_keys = true })),
  }
end

--- The text, or, where it is not what JSON can hold, its ASCII with question marks for the rest.
function http.printable(text)
  return core.encode(text) and text or (text:gsub("[^\32-\126]", "?"))
end

--- Header fields or query parameters for display: any bytes made printable, secret ones masked.
---@param is_secret fun(name: string): boolean
function http.loggable(values, is_secret)
  local copy = {}
  for name, value in pairs(values) do
    copy[http.printable(name)] = is_secret(name) and redact.HIDDEN or http.printable(value)
  end
  return copy
end

return http
