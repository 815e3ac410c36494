-- Every operation of the Ampersand API, one line of data each. Behaviour lives elsewhere; adding an
-- operation is adding a line. The grammar of a line:
--
--   resource.verb = id METHOD [server:]/path/{name}{?query,required!} [{body,required!,in.side!,this|that!}[?]] [@auth] -> STATUS SHAPE [dropped]
--
--   {name}            a value of the path, by its name in the vendor's documents
--   query!, body!     required; `in.side!` is required once `in` is given; `this|that!` asks for one of them
--   {body}?           the body as a whole may be left out
--   @bearer @key @none   the only credential accepted; without it an API key or a bearer token will do
--   server            read, write or search; without it the main one
--   SHAPE             Name (an object) · [Name] (an array) · {Name} (a map by name) ·
--                     results[Name] (one page of an array) · text · - (no body)
--   dropped           no longer in the vendor's documents; kept because programs still ask for it
--   $PROJECT …        stands for the path of PATHS below
--
-- They are one text, sorted by resource, the common verbs first; a line is parsed at the first use of its operation.

local operations = {}

--- Which option of a client fills which placeholder.
operations.DEFAULTS = {
  projectIdOrName = "project", integrationId = "integration", integrationIdOrName = "integration", orgId = "org",
}

--- Whether an operation answers with a list.
function operations.is_list(op)
  return op.returns == "array" or op.returns == "page"
end

local PATHS = { PROJECT = "/projects/{projectIdOrName}" }
PATHS.INTEGRATION = PATHS.PROJECT .. "/integrations/{integrationId}"
PATHS.INSTALLATION = PATHS.INTEGRATION .. "/installations/{installationId}"

