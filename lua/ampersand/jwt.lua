--- Tokens for the vendor's embeddable UI: your server signs, the browser shows them to the API.
--
--     local token, err = ampersand.jwt.mint {
--       key = pem, key_id = "the id that client.jwt_keys:create answered", groupRef = "acme", consumerRef = "user-1",
--     }

local core = require "ampersand.core"
local crypto = require "ampersand.crypto"
local Error = require "ampersand.client.error"
local argcheck = require "ampersand.util.argcheck"

local jwt = {}

--- The longest life the API accepts, in seconds; also the default.
jwt.MAX_TTL = 600

local OPTIONS = {
  key = "string", key_id = "string", groupRef = "string", consumerRef = "string", subject = "string", ttl = "count",
  now = "number",
}

local function check(given)
  argcheck.check(given, OPTIONS, "jwt.mint")
  for _, name in ipairs { "key", "key_id", "groupRef", "consumerRef" } do
    if not given or given[name] == nil or given[name] == "" then
      argcheck.raise(("jwt.mint: option %q is missing"):format(name))
    end
  end
  if given.ttl and given.ttl > jwt.MAX_TTL then
    argcheck.raise(("jwt.mint: option \"ttl\" must be at most %d seconds, got %.0f"):format(jwt.MAX_TTL, given.ttl))
  end
end

local function part(fields)
  local text, why = core.encode(fields, { sort_keys = true })
  if not text then return nil, "a claim cannot be written as JSON: " .. why end
  return crypto.base64_encode(text, true)
end

local function refuse(message)
  return nil, Error.new { kind = "config", message = message, retryable = false }
end

-- Line breaks of a PEM are lost where it passes through environment variables and settings: they arrive as the two
-- characters "\n", as blanks, or not at all. A PEM with headers of its own is left alone.
local function restore_lines(pem)
  local label, text = pem:match "%-%-%-%-%-BEGIN ([%u%d ]+)%-%-%-%-%-(.-)%-%-%-%-%-END %1%-%-%-%-%-"
  if not label or text:find(":", 1, true) then return pem end
  local digits = text:gsub("\\+[rn]", ""):gsub("%s", ""):gsub(("."):rep(64), "%0\n")
  return ("-----BEGIN %s-----\n%s\n-----END %s-----\n"):format(label, digits, label)
end

--- Mints a token that lets one consumer of one group use the API from a browser.
---@param given table key (RSA private key, PEM), key_id, groupRef, consumerRef; subject (default the consumerRef, for
--- your own logs), ttl (seconds, at most and by default 600), now (seconds since 1970, default the clock)
---@return string|nil token
---@return ampersand.Error|nil err kind "config" when the key cannot be used; nothing of the key is in it
function jwt.mint(given)
  check(given)
  local now = math.floor(given.now or core.time())
  local header = part { alg = "RS256", kid = given.key_id, typ = "JWT" }
  local claims, why = part {
    sub = given.subject or given.consumerRef, groupRef = given.groupRef, consumerRef = given.consumerRef,
    iat = now, exp = math.floor(now + (given.ttl or jwt.MAX_TTL)),
  }
  if not header or not claims then return refuse(why or "the key id cannot be written as JSON") end
  local signed = header .. "." .. claims
  if not given.key:find("-----BEGIN", 1, true) then
    return refuse 'the private key is not PEM: option "key" takes the text from -----BEGIN on, not the name of a file'
  end
  local signature
  signature, why = crypto.sign_rs256(restore_lines(given.key), signed)
  if not signature then return refuse(why) end
  return signed .. "." .. crypto.base64_encode(signature, true)
end

return jwt
