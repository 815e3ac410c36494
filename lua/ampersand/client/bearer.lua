--- Bearer tokens of a client: a fixed one, or what the caller's function gives. A JWT is kept until shortly before it
-- expires; calls that were refused together ask for one new token.

local core = require "ampersand.core"

local bearer = {}

local MARGIN = 30 -- seconds before its end at which a token is replaced
local PATIENCE, WAIT = 60, 0.02 -- seconds that a coroutine waits for another's question, and between two checks

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function decode_base64(text)
  local bits, count, bytes = 0, 0, {}
  for character in text:gmatch "[%w_%-]" do
    bits, count = bits * 64 + ALPHABET:find(character, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      local rest = bits % 2 ^ count
      bytes[#bytes + 1], bits = string.char((bits - rest) / 2 ^ count), rest
    end
  end
  return table.concat(bytes)
end

-- When a JWT ends, in seconds since 1970; nil for other tokens.
local function expiry(token)
  local claims = token:match "^eyJ[%w_%-]+%.([%w_%-]+)%."
  claims = claims and core.decode(decode_base64(claims))
  return type(claims) == "table" and type(claims.exp) == "number" and claims.exp or nil
end

--- What gives the tokens of a client. Everything is held by closures, which no table printer shows.
---@param given string|fun(reason: string, token: string?): string?, any the function gets the reason of the call:
--- "first", "expired" or "refused" (then with the token that was)
---@param sleep fun(seconds: number)
---@return { attach: function, renew: function, current: function } `attach(attempt)` gives an attempt its token, and
--- returns why it cannot; `renew(attempt)` says whether one that was refused is replaced, which happens once
function bearer.source(given, sleep)
  if type(given) == "string" then
    local function current() return given end
    return { attach = function(attempt) attempt.bearer = current end, renew = function() end, current = current }
  end
  local token, expires, asking

  local function ask(reason)
    asking = coroutine.running() or true
    local found, why = given(reason, token)
    asking = nil
    if type(found) ~= "string" or found == "" then
      return nil, "the `bearer` function gave no token: " .. tostring(why or type(found))
    end
    token, expires = found, expiry(found)
    return found
  end

  -- Another coroutine asks already: its answer is ours, unless it never comes.
  local function wait_for_other()
    local until_then = core.now() + PATIENCE
    while asking and asking ~= true and asking ~= coroutine.running() and coroutine.status(asking) ~= "dead"
      and core.now() < until_then do
      sleep(WAIT)
    end
  end

  local function get(refused)
    wait_for_other()
    if refused then
      if token ~= refused then return token end
      return ask "refused"
    end
    if not token then return ask "first" end
    if not expires or core.time() >= expires - MARGIN then return ask "expired" end
    return token
  end

  local function attach(attempt)
    local found, why = get(attempt.refused and attempt.refused())
    if not found then return why end
    attempt.bearer, attempt.refused = function() return found end, nil
  end

  -- Nothing has been done by a request whose token was refused.
  local function renew(attempt)
    if attempt.renewed then return false end
    attempt.renewed, attempt.refused = true, attempt.bearer
    return true
  end

  return { attach = attach, renew = renew, current = function() return token end }
end

return bearer
