--- Sends a call: as often as it may be tried, until the deadline, with a bearer token that is renewed when refused.

local call = require "ampersand.client.call"
local core = require "ampersand.core"
local request = require "ampersand.client.request"
local response = require "ampersand.client.response"
local retry = require "ampersand.client.retry"

local sender = {}

local option = call.option

-- Whether the transport may send the request a second time by itself, which counts as a try.
local function may_resend(attempt)
  local c = attempt.call
  return call.is_idempotent(c) and attempt.tries + 2 <= retry.policy(option(c, "retry")).attempts
end

-- What the transport gets, but for the time that is left; nil and an error.
function sender.prepare(attempt)
  local c = attempt.call
  local op, config, options = c.op, c.config, c.options
  if config.bearer and op.auth ~= "none" and (op.auth == "bearer" or not config.api_key) then
    local why = config.bearer.attach(attempt)
    if why then return nil, call.error(attempt, "config", why) end
  end
  local url, headers, body, base = request.build(c, attempt)
  if not url then return nil, call.error(attempt, "config", headers) end
  attempt.base = base
  return {
    method = op.method, url = url, base = base, headers = config.given and config.given.copy(headers) or headers,
    body = body, timeout = nil,
    stream = attempt.stream or false, resend = may_resend(attempt),
    connect_timeout = options.connect_timeout or config.connect_timeout,
    read_timeout = options.read_timeout or config.read_timeout,
    max_bytes = not attempt.stream and response.max_bytes(c, op.returns) or nil, cancel = options.cancel,
  }
end

-- Sends one request, or waits for the one that was sent ahead; see the transports' contract.
local function transfer(attempt, req, begun)
  if begun then
    local res, message, kind, sent, final = begun.wait(req.timeout)
    if res or sent ~= false then return res, message, kind, sent, final end
    begun.abandon()
  end
  local transport, why = attempt.call.config.transport()
  if not transport then return nil, why, "config", false end
  return transport:request(req)
end

-- Waits until the client may send; nil and an error at once where the deadline would pass before.
local function wait_for_turn(attempt)
  local c, limiter = attempt.call, attempt.call.config.limiter
  if limiter.open then return true end
  while true do
    local seconds, era = limiter:take(core.now())
    if seconds <= 0 then return true end
    local left = call.remaining(attempt)
    if left and seconds >= left then
      limiter:give_back(era)
      return nil, call.error(attempt, "timeout", ("the deadline would pass before the request may be sent, in %.3g s")
        :format(seconds), { sent = false, retry_after = seconds })
    end
    local ok, err = c.client:_sleep(seconds, c.options.cancel)
    if not ok then return nil, err end
    attempt.waited = (attempt.waited or 0) + seconds
    if era == limiter.era then return true end
  end
end

-- A server that is asked too much says so to one call and means the client. What the provider behind the proxy says is
-- about that customer.
local function note_pause(attempt, err)
  local op, limiter = attempt.call.op, attempt.call.config.limiter
  if err.status ~= 429 or not err.retry_after or op.base or op.server == "proxy" then return end
  attempt.paused = limiter:pause(err.retry_after, core.now())
end

-- One try, up to the headers of a success.
local function exchange(attempt)
  local c, begun, req, err = attempt.call, attempt.begun
  attempt.begun = nil
  if not begun then
    local ok
    ok, err = wait_for_turn(attempt)
    if not ok then return nil, err end
  end
  if c.config.closed then -- while this call waited for its next try
    if begun then begun.abandon() end
    return nil, call.error(attempt, "cancelled", "the client is closed", { sent = false })
  end
  if begun then req = begun.req() else req, err = sender.prepare(attempt) end
  if not req then return nil, err end
  local left = call.remaining(attempt)
  if left and left <= 0 then
    if begun then begun.abandon() end
    return nil, call.error(attempt, "timeout", "the deadline passed before the request was sent", { sent = false })
  end
  attempt.tries = attempt.tries + 1
  req.timeout = left
  local res, message, kind, sent, final = transfer(attempt, req, begun)
  if req.resent then attempt.tries = attempt.tries + 1 end
  if not res then
    if kind == "cancelled" and sent == false then attempt.tries = attempt.tries - 1 end -- it was not even begun
    err = call.error(attempt, kind, message, { sent = sent ~= false })
    if final then err.retryable = false end
    return nil, err
  end
  if c.config.given then c.config.given.complete(res) end
  if attempt.stream and c.options.cancel then c.options.cancel:bind(res) end
  local status, headers = res.status, res.headers
  attempt.info = {
    status = status, headers = headers, request_id = headers["x-request-id"], attempts = attempt.tries,
  }
  if status >= 200 and status < 300 then return res end
  err = response.status_error(attempt, res)
  note_pause(attempt, err)
  return nil, err
end

local function report(attempt, hook, started, err)
  local op = attempt.call.op
  hook {
    operation = op.id, method = op.method, url = call.shown_url(attempt), attempt = attempt.tries,
    status = err and err.status or (not err and attempt.info.status) or nil, kind = err and err.kind,
    message = err and err.message, seconds = core.now() - started, bytes = attempt.bytes, waited = attempt.waited,
    retry_after = err and err.retry_after,
  }
end

-- Waits until the call may be sent once more; false when it may not.
local function wait_for_next_try(attempt, err)
  if err.status == 401 and attempt.bearer and attempt.call.config.bearer.renew(attempt) then return true end
  local c = attempt.call
  local policy = retry.policy(option(c, "retry"))
  if not retry.allowed(policy, err, call.is_idempotent(c)) then return false end
  local delay, left = retry.delay(policy, err, core.random()), call.remaining(attempt)
  if left and delay >= left then return false end
  local ok, why = c.client:_sleep(delay, c.options.cancel)
  if attempt.paused then c.config.limiter:resume_sending(attempt.paused, core.now()) end
  attempt.paused = nil
  return ok, why
end

--- Sends a call until `consume` has what it wants of a success, or nothing more may be tried.
---@param consume fun(res: table, attempt: ampersand.Attempt, ...: any): any, ampersand.Error? reads the answer
---@param ... any for `consume`
---@return any value
function sender.send(attempt, consume, ...)
  local hook = attempt.call.config.on_event
  while true do
    local started, value = hook and core.now(), nil
    attempt.bytes, attempt.waited = 0, nil
    local res, err = exchange(attempt)
    if res then
      value, err = consume(res, attempt, ...)
      if err then res.close(false) end
    end
    if hook and not (err and err.kind == "config") then report(attempt, hook, started, err) end
    if not err then return value end
    if not wait_for_next_try(attempt, err) then return nil, err end
  end
end

return sender
