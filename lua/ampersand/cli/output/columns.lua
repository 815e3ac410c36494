--- Which columns a table of each kind of thing has. Data, and the guess for kinds that are not listed. Pure.

local json = require "ampersand.cli.output.json"

local columns = {}

-- Element of operations.lua -> "HEADING=path …", and after "|" what --wide (and CSV, TSV) add.
local TABLES = {
  Installation = "INSTALLATION=id GROUP=group.groupName PROVIDER=connection.provider CONNECTION=connection.status"
    .. " HEALTH=healthStatus | GROUP-REF=group.groupRef INTEGRATION=integrationId LAST-OPERATION=lastOperationStatus"
    .. " CREATED=createTime UPDATED=updateTime",
  Operation = "OPERATION=id ACTION=actionType STATUS=status RESULT=result CREATED=createTime"
    .. " | INSTALLATION=installationId CONFIG=configId",
  Log = "TIME=timestamp SEVERITY=severity MESSAGE=message.msg ERROR=message.error | OPERATION=message.operation_id",
  Connection = "CONNECTION=id PROVIDER=provider GROUP=group.groupName CONSUMER=consumer.consumerName STATUS=status"
    .. " | GROUP-REF=group.groupRef CONSUMER-REF=consumer.consumerRef SCHEME=authScheme CREATED=createTime"
    .. " UPDATED=updateTime",
  Integration = "INTEGRATION=id NAME=name PROVIDER=provider REVISION=latestRevision.id | CREATED=createTime"
    .. " UPDATED=updateTime",
  Project = "PROJECT=id NAME=name APP=appName | ORG=orgId CREATED=createTime UPDATED=updateTime",
  ProviderInfo = "PROVIDER=name NAME=displayName AUTH=authType READ=support.read WRITE=support.write"
    .. " SUBSCRIBE=support.subscribe PROXY=support.proxy | BASE-URL=baseURL",
  ProviderApp = "APP=id PROVIDER=provider CLIENT=clientId REF=externalRef | SCOPES=scopes CREATED=createTime",
  ApiKey = "LABEL=label SCOPES=scopes ACTIVE=active KEY=key | PROJECT=projectId",
  JWTKey = "KEY=id LABEL=label ALGORITHM=algorithm ACTIVE=active | CREATED=createTime UPDATED=updateTime",
  Destination = "DESTINATION=id NAME=name TYPE=type | CREATED=createTime UPDATED=updateTime",
  Topic = "TOPIC=id NAME=name CREATED=createTime | UPDATED=updateTime",
  NotificationEventTopicRoute = "ROUTE=id EVENT=eventType TOPIC=topicId | CREATED=createTime",
  TopicDestinationRoute = "ROUTE=id TOPIC=topicId DESTINATION=destinationId | CREATED=createTime",
  Builder = "BUILDER=id NAME=fullName EMAIL=primaryEmail | CREATED=createTime",
  Invite = "INVITE=id EMAIL=invitedEmail STATUS=status CREATED=createTime | PARENT=parentId",
  ClaimedDomainResponse = "DOMAIN=domain PARENT=parentType ID=parentId |",
}

local function parse(text)
  local found = {}
  for heading, path in text:gmatch "([%u-]+)=(%S+)" do
    found[#found + 1] = { heading = heading:gsub("-", " "), path = path }
  end
  return found
end

--- The columns for a kind of element.
---@param element string? such as "Installation"
---@param wide boolean? all of them
---@return table[]? columns { heading, path }; nil for kinds that are not listed
function columns.of(element, wide)
  local text = TABLES[element]
  return text and parse(wide and text or text:match "^[^|]*")
end

--- Columns for paths the user chose.
---@param paths string[]
---@return table[] columns
function columns.selected(paths)
  local found = {}
  for i, path in ipairs(paths) do found[i] = { heading = path, path = path } end
  return found
end

local FIRST = { "id", "name", "label", "key", "status", "type" }

--- Columns for elements of an unknown kind: their members that are not tables, names first.
---@param values any[]
---@return table[] columns
function columns.guess(values)
  local seen, paths = {}, {}
  local function take(name)
    if not seen[name] then paths[#paths + 1] = name end
    seen[name] = true
  end
  local present = {}
  for _, value in ipairs(values) do
    for name, member in pairs(type(value) == "table" and value or {}) do
      if type(name) == "string" and type(member) ~= "table" then present[name] = true end
    end
  end
  for _, name in ipairs(FIRST) do if present[name] then take(name) end end
  for _, name in ipairs(json.keys(present)) do take(name) end
  return columns.selected(paths)
end

local COLOURS = {
  healthy = "green", working = "green", success = "green", active = "green", completed = "green",
  unhealthy = "red", bad_credentials = "red", failure = "red", failed = "red", error = "red",
  created = "yellow", in_progress = "yellow", pending = "yellow", warning = "yellow", warn = "yellow",
}

--- The colour of a status; nil for every other text.
---@param text string
---@return string?
function columns.colour(text)
  return COLOURS[text:lower()]
end

return columns
