-- Connections, and how customers log in to make one.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local fixtures = require "ampersand.mock.fixtures"
local patch = require "ampersand.mock.patch"
local problem = require "ampersand.mock.problem"

local handlers = {}

-- A connection as the API shows it: credentials only on request.
local function public_view(connection, query)
  local copy = deep.copy(connection)
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

-- Connections of the fleet, then unused ones; each once.
local function each_connection(store, group_ref)
  local places, seen, i = store.fleet:each(nil, group_ref), {}, 0
  return function()
    local place = places()
    if place then
      local connection = store.fleet:at(place).connection
      if store.fleet.changed[place] then seen[connection.id] = true end
      return connection
    end
    repeat i = i + 1 until not store.connections[i] or not seen[store.connections[i].id]
    return store.connections[i]
  end
end

function handlers.listConnections(store, params, query)
  store:project(params)
  return function()
    local connections = each_connection(store, query.groupRef)
    return function()
      for connection in connections do
        if wanted(connection, query) then return core.encode(public_view(connection, {}), { sort_keys = true }) end
      end
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
  return public_view(connection, query)
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

local function party(project, prefix, body, now)
  local ref = body[prefix .. "Ref"]
  return {
    [prefix .. "Ref"] = ref, [prefix .. "Name"] = body[prefix .. "Name"] or ref, projectId = project.id,
    createTime = now, updateTime = now,
  }
end

local function known_provider(body)
  return fixtures.provider(body.provider) or problem.invalid("body", "provider", "is not a known provider")
end

--- Makes a connection from the body of a request.
local function new_connection(store, project, body)
  local provider, now = known_provider(body), store.now()
  local connection = {
    id = store:new_id "connection", projectId = project.id, provider = provider.name, status = "created",
    group = party(project, "group", body, now), consumer = party(project, "consumer", body, now),
    createTime = now, updateTime = now, authScheme = scheme_of(body), apiKey = body.apiKey,
    providerWorkspaceRef = body.providerWorkspaceRef, providerMetadata = body.providerMetadata,
    oauth2AuthorizationCode = body.oauth2AuthorizationCode,
  }
  table.insert(store.connections, connection)
  return connection
end

function handlers.generateConnection(store, params, _, body)
  return public_view(new_connection(store, store:project(params), body), {})
end

local CONNECTION_MASK = {
  "providerWorkspaceRef", "providerMetadata", "apiKey", "basicAuth", "oauth2ClientCredentials",
  "oauth2PasswordCredentials",
}

function handlers.updateConnection(store, params, _, body)
  store:project(params)
  local connection, installation, place = store:connection(params.connectionId)
  local changed = deep.copy(connection)
  patch.mask(changed, body.connection, body.updateMask, CONNECTION_MASK)
  for _, name in ipairs { "providerWorkspaceRef", "providerMetadata", "apiKey" } do connection[name] = changed[name] end
  if connection.status == "bad_credentials" then connection.status = "created" end
  keep_connection(store, connection, installation, place)
  return public_view(connection, {})
end

function handlers.deleteConnection(store, params)
  store:project(params)
  local connection, installation = store:connection(params.connectionId)
  if installation then problem.refuse(422, "the connection is used by an installation") end
  local _, i = store:find("connections", "id", connection.id)
  table.remove(store.connections, i)
end

-- Logging in --------------------------------------------------------------------------------------------------------

local function login_url(store, provider)
  return ("https://login.%s.example/oauth/authorize?client_id=client-id-123&response_type=code&state=%s"):format(
    provider:lower(), store.secret(16))
end

function handlers.oauthConnect(store, _, _, body)
  store:project(body)
  local provider = known_provider(body)
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

-- The first call answers a URL for the browser; the second, with the session of the first, the connection.
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
  return { connection = public_view(new_connection(store, project, session.body), {}) }
end

return handlers
