--- One call: build the request, send it, try again where that is safe, read the answer.

local core = require "ampersand.core"
local Error = require "ampersand.error"
local request = require "ampersand.request"
local retry = require "ampersand.retry"

local call = {}

local MAX_ERROR_BODY = 64 * 1024
local PIECE = 4096 -- bytes decoded at a time: between two pieces an event loop may have its turn

---@class ampersand.Call
---@field op table         operation
---@field config table     the client's settings
---@field path table       wire name -> id
---@field query table      wire name -> value
---@field body any         what becomes the JSON body
---@field options table    timeout, read_timeout, connect_timeout, retry, headers, nulls, limits
---@field attempts integer how often it was sent so far
---@field deadline number? on core.now()'s clock

--- The value of an option: the call's own, else the client's.
---@param c ampersand.Call
---@param name string
function call.option(c, name)
  local value = c.options[name]
  if value == nil then value = c.config[name] end
  return value
end

--- Lets the total deadline begin now.
---@param c ampersand.Call
function call.start_clock(c)
  local timeout = call.option(c, "timeout")
  c.deadline = timeout < math.huge and core.now() + timeout or nil
end

--- Prepares a call; nothing is sent yet.
---@param fields table op, config, path, query, body, options
---@return ampersand.Call
function call.new(fields)
  fields.attempts, fields.shown_url = 0, fields.op.path
  fields.policy = retry.policy(call.option(fields, "retry"))
  fields.idempotent = retry.idempotent(fields.op, fields.query)
  call.start_clock(fields)
  return fields
end

--- An error object that knows the call.
---@param c ampersand.Call
---@param kind string
---@param message string
---@param more table? further fields
---@return ampersand.Error
function call.error(c, kind, message, more)
  local fields = {
    kind = kind, message = message, method = c.op.method, operation = c.op.id, attempts = c.attempts, url = c.shown_url,
  }
  for name, value in pairs(more or {}) do fields[name] = value end
  local err = Error.new(fields, { key = c.config.api_key and c.config.api_key(), bearer = c.bearer_token })
  if err.retryable == nil then err.retryable = retry.transient(err) end
  return err
end

local function remaining(c)
  return c.deadline and c.deadline - core.now()
end

--- A transport's answer with every optional part filled in: doubles may give just `status` and `body`.
local function complete(res)
  res.headers = res.headers or {}
  res.close = res.close or function() end
  if not res.read then
    local body = res.body
    res.read = function()
      local chunk = body
      body = nil
      return chunk
    end
  end
  return res
end

