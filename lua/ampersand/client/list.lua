--- Lists as one table: all pages of them.
--
-- Most lists of the API are one bare array, which is decoded while it arrives: the body is never held. Paged lists
-- ({results, pagination}) are read a page at a time. Element by element is ampersand.client.iterator's.

local call = require "ampersand.client.call"
local core = require "ampersand.core"
local require = require "ampersand.util.require"
local response = require "ampersand.client.response"
local sender = require "ampersand.client.sender"

local list = {}

--- Whether a call's answer is decoded while it arrives. Pages are small.
function list.is_streamed(c)
  return c.op.returns ~= "page"
end

local function path_of(c)
  return c.op.returns == "page" and { "results" } or nil
end

-- Whole lists and pages are bounded in all, what is read element by element is bounded by element.
local function whole_settings(c)
  local streamed = list.is_streamed(c)
  return {
    expect = "array", plan = c.filter.plan, path = path_of(c),
    max_bytes = call.option(c, "max_bytes") or (streamed and 2 ^ 30 or response.MAX_VALUE_BYTES),
    max_values = call.option(c, "max_values") or (streamed and 1e7 or response.MAX_VALUES),
  }
end

--- Settings of a decoder that holds one element at a time.
function list.element_settings(c)
  return { expect = "array", plan = c.filter.plan, path = path_of(c) }
end

--- Reads one whole page.
---@param kept boolean whether what is taken is kept
---@param take fun(decoder: userdata, ...: any): string?, any, string? takes what the decoder holds; its status
---@param ... any for `take`
---@return boolean? ok, ampersand.Error?
function list.read(res, attempt, kept, take, ...)
  local c = attempt.call
  local name = kept and not c.filter.plan and c.op.returns or nil
  local decoder = response.decoder(c, name, kept and whole_settings or list.element_settings)
  local status, message, kind
  repeat
    local ok, err = response.pump(attempt, res, decoder)
    if not ok then return nil, err end
    status, message, kind = take(decoder, ...)
  until status ~= "more"
  if not status then return nil, response.decode_error(attempt, res, message, kind) end
  local whole = status == "end" -- not "full"
  res.close(whole)
  attempt.envelope = whole and c.op.returns == "page" and decoder:envelope() or nil
  if whole then response.keep_decoder(c, name, decoder) end
  return true
end

-- LuaJIT's collector looks at a table that was written to once more in one go, with everything new in it: for a list of
-- 10 MB that took 5 to 13 ms. What a variable of a living function has held it looks at step by step.
local held -- luacheck: ignore (it is only written to)
local show = rawget(_G, "jit") and function(elements, from)
  for i = from, #elements do held = elements[i] end
  held = nil
end

-- Appends elements until `max` are there.
local function collect(decoder, elements, max)
  if max and #elements >= max then return "full" end
  local before = #elements
  local status, n, kind = decoder:collect(elements, max and max - before)
  if show then show(elements, before + 1) end
  return status, n, kind
end

local function read_kept(res, attempt, elements, max, before)
  for i = #elements, before + 1, -1 do elements[i] = nil end -- what a broken earlier try had brought
  return list.read(res, attempt, true, attempt.call.filter.collect or collect, elements, max)
end

--- Appends one page to `elements`.
---@param max integer? stop at this many elements
---@return boolean? ok, ampersand.Error?
function list.fetch(attempt, elements, max)
  return sender.send(attempt, read_kept, elements, max, #elements)
end

--- Turns an attempt to the next page; false after the last one.
---@return boolean? more, ampersand.Error?
function list.advance(attempt)
  if list.is_streamed(attempt.call) then return false end
  return require "ampersand.client.pages".advance(attempt)
end

--- All elements, over all pages.
---@return table? list, table|ampersand.Error info
function list.all(c)
  local elements, max, attempt = core.array {}, c.options.max, call.attempt(c, list.is_streamed(c))
  repeat
    local ok, err = list.fetch(attempt, elements, max)
    if not ok then return nil, err end
    if max and #elements >= max then break end
    local more = false
    if not list.is_streamed(c) then more, err = list.advance(attempt) end
    if err then return nil, err end
  until not more
  return elements, attempt.info
end

return list
