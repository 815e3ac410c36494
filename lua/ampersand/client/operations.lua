-- Every operation of the Ampersand API, one line of data each. Behaviour lives elsewhere; adding an
-- operation is adding a line. The grammar of a line:
--
--   verb = id METHOD [server:]/path/{name}{?query,required!} [{body,required!,in.side!,this|that!}[?]] [@auth] -> STATUS SHAPE [dropped]
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
-- They are one text, a paragraph for each resource, the common verbs first; a program reads those that it uses.

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

api_keys
  list = listApiKeys GET $PROJECT/api-keys{?active} -> 200 [ApiKey]
  get = getApiKey GET $PROJECT/api-keys/{apiKey} -> 200 ApiKey
  create = createApiKey POST $PROJECT/api-keys {label!,scopes} -> 201 ApiKey
  update = updateApiKey PATCH $PROJECT/api-keys/{apiKey} {updateMask!,apiKey!} -> 200 ApiKey
  delete = deleteApiKey DELETE $PROJECT/api-keys/{apiKey} -> 204 -

billing_accounts
  get = getOrgBillingAccount GET /orgs/{orgId}/billingAccount @bearer -> 200 BillingAccount
  create_session = createBillingAccountSession POST /billingAccounts/{billingAccountId}/portalSession {redirectUrl!,timeout} -> 200 BillingAccountSession

claimed_domains
  list = listOrgClaimedDomains GET /orgs/{orgId}/claimed-domains @bearer -> 200 [ClaimedDomainResponse]
  check = checkClaimedDomain GET /claimed-domains{?domain!} @bearer -> 200 ClaimedDomainResponse
  claim = claimDomain POST /claimed-domains {domain!,parentId!,parentType!} @bearer -> 201 -

connections
  list = listConnections GET $PROJECT/connections{?provider,groupRef,consumerRef} -> 200 [Connection]
  get = getConnection GET $PROJECT/connections/{connectionId}{?includeCreds,includeRefreshToken,refresh} -> 200 Connection
  create = generateConnection POST $PROJECT/connections:generate {groupRef!,groupName,consumerRef!,consumerName,provider!,providerWorkspaceRef,providerMetadata,apiKey,customAuth,basicAuth,basicAuth.username!,basicAuth.password!,oauth2ClientCredentials,oauth2ClientCredentials.clientId!,oauth2ClientCredentials.clientSecret!,oauth2PasswordCredentials,oauth2PasswordCredentials.username!,oauth2PasswordCredentials.password!,oauth2PasswordCredentials.clientId!,oauth2PasswordCredentials.clientSecret!,oauth2AuthorizationCode}? -> 201 Connection
  update = updateConnection PATCH $PROJECT/connections/{connectionId} {updateMask!,connection!} -> 200 Connection
  delete = deleteConnection DELETE $PROJECT/connections/{connectionId} -> 204 -
  custom_auth_connect = customAuthConnect POST /custom-auth/connect {projectIdOrName!,provider,groupRef,groupName,consumerRef,consumerName,providerMetadata,providerAppId,customAuth,sessionId,callbackParams} -> 200 CustomAuthConnectResponse

consumers
  create = createConsumer POST $PROJECT/consumers {consumerRef!,consumerName!} -> 201 - dropped

destinations
  list = listDestinations GET $PROJECT/destinations -> 200 [Destination]
  get = getDestination GET $PROJECT/destinations/{destination}{?includeSecrets,rotate} -> 200 DestinationWithSecrets
  create = createDestination POST $PROJECT/destinations {name!,type!,metadata!,secrets} -> 201 Destination
  update = updateDestination PATCH $PROJECT/destinations/{destination} {updateMask!,destination!} -> 200 Destination
  delete = deleteDestination DELETE $PROJECT/destinations/{destination} -> 204 -

event_topic_routes
  list = listEventTopicRoutes GET $PROJECT/notification-event-topic-routes{?topicId,eventType} -> 200 [NotificationEventTopicRoute]
  create = createEventTopicRoute POST $PROJECT/notification-event-topic-routes {eventType!,topicId!} -> 201 NotificationEventTopicRoute
  delete = deleteEventTopicRoute DELETE $PROJECT/notification-event-topic-routes/{routeId} -> 204 -

groups
  create = createGroup POST $PROJECT/groups {groupRef!,groupName!} -> 201 - dropped

