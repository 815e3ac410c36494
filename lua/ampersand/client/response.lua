--- Reads answers: one value, text, nothing, or an error; and moves bytes into decoders.

local call = require "ampersand.client.call"
local core = require "ampersand.core"
local Error = require "ampersand.client.error"
local retry = require "ampersand.client.retry"
local url = require "ampersand.util.url"

local response = {}

local PIECE = 4096 -- bytes decoded at a time: between two pieces an event loop may have its turn
local MAX_ERROR_BODY = 64 * 1024

--- Fills in the optional parts of a transport's answer: doubles may give just `status` and `body`.
---@param res table
function response.complete(res)
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
end

-- The rest of a body as text; nil, message, kind.
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

-- --- errors ------------------------------------------------------------------------------------------------------

local function decode_error_body(res)
  local text = read_text(res, MAX_ERROR_BODY)
  res.close(text ~= nil)
  if not text or text == "" then return nil end
  local value = core.decode(text, { mask = true })
  if type(value) == "table" then return value end
  return text
end

local REDIRECT = "%d: the server redirects to %s; redirects are not followed, for the key belongs to one origin"

--- The error for an answer with a status that is not a success.
---@param attempt ampersand.Attempt
---@param res table
---@return ampersand.Error
function response.status_error(attempt, res)
  local status, headers = res.status, res.headers
  local body = decode_error_body(res)
  local problem = type(body) == "table" and body or nil
  local message = Error.status_message(status, body)
  if status >= 300 and status < 400 and headers.location then
    message = REDIRECT:format(status, url.origin(headers.location) or "another path")
  end
  local id = problem and type(problem.requestId) == "string" and problem.requestId
  return call.error(attempt, "status", message, {
    status = status, problem = problem, body = body, sent = true,
    request_id = id or headers["x-request-id"] or headers["request-id"],
    retry_after = retry.after(headers, problem, core.time()), retryable = retry.verdict(headers, problem),
  })
end

--- The error for an answer that cannot be decoded; says so when the server did not even send JSON.
---@param attempt ampersand.Attempt
---@param res table
---@param message string
---@param kind string "decode" or "limit"
---@return ampersand.Error
function response.decode_error(attempt, res, message, kind)
  local coding = res.headers["content-encoding"]
  local media = (res.headers["content-type"] or ""):match("^[%w.+/-]+")
  if kind == "decode" and coding and message:find("got the end of the text", 1, true) then
    -- nothing in a compressed text tells that it was cut
    kind, message = "closed", ("the body, which came as %s, was cut short (%s)"):format(coding, message)
  elseif kind == "decode" and media and not media:find("json", 1, true) then
    message = ("the server answered with %s instead of JSON; is base_url right? (%s)"):format(media, message)
  end
  return call.error(attempt, kind, message, {
    sent = true, status = res.status, request_id = attempt.info.request_id,
  })
end

-- --- decoders ----------------------------------------------------------------------------------------------------

--- Moves the next bytes of a body into a decoder; ends the decoder at the end of the body.
---@param attempt ampersand.Attempt
---@param res table
---@param decoder userdata
---@return boolean? ok, ampersand.Error?
function response.pump(attempt, res, decoder)
  if res.source then
    local taken = decoder:drain(res.source)
    attempt.bytes = attempt.bytes + taken
    if taken > 0 then return true end
    local ready, message, kind = res.wait()
    if kind then return nil, call.error(attempt, kind, message, { sent = true }) end
    if not ready then decoder:finish() end
    return true
  end
  local chunk, message, kind = res.read(PIECE)
  if kind then return nil, call.error(attempt, kind, message, { sent = true }) end
  if not chunk then
    decoder:finish()
    return true
  end
  attempt.bytes = attempt.bytes + #chunk
  local ok
  ok, message, kind = decoder:feed(chunk)
  if not ok then return nil, response.decode_error(attempt, res, message, kind) end
  return true
end

local DECODER_OPTIONS = {
  "nulls", "big_integers", "max_depth", "max_bytes", "max_values", "max_element_bytes", "max_element_values",
}

--- A decoder for a call's answer, with the client's limits. One that the client kept is taken where the settings are
-- those of its kind: its options are checked and its memory is there.
---@param c ampersand.Call
---@param kind string? under which it may be kept
---@param settings fun(c: ampersand.Call): table path, expect, plan and limits of a new one
---@return userdata
function response.decoder(c, kind, settings)
  local kept = c.client._decoders
  local decoder = kind and kept[kind]
  if decoder and next(c.options) == nil then
    kept[kind] = nil -- it reads one answer at a time
    return decoder:again()
  end
  local made = settings(c)
  made.mask = true
  for i = 1, #DECODER_OPTIONS do
    local name = DECODER_OPTIONS[i]
    if made[name] == nil then made[name] = call.option(c, name) end
  end
  return core.decoder(made)
end

--- Keeps a decoder that has read an answer to its end for the client's next call of its kind.
---@param c ampersand.Call
---@param kind string?
---@param decoder userdata
function response.keep_decoder(c, kind, decoder)
  if kind and next(c.options) == nil then c.client._decoders[kind] = decoder end
end

-- --- one value, text, nothing ------------------------------------------------------------------------------------

local function value_settings(c)
  return { expect = "any", max_element_bytes = call.option(c, "max_bytes") or 2 ^ 30, max_element_values = 1e7 }
end

local function read_value(res, attempt)
  local c, result = attempt.call, nil
  local decoder = response.decoder(c, "value", value_settings)
  while true do
    local status, value, kind = decoder:next()
    if status == "value" then
      result = value
    elseif status == "more" then
      local ok, err = response.pump(attempt, res, decoder)
      if not ok then return nil, err end
    elseif status == nil and attempt.bytes == 0 and res.status ~= 200 then -- a success without a body
      res.close(true)
      return true
    elseif status == "end" then
      res.close(true)
      response.keep_decoder(c, "value", decoder)
      return result
    else
      return nil, response.decode_error(attempt, res, value, kind)
    end
  end
end

local function read_nothing(res, attempt)
  local _, message, kind = read_text(res, 2 ^ 20)
  if kind and kind ~= "limit" then return nil, call.error(attempt, kind, message, { sent = true }) end
  res.close(not kind)
  return true
end

local function read_text_body(res, attempt)
  local text, message, kind = read_text(res, call.option(attempt.call, "max_bytes") or 2 ^ 30)
  if kind then return nil, call.error(attempt, kind, message, { sent = true }) end
  res.close(true)
  return text
end

local function is_json(res)
  local media = (res.headers["content-type"] or ""):lower():match "^%s*([^;%s]*)"
  return media:find "[/+]json$" ~= nil -- neither NDJSON nor the like, which are many values
end

--- Reads the answer of a call that gives one value.
---@param res table
---@param attempt ampersand.Attempt
---@return any value `true` where there is no body
---@return ampersand.Error?
function response.value(res, attempt)
  local returns = attempt.call.op.returns
  local empty = res.status == 204 or res.status == 205 or (res.status ~= 200 and res.headers["content-length"] == "0")
  if returns == "any" then returns = is_json(res) and "object" or "text" end
  if returns == "none" or empty then return read_nothing(res, attempt) end
  if returns == "text" then return read_text_body(res, attempt) end
  return read_value(res, attempt)
end

return response
