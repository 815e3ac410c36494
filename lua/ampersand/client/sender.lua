--- One call: build the request, send it, try again where that is safe, feed the answer to a decoder.
-- What goes wrong is ampersand.client.failure's: it makes the errors and says whether another try may be made.

local core = require "ampersand.core"
local later = require "ampersand.util.later"
local request = require "ampersand.client.request"

local answer = later "ampersand.client.response"
local retry = later "ampersand.client.retry"

local call = later "ampersand.client.failure"

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
  if value == nil then return c.config[name] end
  return value
end
local option = call.option

--- Lets the total deadline begin now.
---@param c ampersand.Call
function call.start_clock(c)
  local timeout = option(c, "timeout")
  c.deadline = timeout < math.huge and core.now() + timeout or nil
end

--- Prepares a call; nothing is sent yet.
---@param c table op, config, path, query, body, options
---@return ampersand.Call
function call.new(c)
  local op = c.op
  c.attempts, c.shown_url = 0, op.path
  c.idempotent = op.method == "GET" and not op.unsafe_query or retry.idempotent(op, c.query)
  call.start_clock(c)
  return c
end

--- Seconds until the deadline; nil: there is none.
---@param c ampersand.Call
---@return number?
function call.remaining(c)
  return c.deadline and c.deadline - core.now()
end

local function fresh_bearer(c)
  local token, why = c.config.bearer()
  if type(token) == "string" and token ~= "" then return token end
  return nil, "the `bearer` function gave no token: " .. tostring(why or type(token))
end

-- Then libcurl may not send it again by itself either.
local function only_once(c)
  local policy = option(c, "retry")
  if type(policy) == "table" then policy = policy.attempts end
  return policy == false or policy == 1
end

-- Bytes of an answer that is not streamed, by what the operation returns; the option max_bytes replaces them.
local MAX_BYTES = { none = 2 ^ 20, text = 2 ^ 26, any = 2 ^ 26 }
call.MAX_VALUE_BYTES, call.MAX_VALUES = 2 ^ 24, 1e6 -- of one value, or one page

--- The bytes that a whole answer may have.
---@param c ampersand.Call
---@param returns string
---@return number
function call.max_bytes(c, returns)
  return option(c, "max_bytes") or MAX_BYTES[returns] or call.MAX_VALUE_BYTES
end

--- What the transport gets, but for the time that is left.
---@param c ampersand.Call
---@return table? req
---@return string shown_url the URL as errors show it; or why there is no request
function call.prepare(c)
  local op, config = c.op, c.config
  if config.bearer and op.auth ~= "none" and (op.auth == "bearer" or not config.api_key) then
    local token, why = fresh_bearer(c)
    if not token then return nil, why end
    c.bearer_token = token
  end
  local url, headers, body, shown_url = request.build(op, config, c)
  if not url then return nil, headers end
  return {
    method = op.method, url = url, headers = headers, body = body, timeout = nil,
    stream = c.stream or false, resend = c.idempotent and not only_once(c),
    connect_timeout = option(c, "connect_timeout"), read_timeout = option(c, "read_timeout"),
    max_bytes = not c.stream and call.max_bytes(c, op.returns) or nil, cancel = c.options.cancel,
  }, shown_url
end

local function send(c, req, begun)
  if begun then
    local res, message, kind, sent = begun.wait(req.timeout)
    if res or sent ~= false then return res, message, kind, sent end
    begun.abandon()
  end
  return c.config.transport():request(req)
end

-- One try, up to the headers of a success.
local function exchange(c)
  local begun, req, shown_url = c.begun
  c.begun = nil
  if c.config.closed then -- while this call waited for its next try
    if begun then begun.abandon() end
    return nil, call.error(c, "cancelled", "the client is closed", { sent = false })
  end
  if begun then req, shown_url = begun.req, begun.shown_url else req, shown_url = call.prepare(c) end
  if not req then return nil, call.error(c, "config", shown_url) end
  c.shown_url = shown_url
  local left = call.remaining(c)
  if left and left <= 0 then
    if begun then begun.abandon() end
    return nil, call.error(c, "timeout", "the deadline passed before the request was sent", { sent = false })
  end
  c.attempts = c.attempts + 1
  req.timeout = left
  local res, message, kind, sent = send(c, req, begun)
  if not res then
    if kind == "cancelled" and sent == false then c.attempts = c.attempts - 1 end -- it was not even begun
    return nil, call.error(c, kind, message, { sent = sent ~= false })
  end
  if not res.source then answer.complete(res) end
  if c.stream and c.options.cancel then c.options.cancel:bind(res) end
  local status, headers = res.status, res.headers
  c.info = { status = status, headers = headers, request_id = headers["x-request-id"], attempts = c.attempts }
  if status >= 200 and status < 300 then return res end
  return nil, call.status_error(c, res)
end

local function report(c, hook, started, err)
  hook {
    operation = c.op.id, method = c.op.method, url = c.shown_url, attempt = c.attempts,
    status = err and err.status or (not err and c.info.status) or nil, kind = err and err.kind,
    message = err and err.message, seconds = core.now() - started, bytes = c.bytes,
  }
end

--- Sends the call until `consume` has what it wants of a success, or nothing more may be tried.
---@param c ampersand.Call
---@param consume fun(res: table, c: ampersand.Call, state: any): any, ampersand.Error? reads the answer
---@param state any
---@return any value
---@return ampersand.Error?
function call.run(c, consume, state)
  local hook = c.config.on_event
  while true do
    local started, value = hook and core.now(), nil
    c.bytes = 0
    local res, err = exchange(c)
    if res then
      value, err = consume(res, c, state)
      if err then res.close(false) end
    end
    if hook and not (err and err.kind == "config") then report(c, hook, started, err) end
    if not err then return value end
    if not call.try_again(c, err) then return nil, err end
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

local DECODER_OPTIONS = {
  "nulls", "big_integers", "max_depth", "max_bytes", "max_values", "max_element_bytes", "max_element_values",
}

--- A decoder that has read an answer of this kind to its end: its options were looked at, its memory is there.
---@param c ampersand.Call
---@param kind string
---@return userdata?
function call.kept_decoder(c, kind)
  local kept = rawget(c.config, "decoders")
  local decoder = kept and next(c.options) == nil and kept[kind]
  if not decoder then return nil end
  kept[kind] = nil -- it reads one answer at a time
  return decoder:again()
end

--- Keeps a decoder for the next call of its kind.
---@param c ampersand.Call
---@param kind string
---@param decoder userdata
function call.keep_decoder(c, kind, decoder)
  if next(c.options) ~= nil then return end
  local config = c.config
  local kept = rawget(config, "decoders")
  if not kept then
    kept = {}
    config.decoders = kept
  end
  kept[kind] = decoder
end

--- A decoder for this call's answer, with the client's limits.
---@param c ampersand.Call
---@param settings table path, expect, select, where
---@return userdata
function call.decoder(c, settings)
  local options, config = c.options, c.config
  settings.mask = true
  for i = 1, #DECODER_OPTIONS do
    local name = DECODER_OPTIONS[i]
    if settings[name] == nil then
      local value = options[name]
      if value == nil then value = config[name] end
      settings[name] = value
    end
  end
  return core.decoder(settings)
end

return call
