--- What a client needs now and then. ampersand.client's methods are the way to it.

local arguments = require "ampersand.arguments"
local operations = require "ampersand.operations"
local options = require "ampersand.options"
local request = require "ampersand.request"

local extras = {}

--- Refuses an operation that does not exist.
---@param id any
function extras.refuse(id)
  local known = {}
  for i, each in ipairs(operations.all()) do known[i] = each.id end
  options.misuse(("client:call: unknown operation %q; %s"):format(tostring(id), options.hint(id, known)))
end

--- Refuses a resource that does not exist.
---@param name string
function extras.refuse_resource(name)
  local known = options.names(operations.lines)
  options.misuse(("the client has no resource %q; %s"):format(name, options.hint(name, known)))
end

--- Raises unless a name of the option `servers` is known and its value a URL.
---@param name any
---@param url any
function extras.check_server(name, url)
  if request.SERVERS[name] and type(url) == "string" then return end
  options.misuse(("ampersand.new: unknown server %q in `servers`; %s"):format(tostring(name),
    options.hint(name, options.names(request.SERVERS))))
end

--- Checks the options of client:with.
---@param changes table
---@param shared table<string, string> those it may change
---@param all table<string, string> those of ampersand.new
function extras.check_changes(changes, shared, all)
  for name in pairs(type(changes) == "table" and changes or {}) do
    if all[name] and not shared[name] then
      options.misuse(("client:with: option %q belongs to ampersand.new, since connections are shared"):format(name))
    end
  end
  options.check(changes, shared, "client:with")
  arguments.check_choices(changes or {}, "client:with")
end

-- A method of the transport that a double need not have.
local function transport_method(client, name)
  if client._config.closed then options.misuse(("client:%s: the client is closed"):format(name)) end
  local transport = client._config.transport()
  local method = transport[name]
  if not method then options.misuse(("client:%s: this client's transport has no %s"):format(name, name)) end
  return function(...) return method(transport, ...) end
end

--- See client:parallel.
function extras.parallel(client, n, tasks)
  options.check({ n = n, tasks = tasks }, { n = "count", tasks = "table" }, "client:parallel")
  return transport_method(client, "parallel")(n, tasks)
end

--- See client:poll.
function extras.poll(client, budget)
  options.check({ budget = budget }, { budget = "number" }, "client:poll")
  transport_method(client, "poll")(budget)
end

return extras
