-- The simulated fleet: any number of installations, each computed from its number alone, so that a hundred thousand
-- of them take no memory. The store holds what a program changes.

local core = require "ampersand.core"
local null, array = core.null, core.array

local fixtures = {}

fixtures.PROJECT = { id = "project-456", name = "my-project" }
fixtures.INTEGRATION = "integration-123"

-- Provider names by authentication scheme.
local PROVIDERS = {
  { "oauth2/authorizationCode",
    "salesforce hubspot dynamicsCRM zohoCRM pipedrive zendeskSupport slack asana atlassian linkedIn intercom gong"
    .. " outreach salesloft google zoom notion monday clickup quickbooks xero shopify dropbox box docusign microsoft"
    .. " github keap" },
  { "oauth2/authorizationCodePKCE", "aircall airtable canva snapchatAds typeform" },
  { "oauth2/clientCredentials", "marketo netsuite ukgPro braintree adobe" },
  { "oauth2/password", "sageIntacct acuityScheduling veeva" },
  { "apiKey", "apollo brevo klaviyo sendGrid lemlist instantly smartlead attio customerJourneysApp seismic" },
  { "basic", "freshdesk greenhouse ashby gorgias blueshift chargebee iterable teamwork" },
  { "none", "hackerNews openMeteo" },
}

local NAMES = {
  "Super Customer", "Acme Corporation", "Müller & Söhne GmbH", "株式会社さくら", "Société Générale d'Élan", "Компания Ромашка",
  "شركة النور", "O'Brien \"Quotes\" Ltd", "Back\\slash & Tab\tInc", "Łódź Software", "नमस्ते सेवाएँ", "서울 데이터",
  "Ångström Labs", "🚀 Rocketeers", "Zoë's Café", "Grüße aus Köln", "Ελληνική Εταιρεία", "Smith/Jones <Partners>",
}

--- Names of the objects that installations read and write.
fixtures.objects = {
  "account", "contact", "lead", "opportunity", "deal", "company", "ticket", "task", "call", "meeting", "note",
  "invoice", "user", "campaign",
}
--- Names of the fields every object has.
fixtures.fields = {
  "id", "email", "phone", "firstName", "lastName", "company", "website", "billingCity", "billingCountry", "ownerId",
  "createdDate", "lastModifiedDate", "stage", "amount", "industry", "description", "leadSource", "annualRevenue",
}
local MAPPED = { "fullName", "primaryEmail", "companySize", "priority", "region", "lifecycle" }
local SCHEDULES = { "*/10 * * * *", "*/30 * * * *", "0 * * * *", "15 */6 * * *", "0 3 * * *" }

-- Apart from their ids, installations repeat after this many: a prime, so that no other period divides it.
local VARIETIES = 1009