installations
  list = listInstallations GET $INTEGRATION/installations{?groupRef} -> 200 [Installation]
  in_project = listInstallationsForProject GET $PROJECT/installations{?groupRef} -> 200 [Installation]
  get = getInstallation GET $INSTALLATION -> 200 Installation
  create = createInstallation POST $INTEGRATION/installations{?skipSampling} {groupRef!,connectionId,config!,config.content!} -> 201 Installation
  update = updateInstallation PATCH $INSTALLATION{?skipSampling} {updateMask!,installation!} -> 200 Installation
  delete = deleteInstallation DELETE $INSTALLATION -> 204 -
  deliver_results = deliverResults POST read:$INTEGRATION/objects/{objectName}:deliverResults {groupRef!,pages!} @key -> 204 -
  patch_object = patchObjectConfigContent PATCH $INTEGRATION/objects/{objectName}/config-content {groupRef|installationId!,action!,changes!} -> 200 Installation
  pause = pauseReads POST read:$INSTALLATION:pause {objects,note}? @key -> 204 -
  read = triggerRead POST read:$INTEGRATION/objects/{objectName} {groupRef!,mode!,sinceTimestamp,untilTimestamp} @key -> 201 ReadResultAsync
  unpause = unpauseReads POST read:$INSTALLATION:unpause {objects,note}? @key -> 204 -

integrations
  list = listIntegrations GET $PROJECT/integrations -> 200 [Integration]
  get = getIntegration GET $PROJECT/integrations/{integrationIdOrName} -> 200 Integration
  create = createIntegration POST $PROJECT/integrations {name!,provider!,latestRevision!,latestRevision.content!,latestRevision.specVersion!} -> 201 -
  delete = deleteIntegration DELETE $PROJECT/integrations/{integrationIdOrName} -> 204 -
  batch_upsert = batchUpsertIntegrations PUT $PROJECT/integrations:batch{?destructive} {sourceZipUrl|sourceYaml!} -> 200 [Integration]

jwt_keys
  list = listJWTKeys GET $PROJECT/jwt-keys{?active} -> 200 [JWTKey]
  get = getJWTKey GET $PROJECT/jwt-keys/{keyId} -> 200 JWTKey
  create = createJWTKey POST $PROJECT/jwt-keys {label!,algorithm!,publicKeyPem!} -> 201 JWTKeyResponse
  update = updateJWTKey PATCH $PROJECT/jwt-keys/{keyId} {updateMask!,jwtKey!} -> 200 JWTKey
  delete = deleteJWTKey DELETE $PROJECT/jwt-keys/{keyId} -> 204 -

oauth
  update = oauthUpdate PATCH $PROJECT/connections/{connectionId}:oauth-update -> 200 text
  connect = oauthConnect POST /oauth-connect {projectIdOrName!,provider!,groupRef!,groupName,consumerRef!,consumerName,providerWorkspaceRef,providerMetadata,providerAppId,enableCSRFProtection} -> 200 text

objects
  get_connection_metadata = getObjectMetadataForConnection GET $PROJECT/providers/{provider}/objects/{objectName}/metadata{?groupRef!,excludeReadOnly} -> 200 ObjectMetadata
  get_metadata = getObjectMetadataForInstallation GET $INTEGRATION/objects/{objectName}/metadata{?groupRef!,excludeReadOnly} -> 200 ObjectMetadata
  upsert_connection_metadata = upsertMetadataForConnection PUT $PROJECT/providers/{provider}/object-metadata {groupRef!,fields!} -> 200 UpsertMetadataResponse
  upsert_metadata = upsertMetadataForInstallation PUT $INTEGRATION/object-metadata {groupRef!,fields!} -> 200 UpsertMetadataResponse

operations
  list = listOperations GET $INSTALLATION/operations{?pageSize,pageToken} -> 200 results[Operation]
  get = getOperation GET $PROJECT/operations/{operationId} -> 200 Operation
  backfill_progress = getBackfillProgress GET $INSTALLATION/objects/{objectName}/backfill-progress -> 200 BackfillProgress
  logs = listOperationLogs GET $PROJECT/operations/{operationId}/logs -> 200 [Log]

org_builders
  list = listOrgBuilders GET /orgs/{orgId}/builders @bearer -> 200 [Builder]
  add = addUserToOrg POST /orgs/{orgId}/memberships {builderId!} @bearer -> 201 -

org_invites
  list = listOrgInvites GET /orgs/{orgId}/invites @bearer -> 200 [Invite]
  get = getOrgInvite GET /orgs/{orgId}/invites/{inviteId} @bearer -> 200 Invite
  create = createOrgInvite POST /orgs/{orgId}/invites {email!}? @bearer -> 201 Invite
  delete = deleteOrgInvite DELETE /orgs/{orgId}/invites/{inviteId} @bearer -> 204 -
  accept = acceptInvite POST /invites:accept {invitedEmail!} @bearer -> 200 BuilderInfo

