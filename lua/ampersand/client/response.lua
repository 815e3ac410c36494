--- Answers: what errors say, and how bytes get into decoders. ampersand.client.list, .iterator and .value read them.

local call = require "ampersand.client.call"
local core = require "ampersand.core"
local Error = require "ampersand.client.error"
local retry = require "ampersand.client.retry"
local url = require "ampersand.util.url"

local response = {}

local PIECE = 4096 -- bytes decoded at a time: between two pieces an event loop may have its turn
local MAX_ERROR_BODY = 64 * 1024
-- Bytes of an answer that is not streamed, by what the operation returns; the option max_bytes replaces them.
local MAX_BYTES = { none = 2 ^ 20, text = 2 ^ 26, any = 2 ^ 26 }
response.MAX_VALUE_BYTES, response.MAX_VALUES = 2 ^ 24, 1e6 -- of one value, or one page

--- The bytes that a whole answer may have.
function response.max_bytes(c, returns)
  return call.option(c, "max_bytes") or MAX_BYTES[returns] or response.MAX_VALUE_BYTES
end

-- A body as far as it comes and the limit allows, and whether it is whole.
local function read_beginning(res, limit)
  local parts, left = {}, limit
  while left >= 0 do
    local chunk, _, kind = res.read()
    if not chunk then return table.concat(parts), not kind end
    parts[#parts + 1] = chunk:sub(1, left)
    left = left - #chunk
  end
  return table.concat(parts), false
end

-- --- errors ------------------------------------------------------------------------------------------------------

-- A text member of the object that `text` begins with, if it stands before the place where the text is cut.
local function text_member(text, name)
  local decoder = core.decoder { path = { name }, expect = "any", mask = true }
  decoder:feed(text)
  local status, value = decoder:next()
  return status == "value" and type(value) == "string" and value or nil
end

-- The problem of an error's answer, and its body: decoded, or text, which of a long body is the beginning.
local function read_error_body(res)
  local text, whole = read_beginning(res, MAX_ERROR_BODY)
  text = text:gsub("^\239\187\191", "") -- a byte order mark
  res.close(whole)
  if text == "" then return nil end
  local value = core.decode(text, { mask = true })
  if type(value) == "table" then return value, value end
  if whole or not text:find "^%s*{" then return nil, text end
  local problem = {}
  for _, name in ipairs { "title", "detail", "requestId" } do problem[name] = text_member(text, name) end
  return next(problem) and problem, text
end

local REDIRECT = "%d: the server redirects to %s; redirects are not followed, for the key belongs to one origin"

-- Which of the ids was not found; a key is an id of its own operations.
local function name_of_missing(c)
  local name = c.op.placeholders and c.op.placeholders[#c.op.placeholders]
  if not name or name == "apiKey" or c.path[name] == nil then return "" end
  return (" (%s %s)"):format(name, tostring(c.path[name]))
end

--- The error for an answer with a status that is not a success.
function response.status_error(attempt, res)
  local status, headers = res.status, res.headers
  local problem, body = read_error_body(res)
  local message = Error.status_message(status, problem or body)
  if status >= 300 and status < 400 and headers.location then
    local target = url.origin(headers.location) or "another path"
    -- a key with a slash in it would be cut, and not be found any more
    if attempt.call.client:_holds_secret(headers.location) then target = "another server" end
    message = REDIRECT:format(status, target)
  end
  if status == 404 then message = message .. name_of_missing(attempt.call) end
  local id = problem and type(problem.requestId) == "string" and problem.requestId
  return call.error(attempt, "status", message, {
    status = status, problem = problem, body = body, sent = true,
    request_id = id or headers["x-request-id"] or headers["request-id"],
    retry_after = retry.after(headers, problem, core.time()), retryable = retry.verdict(headers, problem),
  })
end

--- The error for an answer that cannot be decoded; says so when the server did not even send JSON.
---@param kind string "decode" or "limit"
function response.decode_error(attempt, res, message, kind)
  local media = (res.headers["content-type"] or ""):match("^[%w.+/-]+")
  if kind == "decode" and media and not media:find("json", 1, true) then
    message = ("the server answered with %s instead of JSON; is base_url right? (%s)"):format(media, message)
  end
  return call.error(attempt, kind, message, {
    sent = true, status = res.status, request_id = attempt.info.request_id,
  })
end

-- --- decoders ----------------------------------------------------------------------------------------------------

--- Moves the next bytes of a body into a decoder; ends the decoder at the end of the body.
---@return boolean? ok, ampersand.Error?
function response.pump(attempt, res, decoder)
  if res.source then
    local taken, ended = decoder:drain(res.source)
    attempt.bytes = attempt.bytes + taken
    if taken > 0 and res.turn then res.turn() end
    if taken > 0 or ended then return true end
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
---@param kind string? under which it may be kept
---@param settings fun(c: ampersand.Call): table path, expect, plan and limits of a new one
function response.decoder(c, kind, settings)
  local kept = c.client._kept.decoders
  local decoder = kind and kept[kind]
  if decoder and c.options == call.NOTHING then
    kept[kind] = nil -- it reads one answer at a time
    local ok, ready = pcall(decoder.again, decoder) -- it is closed when the Lua state is closing
    if ok then return ready end
  end
  local made = settings(c)
  made.mask, made.bom = true, true
  for i = 1, #DECODER_OPTIONS do
    local name = DECODER_OPTIONS[i]
    if made[name] == nil then made[name] = call.option(c, name) end
  end
  return core.decoder(made)
end

--- Keeps a decoder that has read an answer to its end for the client's next call of its kind.
function response.keep_decoder(c, kind, decoder)
  if kind and c.options == call.NOTHING then c.client._kept.decoders[kind] = decoder end
end

return response
