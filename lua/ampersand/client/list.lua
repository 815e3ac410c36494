--- Lists as one table: all pages of them.
--
-- Most lists of the API are one bare array, which is decoded while it arrives: the body is never held. Paged lists
-- ({results, pagination}) are read a page at a time. Element by element is ampersand.client.iterator's.

local core = require "ampersand.core"
local call = require "ampersand.client.sender"
local later = require "ampersand.util.later"

local pages = later "ampersand.client.iterator"

--- Whether a call's answer is decoded while it arrives. Pages are small.
---@param c ampersand.Call
---@return boolean
function pages.streamed(c)
  return c.op.returns ~= "page"
end

--- The decoder of one page. Whole pages are bounded in all, streams by element.
---@param c ampersand.Call
---@param whole boolean
---@return userdata
---@return string? kind under which it may be kept
function pages.decoder(c, whole)
  local kind = whole and not c.filter.plan and c.op.returns or nil
  local kept = kind and call.kept_decoder(c, kind)
  local paged = not pages.streamed(c)
  return kept or call.decoder(c, {
    expect = "array", plan = c.filter.plan, path = paged and { "results" } or nil,
    max_bytes = whole and (call.option(c, "max_bytes") or (paged and call.MAX_VALUE_BYTES or 2 ^ 30)) or nil,
    max_values = whole and (call.option(c, "max_values") or (paged and call.MAX_VALUES or 1e7)) or nil,
  }), kind
end

--- Reads one whole page.
---@param res table
---@param c ampersand.Call
---@param take fun(decoder: userdata, state: any): string?, any, string? takes what the decoder holds; its status
---@param state any
---@param kept boolean whether what is taken is kept
---@return boolean? ok, ampersand.Error?
function pages.read(res, c, take, state, kept)
  local decoder, kind_of_list = pages.decoder(c, kept)
  while true do
    local status, message, kind = take(decoder, state)
    if status == "more" then
      local ok, err = call.pump(c, res, decoder)
      if not ok then return nil, err end
    elseif status == "end" then
      res.close(true)
      c.envelope = c.op.returns == "page" and decoder:envelope() or nil
      if kind_of_list then call.keep_decoder(c, kind_of_list, decoder) end
      return true
    elseif status == "full" then
      res.close(false)
      c.envelope = nil
      return true
    else
      return nil, call.decode_error(c, res, message, kind)
    end
  end
end

-- LuaJIT's collector looks at a table that was written to once more in one go, with everything new in it: for a list of
-- 10 MB that took 5 to 13 ms. What a variable of a living function has held it looks at step by step.
local held -- luacheck: ignore (it is only written to)
local function show(list, from)
  for i = from, #list do held = list[i] end
  held = nil
end
if not rawget(_G, "jit") then show = function() end end

-- Appends elements to state.list until `max` are there.
local function collect(decoder, state)
  local list, max = state.list, state.max
  if max and #list >= max then return "full" end
  local before = #list
  local status, n, kind = decoder:collect(list, max and max - before)
  show(list, before + 1)
  return status, n, kind
end

-- The same with a Lua predicate, which runs after the C filter.
local function collect_some(decoder, state)
  local list, max = state.list, state.max
  if max and #list >= max then return "full" end
  local status, value, kind = decoder:next()
  while status == "value" do
    if state.predicate(value) then list[#list + 1] = value end
    if max and #list >= max then return "full" end
    status, value, kind = decoder:next()
  end
  return status, value, kind
end

local function read_kept(res, c, state)
  local list = state.list
  for i = #list, state.before + 1, -1 do list[i] = nil end -- what a broken earlier try had brought
  return pages.read(res, c, state.predicate and collect_some or collect, state, true)
end

--- Appends one page to `list`.
---@param c ampersand.Call
---@param list table
---@param max integer? stop at so many elements
---@return boolean? ok, ampersand.Error?
function pages.fetch(c, list, max)
  return call.run(c, read_kept, { list = list, max = max, before = #list, predicate = c.filter.predicate })
end

--- All elements, over all pages.
---@param c ampersand.Call
---@param max integer? stop after so many elements
---@return table? list, table|ampersand.Error info
function pages.list(c, max)
  local list = core.array {}
  c.stream = pages.streamed(c)
  repeat
    local ok, err = pages.fetch(c, list, max)
    if not ok then return nil, err end
    if c.stream or (max and #list >= max) then break end
    local more
    more, err = pages.advance(c)
    if err then return nil, err end
  until not more
  return list, c.info
end

return pages
