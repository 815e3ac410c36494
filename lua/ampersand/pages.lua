--- Lists: element by element while the body arrives, page by page, or all at once.
--
-- Most lists of the API are one bare array, which is streamed: one element is held at a time and the body never.
-- Paged lists ({results, pagination}) are read a page at a time; the next page is asked for while one is consumed.

local core = require "ampersand.core"
local call = require "ampersand.call"

local pages = {}

-- A bare array is decoded while it arrives, also into a list: the body is never held. Pages are small.
local function streamed(c)
  return c.op.returns ~= "page"
end

-- The decoder of one page. Whole pages are bounded in all, streams by element.
local function page_decoder(c, whole)
  local settings = { expect = "array", plan = c.filter.plan, path = c.op.returns == "page" and { "results" } or nil }
  if whole then
    settings.max_bytes = call.option(c, "max_bytes") or 2 ^ 30
    settings.max_values = call.option(c, "max_values") or 1e7
  end
  return call.decoder(c, settings)
end

-- Reads one whole page: `step` takes what the decoder holds and answers its status; `kept` says whether that is kept.
local function read_page(c, res, step, kept)
  local decoder = page_decoder(c, kept)
  while true do
    local status, message, kind = step(decoder)
    if status == "end" then
      res.close(true)
      c.envelope = c.op.returns == "page" and decoder:envelope() or nil
      return true
    elseif status == "full" then
      res.close(false)
      c.envelope = nil
      return true
    elseif status == "more" then
      local ok, err = call.pump(c, res, decoder)
      if not ok then return nil, err end
    else
      return nil, call.decode_error(c, res, message, kind)
    end
  end
end

-- The token of the page after this one, nil after the last. A server that repeats itself would loop us forever.
local function next_token(c)
  if c.op.returns ~= "page" then return nil end
  local pagination = type(c.envelope) == "table" and c.envelope.pagination
  local problem
  if type(pagination) ~= "table" then
    problem = "the page has no `pagination`"
  elseif pagination.done == true then
    return nil
  elseif type(pagination.nextPageToken) ~= "string" or pagination.nextPageToken == "" then
    problem = "more pages are announced, but `nextPageToken` is missing"
  elseif c.seen[pagination.nextPageToken] then
    problem = "the server announced the same page twice"
  else
    c.seen[pagination.nextPageToken] = true
    return pagination.nextPageToken
  end
  return nil, call.error(c, "protocol", problem .. "; stopped rather than loop or lose pages", { sent = true })
end

-- Prepares `c` for its next page; false after the last one.
local function advance(c)
  local token, err = next_token(c)
  if err then return nil, err end
  if not token then return false end
  local query = {}
  for name, value in pairs(c.query) do query[name] = value end
  query.pageToken = token
  c.query = query
  c.attempts = 0
  return true
end

-- LuaJIT's collector looks at a table that was written to once more in one go, with everything new in it: for a list of
-- 10 MB that took 5 to 13 ms. What a variable of a living function has held it looks at step by step.
local held -- luacheck: ignore (it is only written to)
local function show(list, from)
  for i = from, #list do held = list[i] end
  held = nil
end
if not rawget(_G, "jit") then show = function() end end

