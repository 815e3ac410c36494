-- One good call of every operation against the mock server, in an order that makes sense: what a call creates, a later one
-- uses and deletes. An entry is `{ operationId, params?, query?, body?, keep? }`; a function stands for an id that an
-- earlier call gave, under the name its `keep` says (then come the keys of the answer that lead to it).
local core = require "ampersand.core"

local calls = {}

--- What fills a path when a call does not say otherwise.
calls.params = {
  projectIdOrName = "my-project", integrationId = "integration-123", integrationIdOrName = "salesforce",
  installationId = "installation-123", objectName = "contact", connectionId = "connection-123", provider = "hubspot",
  orgId = "org-123", billingAccountId = "billing-account-123", operationId = "operation-123-3",
}

local PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
local CONTENT = { provider = "salesforce", read = { objects = { contact = {
  objectName = "contact", schedule = "0 * * * *", destination = "defaultWebhook", selectedFields = { email = true },
  selectedFieldMappings = {},
} } } }

-- The id that an earlier call kept under this name.
local function made_id(name)
  return function(made) return made[name] end
end

calls.list = {
  { "listProviders" },
  { "getProvider" },
  { "listProjects" },
  { "createProject", body = { appName = "Second", name = "second", orgId = "org-123" }, keep = { "project", "id" } },
  { "getProject", query = { includeEntitlements = "true" } },
  { "updateProject", params = { projectIdOrName = made_id "project" },
    body = { updateMask = core.array { "appName" }, project = { appName = "Third" } } },
  { "deleteProject", params = { projectIdOrName = made_id "project" } },
  { "createGroup", body = { groupRef = "g-1", groupName = "Group" } },
  { "createConsumer", body = { consumerRef = "c-1", consumerName = "Consumer" } },
  { "listProviderApps" },
  { "createProviderApp", body = { provider = "hubspot", clientId = "id", clientSecret = "s" }, keep = { "app", "id" } },
  { "updateProviderApp", params = { providerAppId = made_id "app" },
    body = { updateMask = core.array { "clientId" }, providerApp = { clientId = "new" } } },
  { "deleteProviderApp", params = { providerAppId = made_id "app" } },
  { "listIntegrations" },
  { "createIntegration", body = { name = "mine", provider = "slack", latestRevision = {
    specVersion = "1.0.0", content = { name = "mine", provider = "slack" } } } },
  { "createRevision", body = { sourceYaml = "specVersion: 1.0.0\nintegrations:\n  - name: salesforce\n    provider: salesforce\n"
    .. "    read: { objects: [{ objectName: contact, destination: d, schedule: '0 * * * *' }] }\n" } },
  { "batchUpsertIntegrations", body = { sourceYaml = "specVersion: 1.0.0\nintegrations:\n  - name: extra\n    provider: slack\n" } },
  { "deleteIntegration", params = { integrationIdOrName = "extra" } },
  { "getIntegration", keep = { "revision", "latestRevision", "id" } },
  { "getHydratedRevision", params = { revisionId = made_id "revision" }, query = { connectionId = "connection-123" } },
  { "listConnections" },
  { "generateConnection", keep = { "connection", "id" }, body = {
    groupRef = "new-group", consumerRef = "new-consumer", provider = "salesforce", apiKey = "secret" } },
  { "customAuthConnect", body = {
    projectIdOrName = "my-project", provider = "slack", groupRef = "g", consumerRef = "c" } },
  { "getConnection", query = { includeCreds = "true", includeRefreshToken = "true" } },
  { "updateConnection", params = { connectionId = made_id "connection" },
    body = { updateMask = core.array { "apiKey" }, connection = { apiKey = "newer" } } },
  { "oauthConnect", body = {
    projectIdOrName = "my-project", provider = "hubspot", groupRef = "g", consumerRef = "c" } },
  { "oauthUpdate" },
  { "listInstallations" },
  { "listInstallationsForProject" },
  { "getInstallation" },
  { "createInstallation", keep = { "installation", "id" },
    body = { groupRef = "new-group", connectionId = made_id "connection", config = { content = CONTENT } } },
  { "updateInstallation", params = { installationId = made_id "installation" }, body = {
    updateMask = core.array { "config.content.proxy.enabled" },
    installation = { config = { content = { proxy = { enabled = true } } } } } },
  { "patchObjectConfigContent", body = { installationId = made_id "installation", action = "read",
    changes = core.array { { op = "replace", path = "/schedule", value = "0 3 * * *" } } } },
  { "pauseReads", params = { installationId = made_id "installation" } },
  { "unpauseReads", params = { installationId = made_id "installation" }, body = { note = "go on" } },
  { "triggerRead", body = { groupRef = "new-group", mode = "async" }, keep = { "operation", "operationId" } },
  { "deliverResults", body = { groupRef = "new-group", pages = 2 } },
  { "getBackfillProgress", params = { installationId = made_id "installation" } },
  { "listOperations", query = { pageSize = "7" } },
  { "getOperation", params = { operationId = made_id "operation" } },
  { "listOperationLogs" },
  { "writeRecords", body = { groupRef = "group-123", type = "create", record = { email = "a@example.com" } } },
  { "searchRecords", query = { groupRef = "group-123" }, body = { objectName = "contact", fieldFilters = core.array {
    { fieldName = "email", operator = "eq", value = "a@example.com" } } } },
  { "deleteInstallation", params = { installationId = made_id "installation" } },
  { "generateConnection", keep = { "connection", "id" }, body = {
    groupRef = "g-2", consumerRef = "c-2", provider = "freshdesk", basicAuth = { username = "u", password = "p" } } },
  { "deleteConnection", params = { connectionId = made_id "connection" } },
  { "getObjectMetadataForInstallation", query = { groupRef = "group-123" } },
  { "getObjectMetadataForConnection", query = { groupRef = "group-123", excludeReadOnly = "true" } },
  { "upsertMetadataForInstallation", body = { groupRef = "group-123", fields = { contact = core.array {
    { fieldName = "score", displayName = "Score", valueType = "int" } } } } },
  { "upsertMetadataForConnection", body = { groupRef = "group-123", fields = { contact = core.array {
    { fieldName = "rank", displayName = "Rank", valueType = "string" } } } } },
  { "listApiKeys", query = { active = "true" } },
  { "createApiKey", body = { label = "mine" }, keep = { "key", "key" } },
  { "getApiKey", params = { apiKey = made_id "key" } },
  { "updateApiKey", params = { apiKey = made_id "key" },
    body = { updateMask = core.array { "active" }, apiKey = { active = false } } },
  { "deleteApiKey", params = { apiKey = made_id "key" } },
  { "listJWTKeys" },
  { "createJWTKey", body = { label = "web", algorithm = "RS256", publicKeyPem = PEM }, keep = { "kid", "kid" } },
  { "getJWTKey", params = { keyId = made_id "kid" } },
  { "updateJWTKey", params = { keyId = made_id "kid" },
    body = { updateMask = core.array { "label" }, jwtKey = { label = "newer" } } },
  { "deleteJWTKey", params = { keyId = made_id "kid" } },
  { "listDestinations" },
  { "createDestination", keep = { "destination", "id" },
    body = { name = "hook", type = "webhook", metadata = { url = "https://hook.example" } } },
  { "getDestination", params = { destination = made_id "destination" }, query = { includeSecrets = "true" } },
  { "updateDestination", params = { destination = made_id "destination" }, body = {
    updateMask = core.array { "metadata.url" }, destination = { metadata = { url = "https://other.example" } } } },
  { "listTopics" },
  { "createTopic", body = { name = "topic" }, keep = { "topic", "id" } },
  { "updateTopic", params = { topicId = made_id "topic" }, body = { name = "renamed" } },
  { "listEventTopicRoutes", query = { eventType = "connection.error" } },
  { "createEventTopicRoute", body = { eventType = "installation.created", topicId = made_id "topic" },
    keep = { "event_route", "id" } },
  { "deleteEventTopicRoute", params = { routeId = made_id "event_route" } },
  { "listTopicDestinationRoutes", query = { topicId = "topic-123" } },
  { "createTopicDestinationRoute", body = { topicId = made_id "topic", destinationId = made_id "destination" },
    keep = { "route", "id" } },
  { "deleteTopicDestinationRoute", params = { routeId = made_id "route" } },
  { "deleteTopic", params = { topicId = made_id "topic" } },
  { "deleteDestination", params = { destination = made_id "destination" } },
  { "generateUploadUrl" },
  { "createOrg", body = { label = "Another" } },
  { "getOrg" },
  { "updateOrg", body = { updateMask = core.array { "label" }, org = { label = "Renamed" } } },
  { "listOrgBuilders" },
  { "addUserToOrg", body = { builderId = "builder-123" } },
  { "createOrgInvite", body = { email = "new@example.com" }, keep = { "invite", "id" } },
  { "listOrgInvites" },
  { "getOrgInvite", params = { inviteId = made_id "invite" } },
  { "acceptInvite", body = { invitedEmail = "new@example.com" } },
  { "deleteOrgInvite", params = { inviteId = made_id "invite" } },
  { "getMyInfo" },
  { "getOrgBillingAccount" },
  { "createBillingAccountSession", body = { redirectUrl = "https://here.example" } },
  { "claimDomain", body = { domain = "https://new.example/x", parentId = "org-123", parentType = "org" } },
  { "checkClaimedDomain", query = { domain = "someone@new.example" } },
  { "listOrgClaimedDomains" },
}

local function resolve(value, made)
  if type(value) == "function" then return value(made) end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, member in pairs(value) do copy[key] = resolve(member, made) end
  return copy
end

--- What a call sends, with the ids kept so far.
---@return table request with params, query, body
function calls.resolve(case, made)
  return { params = resolve(case.params or {}, made), query = case.query or {}, body = resolve(case.body, made) }
end

--- Keeps the id that a later call needs.
function calls.keep(case, made, value)
  if not case.keep then return end
  for i = 2, #case.keep do value = value[case.keep[i]] end
  made[case.keep[1]] = assert(value, case[1] .. " gave no id")
end

return calls
