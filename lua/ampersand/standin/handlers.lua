-- The answers, by operationId: `handler(store, params, query, body)` gives the value to send. For arrays it may give a
-- function that makes an iterator of JSON texts.

local problem = require "ampersand.standin.problem"

local handlers = {}

function handlers.listInstallations(store, params, query)
  store:project(params.projectIdOrName)
  local integration = store:integration(params.integrationId)
  return function() return store.fleet:texts(integration.id, query.groupRef) end
end

function handlers.listInstallationsForProject(store, params, query)
  store:project(params.projectIdOrName)
  return function() return store.fleet:texts(nil, query.groupRef) end
end

function handlers.getInstallation(store, params)
  store:project(params.projectIdOrName)
  store:integration(params.integrationId)
  return store.fleet:get(params.installationId) or problem.refuse(404, "installation not found")
end

return handlers
