--- The records of a webhook message: those inside it, or those behind its downloadUrl.

local argcheck = require "ampersand.util.argcheck"
local Client = require "ampersand.client"
local Error = require "ampersand.client.error"
local params = require "ampersand.client.params"

local download = {}

local OPTIONS = { client = "table", transport = "table|function" }
for name, kind in pairs(params.OPTIONS) do
  if name ~= "max" and name ~= "headers" then OPTIONS[name] = kind end
end

local function inline(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

--- `webhook.results`.
---@param message WebhookMessage
---@param given? table
---@return fun(): ResultEntry|nil iterator
function download.results(message, given)
  given = argcheck.check(given, OPTIONS, "webhook.results")
  params.check_choices(given, "webhook.results")
  if type(message) ~= "table" then
    argcheck.raise("webhook.results: expected the message of webhook.verify, got " .. type(message))
  end
  local info = type(message.resultInfo) == "table" and message.resultInfo or {}
  if info.type ~= "url" then return inline(type(message.result) == "table" and message.result or {}) end
  if type(info.downloadUrl) ~= "string" then
    error(Error.new { kind = "protocol", message = "the webhook has no downloadUrl", retryable = false }, 0)
  end
  local client = given.client or Client.new { transport = given.transport }
  return client:_each_of("webhook.results", info.downloadUrl, given)
end

return download
