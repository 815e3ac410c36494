--- Calls whose answer is one value, text, or nothing.

local call = require "ampersand.client.call"
local core = require "ampersand.core"
local response = require "ampersand.client.response"
local sender = require "ampersand.client.sender"

-- The rest of a body as text; nil, message, kind.
local function read_text(res, limit)
  if res.text then return res.text() end
  local parts, left = {}, limit
  while true do
    local chunk, message, kind = res.read()
    if kind then return nil, message, kind end
    if not chunk then return table.concat(parts) end
    left = left - #chunk
    if left < 0 then return nil, ("the response is longer than max_bytes (%d)"):format(limit), "limit" end
    parts[#parts + 1] = chunk
  end
end

local function value_settings(c)
  return {
    expect = "any", max_element_bytes = response.max_bytes(c, "object"),
    max_element_values = call.option(c, "max_values") or response.MAX_VALUES,
  }
end

local HAS_MEMBERS = { object = true, map = true }

-- What a value is that is not an object, in words; nil for an object.
local function other_than_object(value)
  if value == core.null then return "null" end
  if type(value) ~= "table" then return "a " .. type(value) end
  return getmetatable(value) == core.array_mt and "an array" or nil
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
      local got = HAS_MEMBERS[c.op.returns] and other_than_object(result)
      if got then return nil, response.decode_error(attempt, res, "expected an object, got " .. got, "decode") end
      res.close(true)
      response.keep_decoder(c, "value", decoder)
      return result
    else
      return nil, response.decode_error(attempt, res, value, kind)
    end
  end
end

local function read_nothing(res, attempt)
  local _, message, kind = read_text(res, response.max_bytes(attempt.call, "none"))
  if kind then return nil, call.error(attempt, kind, message, { sent = true }) end
  res.close(true)
  return true
end

local function read_text_body(res, attempt)
  local text, message, kind = read_text(res, response.max_bytes(attempt.call, "text"))
  if kind then return nil, call.error(attempt, kind, message, { sent = true }) end
  res.close(true)
  return text
end

local function is_json(res)
  local media = (res.headers["content-type"] or ""):lower():match "^%s*([^;%s]*)"
  return media:find "[/+]json$" ~= nil -- neither NDJSON nor the like, which are many values
end

-- Reads the answer as its operation, or its media type, says; `true` where there is no body.
local function read(res, attempt)
  local returns = attempt.call.op.returns
  local empty = res.status == 204 or res.status == 205 or (res.status ~= 200 and res.headers["content-length"] == "0")
  if returns == "any" then returns = is_json(res) and "object" or "text" end
  if returns == "none" or empty then return read_nothing(res, attempt) end
  if returns == "text" then return read_text_body(res, attempt) end
  return read_value(res, attempt)
end

--- Runs a call whose answer is one value.
---@return any value `true` where the success has no body
---@return table|ampersand.Error info
return function(c)
  local attempt = call.attempt(c)
  local value, err = sender.send(attempt, read)
  if err then return nil, err end
  return value, attempt.info
end
