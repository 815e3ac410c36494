--- Waiting for operations: reads, backfills and writes that go on after the call that started them has returned.
--
--     local operation = ampersand.assert(client.operations:wait(id, { timeout = 600 }))
--     local read = ampersand.assert(client.installations:read("contact", { groupRef = "g", mode = "async" }))
--     local operation = ampersand.assert(read:wait())

local core = require "ampersand.core"
local argcheck = require "ampersand.util.argcheck"
local request = require "ampersand.client.request"
local retry = require "ampersand.client.retry"

---@class ampersand.resource.operations
---@field wait fun(self: table, id: string, options?: table): Operation?, ampersand.Info|ampersand.Error

local wait = {}

local OPTIONS = { timeout = "seconds", interval = "seconds", on_progress = "function" }
local TIMEOUT = 600
local FIRST, GROWTH, LONGEST = 0.5, 1.5, 10 -- seconds between two polls, unless `interval` is given
local MAX_LOGS = 5

local function is_error_log(log)
  local severity = type(log) == "table" and log.severity
  return type(severity) == "string" and (severity:upper():find "^ERR" or severity == "CRITICAL")
end

--- What went wrong in an operation, from its logs: the messages of its last errors, latest last.
---@param client ampersand.Client
---@param id string
---@param timeout number? seconds
---@return table[] logs those of severity ERROR and above, at most five; none when they cannot be had
---@return string? words of the last one
function wait.error_logs(client, id, timeout)
  local found = {}
  for _, log in ipairs(client.operations:logs(id, { timeout = timeout }) or {}) do
    if is_error_log(log) then found[#found + 1] = log end
    if #found > MAX_LOGS then table.remove(found, 1) end
  end
  local message = found[1] and found[#found].message
  if type(message) ~= "table" then return found end
  local words = type(message.error) == "string" and message.error or message.msg
  return found, type(words) == "string" and words or nil
end

-- The timeout of a request, so that the deadline holds.
local function time_left(self)
  return math.max(0.001, math.min(self.deadline - core.now(), self.client:_option "timeout"))
end

local function failed(self, operation)
  local logs, words = wait.error_logs(self.client, operation.id, time_left(self))
  local parts = { ("operation %s failed"):format(operation.id) }
  if type(operation.result) == "string" then parts[#parts + 1] = operation.result end
  parts[#parts + 1] = words
  return nil, self.client:_error {
    kind = "status", message = table.concat(parts, ": "), failed_operation = operation, logs = logs, retryable = false,
    sent = true, operation = "getOperation",
  }
end

local function too_late(self, last)
  local message = ("operation %s is still going on after %g s"):format(self.id, self.timeout)
  if last then message = ("operation %s could not be seen for %g s: %s"):format(self.id, self.timeout, last.message) end
  return nil, self.client:_error {
    kind = "timeout", message = message, sent = true, status = last and last.status, operation = "getOperation",
  }
end

-- What is known of the progress: from the operation itself, or else from the backfill of its object.
local function read_progress(self, operation)
  local metadata = type(operation.metadata) == "table" and operation.metadata or {}
  if type(metadata.progress) == "table" then return metadata.progress end
  local object = type(metadata.objects) == "table" and metadata.objects[1]
  if operation.actionType ~= "read" or type(object) ~= "string" or self.no_backfill then return nil end
  local found = self.client:call("getBackfillProgress", {
    integrationId = operation.integrationId, installationId = operation.installationId, objectName = object,
  }, { timeout = time_left(self) })
  if type(found) == "table" then return found end
  self.no_backfill = true
end

-- Calls the listener with `{ processed, total, share, object }`; total and share are nil where the provider gives none.
local function report(self, operation)
  local found = self.on_progress and read_progress(self, operation)
  if not found or type(found.recordsProcessed) ~= "number" then return end
  local processed, total = found.recordsProcessed, found.recordsEstimatedTotal
  if type(total) ~= "number" then total = nil end
  local share = total and total > 0 and math.min(1, processed / total) or nil
  self.on_progress({ processed = processed, total = total, share = share, object = found.objectName }, operation)
end

--- Waits until an operation has succeeded, or failed.
--
-- Server errors that may pass are waited out until `timeout` (600 s); a failure ends the waiting at once.
---@param id string operation id
---@param given { timeout: number?, interval: number?, on_progress: fun(progress: table, operation: table)? }? seconds;
--- `interval` between two polls is 0.5 s at first and grows to 10 s; `progress` is { processed, total, share, object }
---@return table? operation
---@return table|ampersand.Error info kind "status" with `failed_operation` and `logs` for a failure, else "timeout" …
function wait.wait(self, id, given)
  local client = self._client
  local bad = request.bad_id(id)
  if bad then argcheck.raise("operations:wait: the id of the operation " .. bad) end
  given = argcheck.check(given, OPTIONS, "operations:wait")
  local timeout, interval = given.timeout or TIMEOUT, given.interval or FIRST
  local waiting = {
    client = client, id = id, timeout = timeout, deadline = core.now() + timeout, on_progress = given.on_progress,
  }
  local seen, last = false, nil
  while true do
    local operation, info = self:get(id, { timeout = time_left(waiting) })
    if operation then
      if operation.status == "failure" then return failed(waiting, operation) end
      report(waiting, operation)
      if operation.status == "success" then return operation, info end
      seen, last = true, nil
    elseif not retry.transient(info) then
      return nil, info
    elseif info.kind ~= "timeout" or not (seen or last) then -- the last poll may be cut short by our own deadline
      last = info
    end
    local left = waiting.deadline - core.now()
    if left <= 0 then return too_late(waiting, last) end
    local slept, why = client:_sleep(math.min(interval, left))
    if not slept then return nil, why end
    if not given.interval then interval = math.min(interval * GROWTH, LONGEST) end
  end
end

--- Gives an answer that names its operation the method `wait(options)`; its members stay what the server sent.
---@param client ampersand.Client
---@param value table
---@return table value
function wait.decorate(client, value)
  if type(value.operationId) ~= "string" then return value end
  return setmetatable(value, { __index = {
    wait = function(answer, given)
      if answer ~= value then argcheck.raise "wait is a method of the result: call it with a colon: result:wait()" end
      return client.operations:wait(answer.operationId, given)
    end,
  } })
end

return wait
