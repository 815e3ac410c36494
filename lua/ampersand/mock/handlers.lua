-- All handlers by operationId: `handler(store, params, query, body)` returns the value to send and, where it differs
-- from that of the operation, the status. A long array is a function that returns an iterator of JSON texts.

local handlers = {}

for _, resource in ipairs {
  require "ampersand.mock.handlers.collections",
  require "ampersand.mock.handlers.connections",
  require "ampersand.mock.handlers.installations",
  require "ampersand.mock.handlers.integrations",
  require "ampersand.mock.handlers.operations",
  require "ampersand.mock.handlers.organizations",
  require "ampersand.mock.handlers.providers",
  (require "ampersand.mock.handlers.records"), -- Lua 5.4 returns a second value
} do
  for id, handler in pairs(resource) do handlers[id] = handler end
end

return handlers