orgs
  get = getOrg GET /orgs/{orgId} @bearer -> 200 Org
  create = createOrg POST /orgs {label!} -> 201 Org
  update = updateOrg PATCH /orgs/{orgId} {updateMask!,org!} @bearer -> 200 Org

projects
  list = listProjects GET /projects -> 200 [Project]
  get = getProject GET $PROJECT{?includeEntitlements} -> 200 Project
  create = createProject POST /projects {appName!,name!,orgId!} @bearer -> 201 Project
  update = updateProject PATCH $PROJECT {updateMask!,project!} -> 200 Project
  delete = deleteProject DELETE $PROJECT -> 204 - dropped

provider_apps
  list = listProviderApps GET $PROJECT/provider-apps -> 200 [ProviderApp]
  create = createProviderApp POST $PROJECT/provider-apps {provider!,clientId!,clientSecret!,externalRef,scopes,metadata} -> 200 ProviderApp
  update = updateProviderApp PATCH $PROJECT/provider-apps/{providerAppId} {updateMask!,providerApp!} -> 200 ProviderApp
  delete = deleteProviderApp DELETE $PROJECT/provider-apps/{providerAppId} -> 204 -

providers
  list = listProviders GET /providers @none -> 200 {ProviderInfo}
  get = getProvider GET /providers/{provider} @none -> 200 ProviderInfo

records
  search = searchRecords POST search:$INTEGRATION{?groupRef!} {objectName!,fieldFilters!} -> 200 SearchResponse
  write = writeRecords POST write:$INTEGRATION/objects/{objectName} {groupRef!,type!,mode,record,batch,batchPolicy,retryPolicy,autoBatchPolicy,autoBatchPolicy.maxDelayMinutes!,associations,headers} @key -> 200 WriteResponseSingleSuccess|WriteResponseBatch

revisions
  create = createRevision POST $INTEGRATION/revisions{?destructive} {sourceZipUrl|sourceYaml!} -> 201 -
  hydrate = getHydratedRevision GET $INTEGRATION/revisions/{revisionId}:hydrate{?connectionId!} -> 200 HydratedRevision

topic_destination_routes
  list = listTopicDestinationRoutes GET $PROJECT/topic-destination-routes{?topicId,destinationId} -> 200 [TopicDestinationRoute]
  create = createTopicDestinationRoute POST $PROJECT/topic-destination-routes {topicId!,destinationId!} -> 201 TopicDestinationRoute
  delete = deleteTopicDestinationRoute DELETE $PROJECT/topic-destination-routes/{routeId} -> 204 -

topics
  list = listTopics GET $PROJECT/topics -> 200 [Topic]
  create = createTopic POST $PROJECT/topics {name!} -> 201 Topic
  update = updateTopic PATCH $PROJECT/topics/{topicId} {name!} -> 200 Topic
  delete = deleteTopic DELETE $PROJECT/topics/{topicId} -> 204 -

upload_urls
  generate = generateUploadUrl GET /generate-upload-url -> 200 SignedUrl

users
  me = getMyInfo GET /my-info @bearer -> 200 BuilderInfo

]]

--- The lines of a resource by verb, `lines.installations.list`, each resource read when it is first named.
---@type table<string, table<string, string>>
operations.lines = setmetatable({}, {
  __index = function(lines, resource)
    local name = tostring(resource)
    local _, start = TABLE:find("\n" .. name .. "\n", 1, true)
    if not start or not name:find "^[%l_]+$" then return nil end
    local verbs = {}
    local paragraph = TABLE:sub(start, (TABLE:find("\n\n", start, true)))
    for verb, line in paragraph:gmatch "  (%S+) = ([^\n]+)" do verbs[verb] = line end
    rawset(lines, resource, verbs)
    return verbs
  end,
})

--- The lines of all resources.
---@return table<string, table<string, string>>
function operations.all_lines()
  for resource in TABLE:gmatch "\n(%l%S*)" do assert(operations.lines[resource]) end
  return operations.lines
end

-- GETs that change something when asked this way: they must not be repeated blindly.
local UNSAFE_QUERY = {
  getConnection = { refresh = "force" },
  getDestination = { rotate = true },
}

local METHODS = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }
local SERVERS = { read = true, write = true, search = true }
local AUTHS = { bearer = true, key = true, none = true }

local function bad(line, why)
  error(("bad operation line (%s): %s"):format(why, line), 0)
end

