--- Lists element by element while the body arrives, page by page, or as a number.
--
-- Of a bare array one element is held at a time, and the body never. Paged lists ({results, pagination}) are read a
-- page at a time; the next page is asked for while one is consumed.

local argcheck = require "ampersand.util.argcheck"
local call = require "ampersand.client.call"
local core = require "ampersand.core"
local list = require "ampersand.client.list"
local response = require "ampersand.client.response"
local sender = require "ampersand.client.sender"

local iterator = {}

local MAIN = "the main program" -- which is not a coroutine before Lua 5.2

local function take_count(decoder, state)
  local status, n, kind = decoder:count()
  state.count = state.count + (status and n or 0)
  return status, n, kind
end

local function take_count_of_some(decoder, state)
  local status, value, kind = decoder:next()
  while status == "value" do
    if state.keep(value) ~= nil then state.count = state.count + 1 end
    status, value, kind = decoder:next()
  end
  return status, value, kind
end

local function read_counted(res, attempt, state)
  state.count = 0
  return list.read(res, attempt, false, state.keep and take_count_of_some or take_count, state)
end

--- How many elements there are; without a Lua function no table is made.
---@param c ampersand.Call
---@return integer? count, table|ampersand.Error info
function iterator.count(c)
  local total, max, state = 0, c.options.max or math.huge, { keep = c.filter.keep }
  local attempt = call.attempt(c, list.is_streamed(c))
  repeat
    local ok, err = sender.send(attempt, read_counted, state)
    if not ok then return nil, err end
    total = total + state.count
    if total >= max then return max, attempt.info end
    local more
    more, err = list.advance(attempt)
    if err then return nil, err end
  until not more
  return total, attempt.info
end

-- --- the request for the next page, sent ahead -----------------------------------------------------------------

-- Starts the request that sender.send will make next, where the transport can: the server works meanwhile. What goes
-- wrong is reported by sender.send, which sends it anew where the server has seen nothing of it.
local function begin(attempt)
  local transport = attempt.call.config.transport()
  if not transport or not transport.begin or not call.is_idempotent(attempt.call) then return end
  local limiter = attempt.call.config.limiter
  local seconds, era = limiter:take(core.now())
  if seconds > 0 then return limiter:give_back(era) end
  local req = sender.prepare(attempt)
  if not req then return end
  -- without a timeout: time in the caller's own loop does not count
  local wait, abandon = transport:begin(req)
  if not wait then return end
  attempt.begun = { req = function() return req end, wait = wait, abandon = abandon }
end

local function abandon(attempt)
  local begun = attempt.begun
  attempt.begun = nil
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

local function read_first(res, attempt, self)
  local decoder = response.decoder(attempt.call, nil, list.element_settings)
  while true do
    local status, value, kind = decoder:next()
    if status == "more" then
      local ok, err = response.pump(attempt, res, decoder)
      if not ok then return nil, err end
    elseif status then
      self.res, self.decoder = res, decoder
      self.status, self.value = status, value
      return true
    else
      return nil, response.decode_error(attempt, res, value, kind)
    end
  end
end

-- One element of a streamed array.
local function next_streamed(self)
  local attempt = self.attempt
  local status, value, kind
  if not self.decoder then
    call.start_clock(attempt)
    -- up to the first element, so that everything before that may still be tried again
    local ok, err = sender.send(attempt, read_first, self)
    if not ok then return fail(self, err) end
    if self.res.deadline and not attempt.call.options.timeout then self.res.deadline(nil) end
    status, value = self.status, self.value
    self.value = nil
  else
    status, value, kind = self.decoder:next()
  end
  while status ~= "end" do
    if status == "value" then return value end
    if status ~= "more" then return fail(self, response.decode_error(attempt, self.res, value, kind)) end
    local ok, err = response.pump(attempt, self.res, self.decoder)
    if not ok then return fail(self, err) end
    status, value, kind = self.decoder:next()
  end
  self.res.close(true)
  self.res = nil
  self:close()
end

-- One element of a paged list: pages are read whole.
local function next_paged(self)
  local attempt = self.attempt
  while self.position >= #self.page do
    if self.problem then return fail(self, self.problem) end
    if not self.more then return self:close() end
    if not self.opened or not attempt.call.options.timeout then call.start_clock(attempt) end
    self.opened, self.position, self.page = true, 0, core.array {}
    local ok, err = list.fetch(attempt, self.page)
    if not ok then return fail(self, err) end
    self.more, self.problem = list.advance(attempt)
    local enough = self.max and self.delivered + #self.page >= self.max
    if self.more and not self.only_first and not enough then begin(attempt) end
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
  local attempt = self.attempt
  local keep, token = not self.paged and attempt.call.filter.keep, attempt.call.options.cancel
  local me = coroutine.running() or MAIN
  if self.waiting and self.waiting ~= me and (self.waiting == MAIN or coroutine.status(self.waiting) ~= "dead") then
    argcheck.raise "stream:next: another coroutine is waiting for this stream's next element"
  end
  while not self.closed do
    if token and token.cancelled then
      return fail(self, call.error(attempt, "cancelled", "the call was cancelled", { sent = self.delivered > 0 }))
    end
    self.waiting = me
    local value, err = self.advance(self)
    self.waiting = nil
    if err then return nil, err end
    if self.closed then break end
    if keep then value = keep(value) end
    if value ~= nil then
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
  abandon(self.attempt)
end

Stream.__close = Stream.close
Stream.__gc = Stream.close

--- A stream over all elements. Nothing is sent before the first `next()`.
---@param c ampersand.Call
---@return ampersand.Stream
function iterator.stream(c)
  local paged = not list.is_streamed(c)
  return setmetatable({
    attempt = call.attempt(c, not paged), max = c.options.max, delivered = 0, closed = false, paged = paged, page = {},
    position = 0, more = true, advance = paged and next_paged or next_streamed,
  }, Stream)
end

--- An iterator for `for`, raising the error object; in Lua 5.4 leaving the loop closes the transfer.
---@param c ampersand.Call
---@return function iterator, nil, nil, ampersand.Stream
function iterator.each(c)
  local elements = iterator.stream(c)
  return function()
    local value, err = elements:next()
    if err then error(err, 0) end
    return value
  end, nil, nil, elements
end

local function abandon_ahead(ahead)
  abandon(ahead.attempt)
end

local Ahead = { __close = abandon_ahead, __gc = abandon_ahead }

--- An iterator over pages: arrays of elements. A list that is not paged is one page.
---@param c ampersand.Call
---@return fun(): table? iterator, nil, nil, table closing value
function iterator.pages(c)
  local more, problem, left, attempt = true, nil, c.options.max, call.attempt(c)
  return function()
    if problem then error(problem, 0) end
    if not more then return nil end
    local page = core.array {}
    local ok, err = list.fetch(attempt, page, left)
    if not ok then
      more = false
      error(err, 0)
    end
    left = left and left - #page
    if left == 0 then
      more = false
      return page
    end
    more, problem = list.advance(attempt)
    if more then begin(attempt) end
    return page
  end, nil, nil, setmetatable({ attempt = attempt }, Ahead)
end

--- The first element, or nil when there is none.
---@param c ampersand.Call
---@return any value, table|ampersand.Error|nil info
function iterator.first(c)
  local elements = iterator.stream(c)
  elements.only_first = true
  local value, err = elements:next()
  elements:close()
  if err then return nil, err end
  return value, elements.attempt.info
end

return iterator
