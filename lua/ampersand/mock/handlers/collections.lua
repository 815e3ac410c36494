-- The plain resources: each is one entry of data, from which list, get, create, update and delete follow.
--
--   param    the path's name for one item           prefix   of new ids
--   fields   members taken from a create's body     unique   no two items of a project share this member
--   mask     what an update may name                refers   members that must be the id of an item elsewhere
--   hide     members never shown in answers         defaults members of a new item that the body may leave out
--   scope    the member that names an item's organization, where items belong to one

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local patch = require "ampersand.mock.patch"
local operations = require "ampersand.client.operations"
local problem = require "ampersand.mock.problem"

local kinds = {
  api_keys = {
    param = "apiKey", id = "key", fields = { "label", "scopes" }, mask = { "label", "active", "scopes" },
    defaults = function(store) return { key = store.secret(40), active = true, scopes = core.array() } end,
  },
  claimed_domains = { scope = "parentId" },
  consumers = { fields = { "consumerRef", "consumerName" }, unique = "consumerRef" },
  destinations = {
    param = "destination", prefix = "destination", fields = { "name", "type", "metadata" }, unique = "name",
    mask = { "name", "metadata.*", "secrets.*" }, hide = { "secrets", "projectId" },
    defaults = function(store) return { secrets = { webhookSigningKey = "whsec_" .. store.secret(32) } } end,
  },
  event_topic_routes = {
    param = "routeId", prefix = "event-topic-route", fields = { "eventType", "topicId" },
    refers = { topicId = "topics" },
  },
  groups = { fields = { "groupRef", "groupName" }, unique = "groupRef" },
  integrations = { param = "integrationIdOrName" },
  jwt_keys = { param = "keyId", mask = { "active", "label" } },
  org_builders = {},
  org_invites = {
    param = "inviteId", prefix = "invite", scope = "parentId", fields = {},
    defaults = function(_, body) return { invitedEmail = body.email, parentType = "org", status = "pending" } end,
  },
  orgs = {
    param = "orgId", prefix = "org", fields = { "label" }, mask = { "label" },
    defaults = function() return { defaultTeamId = "team-123" } end,
  },
  projects = {
    param = "projectIdOrName", prefix = "project", fields = { "appName", "name", "orgId" }, unique = "name",
    mask = { "appName", "name" },
  },
  provider_apps = {
    param = "providerAppId", prefix = "provider-app",
    fields = { "provider", "clientId", "externalRef", "scopes", "metadata" },
    mask = { "externalRef", "clientId", "clientSecret", "provider", "scopes", "metadata" }, hide = { "clientSecret" },
  },
  topic_destination_routes = {
    param = "routeId", prefix = "topic-destination-route", fields = { "topicId", "destinationId" },
    refers = { topicId = "topics", destinationId = "destinations" },
  },
  topics = { param = "topicId", prefix = "topic", fields = { "name" }, unique = "name" },
}

-- The member and value that items of a path share: their project, their organization, or none.
local function owner_of(store, name, params)
  if params.orgId and name ~= "orgs" then return kinds[name].scope, store:need("orgs", params.orgId).id end
  if params.projectIdOrName and name ~= "projects" then return "projectId", store:project(params).id end
end

local function public_view(kind, item)
  local copy = deep.copy(item)
  for _, member in ipairs(kind.hide or {}) do copy[member] = nil end
  return copy
end

-- Whether an item matches the query: "true" selects items whose flag is set, any other value must be equal.
local function matches(item, query, names)
  for _, name in ipairs(names) do
    local value = query[name]
    if value and value ~= "false" and tostring(item[name]) ~= value then return false end
  end
  return true
end

local function find(store, name, params)
  local kind = kinds[name]
  local owner, id = owner_of(store, name, params)
  local item, i
  if kind.id then
    item, i = store:find(name, kind.id, params[kind.param])
  else
    item, i = store:need(name, params[kind.param])
  end
  if not item or owner and item[owner] ~= id then problem.refuse(404, (name:gsub("_", " ")) .. ": no such item") end
  return item, i
end

