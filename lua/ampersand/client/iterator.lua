--- Lists element by element while the body arrives, page by page, or as a number.
--
-- Of a bare array one element is held at a time, and the body never. Paged lists ({results, pagination}) are read a
-- page at a time; the next page is asked for while one is consumed. ampersand.client.list hands these functions on.

local core = require "ampersand.core"
local call = require "ampersand.client.sender"
local argcheck = require "ampersand.util.argcheck"
local pages = require "ampersand.client.list"

local stream = {}

local MAIN = "the main program" -- which is no coroutine before Lua 5.2

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
  elseif c.seen and c.seen[pagination.nextPageToken] then
    problem = "the server announced the same page twice"
  else
    c.seen = c.seen or {}
    c.seen[pagination.nextPageToken] = true
    return pagination.nextPageToken
  end
  return nil, call.error(c, "protocol", problem .. "; stopped rather than loop or lose pages", { sent = true })
end

--- Prepares `c` for its next page; false after the last one.
---@param c ampersand.Call
---@return boolean? more, ampersand.Error?
function stream.advance(c)
  local token, err = next_token(c)
  if err then return nil, err end
  if not token then return false end
  local query = {}
  for name, value in pairs(c.query) do query[name] = value end
  query.pageToken = token
  c.query = query
  c.attempts, c.sent = 0, nil
  return true
end

local function take_count(decoder, state)
  local status, n, kind = decoder:count()
  state.count = state.count + (status and n or 0)
  return status, n, kind
end

local function take_count_of_some(decoder, state)
  local status, value, kind = decoder:next()
  while status == "value" do
    if state.predicate(value) then state.count = state.count + 1 end
    status, value, kind = decoder:next()
  end
  return status, value, kind
end

local function read_counted(res, c, state)
  state.count = 0
  return pages.read(res, c, state.predicate and take_count_of_some or take_count, state, false)
end

--- How many elements there are; without a Lua predicate no table is made.
---@param c ampersand.Call
---@return integer? count, table|ampersand.Error info
function stream.count(c)
  local total, max, state = 0, c.options.max or math.huge, { predicate = c.filter.predicate }
  c.stream = pages.streamed(c)
  repeat
    local ok, err = call.run(c, read_counted, state)
    if not ok then return nil, err end
    total = total + state.count
    if total >= max then return max, c.info end
    local more
    more, err = stream.advance(c)
    if err then return nil, err end
  until not more
  return total, c.info
end

-- --- the request for the next page, sent ahead -----------------------------------------------------------------

-- Starts the request of a call that call.run will make later, where the transport can: the server works meanwhile.
-- What goes wrong is told by call.run, which sends it anew where the server has seen nothing of it.
local function begin(c)
  local transport = c.config.transport()
  if not transport.begin or not c.idempotent then return end
  local req, shown_url = call.prepare(c)
  if not req then return end
  -- without a timeout: time in the caller's own loop does not count
  local wait, abandon = transport:begin(req)
  if wait then c.begun = { req = req, shown_url = shown_url, wait = wait, abandon = abandon } end
end

local function abandon(c)
  local begun = c.begun
  c.begun = nil
  if begun then begun.abandon() end
end

-- --- streams -----------------------------------------------------------------------------------------------------

---@class ampersand.Stream
--- `next()` gives the next element, nil at the end, or nil and an error; `close()` ends the transfer early.
local Stream = {}
Stream.__index = Stream

local function fail(self, err)
  err.delivered = self.delivered
  self.failure = err
  self:close()
  return nil, err
end

-- Opens the stream's answer up to its first element, so that everything before that may still be tried again.
local function open_body(self)
  local c = self.call
  return call.run(c, function(res)
    local decoder = pages.decoder(c, false)
    while true do
      local status, value, kind = decoder:next()
      if status == "more" then
        local ok, err = call.pump(c, res, decoder)
        if not ok then return nil, err end
      elseif status then
        self.res, self.decoder = res, decoder
        self.status, self.value = status, value
        return true
      else
        return nil, call.decode_error(c, res, value, kind)
      end
    end
  end)
end