local providers = {}
for _, group in ipairs(PROVIDERS) do
  for name in group[2]:gmatch "%S+" do providers[#providers + 1] = { name = name, scheme = group[1] } end
end

--- All providers of the mock server: `{ name, scheme }`, in a fixed order.
fixtures.providers = providers

--- The provider of this name.
function fixtures.provider(name)
  for _, provider in ipairs(providers) do
    if provider.name == name then return provider end
  end
end

-- A pseudo-random generator that gives the same numbers on every Lua.
local function dice(seed)
  local state = seed * 48271 % 2147483647 + 1
  local function roll(sides)
    state = state * 16807 % 2147483647
    return math.floor(state / 2147483647 * sides) + 1
  end
  for _ = 1, 3 do roll(2) end
  return roll, function(list) return list[roll(#list)] end
end

local FRACTIONS = { "", ".816Z", ".456076Z", ".5Z", ".000Z" }

local function time(roll, year)
  local fraction = FRACTIONS[roll(#FRACTIONS)]
  return ("%04d-%02d-%02dT%02d:%02d:%02d%s"):format(year, roll(12), roll(28), roll(24) - 1, roll(60) - 1, roll(60) - 1,
    fraction == "" and "Z" or fraction)
end

-- The installation printed on the API's page for "List installations", as it stands there.
local function example()
  local function stamped(fields)
    fields.projectId = "project-456"
    fields.createTime, fields.updateTime = "2023-07-13T21:34:44.816Z", "2023-07-13T21:34:44.816Z"
    return fields
  end
  local function token()
    return { token = "<string>", issuedAt = "2024-04-22T18:55:28.456076Z", expiresAt = "2024-10-22T18:55:28.456076Z" }
  end
  local day = "2023-11-07T05:31:56Z"
  return {
    id = "installation-123", projectId = "project-456", integrationId = "integration-123",
    group = stamped { groupRef = "group-123", groupName = "Super Customer" },
    healthStatus = "healthy",
    connection = stamped {
      id = "connection-123", provider = "salesforce",
      providerApp = {
        id = "provider-app-123", projectId = "project-456", externalRef = "external-id-123", provider = "salesforce",
        clientId = "client-id-123", scopes = array { array { "oauth", "offline", "crm.read" } },
        createTime = day, updateTime = day,
      },
      group = stamped { groupRef = "group-123", groupName = "Super Customer" },
      consumer = stamped { consumerRef = "consumer-123", consumerName = "Super Customer" },
      providerWorkspaceRef = "provider-workspace-123", providerConsumerRef = "provider-consumer-123",
      authScheme = "oauth2/authorizationCode", status = "working",
      oauth2AuthorizationCode = { accessToken = token(), refreshToken = token(), scopes = array { "<string>" } },
      apiKey = "api-key-123",
    },
    createTime = day, createdBy = "consumer:consumer-123", updateTime = day,
    config = {
      id = "config-123", revisionId = "revision-123", createTime = day, createdBy = "builder:builder-123",
      content = {
        provider = "salesforce", read = { objects = {} }, write = { objects = {} }, proxy = { enabled = true },
      },
    },
  }
end

local function group_of(name, tag, created)
  return {
    groupRef = "group-" .. tag, groupName = name, projectId = fixtures.PROJECT.id,
    createTime = created, updateTime = created,
  }
end

local function read_object(name, roll, pick)
  local fields, mappings = {}, {}
  for _ = 1, 3 + roll(12) do fields[pick(fixtures.fields)] = roll(10) > 1 end
  for _ = 1, roll(4) - 1 do mappings[pick(MAPPED)] = pick(fixtures.fields) end
  local object = {
    objectName = name, schedule = pick(SCHEDULES),
    destination = pick { "defaultWebhook", "kinesisStream", "warehouse" },
    selectedFields = fields, selectedFieldMappings = mappings,
    backfill = { defaultPeriod = roll(2) == 1 and { days = roll(90) } or { fullHistory = true } },
  }
  if roll(4) == 1 then object.selectedFieldsAuto = "all" end
  if roll(5) == 1 then object.selectedValueMappings = { stage = { won = "closed", lost = "closed" } } end
  if roll(6) == 1 then object.disabled = true end
  if roll(8) == 1 then
    object.fieldFilters = array { { fieldName = "amount", operator = "eq", value = roll(1000) / 8 } }
  end
  return object
end

local function write_object(name, roll)
  local object = { objectName = name }
  if roll(3) == 1 then object.selectedValueDefaults = { source = { value = "ampersand", applyOnUpdate = "never" } } end
  if roll(4) == 1 then object.deletionSettings = { enabled = roll(2) == 1 } end
  return object
end

local function subscribe_object(name)
  return {
    objectName = name, destination = "defaultWebhook", inheritFieldsAndMappings = true,
    createEvent = { enabled = "always" }, deleteEvent = { enabled = "never" },
    updateEvent = { enabled = "always", requiredWatchFields = array { "email", "phone" } },
  }
end

local function content_of(provider, roll, pick)
  local read, write = { objects = {} }, { objects = {} }
  local content = { provider = provider, read = read, write = write, proxy = { enabled = roll(3) > 1 } }
  for _ = 1, roll(6) - 1 do
    local name = pick(fixtures.objects)
    read.objects[name] = read_object(name, roll, pick)
    if roll(2) == 1 then write.objects[name] = write_object(name, roll) end
    if roll(3) == 1 then
      content.subscribe = content.subscribe or { objects = {} }
      content.subscribe.objects[name] = subscribe_object(name)
    end
  end
  return content
end

local function tokens(roll, tag, year)
  local function token(kind)
    return { token = kind .. "-" .. tag, issuedAt = time(roll, year), expiresAt = time(roll, year + 1) }
  end
  return {
    accessToken = token "access", refreshToken = token "refresh",
    scopes = roll(5) == 1 and array {} or array { "api", "refresh_token", "offline_access" },
  }
end

local function app_of(provider, tag, roll)
  return {
    id = "provider-app-" .. tag, projectId = fixtures.PROJECT.id, provider = provider, clientId = "client-id-" .. tag,
    externalRef = roll(4) == 1 and null or "external-id-" .. tag,
    scopes = array { "crm.read", "crm.write" }, createTime = time(roll, 2023), updateTime = null,
  }
end

-- The credentials of the connection's authentication scheme.
local function log_in(connection, tag, roll)
  local scheme = connection.authScheme
  if scheme:find("oauth2/authorizationCode", 1, true) then
    connection.oauth2AuthorizationCode = tokens(roll, tag, 2025)
    connection.providerApp = app_of(connection.provider, tag, roll)
  elseif scheme == "apiKey" then
    connection.apiKey = "api-key-" .. tag
  end
end

local function connection_of(provider, status, name, tag, roll)
  local created = time(roll, 2024)
  local connection = {
    id = "connection-" .. tag, projectId = fixtures.PROJECT.id,
    provider = provider.name, authScheme = provider.scheme, status = status,
    group = group_of(name, tag, created),
    consumer = {
      consumerRef = "consumer-" .. tag, consumerName = name, projectId = fixtures.PROJECT.id,
      createTime = created, updateTime = created,
    },
    providerWorkspaceRef = roll(6) == 1 and null or "workspace-" .. tag,
    providerConsumerRef = roll(8) == 1 and null
      or ("https://login.%s.example/id/%s"):format(provider.name:lower(), tag),
    createTime = created, updateTime = time(roll, 2025),
  }
  if roll(3) == 1 then
    connection.providerMetadata = { region = { value = "eu-1", source = "input", displayName = "Région" } }
  end
  log_in(connection, tag, roll)
  return connection
end

-- About one in twenty is unhealthy: most of them because of their credentials, the others after a failed operation.
local function health(roll)
  local d = roll(100)
  if d <= 3 then return "unhealthy", "bad_credentials", "failure" end
  if d <= 5 then return "unhealthy", "working", "failure" end
  if d <= 6 then return "healthy", "bad_credentials", "success" end
  if d <= 15 then return "healthy", "created", null end
  return "healthy", "working", roll(10) == 1 and "in_progress" or "success"
end

local function build(variety, tag)
  local roll, pick = dice(variety + 1)
  local provider, name = providers[variety % #providers + 1], NAMES[variety % #NAMES + 1]
  local healthStatus, status, last = health(roll)
  local created = time(roll, 2024)
  return {
    id = "installation-" .. tag, projectId = fixtures.PROJECT.id, integrationId = fixtures.INTEGRATION,
    group = group_of(name, tag, created),
    healthStatus = healthStatus, lastOperationStatus = last,
    connection = connection_of(provider, status, name, tag, roll),
    createTime = created, createdBy = "consumer:consumer-" .. tag,
    updateTime = roll(10) == 1 and null or time(roll, 2025),
    config = {
      id = "config-" .. tag, revisionId = "revision-" .. roll(5), createTime = created,
      createdBy = roll(4) == 1 and "builder:builder-123" or "consumer:consumer-" .. tag,
      content = content_of(provider.name, roll, pick),
    },
  }
end

-- The number of an installation as it stands in its ids.
local function tag_of(i)
  return i == 1 and "123" or ("%07d"):format(i)
end

--- The i-th installation of the fleet, a new table at each call; the first is the example of the API's page.
---@param i integer at least 1
---@return table installation
function fixtures.installation(i)
  if i == 1 then return example() end
  return build((i - 2) % VARIETIES, tag_of(i))
end

--- The place of an installation in the fleet, from the number in an id of its own ("connection-0000007" -> 7).
---@return integer|nil place nil when the id is not of this fleet
function fixtures.place_of(id, prefix)
  local tag = id:match("^" .. prefix .. "%-(%d+)$")
  if not tag or #tag > 12 then return nil end
  local i = tag == "123" and 1 or tonumber(tag)
  return i > 0 and tag == tag_of(i) and i or nil
end

fixtures.tag_of = tag_of

local MARK = "{tag}"
local templates = {}

-- The JSON text of a variety, cut where the installation's own number goes.
local function template(variety)
  local text, pieces = core.encode(build(variety, MARK), { sort_keys = true }) .. MARK, {}
  for piece in text:gmatch "(.-){tag}" do pieces[#pieces + 1] = piece end
  templates[variety] = pieces
  return pieces
end

--- The i-th installation as JSON: `installation(i)` encoded, but many times faster.
---@param i integer at least 1
---@return string json
function fixtures.text(i)
  if i == 1 then return core.encode(example(), { sort_keys = true }) end
  local variety = (i - 2) % VARIETIES
  return table.concat(templates[variety] or template(variety), tag_of(i))
end

return fixtures
