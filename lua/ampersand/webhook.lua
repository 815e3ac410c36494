--- Webhooks of the API: is this message really from the vendor, and what does it bring?
--
--     local message, err = ampersand.webhook.verify(secret, headers, body)
--     if not message then return respond(400, tostring(err)) end
--     for record in ampersand.webhook.results(message) do print(record.fields.email) end
--
-- Messages are signed as Svix does it: HMAC-SHA-256 over "id.timestamp.body" with the decoded secret.

local params = require "ampersand.client.params"
local Client = require "ampersand.client"
local core = require "ampersand.core"
local crypto = require "ampersand.crypto"
local Error = require "ampersand.client.error"
local argcheck = require "ampersand.util.argcheck"

local webhook = {}

local TOLERANCE = 300 -- seconds, in both directions

local function refuse(kind, message)
  return nil, Error.new { kind = kind, message = message, retryable = false }
end

-- The bytes of one secret: "whsec_" and base64, the prefix may be missing.
local function key_of(secret)
  if type(secret) ~= "string" then
    argcheck.raise("webhook.verify: the secret must be a string, or a list of strings, got " .. type(secret))
  end
  local encoded = secret:gsub("^%s*(.-)%s*$", "%1"):gsub("^whsec_", "")
  if encoded == "" then return nil, "the webhook secret is empty: anyone could sign for it" end
  local key = crypto.base64_decode(encoded)
  return key, not key and "the webhook secret is not base64 (expected whsec_... as the dashboard shows it)" or nil
end

local function keys_of(secret)
  if secret == nil then return nil, "the webhook secret is missing" end
  local list, keys = type(secret) == "table" and secret or { secret }, {}
  for i, each in ipairs(list) do
    local key, why = key_of(each)
    if not key then return nil, why end
    keys[i] = key
  end
  if not keys[1] then return nil, "the list of webhook secrets is empty" end
  return keys
end

-- The three headers under one prefix, whatever their case; a server may hand in repeated ones as a list.
local function signed_headers(headers)
  local lower = {}
  for name, value in pairs(headers) do
    if type(value) == "table" then value = table.concat(value, " ") end
    if type(value) == "string" then lower[tostring(name):lower()] = value end
  end
  for _, prefix in ipairs { "svix-", "webhook-" } do
    local id, at, signature = lower[prefix .. "id"], lower[prefix .. "timestamp"], lower[prefix .. "signature"]
    if id and at and signature then return id, at, signature end
  end
  return nil, "the message is not signed: it lacks one of the headers svix-id, svix-timestamp, svix-signature"
end

-- A signature without its age could be sent again forever.
local function check_age(stamp, tolerance, now)
  local at = stamp:match "^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?$" and tonumber(stamp)
  if not at then return nil, "the timestamp of the webhook is not a number of seconds" end
  local age = now - at
  if age > tolerance then return nil, ("the webhook is too old (%.0f s, %.0f are allowed)"):format(age, tolerance) end
  if age < -tolerance then
    local words = "the webhook is from the future (%.0f s, %.0f are allowed); is the clock right?"
    return nil, words:format(-age, tolerance)
  end
  return at
end

-- Every key against every "v1,..." given; the time taken does not tell which came close.
local function is_signed(keys, content, given)
  local found = false
  for _, key in ipairs(keys) do
    local expected = crypto.base64_encode(crypto.hmac_sha256(key, content))
    for version, signature in given:gmatch "(%w+),([%w+/=]+)" do
      found = (version == "v1" and crypto.equal(expected, signature)) or found
    end
  end
  return found
end

local VERIFY_OPTIONS = { tolerance = "number", now = "number" }

local function check_arguments(headers, body, given)
  argcheck.check(given, VERIFY_OPTIONS, "webhook.verify")
  if type(headers) ~= "table" then
    argcheck.raise("webhook.verify: headers must be a table, got " .. type(headers))
  end
  if type(body) ~= "string" then
    argcheck.raise("webhook.verify: the body must be the raw text, before any decoding, got " .. type(body))
  end
  if given and given.tolerance and (given.tolerance < 0 or given.tolerance ~= given.tolerance) then
    argcheck.raise 'webhook.verify: option "tolerance" must be a number of seconds, 0 or more'
  end
end

--- Checks the signature of a webhook and decodes it.
-- Errors have kind "config" (the secret), "protocol" (unsigned, too old, from the future, signed by someone else) or
-- "decode" (well signed, but not JSON). Nothing of the secret or the body is in them.
---@param secret string|string[] "whsec_..." as the dashboard shows it; several while secrets are rotated
---@param headers table<string, string|string[]> of the request, names in any case (svix-* or webhook-*)
---@param body string the raw body
---@param given? table tolerance (seconds either way, default 300), now (seconds since 1970, default the clock)
---@return WebhookMessage|nil message
---@return table|ampersand.Error info { id, timestamp }: the id is the same when a message is delivered again
function webhook.verify(secret, headers, body, given)
  check_arguments(headers, body, given)
  given = given or {}
  local keys, why = keys_of(secret)
  if not keys then return refuse("config", why) end
  local id, stamp, signature = signed_headers(headers)
  if not id then return refuse("protocol", stamp) end
  local at
  at, why = check_age(stamp, given.tolerance or TOLERANCE, given.now or core.time())
  if not at then return refuse("protocol", why) end
  if not is_signed(keys, id .. "." .. stamp .. "." .. body, signature) then
    return refuse("protocol", "no signature of the webhook fits: it was changed, or signed with another secret")
  end
  local message, problem = core.decode(body, { mask = true })
  if type(message) ~= "table" or getmetatable(message) == core.array_mt then
    return refuse("decode", "the webhook is well signed, but no JSON object: " .. tostring(problem or "another value"))
  end
  return message, { id = id, timestamp = at }
end

-- --- results ---------------------------------------------------------------------------------

local RESULT_OPTIONS = { client = "table", transport = "table|function" }
for name, kind in pairs(params.OPTIONS) do
  if name ~= "max" and name ~= "headers" then RESULT_OPTIONS[name] = kind end
end

local shared -- for downloads without a client of the caller's

local function client_of(given)
  if given.client then return given.client end
  if given.transport then return Client.new { transport = given.transport } end
  shared = shared or Client.new()
  return shared
end

local function inline(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

--- Iterates over the records a verified message brings: those inside it, or those behind its downloadUrl, one at a time
-- while they arrive. Raises the error object. The link ends after 15 minutes (status 400 or 403 then); no key is sent.
---@param message WebhookMessage what `verify` returned
---@param given? table client, or transport (default: connections of its own), and the options of any call
---@return fun(): ResultEntry|nil iterator
function webhook.results(message, given)
  given = argcheck.check(given, RESULT_OPTIONS, "webhook.results")
  params.check_choices(given, "webhook.results")
  if type(message) ~= "table" then
    argcheck.raise("webhook.results: expected the message of webhook.verify, got " .. type(message))
  end
  local info = type(message.resultInfo) == "table" and message.resultInfo or {}
  if info.type ~= "url" then return inline(type(message.result) == "table" and message.result or {}) end
  if type(info.downloadUrl) ~= "string" then
    error(Error.new { kind = "protocol", message = "the webhook has no downloadUrl", retryable = false }, 0)
  end
  return client_of(given):_each_of("webhook.results", info.downloadUrl, given)
end

return webhook
