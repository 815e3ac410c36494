--- Calls by the operation's name in the vendor's documents: client:call.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local params = require "ampersand.client.params"
local request = require "ampersand.client.request"

local by_id = {}

local raise = argcheck.raise_in

--- Reads the arguments of client:call.
---@param what string for messages
---@param client ampersand.Client
---@param op table operation
---@param given table? wire names of path and query parameters, and `body`
---@param options ampersand.CallOptions?
---@return ampersand.Call?, ampersand.Error?
function by_id.call(what, client, op, given, options)
  argcheck.check({ params = given, options = options }, { params = "table", options = "table" }, what)
  local placeholder, path, query, body = {}, {}, {}, nil
  for _, name in ipairs(op.placeholders) do placeholder[name] = true end
  for name, value in pairs(given or {}) do
    if name == "body" then
      body = value
    elseif placeholder[name] then
      local bad = request.bad_id(value)
      if bad then raise(what, "%s %s", name, bad) end
      path[name] = value
    elseif op.query[name] then
      query[name] = params.check_query_value(what, name, value)
    else
      local known = { "body" }
      for _, names in ipairs { op.placeholders, op.query_names } do
        for _, wire in ipairs(names) do known[#known + 1] = wire end
      end
      raise(what, "unknown parameter %q; %s", tostring(name), argcheck.hint(name, known))
    end
  end
  if body ~= nil and not op.body then raise(what, "the operation takes no body") end
  options = options or call.NOTHING
  params.check(what, op, client._config, query, body, options)
  local missing = params.fill_path(what, op, client._config, path)
  return call.new(what, client, op, path, query, body, options, missing)
end

return by_id
