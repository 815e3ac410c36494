-- Providers, the fields of their objects, integrations and their revisions, organizations and people.

local core = require "ampersand.core"
local edit = require "ampersand.mock.patch"
local fleet = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"

local handlers = {}

-- Providers -------------------------------------------------------------------------------------------------------

local AUTH = {
  ["oauth2/authorizationCode"] = "oauth2", ["oauth2/authorizationCodePKCE"] = "oauth2",
  ["oauth2/clientCredentials"] = "oauth2", ["oauth2/password"] = "oauth2",
  apiKey = "apiKey", basic = "basic", none = "none",
}

local function provider_info(provider)
  local site = ("https://api.%s.example"):format(provider.name:lower())
  local info = {
    name = provider.name, displayName = provider.name, authType = AUTH[provider.scheme], baseURL = site,
    defaultModule = "", postAuthInfoNeeded = false, labels = {},
    support = {
      read = true, write = true, proxy = true, subscribe = false, delete = true,
      search = { operators = { equals = true } },
      bulkWrite = { insert = false, update = false, upsert = false, delete = false },
    },
    media = { regular = { iconURL = site .. "/icon.svg", logoURL = site .. "/logo.svg" } },
  }
  if info.authType == "oauth2" then
    info.oauth2Opts = {
      grantType = provider.scheme:match "/(.+)$", authURL = site .. "/authorize", tokenURL = site .. "/token",
      explicitScopesRequired = false, explicitWorkspaceRequired = false, tokenMetadataFields = {},
    }
  elseif info.authType == "apiKey" then
    info.apiKeyOpts = { attachmentType = "header", header = { name = "X-Api-Key" } }
  end
  return info
end

function handlers.listProviders()
  local all = {}
  for _, provider in ipairs(fleet.providers) do all[provider.name] = provider_info(provider) end
  return all
end

function handlers.getProvider(_, params)
  local provider = fleet.provider(params.provider) or problem.refuse(404, "provider not found")
  return provider_info(provider)
end

-- Fields of objects -----------------------------------------------------------------------------------------------

local TYPES = { amount = "float", annualRevenue = "int", createdDate = "datetime", lastModifiedDate = "datetime" }
local READ_ONLY = { id = true, createdDate = true, lastModifiedDate = true }

-- The fields of an object, custom ones included; `place` names the integration or provider they were added to.
local function fields_of(store, place, object, writable_only)
  local fields = {}
  for _, name in ipairs(fleet.fields) do
    if not (writable_only and READ_ONLY[name]) then
      fields[name] = {
        fieldName = name, displayName = name, valueType = TYPES[name] or "string", providerType = TYPES[name] or "text",
        readOnly = READ_ONLY[name] or false, isCustom = false, isRequired = name == "id",
      }
    end
  end
  for name, field in pairs(store.custom_fields[place .. "/" .. object] or {}) do
    fields[name] = {
      fieldName = name, displayName = field.displayName, valueType = field.valueType, providerType = field.valueType,
      readOnly = false, isCustom = true, isRequired = field.required or false,
    }
  end
  return fields
end

local function is_object(name)
  for _, object in ipairs(fleet.objects) do
    if object == name then return true end
  end
end

-- Metadata of an object, for the place (integration or provider) that `where` finds.
local function get_metadata(where)
  return function(store, params, query)
    local place, name = where(store, params, query.groupRef), params.objectName
    if not is_object(name) then problem.refuse(404, "object not found") end
    return { name = name, displayName = name, fields = fields_of(store, place, name, query.excludeReadOnly == "true") }
  end
end

local function check_definition(definition, name)
  for _, member in ipairs { "fieldName", "displayName", "valueType" } do
    if type(edit.get(definition, { member })) ~= "string" then
      problem.invalid("body", ("fields.%s.%s"):format(name, member), "must be a string")
    end
  end
end

local function upsert_metadata(where)
  return function(store, params, _, body)
    local place, done = where(store, params, body.groupRef), {}
    for object, definitions in pairs(body.fields) do
      if type(definitions) ~= "table" then problem.invalid("body", "fields." .. object, "must be an array") end
      for _, definition in ipairs(definitions) do check_definition(definition, object) end
    end
    for object, definitions in pairs(body.fields) do
      local key = place .. "/" .. object
      local custom, results = store.custom_fields[key] or {}, {}
      for _, definition in ipairs(definitions) do
        local name = definition.fieldName
        results[name] = {
          fieldName = name, action = custom[name] and "update" or "create", metadata = {}, warnings = core.array(),
        }
        custom[name] = definition
      end
      store.custom_fields[key], done[object] = custom, results
    end
    return { success = true, fields = done }
  end
end

local function of_installation(store, params, group_ref)
  local integration = store:integration(params)
  store:installation_of_group(params, group_ref, 404)
  return integration.id
end

local function of_connection(store, params)
  store:project(params)
  local provider = fleet.provider(params.provider) or problem.refuse(404, "provider not found")
  return provider.name
end

handlers.getObjectMetadataForInstallation = get_metadata(of_installation)
handlers.getObjectMetadataForConnection = get_metadata(of_connection)
handlers.upsertMetadataForInstallation = upsert_metadata(of_installation)
handlers.upsertMetadataForConnection = upsert_metadata(of_connection)

-- Integrations and revisions --------------------------------------------------------------------------------------

