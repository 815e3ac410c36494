-- Integrations, their revisions, and manifests.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local problem = require "ampersand.mock.problem"

local handlers = {}

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
    list[#list + 1] = deep.copy(integration)
  end
  return list
end

function handlers.createRevision(store, params, _, body)
  source_entries(body)
  store:add_revision((store:integration(params)))
end

function handlers.getHydratedRevision(store, params, query)
  local integration = store:integration(params)
  local revision = deep.copy(integration.latestRevision)
  if revision.id ~= params.revisionId then problem.refuse(404, "revision not found") end
  store:connection(query.connectionId)
  for _, object in ipairs(deep.get(revision, { "content", "write", "objects" }) or {}) do
    object.displayName, object.inheritMapping = object.objectName, nil
  end
  for _, object in ipairs(deep.get(revision, { "content", "read", "objects" }) or {}) do
    object.displayName = object.objectName
    object.allFieldsMetadata = store:fields_of(integration.id, object.objectName)
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

return handlers
