--- Several calls of a client at once: client:parallel and client:poll.

local argcheck = require "ampersand.util.argcheck"

local parallel = {}

-- The client's transport, which must have a method; nil and an error where there is no transport.
local function transport_with(client, method)
  client:_check_open("client:" .. method)
  local transport, why = client._config.transport()
  if not transport then return nil, client:_error { kind = "config", message = why } end
  if transport[method] then return transport end
  argcheck.raise(("client:%s: this client's transport has no %s"):format(method, method))
end

--- Runs functions side by side, at most `n` at a time; see client:parallel.
---@param client ampersand.Client
---@param n integer
---@param tasks (fun(): any, any)[]
---@return table? values, table|ampersand.Error errors
function parallel.run(client, n, tasks)
  argcheck.check({ n = n, tasks = tasks }, { n = "count", tasks = "table" }, "client:parallel")
  for i, task in ipairs(tasks) do
    if type(task) ~= "function" then
      argcheck.raise(("client:parallel: task %d must be a function, got %s"):format(i, type(task)))
    end
  end
  local transport, err = transport_with(client, "parallel")
  if not transport then return nil, err end
  local values, errors, kind = transport:parallel(n, tasks)
  if not values then return nil, client:_error { kind = kind or "config", message = errors } end
  return values, errors
end

--- The same where the transport can, else one after the other.
---@param client ampersand.Client
---@param n integer
---@param tasks (fun(): any, any)[]
---@return table? values, table|ampersand.Error errors
function parallel.run_or_queue(client, n, tasks)
  local transport = client._config.transport()
  if transport and transport.parallel and n > 1 then return parallel.run(client, n, tasks) end
  local values, errors = { n = #tasks }, {}
  for i, task in ipairs(tasks) do values[i], errors[i] = task() end
  return values, errors
end

--- Moves all requests on; see client:poll.
---@param client ampersand.Client
---@param budget number? seconds
function parallel.poll(client, budget)
  argcheck.check({ budget = budget }, { budget = "number" }, "client:poll")
  local config = client._config
  if config.closed and config.loop and config.loop.run then return config.loop.run() end -- those who waited are resumed
  local transport, err = transport_with(client, "poll")
  if not transport then return nil, err end
  transport:poll(budget)
end

return parallel