local function check_unique(store, kind, name, owner, id, value)
  if not kind.unique then return end
  for _, other in ipairs(store[name]) do
    if other[kind.unique] == value and (not owner or other[owner] == id) then
      problem.refuse(409, ("%s %q is taken"):format(kind.unique, tostring(value)))
    end
  end
end

local verbs = {}

function verbs.list(op, kind)
  return function(store, params, query)
    local owner, id = owner_of(store, op.resource, params)
    local list = core.array()
    for _, item in ipairs(store[op.resource]) do
      local own = not owner or item[owner] == id
      if own and matches(item, query, op.query_names) then list[#list + 1] = public_view(kind, item) end
    end
    return list
  end
end

function verbs.get(op, kind)
  return function(store, params) return public_view(kind, (find(store, op.resource, params))) end
end

function verbs.create(op, kind)
  return function(store, params, _, body)
    local owner, id = owner_of(store, op.resource, params)
    check_unique(store, kind, op.resource, owner, id, body[kind.unique])
    for member, other in pairs(kind.refers or {}) do
      if not store:find(other, "id", body[member]) then problem.invalid("body", member, "does not exist") end
    end
    local item = kind.defaults and kind.defaults(store, body) or {}
    for _, member in ipairs(kind.fields) do
      if body[member] ~= nil then item[member] = deep.copy(body[member]) end
    end
    if kind.prefix then item.id = store:new_id(kind.prefix) end
    if owner then item[owner] = id end
    if not kind.id then item.createTime = store.now() end
    table.insert(store[op.resource], item)
    return public_view(kind, item)
  end
end

-- The member of the body that holds the new values: the one next to updateMask.
local function holder_of(op)
  for _, field in ipairs(op.body) do
    if field.name ~= "updateMask" then return field.name end
  end
end

function verbs.update(op, kind)
  local holder = holder_of(op)
  return function(store, params, _, body)
    local item, i = find(store, op.resource, params)
    local changed = deep.copy(item)
    if kind.mask then
      patch.mask(changed, body[holder], body.updateMask, kind.mask)
    else
      changed[holder] = body[holder]
    end
    if not kind.id then changed.updateTime = store.now() end
    store[op.resource][i] = changed
    return public_view(kind, changed)
  end
end

function verbs.delete(op)
  return function(store, params)
    local _, i = find(store, op.resource, params)
    table.remove(store[op.resource], i)
  end
end

local handlers = {}
for _, op in ipairs(operations.all()) do
  local kind, verb = kinds[op.resource], verbs[op.verb]
  if kind and verb then handlers[op.id] = verb(op, kind) end
end

-- Exceptions --------------------------------------------------------------------------------------------------------

function handlers.getProject(store, params, query)
  local project = deep.copy(store:project(params))
  if query.includeEntitlements == "true" then
    project.entitlements = { brandingRemoval = { value = true }, logRetentionDays = { value = 30 } }
  end
  return project
end

function handlers.getDestination(store, params, query)
  local item = find(store, "destinations", params)
  if query.rotate == "true" then
    item.secrets.webhookSigningKey = "whsec_" .. store.secret(32)
    item.updateTime = store.now()
  end
  local copy = public_view(kinds.destinations, item)
  if query.includeSecrets == "true" then copy.secrets = deep.copy(item.secrets) end
  return copy
end

function handlers.createJWTKey(store, params, _, body)
  if body.algorithm ~= "RS256" then problem.invalid("body", "algorithm", "must be RS256") end
  if not tostring(body.publicKeyPem):find "^%-%-%-%-%-BEGIN [%u ]*PUBLIC KEY%-%-%-%-%-" then
    problem.invalid("body", "publicKeyPem", "is not a public key in PEM")
  end
  local id = ("00000000-0000-4000-8000-%012d"):format(#store.jwt_keys + 1)
  table.insert(store.jwt_keys, {
    id = id, projectId = store:project(params).id, label = body.label, algorithm = "RSA", active = true,
    publicKeyPem = body.publicKeyPem, createTime = store.now(), updateTime = store.now(),
  })
  return { kid = id }
end

return handlers
