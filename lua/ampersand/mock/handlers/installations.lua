-- Installations, their connections, and the edits of their configs.

local core = require "ampersand.core"
local edit = require "ampersand.mock.patch"
local fleet = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"

local handlers = {}

-- Installations ---------------------------------------------------------------------------------------------------

function handlers.listInstallations(store, params, query)
  local integration = store:integration(params)
  return function() return store.fleet:texts(integration.id, query.groupRef) end
end

function handlers.listInstallationsForProject(store, params, query)
  if store:project(params).id ~= fleet.PROJECT.id then return core.array() end
  return function() return store.fleet:texts(nil, query.groupRef) end
end

function handlers.getInstallation(store, params)
  return (store:installation(params))
end

-- A config that has been changed is a new config.
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

-- The connection a new installation shall use: the one named, else one of the group's.
local function connection_for(store, group_ref, id)
  if id then return (store:connection(id)) end
  for _, connection in ipairs(store.connections) do
    if connection.group.groupRef == group_ref then return connection end
  end
  local place = store.fleet:each(nil, group_ref)()
  if place then return store.fleet:at(place).connection end
  problem.invalid("body", "groupRef", "has no connection yet", 422)
end

local function check_content(integration, content)
  if content.provider and content.provider ~= integration.provider then
    problem.invalid("body", "config.content.provider", "is not the provider of this integration", 422)
  end
end

