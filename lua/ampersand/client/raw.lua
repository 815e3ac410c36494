--- Requests that no operation describes: client:request, and what goes through the proxy.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local params = require "ampersand.client.params"
local request = require "ampersand.client.request"

local raw = {}

local raise = argcheck.raise_in

local function check_name(what, kind, name, known)
  if known[name] then return end
  raise(what, "unknown %s %q; %s", kind, tostring(name), argcheck.hint(name, argcheck.names(known)))
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local REQUEST_OPTIONS = { query = "table", body = "table|string|number|boolean", server = "string" }
for name, kind in pairs(params.OPTIONS) do REQUEST_OPTIONS[name] = kind end

--- Reads the arguments of client:request, and makes an operation of them.
---@param what string for messages
---@param client ampersand.Client
---@param method string
---@param path string
---@param given table?
---@return ampersand.Call
function raw.call(what, client, method, path, given)
  check_name(what, "method", method, METHODS)
  if type(path) ~= "string" or not path:match("^/[^?#%c%s]*$") or (path .. "/"):find("/%.%.?/") then
    raise(what, "the path must begin with / and hold no ?, #, space, . or .. segment; use `query`")
  end
  given = argcheck.check(given, REQUEST_OPTIONS, what)
  check_name(what, "server", given.server or "api", request.SERVERS)
  local options = {}
  for name, value in pairs(given) do
    if params.OPTIONS[name] then options[name] = value end
  end
  local query = given.query or {}
  for name, value in pairs(query) do
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      params.check_query_value(what, name, each)
    end
  end
  local op = {
    id = what, method = method, server = given.server, auth = "any", placeholders = {},
    path = path:gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }), -- no placeholders here
    returns = method == "HEAD" and "none" or "any",
    shown_path = path:gsub("(/api%-keys/)[^/]+", "%1{apiKey}"),
  }
  return call.new(what, client, op, {}, query, given.body, options)
end

return raw
