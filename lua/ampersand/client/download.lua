--- The records of a webhook message: those inside it, or those behind its downloadUrl.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local Client = require "ampersand.client"
local iterator = require "ampersand.client.iterator"
local params = require "ampersand.client.params"
local url = require "ampersand.util.url"

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

-- Iterates over a JSON array of another server: no credentials, none of the client's headers. What permits it stands in
-- the URL's query, so messages show the server alone.
local function each_behind(client, address, options)
  client:_check_open "webhook.results"
  local checked, problem = url.check((address:gsub("%?.*", "")), client:_option "allow_insecure_http")
  if not checked then
    error(client:_error { kind = "protocol", message = "the webhook's downloadUrl " .. problem, retryable = false }, 0)
  end
  local origin = url.origin(address)
  local op = {
    id = "webhook.results", method = "GET", base = origin, shown_path = "/...", auth = "none", returns = "array",
    path = address:sub(#origin + 1):gsub("[{}]", { ["{"] = "%7B", ["}"] = "%7D" }),
  }
  return iterator.each(call.new(op.id, client, op, {}, {}, nil, options))
end

--- `webhook.results`.
---@param message WebhookMessage
---@param given? table
---@return fun(): ResultEntry|nil iterator
function download.results(message, given)
  given = argcheck.check(given, OPTIONS, "webhook.results")
  if type(message) ~= "table" then
    argcheck.raise("webhook.results: expected the message of webhook.verify, got " .. type(message))
  end
  local info = type(message.resultInfo) == "table" and message.resultInfo or {}
  if info.type ~= "url" then return inline(type(message.result) == "table" and message.result or {}) end
  local client = given.client or Client.new { transport = given.transport }
  if type(info.downloadUrl) ~= "string" then
    error(client:_error { kind = "protocol", message = "the webhook has no downloadUrl", retryable = false }, 0)
  end
  return each_behind(client, info.downloadUrl, given)
end

return download
