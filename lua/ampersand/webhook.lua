--- Webhooks of the API: verifies messages, signs them, and iterates over their records.
--
--     local message, err = ampersand.webhook.verify(secret, headers, body)
--     if not message then return respond(400, tostring(err)) end
--     for record in ampersand.webhook.results(message) do print(record.fields.email) end
--
-- Messages are signed as Svix does it: HMAC-SHA-256 over "id.timestamp.body" with the decoded secret.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local crypto = require "ampersand.crypto"
local Error = require "ampersand.client.error"
local require = require "ampersand.util.require"

local webhook = {}

local TOLERANCE = 300 -- seconds, in both directions

local function refuse(kind, message)
  return nil, Error.new { kind = kind, message = message, retryable = false }
end

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local SPARE = { [2] = 16, [3] = 4 } -- values that the spare bits of a last digit can have, by digits in the last group

-- Base64 as other readers of webhook secrets take it: the URL's alphabet, any padding, spare bits that are set.
local function decode_leniently(text)
  local digits = text:gsub("=+$", ""):gsub("[-_]", { ["-"] = "+", ["_"] = "/" })
  local spare, last = SPARE[#digits % 4], DIGITS:find(digits:sub(-1), 1, true)
  if spare and last then
    last = last - (last - 1) % spare
    digits = digits:sub(1, -2) .. DIGITS:sub(last, last)
  end
  return crypto.base64_decode(digits)
end

-- The bytes of one secret: "whsec_" and base64, the prefix may be missing.
local function key_of(secret, what)
  if type(secret) ~= "string" then
    argcheck.raise(("%s: the secret must be a string, or a list of strings, got %s"):format(what, type(secret)))
  end
  local encoded = secret:gsub("^%s*(.-)%s*$", "%1"):gsub("^whsec_", "")
  if not encoded:find "[^=]" then return nil, "the webhook secret is empty: anyone could sign for it" end
  local key = decode_leniently(encoded)
  return key, not key and "the webhook secret is not base64 (expected whsec_... as the dashboard shows it)" or nil
end

local function keys_of(secret, what)
  if secret == nil then return nil, "the webhook secret is missing" end
  local list, keys = type(secret) == "table" and secret or { secret }, {}
  for i, each in ipairs(list) do
    local key, why = key_of(each, what)
    if not key then return nil, why end
    keys[i] = key
  end
  if not keys[1] then return nil, "the list of webhook secrets is empty" end
  return keys
end

local function signature_of(key, id, stamp, body)
  return "v1," .. crypto.base64_encode(crypto.hmac_sha256(key, id .. "." .. stamp .. "." .. body))
end

-- The three headers under one prefix, in any case; a server may give repeated ones as a list, and JSON gives a number.
local function signed_headers(headers)
  local lower = {}
  for name, value in pairs(headers) do
    if type(value) == "table" then value = table.concat(value, " ") end
    lower[tostring(name):lower()] = value
  end
  for _, prefix in ipairs { "svix-", "webhook-" } do
    local id, at, signature = lower[prefix .. "id"], lower[prefix .. "timestamp"], lower[prefix .. "signature"]
    if type(at) == "number" then at = ("%.17g"):format(at) end
    if type(id) == "string" and type(at) == "string" and type(signature) == "string" then return id, at, signature end
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

-- Compares every key with every signature; the time it takes does not depend on which is close. A comma ends a
-- signature only where a server joined repeated headers.
local function is_signed(keys, id, stamp, body, given)
  local found = false
  for _, key in ipairs(keys) do
    local expected = signature_of(key, id, stamp, body)
    for signature in given:gmatch "%S+" do
      found = crypto.equal(expected, (signature:gsub(",$", ""))) or found
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
-- "decode" (signed, but not JSON). Nothing of the secret or the body is in them.
---@param secret string|string[] "whsec_..." as the dashboard shows it; several while secrets are rotated
---@param headers table<string, string|string[]> of the request, names in any case (svix-* or webhook-*)
---@param body string the raw body
---@param given? table tolerance (seconds either way, default 300), now (seconds since 1970, default the clock)
---@return WebhookMessage|nil message
---@return table|ampersand.Error info { id, timestamp }: the id is the same when a message is delivered again
function webhook.verify(secret, headers, body, given)
  check_arguments(headers, body, given)
  given = given or {}
  local keys, why = keys_of(secret, "webhook.verify")
  if not keys then return refuse("config", why) end
  local id, stamp, signature = signed_headers(headers)
  if not id then return refuse("protocol", stamp) end
  local at
  at, why = check_age(stamp, given.tolerance or TOLERANCE, given.now or core.time())
  if not at then return refuse("protocol", why) end
  if not is_signed(keys, id, stamp, body, signature) then
    return refuse("protocol", "no signature of the webhook fits: it was changed, signed with another secret, or its "
      .. "signatures are not separated by blanks")
  end
  local message, problem = core.decode(body, { mask = true })
  if type(message) ~= "table" or getmetatable(message) == core.array_mt then
    return refuse("decode", "the body is signed, but not a JSON object: " .. tostring(problem or "another value"))
  end
  return message, { id = id, timestamp = at }
end

local SIGN_OPTIONS = { id = "string", now = "number" }
local LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

local function new_id()
  local letters = {}
  for i = 1, 27 do
    local n = math.floor(core.random() * #LETTERS) + 1
    letters[i] = LETTERS:sub(n, n)
  end
  return "msg_" .. table.concat(letters)
end

--- Signs a body as the vendor does, to test a receiver.
---@param secret string|string[] "whsec_..."; each of several makes a signature
---@param body string
---@param given? table id (of the message, without dots and blanks, default a new one), now (seconds since 1970, default
---   the clock)
---@return table<string, string>|nil headers svix-id, svix-timestamp, svix-signature
---@return ampersand.Error|nil err kind "config": the secret cannot be used
function webhook.sign(secret, body, given)
  given = argcheck.check(given, SIGN_OPTIONS, "webhook.sign") or {}
  if type(body) ~= "string" then argcheck.raise("webhook.sign: the body must be a string, got " .. type(body)) end
  if given.id and not given.id:find "^[^%s%c.]+$" then
    argcheck.raise 'webhook.sign: option "id" must have a character, and no dot or blank'
  end
  local now = given.now or core.time()
  if not (now >= 0 and now < 1e12) then argcheck.raise 'webhook.sign: option "now" must be seconds since 1970' end
  local keys, why = keys_of(secret, "webhook.sign")
  if not keys then return refuse("config", why) end
  local id, stamp, signatures = given.id or new_id(), ("%.0f"):format(math.floor(now)), {}
  for i, key in ipairs(keys) do signatures[i] = signature_of(key, id, stamp, body) end
  return { ["svix-id"] = id, ["svix-timestamp"] = stamp, ["svix-signature"] = table.concat(signatures, " ") }
end

--- Iterates over the records of a verified message: those inside it, or those behind its downloadUrl, one at a time
-- while they arrive. Raises the error object. The link ends after 15 minutes (status 400 or 403 then); no key is sent.
---@param message WebhookMessage what `verify` returned
---@param given? table client (default: a new one for each message, without connections to reuse), or transport, and the
---   options of any call
---@return fun(): ResultEntry|nil iterator
function webhook.results(message, given)
  return require "ampersand.client.download".results(message, given)
end

return webhook