-- Appends elements to `list` until `max` are there; the Lua predicate, where there is one, runs after the C filter.
local function collector(c, list, max)
  local predicate = c.filter.predicate
  if not predicate then
    return function(decoder)
      if max and #list >= max then return "full" end
      local before = #list
      local status, n, kind = decoder:collect(list, max and max - before)
      show(list, before + 1)
      return status, n, kind
    end
  end
  return function(decoder)
    if max and #list >= max then return "full" end
    local status, value, kind = decoder:next()
    while status == "value" do
      if predicate(value) then list[#list + 1] = value end
      if max and #list >= max then return "full" end
      status, value, kind = decoder:next()
    end
    return status, value, kind
  end
end

local function fetch_page(c, list, max)
  local before = #list
  return call.run(c, function(res)
    for i = #list, before + 1, -1 do list[i] = nil end -- what a broken earlier try had brought
    return read_page(c, res, collector(c, list, max), true)
  end)
end

--- All elements, over all pages.
---@param c ampersand.Call
---@param max integer? stop after so many elements
---@return table? list, table|ampersand.Error info
function pages.list(c, max)
  local list = core.array {}
  c.stream = streamed(c)
  repeat
    local ok, err = fetch_page(c, list, max)
    if not ok then return nil, err end
    if max and #list >= max then break end
    local more
    more, err = advance(c)
    if err then return nil, err end
  until not more
  return list, c.info
end

--- How many elements there are; without a Lua predicate no table is made.
---@param c ampersand.Call
---@return integer? count, table|ampersand.Error info
function pages.count(c)
  local total = 0
  c.stream = streamed(c)
  local function step(decoder)
    if c.filter.predicate then
      local list = {}
      local status, message, kind = collector(c, list)(decoder)
      return status, message, kind, #list
    end
    local status, n, kind = decoder:count()
    return status, n, kind, status and n
  end
  repeat
    local page
    local ok, err = call.run(c, function(res)
      page = 0
      return read_page(c, res, function(decoder)
        local status, message, kind, n = step(decoder)
        page = page + (n or 0)
        return status, message, kind
      end, false)
    end)
    if not ok then return nil, err end
    total = total + page
    local more
    more, err = advance(c)
    if err then return nil, err end
  until not more
  return total, c.info
end

---@class ampersand.Stream
--- `next()` gives the next element, nil at the end, or nil and an error; `close()` ends the transfer early.
local Stream = {}
Stream.__index = Stream

local function fail(stream, err)
  err.delivered = stream.delivered
  stream.failure = err
  stream:close()
  return nil, err
end

-- Opens the stream's answer up to its first element, so that everything before that may still be tried again.
local function open_body(stream)
  local c = stream.call
  return call.run(c, function(res)
    local decoder = page_decoder(c, false)
    while true do
      local status, value, kind = decoder:next()
      if status == "more" then
        local ok, err = call.pump(c, res, decoder)
        if not ok then return nil, err end
      elseif status then
        stream.res, stream.decoder = res, decoder
        stream.status, stream.value = status, value
        return true
      else
        return nil, call.decode_error(c, res, value, kind)
      end
    end
  end)
end

-- One element of a streamed array.
local function next_streamed(stream)
  local c = stream.call
  local status, value, kind
  if not stream.decoder then
    call.start_clock(c)
    local ok, err = open_body(stream)
    if not ok then return fail(stream, err) end
    if stream.res.deadline and not c.options.timeout then stream.res.deadline(nil) end
    status, value = stream.status, stream.value
    stream.value = nil
  else
    status, value, kind = stream.decoder:next()
  end
  while status ~= "end" do
    if status == "value" then return value end
    if status ~= "more" then return fail(stream, call.decode_error(c, stream.res, value, kind)) end
    local ok, err = call.pump(c, stream.res, stream.decoder)
    if not ok then return fail(stream, err) end
    status, value, kind = stream.decoder:next()
  end
  stream.res.close(true)
  stream.res = nil
  stream:close()
end

-- One element of a paged list: pages are read whole.
local function next_paged(stream)
  local c = stream.call
  while stream.position >= #stream.page do
    if stream.problem then return fail(stream, stream.problem) end
    if not stream.more then return stream:close() end
    if not stream.opened or not c.options.timeout then call.start_clock(c) end
    stream.opened, stream.position, stream.page = true, 0, core.array {}
    local ok, err = fetch_page(c, stream.page)
    if not ok then return fail(stream, err) end
    stream.more, stream.problem = advance(c)
    if stream.more and not stream.only_first then call.begin(c) end
  end
  stream.position = stream.position + 1
  local value = stream.page[stream.position]
  stream.page[stream.position] = false -- the caller may drop it; so do we
  return value
end

--- The next element; nil at the end; nil and an error when the list broke off.
---@return any value
---@return ampersand.Error? err
function Stream:next()
  local predicate, token = self.call.filter.predicate, self.call.options.cancel
  while not self.closed do
    if token and token.cancelled then
      return fail(self, call.error(self.call, "cancelled", "the call was cancelled", { sent = self.delivered > 0 }))
    end
    local value, err = self.advance(self)
    if err then return nil, err end
    if self.closed then break end
    if not predicate or self.paged or predicate(value) then
      self.delivered = self.delivered + 1
      return value
    end
  end
  return nil, self.failure
end

--- Ends the transfer. Closing twice is harmless.
function Stream:close()
  self.closed = true
  if self.res then
    self.res.close(false)
    self.res = nil
  end
  if self.decoder then
    self.decoder:close()
    self.decoder = nil
  end
  self.page = nil
  call.abandon(self.call)
end

Stream.__close = Stream.close
Stream.__gc = Stream.close

--- A stream over all elements. Nothing is sent before the first `next()`.
---@param c ampersand.Call
---@return ampersand.Stream
function pages.stream(c)
  local paged = not streamed(c)
  c.stream = not paged
  return setmetatable({
    call = c, delivered = 0, closed = false, paged = paged, page = {}, position = 0, more = true,
    advance = paged and next_paged or next_streamed,
  }, Stream)
end

--- An iterator for `for`, raising the error object; in Lua 5.4 leaving the loop closes the transfer.
---@param c ampersand.Call
---@return function iterator, nil, nil, ampersand.Stream
function pages.each(c)
  local stream = pages.stream(c)
  return function()
    local value, err = stream:next()
    if err then error(err, 0) end
    return value
  end, nil, nil, stream
end

local function abandon(ahead)
  call.abandon(ahead.call)
end

local Ahead = { __close = abandon, __gc = abandon }

--- An iterator over pages: arrays of elements. A list that is not paged is one page.
---@param c ampersand.Call
---@return fun(): table? iterator, nil, nil, table closing value
function pages.pages(c)
  local more, problem = true, nil
  return function()
    if problem then error(problem, 0) end
    if not more then return nil end
    local page = core.array {}
    local ok, err = fetch_page(c, page)
    if not ok then
      more = false
      error(err, 0)
    end
    more, problem = advance(c)
    if more then call.begin(c) end
    return page
  end, nil, nil, setmetatable({ call = c }, Ahead)
end

--- The first element, or nil when there is none.
---@param c ampersand.Call
---@return any value, table|ampersand.Error|nil info
function pages.first(c)
  local stream = pages.stream(c)
  stream.only_first = true
  local value, err = stream:next()
  stream:close()
  if err then return nil, err end
  return value, c.info
end

return pages
