--- Why an installation is unhealthy, and what is to be done: one cause and one next step, from its health, its
-- connection, its last operations, their error logs and what the server advises.

local argcheck = require "ampersand.util.argcheck"
local deep = require "ampersand.util.deep"
local printable = require "ampersand.util.terminal_text"
local request = require "ampersand.client.request"
local wait = require "ampersand.fleet.wait"

---@class ampersand.resource.installations
---@field explain fun(self: table, ...: string): ampersand.Explanation?, ampersand.Error?

local explain = {}

local OPERATIONS = 100 -- how far back a failure is searched for
local LOGS_IN = "^oauth2/authorizationCode"

---@class ampersand.Explanation
---@field installation table   the installation
---@field code string          healthy, bad_credentials, failed_operation, paused, unhealthy, no_connection, unproven,
--- unknown
---@field cause string         one sentence
---@field next_step string     one sentence
---@field reconnect_url string? where the customer logs in again
---@field operation table?     the last failed operation
---@field logs table[]?        its error logs
---@field remedy string?       what the server advises
local Explanation = {}
Explanation.__index = Explanation

function Explanation:__tostring()
  local lines = { ("%s: %s"):format(self.installation.id, self.cause), "next: " .. self.next_step }
  if self.reconnect_url then lines[#lines + 1] = "reconnect: " .. self.reconnect_url end
  for i, line in ipairs(lines) do lines[i] = printable(line) end
  return table.concat(lines, "\n")
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function is_later(a, b)
  return not b or (text(a.createTime) or "") > (text(b.createTime) or "")
end

-- The latest operation, and the latest that failed, by their times: the documents promise no order.
local function last_operations(client, installation)
  local found, err = client:call("listOperations", {
    integrationId = text(installation.integrationId), installationId = installation.id, pageSize = OPERATIONS,
  }, { max = OPERATIONS })
  if not found then return nil, err end
  local latest, failed
  for _, operation in ipairs(found) do
    if is_later(operation, latest) then latest = operation end
    if operation.status == "failure" and is_later(operation, failed) then failed = operation end
  end
  return { latest = latest, failed = failed }
end

-- What the server advises in the logs of a failure.
local function remedy_in(logs)
  for i = #logs, 1, -1 do
    local found = text(deep.get(logs[i], "message.remedy")) or text(deep.get(logs[i], "message.details.remedy"))
    if found then return found end
  end
end

local function all_disabled(installation)
  local objects = deep.get(installation, "config.content.read.objects")
  if type(objects) ~= "table" or next(objects) == nil then return false end
  for _, object in pairs(objects) do
    if deep.get(object, "disabled") ~= true then return false end
  end
  return true
end

-- A link by which the customer logs in again, or why there is none.
local function reconnect(client, found, connection)
  local scheme = tostring(connection.authScheme)
  if not scheme:find(LOGS_IN) then
    found.next_step = ("ask the customer for new credentials (%s) and put them in with connections:update")
      :format(scheme)
    return
  end
  local url, err = client.oauth:update(connection.id)
  if url then
    found.reconnect_url, found.next_step = url, "send the customer to the reconnect URL to log in again"
  else
    found.remedy = text(deep.get(err.problem, "remedy")) or found.remedy
    found.next_step = ("ask the customer to log in again; no reconnect URL could be made (%s)"):format(err.message)
  end
end

-- Takes a failure into the explanation; returns its words.
local function take_failure(client, found, operation)
  if not operation then return nil end
  local words
  found.operation = operation
  found.logs, words = wait.error_logs(client, operation.id)
  found.remedy = remedy_in(found.logs)
  return words
end

local function bad_credentials(client, found, failed)
  local connection, words = found.installation.connection, take_failure(client, found, failed)
  found.code = "bad_credentials"
  found.cause = ("%s refuses the credentials of connection %s%s"):format(text(connection.provider) or "the provider",
    tostring(connection.id), words and ": " .. words or "")
  reconnect(client, found, connection)
end

local function failed_operation(client, found, operation)
  local words = take_failure(client, found, operation)
  found.code = "failed_operation"
  found.cause = ("the last %s failed: %s"):format(text(operation.actionType) or "operation",
    words or text(operation.result) or "no reason was given")
  found.next_step = found.remedy or ("read the logs of operation %s"):format(tostring(operation.id))
end

-- What is said where no failure explains anything; %s is the connection.
local QUIET = {
  paused = { "reads of all objects are paused", "resume them with installations:unpause" },
  unhealthy = {
    "it is reported unhealthy, but no failed operation is known",
    "ask again later; if it stays so, write to Ampersand's support with the installation's id",
  },
  no_connection = { "it has no connection", "let the customer connect an account" },
  unproven = {
    "%s was created or renewed, and has not been used since: whether its credentials work is not known",
    "ask again after the next read or write",
  },
  unknown = { "the server does not say whether %s works", "ask again later, or start a read and wait for it" },
  healthy = { "it is healthy", "nothing is to be done" },
}

-- Healthy is what the server calls so, over a connection that has been used with success; nothing else is.
local function quiet_code(installation)
  local connection, health = installation.connection, installation.healthStatus
  if health == "unhealthy" then return "unhealthy" end
  if all_disabled(installation) then return "paused" end
  if type(connection) ~= "table" then return "no_connection" end
  if connection.status == "created" then return "unproven" end
  return connection.status == "working" and health == "healthy" and "healthy" or "unknown"
end

local function judge(client, found, operations)
  local installation, failed = found.installation, operations.failed
  if deep.get(installation, "connection.status") == "bad_credentials" then
    return bad_credentials(client, found, failed)
  end
  -- a failure that a later success made good explains nothing
  if failed and (failed == operations.latest or installation.healthStatus == "unhealthy") then
    return failed_operation(client, found, failed)
  end
  local id = deep.get(installation, "connection.id")
  found.code = quiet_code(installation)
  found.cause = QUIET[found.code][1]:format("connection " .. tostring(id == nil and "?" or id))
  found.next_step = QUIET[found.code][2]
end

--- Explains one installation.
---@param ... string its id, or project, integration and id
---@return ampersand.Explanation? explanation printable, in two or three lines
---@return ampersand.Error? err
function explain.explain(self, ...)
  local client, id = self._client, ...
  local bad = request.bad_id(id)
  if bad then argcheck.raise("installations:explain: the id of the installation " .. bad) end
  local installation, err = self:get(...)
  if not installation then return nil, err end
  local operations
  operations, err = last_operations(client, installation)
  if not operations then return nil, err end
  local found = setmetatable({ installation = installation }, Explanation)
  judge(client, found, operations)
  return found
end

return explain
