--- Answers that are one value, or none; and what the answers of simple transports leave out.

local call = require "ampersand.client.sender"

local answer = {}

--- Fills in the optional parts of a transport's answer: doubles may give just `status` and `body`.
---@param res table
function answer.complete(res)
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

--- Reads the rest of a body as text.
---@param res table
---@param limit number bytes
---@return string? text, string? message, string? kind
function answer.text(res, limit)
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

--- Reads a body as far as it comes and the limit allows.
---@param res table
---@param limit number bytes
---@return string text
---@return boolean whole
function answer.beginning(res, limit)
  local parts, left = {}, limit
  while left >= 0 do
    local chunk, _, kind = res.read()
    if not chunk then return table.concat(parts), not kind end
    parts[#parts + 1] = chunk:sub(1, left)
    left = left - #chunk
  end
  return table.concat(parts), false
end

local function read_value(c, res)
  local decoder = call.kept_decoder(c, "value") or call.decoder(c, {
    expect = "any", max_element_bytes = call.max_bytes(c),
    max_element_values = call.option(c, "max_values") or call.MAX_VALUES,
  })
  local result
  while true do
    local status, value, kind = decoder:next()
    if status == "value" then
      result = value
    elseif status == "more" then
      local ok, err = call.pump(c, res, decoder)
      if not ok then return nil, err end
    elseif status == nil and c.bytes == 0 and res.status ~= 200 then -- a success without a body, which no header told
      res.close(true)
      return true
    elseif status == "end" then
      res.close(true)
      call.keep_decoder(c, "value", decoder)
      return result
    else
      return nil, call.decode_error(c, res, value, kind)
    end
  end
end

local function read_nothing(c, res)
  local _, message, kind = answer.text(res, call.max_bytes(c, "none"))
  if kind then return nil, call.error(c, kind, message, { sent = true }) end
  res.close(true)
  return true
end

local function read_text_body(c, res)
  local text, message, kind = answer.text(res, call.max_bytes(c, "text"))
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
function answer.value(c)
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

return answer
