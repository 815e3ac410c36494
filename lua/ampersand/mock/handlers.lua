-- All answers, by operationId: `handler(store, params, query, body)` gives the value to send and, where it differs from
-- the operation's own, the status. For a long array it gives a function that makes an iterator of JSON texts.

local handlers = {}

for _, room in ipairs {
  require "ampersand.mock.kinds",
  require "ampersand.mock.catalog",
  require "ampersand.mock.installations",
  require "ampersand.mock.activity".handlers,
} do
  for id, handler in pairs(room) do handlers[id] = handler end
end

return handlers
