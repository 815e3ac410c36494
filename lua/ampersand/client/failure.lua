--- What goes wrong in a call: the error, and whether the call may be tried again.
-- ampersand.client.sender hands these functions on.

local core = require "ampersand.core"
local Error = require "ampersand.client.error"
local answer = require "ampersand.client.response"
local base_url = require "ampersand.util.url"
local call = require "ampersand.client.sender"
local retry = require "ampersand.client.retry"

local failure = {}

local MAX_ERROR_BODY = 64 * 1024

--- An error object that knows the call.
---@param c ampersand.Call
---@param kind string
---@param message string
---@param more table? further fields
---@return ampersand.Error
function failure.error(c, kind, message, more)
  local fields = {
    kind = kind, message = message, method = c.op.method, operation = c.op.id, attempts = c.attempts, url = c.shown_url,
  }
  for name, value in pairs(more or {}) do fields[name] = value end
  c.sent = c.sent or fields.sent -- what an earlier try may have brought to the server counts
  fields.sent = c.sent
  local err = Error.new(fields, { key = c.config.api_key and c.config.api_key(), bearer = c.bearer_token })
  if err.retryable == nil then err.retryable = retry.transient(err) end
  return err
end

-- A text member of the object that `text` begins with, if it stands before the place where the text is cut.
local function member(text, name)
  local decoder = core.decoder { path = { name }, expect = "any", mask = true }
  decoder:feed(text)
  local status, value = decoder:next()
  return status == "value" and type(value) == "string" and value or nil
end

-- The problem of an error's answer, and its body: decoded, or text, which of a long body is the beginning.
local function read_error_body(res)
  local text, whole = answer.beginning(res, MAX_ERROR_BODY)
  res.close(whole)
  if text == "" then return nil end
  local value = core.decode(text, { mask = true })
  if type(value) == "table" then return value, value end
  if whole or not text:find "^%s*{" then return nil, text end
  local problem = {}
  for _, name in ipairs { "title", "detail", "requestId" } do problem[name] = member(text, name) end
  return next(problem) and problem, text
end

local REDIRECT = "%d: the server redirects to %s; redirects are not followed, for the key belongs to one origin"

--- The error for an answer with a status that is none of success.
---@param c ampersand.Call
---@param res table
---@return ampersand.Error
function failure.status_error(c, res)
  local status, headers = res.status, res.headers
  local problem, body = read_error_body(res)
  local message = Error.status_message(status, problem or body)
  if status >= 300 and status < 400 and headers.location then
    message = REDIRECT:format(status, base_url.origin(headers.location) or "another path")
  end
  local id = problem and type(problem.requestId) == "string" and problem.requestId
  return failure.error(c, "status", message, {
    status = status, problem = problem, body = body, sent = true,
    request_id = id or headers["x-request-id"] or headers["request-id"],
    retry_after = retry.after(headers, problem, core.time()), retryable = retry.verdict(headers, problem),
  })
end

--- The error for an answer that cannot be decoded; says so when the server did not even send JSON.
---@param c ampersand.Call
---@param res table
---@param message string
---@param kind string "decode" or "limit"
---@return ampersand.Error
function failure.decode_error(c, res, message, kind)
  local media = (res.headers["content-type"] or ""):match("^[%w.+/-]+")
  if kind == "decode" and media and not media:find("json", 1, true) then
    message = ("the server answered with %s instead of JSON; is base_url right? (%s)"):format(media, message)
  end
  return failure.error(c, kind, message, { sent = true, status = res.status, request_id = c.info.request_id })
end

-- A bearer function is asked again once when its token was refused; nothing has been done by such a request.
local function may_renew_bearer(c, err)
  if err.status ~= 401 or c.renewed or not c.bearer_token or not c.config.renewable then return false end
  c.renewed = true
  return true
end

--- Waits until the call may be sent once more.
---@param c ampersand.Call
---@param err ampersand.Error
---@return boolean may it, at all
function failure.try_again(c, err)
  if may_renew_bearer(c, err) then return true end
  local policy = retry.policy(call.option(c, "retry"))
  if not retry.allowed(policy, err, c.idempotent) then return false end
  local delay, left = retry.delay(policy, err, core.random()), call.remaining(c)
  if left and delay >= left then return false end
  c.config.transport():sleep(delay, c.options.cancel)
  return true
end

return failure
