--- What may be sent again, and when. Pure: no clock, no sleep, no network.

local core = require "ampersand.core"
local http_date = require "ampersand.util.http_date"

local retry = {}

retry.DEFAULT = { attempts = 3, base = 0.25, cap = 8, always = false }

--- The policy of a `retry` option.
-- true: the default policy, also for requests that may not be sent twice unasked (POST, PATCH).
-- false: one try. A number: that many tries. A table: `attempts`, `base` and `cap` (seconds of back-off), `always`.
---@param option boolean|integer|table|nil
---@return table policy attempts, base, cap, always
function retry.policy(option)
  local default = retry.DEFAULT
  if option == nil then return default end
  if type(option) ~= "table" then option = { attempts = option == false and 1 or tonumber(option), always = option } end
  return {
    attempts = option.attempts or default.attempts, base = option.base or default.base,
    cap = option.cap or default.cap, always = option.always == true,
  }
end

local IDEMPOTENT = { GET = true, HEAD = true, OPTIONS = true, PUT = true, DELETE = true }

--- Whether a request may reach the server twice without harm (RFC 9110, 9.2.2).
-- Two GETs of the API change something (`rotate=true`, `refresh=force`); their operations say so.
---@param query table<string, any>
function retry.idempotent(op, query)
  if op.unsafe_query then
    local name, value = next(op.unsafe_query)
    if tostring(query[name]) == tostring(value) then return false end
  end
  return IDEMPOTENT[op.method] == true
end

local FAULTS = { resolve = true, connect = true, closed = true, timeout = true, protocol = true }
local STATUSES = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }

--- The server's own word on another try: the proxy's `X-Amp-Retryable`, or the problem's `retryable`.
---@param headers table<string, string>
---@return boolean? nil: it did not say
function retry.verdict(headers, problem)
  local word = (headers["x-amp-retryable"] or ""):lower()
  if word == "true" or word == "false" then return word == "true" end
  if type(problem) == "table" and type(problem.retryable) == "boolean" then return problem.retryable end
end

--- Whether another try could end better. The server's own word comes first.
function retry.transient(err)
  if type(err.retryable) == "boolean" then return err.retryable end
  if err.kind == "status" then return STATUSES[err.status] == true end
  return FAULTS[err.kind] == true
end

--- Whether this failed request may be sent once more.
function retry.allowed(policy, err, idempotent)
  if err.attempts >= policy.attempts or not retry.transient(err) then return false end
  return idempotent or policy.always or (err.kind ~= "status" and err.sent == false)
end

--- Seconds until the next try: what the server asked for, else full jitter over an exponential bound.
---@param random number in [0, 1)
---@return number seconds
function retry.delay(policy, err, random)
  if err.retry_after then return err.retry_after end
  local bound = math.min(policy.cap, policy.base * 2 ^ math.min(err.attempts - 1, 30))
  return bound * random
end

-- Seconds from now of a number or a time, as text; never negative.
local function seconds_of(text, now)
  if type(text) == "number" and text >= 0 and text < math.huge then return text end
  if type(text) ~= "string" then return nil end
  local seconds = tonumber(text:match "^%s*(%d+%.?%d*)%s*$")
  if seconds then return seconds end
  local at = core.instant(text, true) or http_date(text, now)
  return at and math.max(0, at - now)
end

--- Seconds the server asked to wait, from `Retry-After`, the problem's `retryAfter` or `X-Amp-Retry-After`. Times are
-- compared with the server's own clock if it sends `Date`.
---@param headers table<string, string>
---@param now number seconds since 1970, for servers that send no `Date`
function retry.after(headers, problem, now)
  now = headers.date and http_date(headers.date, now) or now
  return seconds_of(headers["retry-after"], now) or seconds_of(type(problem) == "table" and problem.retryAfter, now)
    or seconds_of(headers["x-amp-retry-after"], now)
end

return retry
