-- The state of the mock server: a fleet of installations of which only the changed ones are held, and small
-- collections of everything else. Items are tables in the shape of the API.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local fixtures = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"
local time = require "ampersand.time"

-- The fleet ---------------------------------------------------------------------------------------------------------

local Fleet = {}
Fleet.__index = Fleet

-- The JSON text of the installation at a place.
function Fleet:text_at(i)
  local changed = self.changed[i]
  if changed then return changed.text end
  if changed == nil and i <= self.size then return fixtures.text(i) end
end

--- The installation at a place, a table the caller may change; nil when there is none.
function Fleet:at(i)
  local text = self:text_at(i)
  return text and assert(core.decode(text))
end

--- Puts an installation back, or removes it (`false`). It is held as text, which takes far less than a table.
function Fleet:put(i, installation)
  self.changed[i] = installation and {
    text = assert(core.encode(installation, { sort_keys = true })), integration = installation.integrationId,
    group = installation.group.groupRef, connection = installation.connection.id,
  }
end

--- Adds an installation at the end: `make(tag, place)` gives it, the tag being its number in ids.
function Fleet:add(make)
  self.last = self.last + 1
  self:put(self.last, make(fixtures.tag_of(self.last), self.last))
  return self:at(self.last)
end

-- Places that may hold installations of a group: the rule gives one, those added later may be any.
function Fleet:places(group_ref)
  local own = group_ref and fixtures.place_of(group_ref, "group")
  if own and own > self.size then own = nil end
  local i = group_ref and self.size or 0
  return function()
    local place = own
    own = nil
    if place then return place end
    i = i + 1
    if i <= self.last then return i end
  end
end

function Fleet:matches(i, integration, group_ref)
  local changed = self.changed[i]
  if changed == false then return false end
  if changed == nil then return i <= self.size and (not integration or integration == fixtures.INTEGRATION) end
  return (not integration or changed.integration == integration) and (not group_ref or changed.group == group_ref)
end

--- Iterates over the places of installations, in order, of one integration or (nil) all, of one group or (nil) all.
function Fleet:each(integration, group_ref)
  local places = self:places(group_ref)
  return function()
    for i in places do
      if self:matches(i, integration, group_ref) then return i end
    end
  end
end

--- The same, as JSON texts.
function Fleet:texts(integration, group_ref)
  local each = self:each(integration, group_ref)
  return function()
    local i = each()
    return i and self:text_at(i)
  end
end

-- Collections -------------------------------------------------------------------------------------------------------

local Store = {}
Store.__index = Store

function Store.now()
  return time.format(core.time(), nil, 6)
end

--- A new id, never used before: "topic-1001".
function Store:new_id(prefix)
  self.ids = self.ids + 1
  return ("%s-%d"):format(prefix, self.ids)
end