local function split(list)
  local items = {}
  for item in list:gmatch "[^,]+" do items[#items + 1] = item end
  return items
end

-- "name" or "name!" -> name, required
local function marked(item)
  local name, mark = item:match "^([%w%.|]+)(!?)$"
  return name, mark == "!"
end

local function parse_query(op, list, line)
  op.query, op.query_names, op.required_query = {}, {}, {}
  for _, item in ipairs(split(list or "")) do
    local name, required = marked(item)
    if not name or op.query[name] then bad(line, "query") end
    op.query[name] = true
    op.query_names[#op.query_names + 1] = name
    if required then op.required_query[#op.required_query + 1] = name end
  end
end

local function parse_target(op, target, line)
  local server, rest = target:match "^(%l+):(/.*)$"
  if server and not SERVERS[server] then bad(line, "server") end
  local path, query = (rest or target):match "^(/.-){%?([^{}]+)}$"
  op.server, op.path = server, path or rest or target
  parse_query(op, query, line)
  op.placeholders = {}
  local literal = op.path:gsub("{(%a%w*)}", function(name)
    op.placeholders[#op.placeholders + 1] = name
    return ""
  end)
  if literal:find "[{}?]" or literal:sub(1, 1) ~= "/" then bad(line, "path") end
end

local function body_field(item, line)
  local name, required = marked(item)
  if not name then bad(line, "body") end
  local field = { name = name, required = required, path = {} }
  for key in name:gmatch "[^%.]+" do field.path[#field.path + 1] = key end
  if name:find("|", 1, true) then
    field.one_of = {}
    for key in name:gmatch "[^|]+" do field.one_of[#field.one_of + 1] = key end
  end
  return field
end

local function parse_body(op, text, line)
  local list, optional = text:match "^{([^{}]+)}(%??)$"
  if not list then bad(line, "body") end
  op.body, op.body_required = {}, optional == ""
  for _, item in ipairs(split(list)) do op.body[#op.body + 1] = body_field(item, line) end
end

local SHAPES = {
  { "^text$", "text" },
  { "^%-$", "none" },
  { "^%[(%a[%w|]*)%]$", "array" },
  { "^{(%a[%w|]*)}$", "map" },
  { "^results%[(%a[%w|]*)%]$", "page" },
  { "^(%u[%w|]*)$", "object" },
}

local function parse_shape(op, shape, line)
  op.shape = shape
  for _, known in ipairs(SHAPES) do
    local element = shape:match(known[1])
    if element then
      op.returns = known[2]
      if element ~= shape or known[2] == "object" then op.element = element end
      return
    end
  end
  bad(line, "shape")
end

local function parse_answer(op, answer, line)
  local status, shape, flag = answer:match "^(2%d%d) (%S+) ?(%l*)$"
  if not status or (flag ~= "" and flag ~= "dropped") then bad(line, "answer") end
  op.status = tonumber(status)
  op.dropped = flag == "dropped" or nil
  parse_shape(op, shape, line)
end

--- Parses one line of the table above. A line that breaks the grammar is a mistake in the program and raises.
---@return table op
local function parse(line)
  local id, method, target, middle, answer = line:gsub("%$(%u+)", PATHS):match "^(%l%w*) (%u+) (%S+) (.-)%-> (.+)$"
  if not id or not METHODS[method] then bad(line, "head") end
  local op = { id = id, method = method, auth = "any", body_required = false, unsafe_query = UNSAFE_QUERY[id] }
  parse_target(op, target, line)
  for word in middle:gmatch "%S+" do
    local auth = word:match "^@(%l+)$"
    if auth then
      if not AUTHS[auth] then bad(line, "auth") end
      op.auth = auth
    elseif op.body then
      bad(line, "body")
    else
      parse_body(op, word, line)
    end
  end
  parse_answer(op, answer, line)
  return op
end

operations.parse = parse

local parsed = {}

--- The operation behind `client.<resource>:<verb>`, parsed at its first use.
---@return table|nil op nil when there is no such resource or verb
function operations.get(resource, verb)
  local verbs = operations.lines[resource]
  local line = verbs and verbs[verb]
  if not line then return nil end
  local op = parsed[line]
  if not op then
    op = parse(line)
    op.resource, op.verb = resource, verb
    parsed[line] = op
  end
  return op
end

--- Operations by the vendor's name, e.g. `by_id.listInstallations`; nil for unknown names.
operations.by_id = setmetatable({}, {
  __index = function(by_id, id)
    local found = TABLE:find(" = " .. tostring(id) .. " ", 1, true)
    local op = found and operations.get(TABLE:sub(1, found - 1):match "^.*\n(%l%S*).*\n  (%S+)$")
    if not op or op.id ~= id then return nil end
    rawset(by_id, id, op)
    return op
  end,
})

--- Every operation, in the order of the table: by resource, the common verbs first.
---@return table[] ops
function operations.all()
  local all = {}
  for id in TABLE:gmatch "\n  %S+ = (%S+) " do all[#all + 1] = operations.by_id[id] end
  return all
end

return operations