function handlers.createIntegration(store, params, _, body)
  local project = store:project(params)
  for _, other in ipairs(store.integrations) do
    if other.projectId == project.id and other.name == body.name then
      problem.invalid("body", "name", "is taken by another integration", 422)
    end
  end
  store:add_integration {
    projectId = project.id, name = body.name, provider = body.provider, content = body.latestRevision.content,
  }
end

-- The integrations a manifest names: each `name:` that has a `provider:` before the next.
local function manifest_entries(yaml)
  local entries = {}
  for line in (yaml .. "\n"):gmatch "([^\n]*)\n" do
    local key, value = line:match "^%s*%-?%s*(%a+):%s*(%S+)%s*$"
    local last = entries[#entries]
    if key == "name" then
      entries[#entries + 1] = { name = value }
    elseif key == "provider" and last then
      last.provider = last.provider or value
    end
  end
  return entries
end

local function source_entries(body)
  if not body.sourceYaml then return {} end
  local entries = manifest_entries(tostring(body.sourceYaml))
  if #entries == 0 or not entries[1].provider then
    problem.invalid("body", "sourceYaml", "names no integration with a provider", 422)
  end
  return entries
end

function handlers.batchUpsertIntegrations(store, params, _, body)
  local project, list = store:project(params), core.array()
  for _, entry in ipairs(source_entries(body)) do
    local integration = store:find("integrations", "name", entry.name)
    if integration then
      store:add_revision(integration)
    else
      integration = store:add_integration { projectId = project.id, name = entry.name, provider = entry.provider }
    end
    list[#list + 1] = edit.clone(integration)
  end
  return list
end

function handlers.createRevision(store, params, _, body)
  source_entries(body)
  store:add_revision((store:integration(params)))
end

function handlers.getHydratedRevision(store, params, query)
  local integration = store:integration(params)
  local revision = edit.clone(integration.latestRevision)
  if revision.id ~= params.revisionId then problem.refuse(404, "revision not found") end
  store:connection(query.connectionId)
  for _, object in ipairs(edit.get(revision, { "content", "write", "objects" }) or {}) do
    object.displayName, object.inheritMapping = object.objectName, nil
  end
  for _, object in ipairs(edit.get(revision, { "content", "read", "objects" }) or {}) do
    object.displayName = object.objectName
    object.allFieldsMetadata = fields_of(store, integration.id, object.objectName)
    for _, list in ipairs { object.requiredFields or {}, object.optionalFields or {} } do
      for _, field in ipairs(list) do field.displayName = field.fieldName end
    end
  end
  return revision
end

function handlers.generateUploadUrl(store)
  local path = "uploads/" .. store.secret(16) .. ".zip"
  local url = ("https://storage.example/mock/%s?signature=%s"):format(path, store.secret(16))
  return { url = url, bucket = "mock server", path = path }
end

-- Organizations and people ----------------------------------------------------------------------------------------

local function my_info(store)
  local org, roles = store.orgs[1], {}
  for _, project in ipairs(store.projects) do
    roles[project.id] = { role = "owner", principalType = "builder", principalId = "builder-123", project = project }
  end
  return {
    builder = store.org_builders[1], projectRoles = roles,
    orgRole = { role = "owner", principalType = "team", principalId = org.defaultTeamId, org = org },
  }
end

handlers.getMyInfo = my_info

function handlers.acceptInvite(store, _, _, body)
  for _, invite in ipairs(store.org_invites) do
    if invite.invitedEmail == body.invitedEmail and invite.status == "pending" then
      invite.status, invite.updateTime = "accepted", store.now()
      return my_info(store)
    end
  end
  problem.refuse(404, "no invite is pending for this address")
end

function handlers.addUserToOrg(store, params, _, body)
  store:need("orgs", params.orgId)
  if not store:find("org_builders", "id", body.builderId) then problem.refuse(404, "builder not found") end
end

function handlers.getOrgBillingAccount(store, params)
  store:need("orgs", params.orgId)
  return store.billing_accounts[1]
end

function handlers.createBillingAccountSession(store, params)
  local account = store:need("billing_accounts", params.billingAccountId)
  return { url = ("https://billing.example/session/%s/%s"):format(account.id, store.secret(16)) }
end

function handlers.listOrgClaimedDomains(store, params)
  local org, list = store:need("orgs", params.orgId), core.array()
  for _, claim in ipairs(store.claimed_domains) do
    if claim.parentId == org.id then list[#list + 1] = claim end
  end
  return list
end

-- Domains, addresses and URLs are all taken for their domain.
local function domain_of(text)
  return (tostring(text):lower():gsub("^%a+://", ""):gsub("^.*@", ""):gsub("[/:].*$", ""))
end

function handlers.checkClaimedDomain(store, _, query)
  local claim = store:find("claimed_domains", "domain", domain_of(query.domain))
  return claim or problem.refuse(404, "the domain is not claimed")
end

function handlers.claimDomain(store, _, _, body)
  local domain = domain_of(body.domain)
  if body.parentType ~= "org" then problem.invalid("body", "parentType", "must be org") end
  if not domain:find "^[%w-]+%.[%w.-]+$" then problem.invalid("body", "domain", "is not a domain") end
  if store:find("claimed_domains", "domain", domain) then problem.refuse(409, "the domain is claimed already") end
  local org = store:need("orgs", body.parentId)
  table.insert(store.claimed_domains, {
    id = store:new_id "claimed-domain", parentType = "org", parentId = org.id, domain = domain,
  })
end

return handlers