--- Reads the rest of a body as text.
---@return string? text, string? message, string? kind
local function read_text(res, limit)
  local parts, size = {}, 0
  while true do
    local chunk, message, kind = res.read()
    if not chunk then
      if kind then return nil, message, kind end
      return table.concat(parts)
    end
    size = size + #chunk
    if size > limit then return nil, ("the body is longer than %d bytes"):format(limit), "limit" end
    parts[#parts + 1] = chunk
  end
end

local function decode_error_body(res)
  local text = read_text(res, MAX_ERROR_BODY)
  res.close(text ~= nil)
  if not text or text == "" then return nil end
  local value = core.decode(text, { mask = true })
  if type(value) == "table" then return value end
  return text
end

local REDIRECT = "%d: the server redirects to %s; redirects are not followed, for the key belongs to one origin"

local function status_error(c, res)
  local status, headers = res.status, res.headers
  local body = decode_error_body(res)
  local problem = type(body) == "table" and body or nil
  local message = Error.status_message(status, body)
  if status >= 300 and status < 400 then
    local target = headers.location and request.origin(headers.location)
    message = REDIRECT:format(status, target or "elsewhere")
  end
  local id = problem and type(problem.requestId) == "string" and problem.requestId
  return call.error(c, "status", message, {
    status = status, problem = problem, body = body, sent = true,
    request_id = id or headers["x-request-id"] or headers["request-id"],
    retry_after = retry.after(headers, problem, core.time()), retryable = retry.verdict(headers, problem),
  })
end

local function fresh_bearer(c)
  local token, why = c.config.bearer()
  if type(token) == "string" and token ~= "" then return token end
  return nil, "the `bearer` function gave no token: " .. tostring(why or type(token))
end

local function build(c)
  if c.config.bearer and c.op.auth ~= "none" and (c.op.auth == "bearer" or not c.config.api_key) then
    local token, why = fresh_bearer(c)
    if not token then return nil, why end
    c.bearer_token = token
  end
  return request.build(c.op, c.config, {
    path = c.path, query = c.query, body = c.body, raw = c.raw, headers = c.options.headers, bearer = c.bearer_token,
  })
end

-- What the transport gets: the request and the time that is left for it.
local function transport_request(c, built)
  local left = remaining(c)
  return {
    method = built.method, url = built.url, headers = built.headers, body = built.body,
    timeout = left, stream = c.stream or false, resend = c.idempotent,
    connect_timeout = call.option(c, "connect_timeout"), read_timeout = call.option(c, "read_timeout"),
    max_bytes = not c.stream and (call.option(c, "max_bytes") or 2 ^ 30) or nil, cancel = c.options.cancel,
  }
end

-- A stream outlives its request: its token ends it where it stands, also while another coroutine waits for it.
local function heed(token, res)
  local close = res.close
  local function stop() res.close(false) end
  function res.close(reusable)
    token:unwatch(stop)
    return close(reusable)
  end
  token:watch(stop)
end

--- Starts the request of a call that `run` will make later, where the transport can: the server works meanwhile.
-- What goes wrong is told by `run`, which sends it anew where the server has seen nothing of it.
---@param c ampersand.Call
function call.begin(c)
  local transport = c.config.transport()
  if not transport.begin or not c.idempotent then return end
  local built = build(c)
  if not built then return end
  local req = transport_request(c, built)
  req.timeout = nil -- time in the caller's own loop does not count
  local wait, abandon = transport:begin(req)
  if wait then c.begun = { built = built, wait = wait, abandon = abandon } end
end

--- Ends what `begin` started.
---@param c ampersand.Call
function call.abandon(c)
  local begun = c.begun
  c.begun = nil
  if begun then begun.abandon() end
end

local function send(c, built, begun)
  if begun then
    local res, message, kind, sent = begun.wait(remaining(c))
    if res or sent ~= false then return res, message, kind, sent end
    begun.abandon()
  end
  return c.config.transport():request(transport_request(c, built))
end

-- One try, up to the headers of a success.
local function exchange(c)
  local begun = c.begun
  c.begun = nil
  local built, why = begun and begun.built
  if not begun then built, why = build(c) end
  if not built then return nil, call.error(c, "config", why) end
  c.shown_url = built.shown_url
  local left = remaining(c)
  if left and left <= 0 then
    if begun then begun.abandon() end
    return nil, call.error(c, "timeout", "the deadline passed before the request was sent", { sent = false })
  end
  c.attempts = c.attempts + 1
  local res, message, kind, sent = send(c, built, begun)
  if not res then return nil, call.error(c, kind, message, { sent = sent ~= false }) end
  complete(res)
  if c.stream and c.options.cancel then heed(c.options.cancel, res) end
  c.info = {
    status = res.status, headers = res.headers, request_id = res.headers["x-request-id"], attempts = c.attempts,
  }
  if res.status >= 200 and res.status < 300 then return res end
  return nil, status_error(c, res)
end

local function report(c, started, err)
  local hook = c.config.on_event
  if not hook then return end
  hook {
    operation = c.op.id, method = c.op.method, url = c.shown_url, attempt = c.attempts,
    status = err and err.status or (not err and c.info.status) or nil, kind = err and err.kind,
    message = err and err.message, seconds = core.now() - started, bytes = c.bytes,
  }
end

-- A bearer function is asked again once when its token was refused; nothing has been done by such a request.
local function may_renew_bearer(c, err)
  if err.status ~= 401 or c.renewed or not c.bearer_token or not c.config.renewable then return false end
  c.renewed = true
  return true
end

--- Sends the call until `consume` has what it wants of a success, or nothing more may be tried.
---@param c ampersand.Call
---@param consume fun(res: table): any, ampersand.Error? reads the answer; value or nil, error
---@return any value
---@return ampersand.Error?
function call.run(c, consume)
  while true do
    local started, value = core.now(), nil
    c.bytes = 0
    local res, err = exchange(c)
    if res then
      value, err = consume(res)
      if err then res.close(false) end
    end
    if not err or err.kind ~= "config" then report(c, started, err) end
    if not err then return value end
    if not may_renew_bearer(c, err) then
      if not retry.allowed(c.policy, err, c.idempotent) then return nil, err end
      local delay, left = retry.delay(c.policy, err, core.random()), remaining(c)
      if left and delay >= left then return nil, err end
      c.config.transport():sleep(delay, c.options.cancel)
    end
  end
end

--- Moves the next bytes of a body into a decoder; ends the decoder at the end of the body.
---@param c ampersand.Call
---@param res table
---@param decoder userdata
---@return boolean? ok, ampersand.Error?
function call.pump(c, res, decoder)
  if res.source then
    local taken = decoder:drain(res.source)
    c.bytes = c.bytes + taken
    if taken > 0 then return true end
    local ready, message, kind = res.wait()
    if kind then return nil, call.error(c, kind, message, { sent = true }) end
    if not ready then decoder:finish() end
    return true
  end
  local chunk, message, kind = res.read(PIECE)
  if kind then return nil, call.error(c, kind, message, { sent = true }) end
  if not chunk then
    decoder:finish()
    return true
  end
  c.bytes = c.bytes + #chunk
  local ok
  ok, message, kind = decoder:feed(chunk)
  if not ok then return nil, call.decode_error(c, res, message, kind) end
  return true
end

--- The error for an answer that cannot be decoded; says so when the server did not even send JSON.
---@param c ampersand.Call
---@param res table
---@param message string
---@param kind string "decode" or "limit"
---@return ampersand.Error
function call.decode_error(c, res, message, kind)
  local media = (res.headers["content-type"] or ""):match("^[%w.+/-]+")
  if kind == "decode" and media and not media:find("json", 1, true) then
    message = ("the server answered with %s instead of JSON; is base_url right? (%s)"):format(media, message)
  end
  return call.error(c, kind, message, { sent = true, status = res.status, request_id = c.info.request_id })
end

--- A decoder for this call's answer, with the client's limits.
---@param c ampersand.Call
---@param settings table path, expect, select, where
---@return userdata
function call.decoder(c, settings)
  settings.mask = true
  settings.nulls = call.option(c, "nulls")
  settings.big_integers = call.option(c, "big_integers")
  for _, limit in ipairs { "max_depth", "max_bytes", "max_values", "max_element_bytes", "max_element_values" } do
    settings[limit] = settings[limit] or call.option(c, limit)
  end
  return core.decoder(settings)
end

local function read_value(c, res)
  local whole = call.option(c, "max_bytes") or 2 ^ 30
  local decoder = call.decoder(c, { expect = "any", max_element_bytes = whole, max_element_values = 1e7 })
  local result
  while true do
    local status, value, kind = decoder:next()
    if status == "value" then
      result = value
    elseif status == "more" then
      local ok, err = call.pump(c, res, decoder)
      if not ok then return nil, err end
    elseif status == "end" then
      res.close(true)
      return result
    else
      return nil, call.decode_error(c, res, value, kind)
    end
  end
end

local function read_nothing(c, res)
  local _, message, kind = read_text(res, 2 ^ 20)
  if kind then return nil, call.error(c, kind, message, { sent = true }) end
  res.close(true)
  return true
end

local function read_text_body(c, res)
  local text, message, kind = read_text(res, call.option(c, "max_bytes") or 2 ^ 30)
  if kind then return nil, call.error(c, kind, message, { sent = true }) end
  res.close(true)
  return text
end

local function is_json(res)
  local media = (res.headers["content-type"] or ""):lower():match "^%s*([^;%s]*)"
  return media:find "[/+]json$" ~= nil -- neither NDJSON nor the like, which are many values
end

--- Runs a call whose answer is one value.
---@param c ampersand.Call
---@return any value `true` where the success has no body
---@return table|ampersand.Error info
function call.value(c)
  local returns = c.op.returns
  local value, err = call.run(c, function(res)
    local empty = res.status == 204 or res.status == 205 or (res.status ~= 200 and res.headers["content-length"] == "0")
    local kind = returns == "any" and (is_json(res) and "object" or "text") or returns
    if kind == "none" or empty then return read_nothing(c, res) end
    if kind == "text" then return read_text_body(c, res) end
    return read_value(c, res)
  end)
  if err then return nil, err end
  return value, c.info
end

return call
