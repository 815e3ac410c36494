-- Integrations, their revisions, and manifests.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local manifest = require "ampersand.fleet.manifest"
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

-- The integrations of a manifest, by the same checks that the client makes before it sends one.
local function manifest_of(body)
  if not body.sourceYaml then return core.array() end
  local value, problems = manifest.read(body.sourceYaml)
  if type(problems) == "string" then problem.refuse(501, "The mock server cannot read a manifest: " .. problems) end
  for _, each in ipairs(problems) do
    if not each.warning then problem.invalid("body", "sourceYaml", manifest.line("amp.yaml", each), 422) end
  end
  return value.integrations
end

local function objects_by_name(store, integration)
  local names = {}
  for _, object in ipairs(store:objects_of(integration)) do names[object.objectName] = true end
  return names
end

-- Pauses the reads of objects that the latest revision no longer has.
local function pause_dropped(store, integration, before)
  local now = objects_by_name(store, integration)
  for place in store.fleet:each(integration.id) do
    local installation, paused = store.fleet:at(place), false
    for name, object in pairs(store:reads_of(installation)) do
      if before[name] and not now[name] then object.disabled, paused = true, true end
    end
    if paused then store.fleet:put(place, installation) end
  end
end

local function revise(store, integration, content, query)
  local before = objects_by_name(store, integration)
  store:add_revision(integration, content)
  if query.destructive == "true" then pause_dropped(store, integration, before) end
end

function handlers.batchUpsertIntegrations(store, params, query, body)
  local project, list = store:project(params), core.array()
  for i, content in ipairs(manifest_of(body)) do
    local integration = store:find("integrations", "name", content.name)
    if integration then
      revise(store, integration, content, query)
    else
      integration = store:add_integration {
        projectId = project.id, name = content.name, provider = content.provider, content = content,
      }
    end
    list[i] = deep.copy(integration)
  end
  return list
end

function handlers.createRevision(store, params, query, body)
  local integration, content = store:integration(params), nil
  for _, each in ipairs(manifest_of(body)) do
    if each.name == integration.name then content = each end
  end
  if body.sourceYaml and not content then
    problem.invalid("body", "sourceYaml", "does not name this integration", 422)
  end
  revise(store, integration, content, query)
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
