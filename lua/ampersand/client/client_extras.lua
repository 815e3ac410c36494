--- What a client needs now and then. ampersand.client's methods are the way to it.

local arguments = require "ampersand.client.params"
local operations = require "ampersand.client.operations"
local argcheck = require "ampersand.util.argcheck"
local request = require "ampersand.client.request"

local extras = {}

--- Refuses an operation that does not exist.
---@param id any
function extras.refuse(id)
  local known = {}
  for i, each in ipairs(operations.all()) do known[i] = each.id end
  argcheck.raise(("client:call: unknown operation %q; %s"):format(tostring(id), argcheck.hint(id, known)))
end

--- Refuses a resource that does not exist.
---@param name string
function extras.refuse_resource(name)
  local known = argcheck.names(operations.all_lines())
  argcheck.raise(("the client has no resource %q; %s"):format(name, argcheck.hint(name, known)))
end

--- Raises unless a name of the option `servers` is known and its value a URL.
---@param name any
---@param url any
function extras.check_server(name, url)
  if request.SERVERS[name] and type(url) == "string" then return end
  argcheck.raise(("ampersand.new: unknown server %q in `servers`; %s"):format(tostring(name),
    argcheck.hint(name, argcheck.names(request.SERVERS))))
end

--- Checks the options of client:with.
---@param changes table
---@param shared table<string, string> those it may change
---@param all table<string, string> those of ampersand.new
function extras.check_changes(changes, shared, all)
  for name in pairs(type(changes) == "table" and changes or {}) do
    if all[name] and not shared[name] then
      argcheck.raise(("client:with: option %q belongs to ampersand.new, since connections are shared"):format(name))
    end
  end
  argcheck.check(changes, shared, "client:with")
  arguments.check_choices(changes or {}, "client:with")
end

--- Refuses credentials that are empty text.
---@param given table
function extras.refuse_empty(given)
  argcheck.raise(("option %q is empty"):format(given.api_key == "" and "api_key" or "bearer"))
end

--- Refuses `client.name = value`.
---@param name any
function extras.refuse_assignment(name)
  local words = "a client's settings do not change: client:with { %s = … } makes another client"
  argcheck.raise(words:format(tostring(name)))
end

-- What a caller's function answers, as calls expect it.
local function checked(res, message, kind, sent)
  if res == nil then return nil, message or "the transport answered nothing", kind or "protocol", sent end
  if type(res) == "table" and type(res.status) == "number"
    and (type(res.body) == "string" or type(res.read) == "function") then
    res.headers = res.headers or {}
    return res
  end
  return nil, "the transport must answer a table with status, headers, and body or read", "config", true
end

--- A bare function is a transport that needs no sleep: the usual test double.
---@param transport table|function
---@return table
function extras.wrap_transport(transport)
  if type(transport) == "table" then return transport end
  return { request = function(_, req) return checked(transport(req)) end, sleep = function() end }
end

-- A method of the transport that a double need not have.
local function transport_method(client, name)
  if client._config.closed then argcheck.raise(("client:%s: the client is closed"):format(name)) end
  local transport = client._config.transport()
  local method = transport[name]
  if not method then argcheck.raise(("client:%s: this client's transport has no %s"):format(name, name)) end
  return function(...) return method(transport, ...) end
end

--- See client:parallel.
function extras.parallel(client, n, tasks)
  argcheck.check({ n = n, tasks = tasks }, { n = "count", tasks = "table" }, "client:parallel")
  return transport_method(client, "parallel")(n, tasks)
end

--- See client:poll.
function extras.poll(client, budget)
  argcheck.check({ budget = budget }, { budget = "number" }, "client:poll")
  local config = client._config
  if config.closed and config.loop and config.loop.run then return config.loop.run() end -- those who waited are told
  transport_method(client, "poll")(budget)
end

return extras
