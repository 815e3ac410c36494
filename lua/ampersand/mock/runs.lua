-- Operations started since the server began: a read takes its time, a write ends at once.

local core = require "ampersand.core"

local runs = {}

runs.TOTAL = 5000 -- records of a simulated read

local function set_last_status(store, operation, status)
  local installation, place = store:installation_by_id(operation.installationId)
  if not installation then return end
  installation.lastOperationStatus = status
  store.fleet:put(place, installation)
end

--- Adds an operation in progress; `run` holds what `runs.settle` needs.
function runs.start(store, installation, action, object, run)
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

function runs.start_read(store, installation, object)
  local fails = installation.connection.status == "bad_credentials" or store.options["fail-reads"]
  local operation = runs.start(store, installation, "read", object, { started = core.now(), fails = fails })
  operation.metadata.progress = {
    installationId = installation.id, objectName = object, operationId = operation.id, recordsProcessed = 0,
    recordsEstimatedTotal = runs.TOTAL,
  }
  return operation
end

function runs.finish(store, operation, status, result)
  operation.status, operation.result = status, result
  store.runs[operation.id] = nil
  set_last_status(store, operation, status)
end

--- Advances every running operation to the present.
function runs.settle(store)
  for _, run in pairs(store.runs) do
    local operation, object = run.operation, run.operation.metadata.objects[1]
    local share = math.min(1, (core.now() - run.started) / store.options["read-seconds"])
    local stop = run.fails and share >= 0.5
    operation.metadata.progress.recordsProcessed = math.floor(runs.TOTAL * (stop and 0.5 or share))
    if stop then
      runs.finish(store, operation, "failure", ("[%s] Read failed: the credentials were refused"):format(object))
    elseif share >= 1 then
      runs.finish(store, operation, "success", ("[%s] %d records read"):format(object, runs.TOTAL))
    end
  end
end

return runs
