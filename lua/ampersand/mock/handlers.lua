-- All handlers by operationId: `handler(store, params, query, body)` returns the value to send and, where it differs
-- from that of the operation, the status. A long array is a function that returns an iterator of JSON texts.

local handlers = {}

for _, name in ipairs {
  "collections", "connections", "installations", "integrations", "operations", "organizations", "providers", "records",
} do
  for id, handler in pairs(require("ampersand.mock.handlers." .. name)) do handlers[id] = handler end
end

return handlers
