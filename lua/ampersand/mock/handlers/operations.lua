-- What happens in installations: operations and their logs, reads and backfills that take their time, records that
-- are written and searched.

local core = require "ampersand.core"
local fleet = require "ampersand.mock.fixtures"
local problem = require "ampersand.mock.problem"
local time = require "ampersand.time"

local TOTAL = 5000 -- records of a simulated read

local handlers = {}
local activity = { handlers = handlers }

-- Operations of the past, by rule ---------------------------------------------------------------------------------

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
  local object = fleet.objects[n % #fleet.objects + 1]
  local status = past_status(installation, n, past_count(place))
  local id = ("operation-%s-%d"):format(fleet.tag_of(place), n)
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

-- Operations of now -----------------------------------------------------------------------------------------------

local function set_last_status(store, operation, status)
  local installation, place = store:installation_by_id(operation.installationId)
  if not installation then return end
  installation.lastOperationStatus = status
  store.fleet:put(place, installation)
end

local function start(store, installation, action, object, run)
  local id = store:new_id "operation"
  local operation = {
    id = id, projectId = installation.projectId, integrationId = installation.integrationId,
    installationId = installation.id, configId = installation.config.id, actionType = action, status = "in_progress",
    createTime = store.now(), metadata = { objects = core.array { object } },
  }
  run.operation = operation
  table.insert(store.operations, operation)
  store.runs[id] = run
  set_last_status(store, operation, "in_progress")
  return operation
end

local function start_read(store, installation, object)
  local fails = installation.connection.status == "bad_credentials" or store.options["fail-reads"]
  local operation = start(store, installation, "read", object, { started = core.now(), fails = fails })
  operation.metadata.progress = {
    installationId = installation.id, objectName = object, operationId = operation.id, recordsProcessed = 0,
    recordsEstimatedTotal = TOTAL,
  }
  return operation
end

local function finish(store, operation, status, result)
  operation.status, operation.result = status, result
  store.runs[operation.id] = nil
  set_last_status(store, operation, status)
end

--- Brings every running operation to where it is by now.
function activity.settle(store)
  for _, run in pairs(store.runs) do
    local operation, object = run.operation, run.operation.metadata.objects[1]
    local share = math.min(1, (core.now() - run.started) / store.options["read-seconds"])
    local stop = run.fails and share >= 0.5
    operation.metadata.progress.recordsProcessed = math.floor(TOTAL * (stop and 0.5 or share))
    if stop then
      finish(store, operation, "failure", ("[%s] Read failed: the credentials were refused"):format(object))
    elseif share >= 1 then
      finish(store, operation, "success", ("[%s] %d records read"):format(object, TOTAL))
    end
  end
end

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

local function page_size(query)
  local size = tonumber(query.pageSize or 200)
  if not size or size % 1 ~= 0 or size < 1 or size > 1000 then
    problem.invalid("query", "pageSize", "must be a whole number from 1 to 1000")
  end
  return size
end

-- Tokens hold characters that must be escaped in a URL, as opaque tokens do.
local function page_offset(query)
  if not query.pageToken then return 0 end
  return tonumber(query.pageToken:match "^after/(%d+)%+&==$") or problem.invalid("query", "pageToken", "is unknown")
end

-- The latest operation first.
function handlers.listOperations(store, params, query)
  local installation, place = store:installation(params)
  local size, offset = page_size(query), page_offset(query)
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

-- Why operations fail: the provider's words and what helps.
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

-- Reads -----------------------------------------------------------------------------------------------------------

local function check_object(store, params)
  for _, object in ipairs(store:objects_of((store:integration(params)))) do
    if object.objectName == params.objectName then return end
  end
  problem.invalid("path", "objectName", "is not an object of this integration")
end

function handlers.triggerRead(store, params, _, body)
  if body.mode ~= "async" then problem.invalid("body", "mode", "must be async") end
  for _, name in ipairs { "sinceTimestamp", "untilTimestamp" } do
    if body[name] and not time.parse(body[name]) then problem.invalid("body", name, "is not an RFC 3339 time") end
  end
  check_object(store, params)
  local installation = store:installation_of_group(params, body.groupRef, 400)
  return { operationId = start_read(store, installation, params.objectName).id }
end

function handlers.deliverResults(store, params, _, body)
  check_object(store, params)
  if type(body.pages) ~= "number" or body.pages < 1 then problem.invalid("body", "pages", "must be at least 1") end
  store:installation_of_group(params, body.groupRef, 400)
end

-- The latest read of an object; the backfill of a configured object begins when it is first asked for.
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
  operation = operation or start_read(store, installation, params.objectName)
  local provider, progress = installation.connection.provider, operation.metadata.progress
  local known = provider == "salesforce" or provider == "hubspot"
  return {
    installationId = installation.id, objectName = params.objectName, operationId = operation.id,
    recordsProcessed = progress.recordsProcessed, recordsEstimatedTotal = known and TOTAL or nil,
    createTime = operation.createTime, updateTime = store.now(),
  }
end

-- Records ---------------------------------------------------------------------------------------------------------

-- Every object has 25 records from the start; those written come after them.
local function records_of(store, object)
  local records = store.records[object]
  if records then return records end
  records = {}
  for i = 1, 25 do
    records[i] = {
      id = ("%s-%d"):format(object, i), firstName = "Zoë", lastName = "Nr. " .. i,
      company = i % 2 == 0 and "Acme" or "Müller", email = ("%s%d@example.com"):format(object, i),
      amount = i * 100.5, active = i % 3 == 0,
    }
  end
  store.records[object] = records
  return records
end

local function find_record(records, id)
  for i, record in ipairs(records) do
    if record.id == id then return i end
  end
end

-- The provider's refusal of a record, or nil: it refuses the value "invalid", and to change what it does not have.
local function refusal(records, kind, record)
  for name, value in pairs(record) do
    if value == "invalid" then return ("%s: invalid value"):format(name) end
  end
  if kind ~= "create" and not find_record(records, record.id) then return "no record has this id" end
end

local function write(store, records, kind, record)
  local why = refusal(records, kind, record)
  if why then return { success = false, data = { message = why } }, why end
  local i = find_record(records, record.id)
  if kind == "delete" then
    table.remove(records, i)
    return { success = true }
  end
  local stored = i and records[i] or { id = store:new_id "record" }
  if not i then records[#records + 1] = stored end
  for name, value in pairs(record) do stored[name] = value end
  return { success = true, recordId = stored.id, data = stored }
end

local function write_batch(store, records, body)
  local results, failures = core.array(), 0
  local atomic = body.batchPolicy and body.batchPolicy.allOrNone
  for i, entry in ipairs(body.batch) do
    local why = refusal(records, body.type, entry.record)
    failures = failures + (why and 1 or 0)
    results[i] = why and { success = false, data = { message = why } }
  end
  local all_fail = failures == #body.batch or atomic and failures > 0
  for i, entry in ipairs(body.batch) do
    if not results[i] then
      results[i] = all_fail and { success = false } or (write(store, records, body.type, entry.record))
    end
  end
  if all_fail then failures = #body.batch end
  local errors = all_fail and core.array { { message = "the provider took none of the records" } } or nil
  local answer = { results = results, successCount = #body.batch - failures, failureCount = failures, errors = errors }
  return answer, all_fail
end

local function write_single(store, records, body)
  local result, why = write(store, records, body.type, body.record)
  if not why then return { result = result } end
  return { result = result, errors = core.array { { message = why } }, warnings = core.array() }, true
end

local WRITES = { create = true, update = true, delete = true }

local function check_write(body)
  if not WRITES[body.type] then problem.invalid("body", "type", "must be create, update or delete") end
  if type(body.record or body.batch) ~= "table" then problem.invalid("body", "record or batch", "is required") end
  if body.mode and body.mode ~= "synchronous" and body.mode ~= "asynchronous" then
    problem.invalid("body", "mode", "must be synchronous or asynchronous")
  end
  if body.mode == "asynchronous" and body.type == "delete" then
    problem.invalid("body", "mode", "must be synchronous")
  end
  for i, entry in ipairs(body.batch or {}) do
    if type(entry) ~= "table" or type(entry.record) ~= "table" then
      problem.invalid("body", ("batch[%d].record"):format(i - 1), "is required")
    end
  end
end

function handlers.writeRecords(store, params, _, body)
  check_write(body)
  check_object(store, params)
  local installation = store:installation_of_group(params, body.groupRef, 400)
  local records = records_of(store, params.objectName)
  local answer, failed = (body.batch and write_batch or write_single)(store, records, body)
  local operation = start(store, installation, "write", params.objectName, {})
  finish(store, operation, failed and "failure" or "success", failed and "Write failed" or "Write completed")
  if body.mode == "asynchronous" then return { operationId = operation.id } end
  answer.operationId = operation.id
  return answer, failed and 422 or nil
end

local function check_filters(filters)
  if type(filters) ~= "table" or #filters == 0 then problem.invalid("body", "fieldFilters", "must hold a filter") end
  for i, filter in ipairs(filters) do
    local name = ("fieldFilters[%d]"):format(i - 1)
    if type(filter) ~= "table" then problem.invalid("body", name, "must be an object") end
    if not filter.fieldName then problem.invalid("body", name .. ".fieldName", "is required") end
    if filter.operator ~= "eq" then problem.invalid("body", name .. ".operator", "must be eq") end
    if filter.value == nil then problem.invalid("body", name .. ".value", "is required") end
  end
end

function handlers.searchRecords(store, params, query, body)
  check_filters(body.fieldFilters)
  store:installation_of_group(params, query.groupRef, 400)
  local result = core.array()
  for _, record in ipairs(records_of(store, body.objectName)) do
    local fits = true
    for _, filter in ipairs(body.fieldFilters) do fits = fits and record[filter.fieldName] == filter.value end
    if fits then result[#result + 1] = { fields = record, mappedFields = {}, raw = record } end
  end
  return { result = result }
end

return activity
