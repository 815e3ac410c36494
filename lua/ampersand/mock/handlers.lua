-- All answers, by operationId: `handler(store, params, query, body)` gives the value to send and, where it differs from
-- the operation's own, the status. For a long array it gives a function that makes an iterator of JSON texts.

local handlers = {}

for _, room in ipairs {
  require "ampersand.mock.handlers.collections",
  require "ampersand.mock.handlers.providers",
  require "ampersand.mock.handlers.installations",
  require "ampersand.mock.handlers.operations".handlers,
} do
  for id, handler in pairs(room) do handlers[id] = handler end
end

return handlers