local TABLE = [[

api_keys.list = listApiKeys GET $PROJECT/api-keys{?active} -> 200 [ApiKey]
api_keys.get = getApiKey GET $PROJECT/api-keys/{apiKey} -> 200 ApiKey
api_keys.create = createApiKey POST $PROJECT/api-keys {label!,scopes} -> 201 ApiKey
api_keys.update = updateApiKey PATCH $PROJECT/api-keys/{apiKey} {updateMask!,apiKey!} -> 200 ApiKey
api_keys.delete = deleteApiKey DELETE $PROJECT/api-keys/{apiKey} -> 204 -
billing_accounts.get = getOrgBillingAccount GET /orgs/{orgId}/billingAccount @bearer -> 200 BillingAccount
billing_accounts.create_session = createBillingAccountSession POST /billingAccounts/{billingAccountId}/portalSession {redirectUrl!,timeout} -> 200 BillingAccountSession
claimed_domains.list = listOrgClaimedDomains GET /orgs/{orgId}/claimed-domains @bearer -> 200 [ClaimedDomainResponse]
claimed_domains.check = checkClaimedDomain GET /claimed-domains{?domain!} @bearer -> 200 ClaimedDomainResponse
claimed_domains.claim = claimDomain POST /claimed-domains {domain!,parentId!,parentType!} @bearer -> 201 -
connections.list = listConnections GET $PROJECT/connections{?provider,groupRef,consumerRef} -> 200 [Connection]
connections.get = getConnection GET $PROJECT/connections/{connectionId}{?includeCreds,includeRefreshToken,refresh} -> 200 Connection
connections.create = generateConnection POST $PROJECT/connections:generate {groupRef!,groupName,consumerRef!,consumerName,provider!,providerWorkspaceRef,providerMetadata,apiKey,customAuth,basicAuth,basicAuth.username!,basicAuth.password!,oauth2ClientCredentials,oauth2ClientCredentials.clientId!,oauth2ClientCredentials.clientSecret!,oauth2PasswordCredentials,oauth2PasswordCredentials.username!,oauth2PasswordCredentials.password!,oauth2PasswordCredentials.clientId!,oauth2PasswordCredentials.clientSecret!,oauth2AuthorizationCode}? -> 201 Connection
connections.update = updateConnection PATCH $PROJECT/connections/{connectionId} {updateMask!,connection!} -> 200 Connection
connections.delete = deleteConnection DELETE $PROJECT/connections/{connectionId} -> 204 -
connections.custom_auth_connect = customAuthConnect POST /custom-auth/connect {projectIdOrName!,provider,groupRef,groupName,consumerRef,consumerName,providerMetadata,providerAppId,customAuth,sessionId,callbackParams} -> 200 CustomAuthConnectResponse
consumers.create = createConsumer POST $PROJECT/consumers {consumerRef!,consumerName!} -> 201 - dropped
destinations.list = listDestinations GET $PROJECT/destinations -> 200 [Destination]
destinations.get = getDestination GET $PROJECT/destinations/{destination}{?includeSecrets,rotate} -> 200 DestinationWithSecrets
destinations.create = createDestination POST $PROJECT/destinations {name!,type!,metadata!,secrets} -> 201 Destination
destinations.update = updateDestination PATCH $PROJECT/destinations/{destination} {updateMask!,destination!} -> 200 Destination
destinations.delete = deleteDestination DELETE $PROJECT/destinations/{destination} -> 204 -
event_topic_routes.list = listEventTopicRoutes GET $PROJECT/notification-event-topic-routes{?topicId,eventType} -> 200 [NotificationEventTopicRoute]
event_topic_routes.create = createEventTopicRoute POST $PROJECT/notification-event-topic-routes {eventType!,topicId!} -> 201 NotificationEventTopicRoute
event_topic_routes.delete = deleteEventTopicRoute DELETE $PROJECT/notification-event-topic-routes/{routeId} -> 204 -
groups.create = createGroup POST $PROJECT/groups {groupRef!,groupName!} -> 201 - dropped
installations.list = listInstallations GET $INTEGRATION/installations{?groupRef} -> 200 [Installation]
installations.in_project = listInstallationsForProject GET $PROJECT/installations{?groupRef} -> 200 [Installation]
installations.get = getInstallation GET $INSTALLATION -> 200 Installation
installations.create = createInstallation POST $INTEGRATION/installations{?skipSampling} {groupRef!,connectionId,config!,config.content!} -> 201 Installation
installations.update = updateInstallation PATCH $INSTALLATION{?skipSampling} {updateMask!,installation!} -> 200 Installation
installations.delete = deleteInstallation DELETE $INSTALLATION -> 204 -
installations.deliver_results = deliverResults POST read:$INTEGRATION/objects/{objectName}:deliverResults {groupRef!,pages!} @key -> 204 -
installations.patch_object = patchObjectConfigContent PATCH $INTEGRATION/objects/{objectName}/config-content {groupRef|installationId!,action!,changes!} -> 200 Installation
installations.pause = pauseReads POST read:$INSTALLATION:pause {objects,note}? @key -> 204 -
installations.read = triggerRead POST read:$INTEGRATION/objects/{objectName} {groupRef!,mode!,sinceTimestamp,untilTimestamp} @key -> 201 ReadResultAsync
installations.unpause = unpauseReads POST read:$INSTALLATION:unpause {objects,note}? @key -> 204 -
integrations.list = listIntegrations GET $PROJECT/integrations -> 200 [Integration]
integrations.get = getIntegration GET $PROJECT/integrations/{integrationIdOrName} -> 200 Integration
integrations.create = createIntegration POST $PROJECT/integrations {name!,provider!,latestRevision!,latestRevision.content!,latestRevision.specVersion!} -> 201 -
integrations.delete = deleteIntegration DELETE $PROJECT/integrations/{integrationIdOrName} -> 204 -
integrations.batch_upsert = batchUpsertIntegrations PUT $PROJECT/integrations:batch{?destructive} {sourceZipUrl|sourceYaml!} -> 200 [Integration]
jwt_keys.list = listJWTKeys GET $PROJECT/jwt-keys{?active} -> 200 [JWTKey]
jwt_keys.get = getJWTKey GET $PROJECT/jwt-keys/{keyId} -> 200 JWTKey
jwt_keys.create = createJWTKey POST $PROJECT/jwt-keys {label!,algorithm!,publicKeyPem!} -> 201 JWTKeyResponse
jwt_keys.update = updateJWTKey PATCH $PROJECT/jwt-keys/{keyId} {updateMask!,jwtKey!} -> 200 JWTKey
jwt_keys.delete = deleteJWTKey DELETE $PROJECT/jwt-keys/{keyId} -> 204 -
oauth.update = oauthUpdate PATCH $PROJECT/connections/{connectionId}:oauth-update -> 200 text
oauth.connect = oauthConnect POST /oauth-connect {projectIdOrName!,provider!,groupRef!,groupName,consumerRef!,consumerName,providerWorkspaceRef,providerMetadata,providerAppId,enableCSRFProtection} -> 200 text
objects.get_connection_metadata = getObjectMetadataForConnection GET $PROJECT/providers/{provider}/objects/{objectName}/metadata{?groupRef!,excludeReadOnly} -> 200 ObjectMetadata
objects.get_metadata = getObjectMetadataForInstallation GET $INTEGRATION/objects/{objectName}/metadata{?groupRef!,excludeReadOnly} -> 200 ObjectMetadata
objects.upsert_connection_metadata = upsertMetadataForConnection PUT $PROJECT/providers/{provider}/object-metadata {groupRef!,fields!} -> 200 UpsertMetadataResponse
objects.upsert_metadata = upsertMetadataForInstallation PUT $INTEGRATION/object-metadata {groupRef!,fields!} -> 200 UpsertMetadataResponse
operations.list = listOperations GET $INSTALLATION/operations{?pageSize,pageToken} -> 200 results[Operation]
operations.get = getOperation GET $PROJECT/operations/{operationId} -> 200 Operation
operations.backfill_progress = getBackfillProgress GET $INSTALLATION/objects/{objectName}/backfill-progress -> 200 BackfillProgress
operations.logs = listOperationLogs GET $PROJECT/operations/{operationId}/logs -> 200 [Log]
org_builders.list = listOrgBuilders GET /orgs/{orgId}/builders @bearer -> 200 [Builder]
org_builders.add = addUserToOrg POST /orgs/{orgId}/memberships {builderId!} @bearer -> 201 -
org_invites.list = listOrgInvites GET /orgs/{orgId}/invites @bearer -> 200 [Invite]
org_invites.get = getOrgInvite GET /orgs/{orgId}/invites/{inviteId} @bearer -> 200 Invite
org_invites.create = createOrgInvite POST /orgs/{orgId}/invites {email!}? @bearer -> 201 Invite
org_invites.delete = deleteOrgInvite DELETE /orgs/{orgId}/invites/{inviteId} @bearer -> 204 -
org_invites.accept = acceptInvite POST /invites:accept {invitedEmail!} @bearer -> 200 BuilderInfo
orgs.get = getOrg GET /orgs/{orgId} @bearer -> 200 Org
orgs.create = createOrg POST /orgs {label!} -> 201 Org
orgs.update = updateOrg PATCH /orgs/{orgId} {updateMask!,org!} @bearer -> 200 Org
projects.list = listProjects GET /projects -> 200 [Project]
projects.get = getProject GET $PROJECT{?includeEntitlements} -> 200 Project
projects.create = createProject POST /projects {appName!,name!,orgId!} @bearer -> 201 Project
projects.update = updateProject PATCH $PROJECT {updateMask!,project!} -> 200 Project
projects.delete = deleteProject DELETE $PROJECT -> 204 - dropped
provider_apps.list = listProviderApps GET $PROJECT/provider-apps -> 200 [ProviderApp]
provider_apps.create = createProviderApp POST $PROJECT/provider-apps {provider!,clientId!,clientSecret!,externalRef,scopes,metadata} -> 200 ProviderApp
provider_apps.update = updateProviderApp PATCH $PROJECT/provider-apps/{providerAppId} {updateMask!,providerApp!} -> 200 ProviderApp
provider_apps.delete = deleteProviderApp DELETE $PROJECT/provider-apps/{providerAppId} -> 204 -
providers.list = listProviders GET /providers @none -> 200 {ProviderInfo}
providers.get = getProvider GET /providers/{provider} @none -> 200 ProviderInfo
records.search = searchRecords POST search:$INTEGRATION{?groupRef!} {objectName!,fieldFilters!} -> 200 SearchResponse
records.write = writeRecords POST write:$INTEGRATION/objects/{objectName} {groupRef!,type!,mode,record,batch,batchPolicy,retryPolicy,autoBatchPolicy,autoBatchPolicy.maxDelayMinutes!,associations,headers} @key -> 200 WriteResponseSingleSuccess|WriteResponseBatch
revisions.create = createRevision POST $INTEGRATION/revisions{?destructive} {sourceZipUrl|sourceYaml!} -> 201 -
revisions.hydrate = getHydratedRevision GET $INTEGRATION/revisions/{revisionId}:hydrate{?connectionId!} -> 200 HydratedRevision
topic_destination_routes.list = listTopicDestinationRoutes GET $PROJECT/topic-destination-routes{?topicId,destinationId} -> 200 [TopicDestinationRoute]
topic_destination_routes.create = createTopicDestinationRoute POST $PROJECT/topic-destination-routes {topicId!,destinationId!} -> 201 TopicDestinationRoute
topic_destination_routes.delete = deleteTopicDestinationRoute DELETE $PROJECT/topic-destination-routes/{routeId} -> 204 -
topics.list = listTopics GET $PROJECT/topics -> 200 [Topic]
topics.create = createTopic POST $PROJECT/topics {name!} -> 201 Topic
topics.update = updateTopic PATCH $PROJECT/topics/{topicId} {name!} -> 200 Topic
topics.delete = deleteTopic DELETE $PROJECT/topics/{topicId} -> 204 -
upload_urls.generate = generateUploadUrl GET /generate-upload-url -> 200 SignedUrl
users.me = getMyInfo GET /my-info @bearer -> 200 BuilderInfo
]]

