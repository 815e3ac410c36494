-- Providers, and the fields of their objects.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local fixtures = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"

local handlers = {}

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
  for _, provider in ipairs(fixtures.providers) do all[provider.name] = provider_info(provider) end
  return all
end

function handlers.getProvider(_, params)
  local provider = fixtures.provider(params.provider) or problem.refuse(404, "provider not found")
  return provider_info(provider)
end

-- Fields of objects -------------------------------------------------------------------------------------------------

local function is_object(name)
  for _, object in ipairs(fixtures.objects) do
    if object == name then return true end
  end
end

-- Metadata of an object, for the place (integration or provider) that `where` finds.
local function get_metadata(where)
  return function(store, params, query)
    local place, name = where(store, params, query.groupRef), params.objectName
    if not is_object(name) then problem.refuse(404, "object not found") end
    return { name = name, displayName = name, fields = store:fields_of(place, name, query.excludeReadOnly == "true") }
  end
end

local function check_definition(definition, name)
  for _, member in ipairs { "fieldName", "displayName", "valueType" } do
    if type(deep.get(definition, { member })) ~= "string" then
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
  local provider = fixtures.provider(params.provider) or problem.refuse(404, "provider not found")
  return provider.name
end

handlers.getObjectMetadataForInstallation = get_metadata(of_installation)
handlers.getObjectMetadataForConnection = get_metadata(of_connection)
handlers.upsertMetadataForInstallation = upsert_metadata(of_installation)
handlers.upsertMetadataForConnection = upsert_metadata(of_connection)

return handlers