function handlers.createInstallation(store, params, _, body)
  local integration, now = store:integration(params), store.now()
  check_content(integration, body.config.content)
  local connection = connection_for(store, body.groupRef, body.connectionId)
  return store.fleet:add(function(tag)
    return {
      id = "installation-" .. tag, projectId = integration.projectId, integrationId = integration.id,
      group = edit.clone(connection.group), healthStatus = "healthy", connection = edit.clone(connection),
      createTime = now, createdBy = "consumer:" .. connection.consumer.consumerRef, updateTime = now,
      config = {
        id = "config-" .. tag, revisionId = integration.latestRevision.id, createTime = now,
        createdBy = body.config.createdBy or "api:create-installation", content = edit.clone(body.config.content),
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
  local ok, path, why = edit.mask(installation, body.installation, body.updateMask, INSTALLATION_MASK)
  if not ok then problem.invalid("body", "updateMask." .. path, why) end
  if installation.connectionId then
    installation.connection = edit.clone((store:connection(installation.connectionId)))
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
  local object = edit.get(installation, { "config", "content", body.action, "objects", params.objectName })
  if type(object) ~= "table" then
    problem.refuse(404, ("%s is not configured to %s"):format(params.objectName, body.action))
  end
  local ok, i, why = edit.patch(object, body.changes)
  if not ok then problem.invalid("body", ("changes[%d]"):format(i - 1), why) end
  touch(store, installation)
  return save(store, place, installation)
end

-- Pausing ---------------------------------------------------------------------------------------------------------

local function pause(disabled)
  return function(store, params, _, body)
    local installation, place = store:installation(params)
    local objects = store:reads_of(installation)
    for _, name in ipairs(body.objects or {}) do
      if objects[name] == nil then problem.invalid("body", "objects", "holds no read object: " .. tostring(name)) end
    end
    local wanted = {}
    for _, name in ipairs(body.objects or {}) do wanted[name] = true end
    for name, object in pairs(objects) do
      if not body.objects or wanted[name] then object.disabled = disabled or nil end
    end
    store.fleet:put(place, installation)
  end
end

handlers.pauseReads = pause(true)
handlers.unpauseReads = pause(false)

-- Connections -----------------------------------------------------------------------------------------------------

-- A connection as it is shown: credentials only when asked for.
local function shown(connection, query)
  local copy = edit.clone(connection)
  local tokens = copy.oauth2AuthorizationCode
  if query.includeCreds ~= "true" then
    copy.oauth2AuthorizationCode, copy.apiKey = nil, nil
  elseif tokens and query.includeRefreshToken ~= "true" then
    tokens.refreshToken = nil
  end
  return copy
end

local function wanted(connection, query)
  return (not query.provider or connection.provider == query.provider)
    and (not query.groupRef or connection.group.groupRef == query.groupRef)
    and (not query.consumerRef or connection.consumer.consumerRef == query.consumerRef)
end

-- Connections of the fleet, then those that nothing uses yet; each once, as JSON texts.
function handlers.listConnections(store, params, query)
  store:project(params)
  return function()
    local places, seen, i = store.fleet:each(nil, query.groupRef), {}, 0
    return function()
      for place in places do
        local connection = store.fleet:at(place).connection
        if store.fleet.changed[place] then seen[connection.id] = true end
        if wanted(connection, query) then return core.encode(shown(connection, {}), { sort_keys = true }) end
      end
      repeat
        i = i + 1
        local connection = store.connections[i]
        if connection and not seen[connection.id] and wanted(connection, query) then
          return core.encode(shown(connection, {}), { sort_keys = true })
        end
      until not connection
    end
  end
end

local function keep_connection(store, connection, installation, place)
  connection.updateTime = store.now()
  if installation then store.fleet:put(place, installation) end
end

function handlers.getConnection(store, params, query)
  store:project(params)
  local connection, installation, place = store:connection(params.connectionId)
  local tokens = connection.oauth2AuthorizationCode
  if query.refresh and query.refresh ~= "force" and query.refresh ~= "ifExpired" then
    problem.invalid("query", "refresh", "must be force or ifExpired")
  end
  if query.refresh == "force" and tokens then
    tokens.accessToken.token = "access-" .. store.secret(24)
    tokens.accessToken.issuedAt = store.now()
    keep_connection(store, connection, installation, place)
  end
  return shown(connection, query)
end

local SCHEMES = {
  { "apiKey", "apiKey" }, { "basicAuth", "basic" }, { "oauth2ClientCredentials", "oauth2/clientCredentials" },
  { "oauth2PasswordCredentials", "oauth2/password" }, { "oauth2AuthorizationCode", "oauth2/authorizationCode" },
}

local function scheme_of(body)
  for _, pair in ipairs(SCHEMES) do
    if body[pair[1]] then return pair[2] end
  end
  return "none"
end

local function party(store, project, prefix, body)
  local now, ref = store.now(), body[prefix .. "Ref"]
  return {
    [prefix .. "Ref"] = ref, [prefix .. "Name"] = body[prefix .. "Name"] or ref, projectId = project.id,
    createTime = now, updateTime = now,
  }
end

--- Makes a connection from the body of a request.
local function new_connection(store, project, body)
  if not fleet.provider(body.provider) then problem.invalid("body", "provider", "is not a known provider") end
  local connection = {
    id = store:new_id "connection", projectId = project.id, provider = body.provider, status = "created",
    group = party(store, project, "group", body), consumer = party(store, project, "consumer", body),
    createTime = store.now(), updateTime = store.now(), authScheme = scheme_of(body), apiKey = body.apiKey,
    providerWorkspaceRef = body.providerWorkspaceRef, providerMetadata = body.providerMetadata,
    oauth2AuthorizationCode = body.oauth2AuthorizationCode,
  }
  table.insert(store.connections, connection)
  return connection
end

function handlers.generateConnection(store, params, _, body)
  return shown(new_connection(store, store:project(params), body), {})
end

local CONNECTION_MASK = {
  "providerWorkspaceRef", "providerMetadata", "apiKey", "basicAuth", "oauth2ClientCredentials",
  "oauth2PasswordCredentials",
}

function handlers.updateConnection(store, params, _, body)
  store:project(params)
  local connection, installation, place = store:connection(params.connectionId)
  local changed = edit.clone(connection)
  local ok, path, why = edit.mask(changed, body.connection, body.updateMask, CONNECTION_MASK)
  if not ok then problem.invalid("body", "updateMask." .. path, why) end
  for _, name in ipairs { "providerWorkspaceRef", "providerMetadata", "apiKey" } do connection[name] = changed[name] end
  if connection.status == "bad_credentials" then connection.status = "created" end
  keep_connection(store, connection, installation, place)
  return shown(connection, {})
end

function handlers.deleteConnection(store, params)
  store:project(params)
  local connection, installation = store:connection(params.connectionId)
  if installation then problem.refuse(422, "the connection is used by an installation") end
  local _, i = store:find("connections", "id", connection.id)
  table.remove(store.connections, i)
end

-- Logging in ------------------------------------------------------------------------------------------------------

local function login_url(store, provider)
  return ("https://login.%s.example/oauth/authorize?client_id=client-id-123&response_type=code&state=%s"):format(
    provider:lower(), store.secret(16))
end

function handlers.oauthConnect(store, _, _, body)
  store:project(body)
  local provider = fleet.provider(body.provider)
  if not provider then problem.invalid("body", "provider", "is not a known provider") end
  if not provider.scheme:find "^oauth2/authorizationCode" then
    problem.invalid("body", "provider", "does not log in by OAuth")
  end
  return login_url(store, provider.name)
end

function handlers.oauthUpdate(store, params)
  store:project(params)
  local connection = store:connection(params.connectionId)
  if not connection.authScheme:find "^oauth2/authorizationCode" then
    problem.invalid("path", "connectionId", "does not log in by OAuth")
  end
  return login_url(store, connection.provider)
end

-- The first call answers where to send the browser, the second, with its session, the connection.
function handlers.customAuthConnect(store, _, _, body)
  local project = store:project(body)
  if not body.sessionId then
    for _, name in ipairs { "provider", "groupRef", "consumerRef" } do
      if not body[name] then problem.invalid("body", name, "is required") end
    end
    local session = { id = store:new_id "session", body = body }
    table.insert(store.auth_sessions, session)
    return { redirect = { url = login_url(store, body.provider), sessionId = session.id } }
  end
  local session, i = store:find("auth_sessions", "id", body.sessionId)
  if not session then problem.invalid("body", "sessionId", "is unknown or used up") end
  table.remove(store.auth_sessions, i)
  return { connection = shown(new_connection(store, project, session.body), {}) }
end

return handlers