-- One element of a streamed array.
local function next_streamed(self)
  local c = self.call
  local status, value, kind
  if not self.decoder then
    call.start_clock(c)
    local ok, err = open_body(self)
    if not ok then return fail(self, err) end
    if self.res.deadline and not c.options.timeout then self.res.deadline(nil) end
    status, value = self.status, self.value
    self.value = nil
  else
    status, value, kind = self.decoder:next()
  end
  while status ~= "end" do
    if status == "value" then return value end
    if status ~= "more" then return fail(self, call.decode_error(c, self.res, value, kind)) end
    local ok, err = call.pump(c, self.res, self.decoder)
    if not ok then return fail(self, err) end
    status, value, kind = self.decoder:next()
  end
  self.res.close(true)
  self.res = nil
  self:close()
end

-- One element of a paged list: pages are read whole.
local function next_paged(self)
  local c = self.call
  while self.position >= #self.page do
    if self.problem then return fail(self, self.problem) end
    if not self.more then return self:close() end
    if not self.opened or not c.options.timeout then call.start_clock(c) end
    self.opened, self.position, self.page = true, 0, core.array {}
    local ok, err = pages.fetch(c, self.page)
    if not ok then return fail(self, err) end
    self.more, self.problem = stream.advance(c)
    local enough = self.max and self.delivered + #self.page >= self.max
    if self.more and not self.only_first and not enough then begin(c) end
  end
  self.position = self.position + 1
  local value = self.page[self.position]
  self.page[self.position] = false -- the caller may drop it; so do we
  return value
end

--- The next element; nil at the end; nil and an error when the list broke off.
---@return any value
---@return ampersand.Error? err
function Stream:next()
  local predicate, token = self.call.filter.predicate, self.call.options.cancel
  local me = coroutine.running() or MAIN
  if self.waiting and self.waiting ~= me and (self.waiting == MAIN or coroutine.status(self.waiting) ~= "dead") then
    argcheck.raise "stream:next: another coroutine is waiting for this stream's next element"
  end
  while not self.closed do
    if token and token.cancelled then
      return fail(self, call.error(self.call, "cancelled", "the call was cancelled", { sent = self.delivered > 0 }))
    end
    self.waiting = me
    local value, err = self.advance(self)
    self.waiting = nil
    if err then return nil, err end
    if self.closed then break end
    if not predicate or self.paged or predicate(value) then
      self.delivered = self.delivered + 1
      if self.delivered == self.max then self:close() end
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
  abandon(self.call)
end

Stream.__close = Stream.close
Stream.__gc = Stream.close

--- A stream over all elements. Nothing is sent before the first `next()`.
---@param c ampersand.Call
---@return ampersand.Stream
function stream.stream(c)
  local paged = not pages.streamed(c)
  c.stream = not paged
  return setmetatable({
    call = c, max = c.options.max, delivered = 0, closed = false, paged = paged, page = {}, position = 0, more = true,
    advance = paged and next_paged or next_streamed,
  }, Stream)
end

--- An iterator for `for`, raising the error object; in Lua 5.4 leaving the loop closes the transfer.
---@param c ampersand.Call
---@return function iterator, nil, nil, ampersand.Stream
function stream.each(c)
  local elements = stream.stream(c)
  return function()
    local value, err = elements:next()
    if err then error(err, 0) end
    return value
  end, nil, nil, elements
end

local function abandon_ahead(ahead)
  abandon(ahead.call)
end

local Ahead = { __close = abandon_ahead, __gc = abandon_ahead }

--- An iterator over pages: arrays of elements. A list that is not paged is one page.
---@param c ampersand.Call
---@return fun(): table? iterator, nil, nil, table closing value
function stream.pages(c)
  local more, problem, left = true, nil, c.options.max
  return function()
    if problem then error(problem, 0) end
    if not more then return nil end
    local page = core.array {}
    local ok, err = pages.fetch(c, page, left)
    if not ok then
      more = false
      error(err, 0)
    end
    left = left and left - #page
    if left == 0 then
      more = false
      return page
    end
    more, problem = stream.advance(c)
    if more then begin(c) end
    return page
  end, nil, nil, setmetatable({ call = c }, Ahead)
end

--- The first element, or nil when there is none.
---@param c ampersand.Call
---@return any value, table|ampersand.Error|nil info
function stream.first(c)
  local elements = stream.stream(c)
  elements.only_first = true
  local value, err = elements:next()
  elements:close()
  if err then return nil, err end
  return value, c.info
end

return stream
