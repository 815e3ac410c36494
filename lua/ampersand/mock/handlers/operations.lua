-- Operations, their logs, and the reads that start them.

local core = require "ampersand.core"
local fixtures = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"
local runs = require "ampersand.mock.runs"
local time = require "ampersand.time"

local handlers = {}

-- Past operations ---------------------------------------------------------------------------------------------------

-- The first installation has enough of them for three pages of the default size.
local function past_count(place)
  return place == 1 and 450 or place * 7 % 13
end

local function past_status(installation, n, count)
  if n < count then return n % 9 == 0 and "failure" or "success" end
  local last = installation.lastOperationStatus
  return (last == "failure" or last == "in_progress") and last or "success"
end

local RESULTS = { success = "[%s] No new data found", failure = "[%s] Read failed", in_progress = "[%s] Reading" }

local function past_operation(installation, place, n)
  local object = fixtures.objects[n % #fixtures.objects + 1]
  local status = past_status(installation, n, past_count(place))
  local id = ("operation-%s-%d"):format(fixtures.tag_of(place), n)
  return {
    id = id, projectId = installation.projectId, integrationId = installation.integrationId,
    installationId = installation.id, configId = installation.config.id, actionType = n % 5 == 0 and "write" or "read",
    status = status, result = RESULTS[status]:format(object), createTime = time.format(1793491200 + n * 600),
    metadata = {
      objects = core.array { object },
      progress = {
        installationId = installation.id, objectName = object, operationId = id,
        recordsProcessed = n, recordsEstimatedTotal = n,
      },
    },
  }
end

-- Finding operations ------------------------------------------------------------------------------------------------
local function find_operation(store, id)
  local operation = store:find("operations", "id", id)
  if operation then return operation end
  local tag, n = id:match "^operation%-(%d+)%-(%d+)$"
  if not tag then problem.refuse(404, "operation not found") end
  local installation, place = store:installation_by_id("installation-" .. tag)
  n = tonumber(n)
  if installation and n >= 1 and n <= past_count(place) then return past_operation(installation, place, n) end
  problem.refuse(404, "operation not found")
end

local FIRST_PAGE = "after/0+&==" -- tokens hold characters that must be escaped in a URL, as opaque tokens do

-- The size of a page, and how many operations stand before it.
local function page_of(query)
  local size, offset = tonumber(query.pageSize or 200), (query.pageToken or FIRST_PAGE):match "^after/(%d+)%+&==$"
  if not size or size % 1 ~= 0 or size < 1 or size > 1000 then
    problem.invalid("query", "pageSize", "must be a whole number from 1 to 1000")
  end
  return size, tonumber(offset or "") or problem.invalid("query", "pageToken", "is unknown")
end

-- The latest operation first.
function handlers.listOperations(store, params, query)
  local installation, place = store:installation(params)
  local size, offset = page_of(query)
  local own = {}
  for _, operation in ipairs(store.operations) do
    if operation.installationId == installation.id then table.insert(own, 1, operation) end
  end
  local count, results = #own + past_count(place), core.array()
  for i = offset + 1, math.min(count, offset + size) do
    results[#results + 1] = own[i] or past_operation(installation, place, count - i + 1)
  end
  local done = offset + size >= count
  local token = not done and ("after/%d+&=="):format(offset + size) or nil
  return { results = results, pagination = { done = done, nextPageToken = token } }
end

function handlers.getOperation(store, params)
  store:project(params)
  return find_operation(store, params.operationId)
end

-- Why operations fail: the provider's message and the remedy.
local CREDENTIALS = { "provider answered 401: the access token is expired or revoked", "Let the customer log in." }
local PERMISSION = {
  "provider answered 403: the user may not see this object", "Ask the customer's administrator for permission.",
}

local function cause_of(store, operation)
  local installation = store:installation_by_id(operation.installationId)
  local refused = installation and installation.connection.status == "bad_credentials" or store.options["fail-reads"]
  return refused and CREDENTIALS or PERMISSION
end

local function log_line(operation, severity, msg, cause)
  return {
    timestamp = operation.createTime, severity = severity,
    message = {
      msg = msg, error = cause and cause[1], operation_id = operation.id,
      details = {
        object = operation.metadata.objects[1], action = operation.actionType, remedy = cause and cause[2],
      },
    },
  }
end

function handlers.listOperationLogs(store, params)
  store:project(params)
  local operation = find_operation(store, params.operationId)
  local function line(...) return log_line(operation, ...) end
  local logs = core.array { line("INFO", operation.actionType .. " started") }
  if operation.status == "failure" then
    logs[2] = line("ERROR", operation.result, cause_of(store, operation))
  elseif operation.status == "success" then
    logs[2] = line("INFO", operation.result)
  end
  return logs
end

-- Reads -------------------------------------------------------------------------------------------------------------

function handlers.triggerRead(store, params, _, body)
  if body.mode ~= "async" then problem.invalid("body", "mode", "must be async") end
  for _, name in ipairs { "sinceTimestamp", "untilTimestamp" } do
    if body[name] and not time.parse(body[name]) then problem.invalid("body", name, "is not an RFC 3339 time") end
  end
  store:check_object(params)
  local installation = store:installation_of_group(params, body.groupRef, 400)
  return { operationId = runs.start_read(store, installation, params.objectName).id }
end

function handlers.deliverResults(store, params, _, body)
  store:check_object(params)
  if type(body.pages) ~= "number" or body.pages < 1 then problem.invalid("body", "pages", "must be at least 1") end
  store:installation_of_group(params, body.groupRef, 400)
end

-- The latest read of an object; the first request for a configured object starts its backfill.
function handlers.getBackfillProgress(store, params)
  local installation = store:installation(params)
  local operation
  for _, other in ipairs(store.operations) do
    if other.installationId == installation.id and other.metadata.progress
      and other.metadata.progress.objectName == params.objectName then operation = other end
  end
  if not operation and not store:reads_of(installation)[params.objectName] then
    problem.refuse(404, "no backfill of this object")
  end
  operation = operation or runs.start_read(store, installation, params.objectName)
  local provider, progress = installation.connection.provider, operation.metadata.progress
  local known = provider == "salesforce" or provider == "hubspot"
  return {
    installationId = installation.id, objectName = params.objectName, operationId = operation.id,
    recordsProcessed = progress.recordsProcessed, recordsEstimatedTotal = known and runs.TOTAL or nil,
    createTime = operation.createTime, updateTime = store.now(),
  }
end

return handlers
