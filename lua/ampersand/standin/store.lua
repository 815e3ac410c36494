-- What the stand-in remembers: one project with its integrations and everything in them.

local fleet = require "ampersand.standin.fleet"
local problem = require "ampersand.standin.problem"

local Store = {}
Store.__index = Store

function Store:knows_key(key)
  return key == self.options.key
end

function Store.project(_, id)
  if id ~= fleet.PROJECT.id and id ~= fleet.PROJECT.name then problem.refuse(404, "project not found") end
  return fleet.PROJECT
end

function Store:integration(id)
  for _, integration in ipairs(self.integrations) do
    if integration.id == id or integration.name == id then return integration end
  end
  problem.refuse(404, "integration not found")
end

local store = {}

function store.new(options)
  return setmetatable({
    options = options, fleet = fleet.new(options.installations),
    integrations = { { id = fleet.INTEGRATION, name = "salesforce" } },
  }, Store)
end

return store
