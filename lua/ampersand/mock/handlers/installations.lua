-- Installations, the edits of their configs, and pausing their reads.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local fixtures = require "ampersand.mock.fixtures"
local patch = require "ampersand.mock.patch"
local problem = require "ampersand.mock.problem"

local handlers = {}

function handlers.listInstallations(store, params, query)
  local integration = store:integration(params)
  return function() return store.fleet:texts(integration.id, query.groupRef) end
end

function handlers.listInstallationsForProject(store, params, query)
  if store:project(params).id ~= fixtures.PROJECT.id then return core.array() end
  return function() return store.fleet:texts(nil, query.groupRef) end
end

function handlers.getInstallation(store, params)
  return (store:installation(params))
end

-- A changed config is a new config.
local function touch(store, installation)
  local now = store.now()
  installation.updateTime = now
  installation.config.id = store:new_id "config"
  installation.config.createTime = now
end

local function save(store, place, installation)
  store.fleet:put(place, installation)
  store.edits[installation.id] = (store.edits[installation.id] or 0) + 1
  return installation
end

-- The connection for a new installation: the one named, else one of the group.
local function connection_for(store, group_ref, id)
  if id then return (store:connection(id)) end
  for _, connection in ipairs(store.connections) do
    if connection.group.groupRef == group_ref then return connection end
  end
  local place = store.fleet:each(nil, group_ref)()
  if place then return store.fleet:at(place).connection end
  problem.invalid("body", "groupRef", "has no connection yet", 422)
end

function handlers.createInstallation(store, params, _, body)
  local integration, now = store:integration(params), store.now()
  if (body.config.content.provider or integration.provider) ~= integration.provider then
    problem.invalid("body", "config.content.provider", "is not the provider of this integration", 422)
  end
  local connection = connection_for(store, body.groupRef, body.connectionId)
  return store.fleet:add(function(tag)
    return {
      id = "installation-" .. tag, projectId = integration.projectId, integrationId = integration.id,
      group = deep.copy(connection.group), healthStatus = "healthy", connection = deep.copy(connection),
      createTime = now, createdBy = "consumer:" .. connection.consumer.consumerRef, updateTime = now,
      config = {
        id = "config-" .. tag, revisionId = integration.latestRevision.id, createTime = now,
        createdBy = body.config.createdBy or "api:create-installation", content = deep.copy(body.config.content),
      },
    }
  end)
end

local INSTALLATION_MASK = {
  "connectionId", "config.createdBy", "config.content.read.objects.*", "config.content.write.objects",
  "config.content.write.objects.*", "config.content.subscribe.objects", "config.content.subscribe.objects.*",
  "config.content.proxy.enabled",
}

function handlers.updateInstallation(store, params, _, body)
  local installation, place = store:installation(params)
  patch.mask(installation, body.installation, body.updateMask, INSTALLATION_MASK)
  if installation.connectionId then
    installation.connection = deep.copy((store:connection(installation.connectionId)))
    installation.connectionId = nil
  end
  touch(store, installation)
  return save(store, place, installation)
end

function handlers.deleteInstallation(store, params)
  local installation, place = store:installation(params)
  store.fleet:put(place, false)
  local _, i = store:find("connections", "id", installation.connection.id)
  if i and not store:user_of_connection(installation.connection.id) then table.remove(store.connections, i) end
end

local ACTIONS = { read = true, write = true, subscribe = true }

function handlers.patchObjectConfigContent(store, params, _, body)
  if not ACTIONS[body.action] then problem.invalid("body", "action", "must be read, write or subscribe") end
  if #body.changes == 0 then problem.invalid("body", "changes", "must hold at least one change") end
  local installation, place
  if body.installationId then
    params.installationId = body.installationId
    installation, place = store:installation(params)
  else
    installation, place = store:installation_of_group(params, body.groupRef, 404)
  end
  local object = deep.get(installation, { "config", "content", body.action, "objects", params.objectName })
  if type(object) ~= "table" then
    problem.refuse(404, ("%s is not configured to %s"):format(params.objectName, body.action))
  end
  patch.apply(object, body.changes)
  touch(store, installation)
  return save(store, place, installation)
end

-- Pausing -----------------------------------------------------------------------------------------------------------

local function pause(disabled)
  return function(store, params, _, body)
    local installation, place = store:installation(params)
    local objects, named = store:reads_of(installation), {}
    for _, name in ipairs(body.objects or {}) do
      named[name] = objects[name] or problem.invalid("body", "objects", "holds no read object: " .. tostring(name))
    end
    for _, object in pairs(body.objects and named or objects) do object.disabled = disabled or nil end
    store.fleet:put(place, installation)
  end
end

handlers.pauseReads = pause(true)
handlers.unpauseReads = pause(false)

return handlers