--- The lines of a resource by verb, `lines.installations.list`, read when the resource is first named.
---@type table<string, table<string, string>>
operations.lines = setmetatable({}, {
  __index = function(lines, resource)
    local at, verbs = TABLE:find("\n" .. tostring(resource) .. ".", 1, true), nil
    while at do
      local name, verb, line, rest = TABLE:match("^\n([%l_]+)%.(%S+) = ([^\n]+)()", at)
      if name ~= resource then break end
      verbs, at = verbs or {}, rest
      verbs[verb] = line
    end
    if verbs then rawset(lines, resource, verbs) end
    return verbs
  end,
})

-- GETs that change something when asked this way: they must not be repeated blindly.
local UNSAFE_QUERY = {
  getConnection = { refresh = "force" },
  getDestination = { rotate = true },
}

-- A shape without the name of its element -> what the operation returns.
local RETURNS = {
  text = "text", ["-"] = "none", ["[]"] = "array", ["{}"] = "map", ["results[]"] = "page", [""] = "object",
}

local function split(text, item)
  local items = {}
  for each in text:gmatch(item) do items[#items + 1] = each end
  return items
end

-- "a,b!" -> { { name = "a", required = false }, { name = "b", required = true } }
local function parse_names(list)
  local names = {}
  for name, mark in list:gmatch "([^,!]+)(!?)" do names[#names + 1] = { name = name, required = mark == "!" } end
  return names
end

local function parse_query(op, list)
  op.query, op.query_names, op.required_query = {}, {}, {}
  for i, item in ipairs(parse_names(list)) do
    op.query[item.name], op.query_names[i] = true, item.name
    if item.required then op.required_query[#op.required_query + 1] = item.name end
  end
end

local function parse_body(list)
  local fields = parse_names(list)
  for _, field in ipairs(fields) do
    field.path = split(field.name, "[^%.]+")
    field.one_of = field.name:find("|", 1, true) and split(field.name, "[^|]+") or nil
  end
  return fields
end

--- Parses one line of the table above; that all keep the grammar is checked by spec/client/operations_spec.lua.
---@return table op
function operations.parse(line)
  local id, method, target, middle, status, shape, flag =
    line:gsub("%$(%u+)", PATHS):match "^(%w+) (%u+) (%S+) (.-)%-> (%d+) (%S+) ?(%l*)$"
  local server, place = target:match "^(%l*):?(/.*)$"
  local path, query = place:match "^(.-){%?(.*)}$"
  local body, optional = middle:match "{(.-)}(%??)"
  local before, element, after = shape:match "^(%l*[%[{]?)(%u[%w|]*)([%]}]?)$"
  local op = {
    id = id, method = method, server = server ~= "" and server or nil, path = path or place,
    placeholders = split(path or place, "{(%a%w*)}"), auth = middle:match "@(%l+)" or "any",
    body = body and parse_body(body), body_required = optional == "", status = tonumber(status), shape = shape,
    element = element, returns = RETURNS[element and before .. after or shape], dropped = flag ~= "" or nil,
    unsafe_query = UNSAFE_QUERY[id],
  }
  parse_query(op, query or "")
  return op
end

local parsed = {}

--- The operation behind `client.<resource>:<verb>`.
---@return table|nil op nil when there is no such resource or verb
function operations.get(resource, verb)
  local line = (operations.lines[resource] or {})[verb]
  if line and not parsed[line] then
    parsed[line] = operations.parse(line)
    parsed[line].resource, parsed[line].verb = resource, verb
  end
  return parsed[line]
end

--- Operations by the vendor's name, e.g. `by_id.listInstallations`; nil for unknown names.
operations.by_id = setmetatable({}, {
  __index = function(_, id)
    local at = TABLE:find(" = " .. tostring(id) .. " ", 1, true)
    local op = at and operations.get(TABLE:sub(1, at - 1):match "\n([%l_]+)%.(%S+)$")
    return op and op.id == id and op or nil
  end,
})

--- Every operation, in the order of the table: by resource, the common verbs first.
---@return table[] ops
function operations.all()
  local all = {}
  for resource, verb in TABLE:gmatch "\n([%l_]+)%.(%S+) = " do all[#all + 1] = operations.get(resource, verb) end
  return all
end

--- The lines of all resources.
---@return table<string, table<string, string>>
function operations.all_lines()
  for resource in TABLE:gmatch "\n([%l_]+)%." do assert(operations.lines[resource]) end
  return operations.lines
end

return operations