--- A random word of letters and digits, for tokens and keys.
function Store.secret(length)
  local letters, word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", {}
  for i = 1, length do
    local at = math.floor(core.random() * #letters) + 1
    word[i] = letters:sub(at, at)
  end
  return table.concat(word)
end

--- The item of a collection whose member `field` has this value, and its index.
function Store:find(kind, field, value)
  for i, item in ipairs(self[kind]) do
    if item[field] == value then return item, i end
  end
end

--- The same by id or by name; refuses with 404 where there is none.
function Store:need(kind, id, what)
  local item, i = self:find(kind, "id", id)
  if not item then item, i = self:find(kind, "name", id) end
  if item then return item, i end
  problem.refuse(404, ("%s not found"):format(what or kind:gsub("_", " "):gsub("s$", "")))
end

function Store:knows_key(key)
  local item = self:find("api_keys", "key", key)
  return item ~= nil and item.active
end

function Store:project(params)
  return self:need("projects", params.projectIdOrName)
end

--- The integration a path names; by name too, which the real server allows in some paths only.
function Store:integration(params)
  local project = self:project(params)
  local integration, i = self:need("integrations", params.integrationId or params.integrationIdOrName)
  if integration.projectId ~= project.id then problem.refuse(404, "integration not found") end
  return integration, i
end

--- The installation of this id, and its place in the fleet; nil when there is none.
function Store:installation_by_id(id)
  local place = fixtures.place_of(id, "installation")
  local installation = place and self.fleet:at(place)
  if installation then return installation, place end
end

--- The installation a path names, and its place in the fixtures.
function Store:installation(params)
  local integration = self:integration(params)
  local installation, place = self:installation_by_id(params.installationId)
  if installation and installation.integrationId == integration.id then return installation, place end
  problem.refuse(404, "installation not found")
end

local function table_at(value, path)
  local found = deep.get(value, path)
  return type(found) == "table" and found or {}
end

--- The objects an integration reads, by its latest revision; an empty table when that says nothing of reading.
function Store.objects_of(_, integration)
  return table_at(integration, "latestRevision.content.read.objects")
end

--- What an installation reads, by object; an empty table when that is nothing.
function Store.reads_of(_, installation)
  return table_at(installation, "config.content.read.objects")
end

--- Refuses a path whose object the integration does not read.
function Store:check_object(params)
  for _, object in ipairs(self:objects_of((self:integration(params)))) do
    if object.objectName == params.objectName then return end
  end
  problem.invalid("path", "objectName", "is not an object of this integration")
end

local FIELD_TYPES = { amount = "float", annualRevenue = "int", createdDate = "datetime", lastModifiedDate = "datetime" }
local READ_ONLY = { id = true, createdDate = true, lastModifiedDate = true }

--- The fields of an object; `place` names the integration or provider to which custom ones were added.
function Store:fields_of(place, object, writable_only)
  local fields = {}
  for _, name in ipairs(fixtures.fields) do
    if not (writable_only and READ_ONLY[name]) then
      local kind = FIELD_TYPES[name]
      fields[name] = {
        fieldName = name, displayName = name, valueType = kind or "string", providerType = kind or "text",
        readOnly = READ_ONLY[name] or false, isCustom = false, isRequired = name == "id",
      }
    end
  end
  for name, field in pairs(self.custom_fields[place .. "/" .. object] or {}) do
    fields[name] = {
      fieldName = name, displayName = field.displayName, valueType = field.valueType, providerType = field.valueType,
      readOnly = false, isCustom = true, isRequired = field.required or false,
    }
  end
  return fields
end

--- The installation of a group in the integration a path names; `status` when there is none.
function Store:installation_of_group(params, group_ref, status)
  local place = self.fleet:each(self:integration(params).id, group_ref)()
  if place then return self.fleet:at(place), place end
  problem.invalid("body", "groupRef", "has no installation of this integration", status)
end

-- The installation whose connection this is, and its place.
function Store:user_of_connection(id)
  local place = fixtures.place_of(id, "connection")
  local installation = place and place <= self.fleet.size and self.fleet:at(place)
  if installation and installation.connection.id == id then return installation, place end
  for i, changed in pairs(self.fleet.changed) do
    if changed and changed.connection == id then return self.fleet:at(i), i end
  end
end

--- A connection by id: the connection, and the installation and place that hold it (nil while nothing uses it).
function Store:connection(id)
  local installation, place = self:user_of_connection(id)
  if installation then return installation.connection, installation, place end
  return (self:need("connections", id))
end

-- Initial state -----------------------------------------------------------------------------------------------------

local DAY = "2023-11-07T05:31:56Z"

local function manifest(name, provider)
  local read, write = core.array(), core.array()
  for i, object in ipairs(fixtures.objects) do
    read[i] = {
      objectName = object, destination = "defaultWebhook", schedule = "*/10 * * * *",
      requiredFields = core.array { { fieldName = "id" }, { fieldName = "email" } },
      optionalFields = core.array { { fieldName = "phone" }, { mapToName = "priority", prompt = "Which field?" } },
      optionalFieldsAuto = "all", backfill = { defaultPeriod = { days = 30 } },
    }
    write[i] = { objectName = object, inheritMapping = true }
  end
  return {
    name = name, provider = provider, displayName = name,
    read = { objects = read }, write = { objects = write }, proxy = { enabled = true },
  }
end

--- A new integration of a project, with the content given or one made up.
function Store:add_integration(fields)
  local integration = {
    id = fields.id or self:new_id "integration", projectId = fields.projectId, name = fields.name,
    provider = fields.provider, createTime = self.now(), updateTime = self.now(),
  }
  self.integrations[#self.integrations + 1] = integration
  self:add_revision(integration, fields.content)
  return integration
end

--- Makes the next revision of an integration its latest.
function Store:add_revision(integration, content)
  integration.latestRevision = {
    id = self:new_id "revision", specVersion = "1.0.0", createTime = self.now(),
    content = content or manifest(integration.name, integration.provider),
  }
  integration.updateTime = self.now()
end

local function seed(self)
  local project = fixtures.PROJECT.id
  local function one(fields)
    fields.createTime = DAY
    return { fields }
  end
  self.orgs = one { id = "org-123", label = "MailMonkey", defaultTeamId = "team-123" }
  self.projects = one { id = project, name = fixtures.PROJECT.name, appName = "MailMonkey", orgId = "org-123" }
  self.org_builders = one {
    id = "builder-123", idpProvider = "auth0", idpRef = "auth0|123", firstName = "Zoë", lastName = "Müller",
    fullName = "Zoë Müller", primaryEmail = "zoe@example.com",
  }
  self.billing_accounts = one {
    id = "billing-account-123", displayName = "MailMonkey", billingProvider = "stripe", billingProviderRef = "cus_123",
  }
  self.provider_apps = one {
    id = "provider-app-123", projectId = project, provider = "salesforce", clientId = "client-id-123",
    externalRef = "external-id-123", scopes = core.array { "oauth", "offline", "crm.read" },
  }
  self.destinations = one {
    id = "destination-123", projectId = project, name = "defaultWebhook", type = "webhook",
    metadata = { url = "https://webhooks.example.com/ampersand", headers = {} },
    secrets = { webhookSigningKey = "whsec_" .. self.secret(32) },
  }
  self.topics = one { id = "topic-123", projectId = project, name = "Alerts" }
  self.event_topic_routes = one {
    id = "event-topic-route-123", projectId = project, eventType = "connection.error", topicId = "topic-123",
  }
  self.topic_destination_routes = one {
    id = "topic-destination-route-123", projectId = project, topicId = "topic-123", destinationId = "destination-123",
  }
  self.claimed_domains = {
    { id = "claimed-domain-123", parentType = "org", parentId = "org-123", domain = "example.com" },
  }
  self.api_keys = {
    { key = self.options.key, label = "mock server", scopes = core.array(), projectId = project, active = true },
  }
  self:add_integration { id = fixtures.INTEGRATION, projectId = project, name = "salesforce", provider = "salesforce" }
  self:add_integration { id = "integration-124", projectId = project, name = "hubspot", provider = "hubspot" }
end

-- Three installations of another integration, so that a project holds more than one integration's.
local function seed_others(self)
  for _ = 1, 3 do
    self.fleet:add(function(_, place)
      local installation = fixtures.installation(place)
      installation.integrationId = "integration-124"
      return installation
    end)
  end
end

local EMPTY = { "integrations", "connections", "groups", "consumers", "org_invites", "jwt_keys", "auth_sessions" }

local store = {}

--- A fresh store. Its options are those of the command line.
function store.new(options)
  local size = options.installations
  local fleet = setmetatable({ size = size, last = size, changed = {} }, Fleet)
  local self = setmetatable({ options = options, fleet = fleet, ids = 1000 }, Store)
  for _, kind in ipairs(EMPTY) do self[kind] = {} end
  self.operations, self.runs = {}, {} -- operations of now; those of them that still run
  self.records, self.custom_fields = {}, {} -- by object
  self.edits = {} -- how often the config of an installation was changed, by id
  seed(self)
  seed_others(self)
  return self
end

return store
