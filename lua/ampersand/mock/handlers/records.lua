-- Records in the provider's system: written, and searched.

local core = require "ampersand.core"
local problem = require "ampersand.mock.problem"
local runs = require "ampersand.mock.runs"

local handlers = {}

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
  store:check_object(params)
  local installation = store:installation_of_group(params, body.groupRef, 400)
  local records = records_of(store, params.objectName)
  local answer, failed = (body.batch and write_batch or write_single)(store, records, body)
  local operation = runs.start(store, installation, "write", params.objectName, {})
  runs.finish(store, operation, failed and "failure" or "success", failed and "Write failed" or "Write completed")
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

return handlers
